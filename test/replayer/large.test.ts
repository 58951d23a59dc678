/** Answers that stay in the cassette's file until they are sent. */
import { describe, expect, it } from 'vitest';
import { Cassette, whole, type NewEvent } from '../../src/cassette/index.js';
import { memorySource } from '../../src/cassette/disk.js';
import { readScript } from '../../src/replayer/script.js';
import { control, id } from '../bridge/build.js';
import { MemoryDisk } from '../cassette/memory-disk.js';
import { record, unary } from '../cassette/recording.js';
import { Stage } from './stage.js';
import { fields, ofBuild, Process, solveRequest } from './tape.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const FETCH = '/some.Service/Fetch';

async function packed(events: readonly NewEvent[]): Promise<Uint8Array> {
  const disk = new MemoryDisk();
  await record('/a.cassette', events, { disk });
  return disk.bytes('/a.cassette');
}

const reading = (content: Uint8Array): Cassette => Cassette.open('in memory', { source: memorySource(content) });

/** The same file with a bit turned in its one block of payloads. */
function damaged(content: Uint8Array): Uint8Array {
  const copy = Buffer.from(content);
  const at = copy.indexOf('pay', 0, 'latin1') + 40;
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

describe('a large answer', () => {
  const events = [...unary(1, 1n, bytes('large'), new Uint8Array(5000).fill(7), FETCH), ...unary(2, 9n, bytes('small'), bytes('ok'), FETCH)];

  it('is sent as it was recorded, as often as it is asked for', async () => {
    using cassette = reading(await packed(events));
    const stage = new Stage(readScript(cassette));
    const ask = (): readonly Uint8Array[] => stage.open(FETCH).asks(bytes('large')).messages;
    expect([ask(), ask()]).toEqual([[new Uint8Array(5000).fill(7)], [new Uint8Array(5000).fill(7)]]);
    expect(stage.misses).toEqual([]);
  });

  it('that cannot be read fails its call, and no other', async () => {
    using cassette = reading(damaged(await packed(events)));
    const stage = new Stage(readScript(cassette));
    const call = stage.open(FETCH).asks(bytes('large'));
    expect(call.status).toMatchObject({ code: 9, message: 'bridgetape: the cassette is damaged: the payload of a server-message of 5000 bytes cannot be read (call 1, event 4).' });
    expect([stage.misses, stage.crashes]).toEqual([[call.status?.message], []]);
    expect(stage.open(FETCH).asks(bytes('small')).texts).toEqual(['ok']);
  });

  it('that cannot be read ends the processes on its stream', async () => {
    const process = new Process('p', 'c');
    const at = { time: 1n, connection: 1 };
    const message = (kind: 'client-message' | 'server-message', call: number, data: Uint8Array): NewEvent => ({ kind, ...at, call, compressed: false, size: data.length, data: [whole(data)] });
    const content = await packed([
      { kind: 'client-header', ...at, call: 1, headers: fields([[':path', control('Solve')]]) },
      message('client-message', 1, solveRequest({})),
      { kind: 'client-header', ...at, call: 2, headers: fields([[':path', '/moby.buildkit.v1.frontend.LLBBridge/ExecProcess'], ...ofBuild()]) },
      message('client-message', 2, process.init()),
      message('server-message', 2, process.started),
      message('server-message', 2, process.file(1, 'x'.repeat(5000))),
      message('server-message', 2, process.exit()),
    ]);
    using cassette = reading(damaged(content));
    const stage = new Stage(readScript(cassette));
    stage.open(control('Solve')).asks(solveRequest({ Ref: id('n') }));
    const stream = stage.bridge('ExecProcess', id('n')).says(process.init());
    expect(stream.words).toEqual(['p started', expect.stringContaining('p exit 255  FAILED_PRECONDITION: bridgetape: the cassette is damaged'), 'p done']);
    expect([stream.status?.code, stage.crashes]).toEqual([9, []]);
  });
});
