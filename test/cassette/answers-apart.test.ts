import { createCipheriv } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { BridgetapeError } from '../../src/errors.js';
import { Cassette, type CassetteEvent, type MessageEvent, type NewEvent } from '../../src/cassette/index.js';
import { memorySource, type Source } from '../../src/cassette/disk.js';
import { LateMessage, type Payloads } from '../../src/cassette/late-message.js';
import type { PassingEvent } from '../../src/cassette/passing-event.js';
import { MemoryDisk } from './memory-disk.js';
import { anyEvents, asRead, bytes, record, unary } from './recording.js';

const MiB = 1024 * 1024;

async function packed(events: readonly NewEvent[]): Promise<Uint8Array> {
  const disk = new MemoryDisk();
  await record('/a.cassette', events, { disk });
  return disk.bytes('/a.cassette');
}

/** Bytes that no compression makes smaller, so that what is read of the file shows what was unpacked. */
function noise(length: number, seed: number): Uint8Array {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16)).update(new Uint8Array(length));
}

/** A file that counts the bytes that are read of it. */
class CountingSource implements Source {
  readonly regular = true;
  readonly size: number;
  private count = 0;
  private readonly source: Source;

  constructor(content: Uint8Array) {
    this.source = memorySource(content);
    this.size = content.length;
  }

  /** Bytes read since this was last asked. */
  get fresh(): number {
    const { count } = this;
    this.count = 0;
    return count;
  }

  read(target: Uint8Array, position: number): number {
    const got = this.source.read(target, position);
    this.count += got;
    return got;
  }

  close(): void {
    this.source.close();
  }
}

/** All that a cassette tells of, in its order. */
function told(cassette: Cassette): readonly CassetteEvent[] {
  const events: CassetteEvent[] = [];
  cassette.tell({
    pass: (event, payloads) => events.push(kept(event, payloads)),
    add: (event) => events.push(event),
  });
  return events;
}

function kept({ kind, seq, time, connection, call, headers, compressed, size, payload, side, code }: PassingEvent, payloads: Payloads): CassetteEvent {
  const placed = { seq, time: BigInt(time), connection, call };
  switch (kind) {
    case 'client-header':
    case 'server-header':
    case 'server-trailer':
      return { kind, ...placed, headers };
    case 'client-message':
    case 'server-message': {
      const message = { kind, ...placed, compressed, size };
      return typeof payload === 'number' ? new LateMessage(message, payloads, payload) : { ...message, data: payload };
    }
    case 'client-half-close':
      return { kind, ...placed };
    case 'reset':
      return { kind, ...placed, side, code };
  }
}

const answersOf = (cassette: Cassette): readonly MessageEvent[] => told(cassette).filter((event): event is MessageEvent => event.kind === 'server-message');

/** The same event, held as others are. */
const held = (event: CassetteEvent): CassetteEvent => {
  if (event.kind !== 'server-message' && event.kind !== 'client-message') return event;
  const { kind, seq, time, connection, call, compressed, size, data } = event;
  return { kind, seq, time, connection, call, compressed, size, data: data && new Uint8Array(data) };
};

describe('answers that are read when they are asked for', () => {
  test('are the same as others', async () => {
    await fc.assert(
      fc.asyncProperty(anyEvents, async (events) => {
        using cassette = Cassette.open('packed', { source: memorySource(await packed(events)) });
        expect(isDeepStrictEqual(told(cassette).map(held), asRead(events))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  describe('of a large cassette', () => {
    const COUNT = 40;
    let content: Uint8Array;
    beforeAll(async () => {
      content = await packed(Array.from({ length: COUNT }, (_, i) => unary(i + 1, BigInt(i), bytes('small'), noise(MiB, i))).flat());
    }, 60_000);

    test('stay in the file until then, and a few in memory after', () => {
      const source = new CountingSource(content);
      using cassette = Cassette.open('counted', { source });
      const answers = answersOf(cassette);
      expect(answers).toHaveLength(COUNT);
      expect(source.fresh).toBeLessThan(MiB / 2);

      const ask = (index: number): number => {
        expect(answers[index]?.data?.[5]).toBe(noise(6, index)[5]);
        return Math.round(source.fresh / MiB);
      };
      expect([ask(0), ask(0), ask(1), ask(0), ask(1)]).toEqual([1, 0, 1, 0, 0]);
      // What was asked for last stays, of more than is kept what was asked for first goes.
      for (let index = 2; index < COUNT; index += 1) expect(ask(index)).toBe(1);
      expect([ask(COUNT - 1), ask(COUNT - 10), ask(0), ask(COUNT - 1)]).toEqual([0, 0, 1, 0]);
    });

    test('that is damaged say so, the others are there', () => {
      const damaged = new Uint8Array(content);
      damaged[Math.round(content.length / 2)] = (damaged[Math.round(content.length / 2)] ?? 0) ^ 1;
      using cassette = Cassette.open('damaged', { source: memorySource(damaged) });
      const failures = answersOf(cassette).flatMap((answer) => {
        try {
          return answer.data?.length === MiB ? [] : ['short'];
        } catch (error) {
          return [error];
        }
      });
      expect(failures).toEqual([expect.any(BridgetapeError)]);
      expect(failures[0]).toMatchObject({ code: 'cassette-damaged', what: expect.stringMatching(/^the cassette is damaged: the payload of a server-message of 1048576 bytes cannot be read \(call \d+, event \d+\)\.$/) as unknown });
    });
  });
});

test('header lists and fields that come again are one object, and are read as they were', async () => {
  const calls = Array.from({ length: 50 }, (_, i) => unary(i + 1, BigInt(i), bytes(`question ${i}`), bytes(`answer ${i}`), `/a.Service/Method${i % 2}`));
  using cassette = Cassette.open('packed', { source: memorySource(await packed(calls.flat())) });
  const events = told(cassette);
  const listsOf = (kind: CassetteEvent['kind']) => events.flatMap((event) => (event.kind === kind && 'headers' in event ? [event.headers] : []));
  expect([listsOf('client-header'), listsOf('server-header'), listsOf('server-trailer')].map((lists) => [lists.length, new Set(lists).size])).toEqual([
    [50, 2],
    [50, 1],
    [50, 1],
  ]);
  const [one, other] = [...new Set(listsOf('client-header'))];
  expect([one?.[0] === other?.[0], one?.[1] === other?.[1]]).toEqual([true, false]);
  expect(isDeepStrictEqual(events.map(held), asRead(calls.flat()))).toBe(true);
});
