import { isDeepStrictEqual } from 'node:util';
import { test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { memorySource } from '../../src/cassette/disk.js';
import { Cassette, HeldCall, HeldCalls, Kinds, type CallEvent, type CassetteEvent, type EventSource, type NewEvent } from '../../src/cassette/index.js';
import { MemoryDisk } from './memory-disk.js';
import { anyEvents, asRead, bytes, fields, record, unary } from './recording.js';

const KINDS = ['client-header', 'server-header', 'server-trailer', 'client-message', 'server-message', 'client-half-close', 'reset'] as const;

const holding = (source: EventSource): HeldCalls<HeldCall> => new HeldCalls((beginning) => new HeldCall(beginning)).addAll(source);
const held = (events: readonly CassetteEvent[]): readonly HeldCall[] => holding({ events: () => events }).calls;

/** What is to come out: of each call that begins with a client header all but gaps, on that header's connection. */
function expected(events: readonly CassetteEvent[]): readonly (readonly CallEvent[])[] {
  const calls = new Map<number, CallEvent[]>();
  for (const event of events) {
    if (!('call' in event) || event.kind === 'gap') continue;
    const call = calls.get(event.call);
    if (call !== undefined) call.push({ ...event, connection: call[0]?.connection ?? 0 });
    else if (event.kind === 'client-header') calls.set(event.call, [event]);
  }
  return [...calls.values()];
}

/** The same event with its payload in place. */
function plain(event: CallEvent): CallEvent {
  if (event.kind !== 'client-message' && event.kind !== 'server-message') return event;
  return { ...event, data: event.data && new Uint8Array(event.data) };
}

async function written(events: readonly NewEvent[]): Promise<Cassette> {
  const disk = new MemoryDisk();
  await record('/a.cassette', events, { disk });
  return Cassette.open('a.cassette', { source: memorySource(disk.bytes('/a.cassette')) });
}

describe('calls that are held all at once', () => {
  property.prop([anyEvents], { numRuns: 60 })('are what was recorded, however often they are asked', async (events) => {
    using cassette = await written(events);
    const { calls } = holding(cassette);
    const wanted = expected(asRead(events));
    for (let time = 0; time < 2; time++) expect(isDeepStrictEqual(calls.map((call) => call.events.map(plain)), wanted)).toBe(true);
    expect(calls.map(({ id, connection, headers }) => ({ id, connection, headers }))).toEqual(wanted.map(([first]) => ({ id: first?.call, connection: first?.connection, headers: first?.kind === 'client-header' ? first.headers : [] })));
  });

  property.prop([anyEvents])('are looked through for some of their events', (events) => {
    const read = asRead(events);
    for (const [index, wanted] of expected(read).entries()) {
      const call = held(read)[index];
      for (const kind of KINDS) {
        const found = call?.find(kind);
        const ofKind = wanted.filter((event) => event.kind === kind);
        expect(isDeepStrictEqual(found && plain(found), ofKind[0])).toBe(true);
        expect(call?.count(kind)).toBe(ofKind.length);
      }
      expect(isDeepStrictEqual([...(call?.only(new Kinds('reset', 'server-message')) ?? [])].map(plain), wanted.filter(({ kind }) => kind === 'reset' || kind === 'server-message'))).toBe(true);
      expect(isDeepStrictEqual([...(call?.walk() ?? [])].map(plain), wanted)).toBe(true);
      expect([call?.start, call?.hasCompressed]).toEqual([wanted[0]?.time, wanted.some((event) => 'compressed' in event && event.compressed)]);
    }
  });

  property.prop([anyEvents])('count what is not held of them', async (events) => {
    const read = asRead(events);
    using cassette = await written(events);
    const isHeld = new Set<number>();
    let [gaps, leftOut] = [0, 0];
    for (const event of read) {
      if (!('call' in event)) continue;
      if (event.kind === 'client-header') isHeld.add(event.call);
      if (!isHeld.has(event.call)) continue;
      if (event.kind === 'gap') gaps += 1;
      if ('compressed' in event && event.data === undefined && event.size > 0) leftOut += 1;
    }
    for (const calls of [holding({ events: () => read }), holding(cassette)]) expect([calls.gaps, calls.leftOut]).toEqual([gaps, leftOut]);
  });

  test('are as many as there are, each with its own', () => {
    const calls = 3000;
    const events = asRead(Array.from({ length: calls }, (_, i) => unary(i + 1, BigInt(i), bytes(`question ${i}`), bytes(`answer ${i}`.repeat(1 + (i % 50))))).flat());
    // Side by side, as clients make them.
    const mixed = [...events].sort((one, other) => (one.seq % 7) - (other.seq % 7) || one.seq - other.seq);
    const wanted = expected(mixed);
    expect(isDeepStrictEqual(held(mixed).map((call) => call.events.map(plain)), wanted)).toBe(true);
    expect(wanted).toHaveLength(calls);
  });

  test('of which none is wanted leave nothing behind', () => {
    const calls = new HeldCalls((beginning) => (beginning.header.call === 2 ? new HeldCall(beginning) : undefined));
    for (const event of asRead([...unary(1, 0n, bytes('a'), bytes('b')), ...unary(2, 5000n, bytes('c'), bytes('d')), { kind: 'client-header', time: 9000n, connection: 1, call: 3, headers: fields() }])) calls.add(event);
    expect(calls.calls.map(({ id, events }) => [id, events.length])).toEqual([[2, 6]]);
  });
});
