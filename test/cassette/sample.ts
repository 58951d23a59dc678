/** The small recording that docs/cassette-format.md walks through. */
import { type NewEvent, type NewHeader, whole } from '../../src/cassette/index.js';
import { BatchEncoder, roomFor } from '../../src/cassette/v1/batch-encoder.js';
import { frame, FRAME_LENGTH, preamble, seal } from '../../src/cassette/v1/frame.js';
import { encodeHeader } from '../../src/cassette/v1/header-record.js';
import { MemoryDisk } from './memory-disk.js';
import { bytes, fields, record } from './recording.js';

export const sampleHeader: NewHeader = {
  tool: 'bridgetape 0.1.0',
  startedAt: new Date('2026-11-22T10:00:00.000Z'),
  listen: ['unix:///tmp/b.sock'],
  upstream: 'tcp://10.0.0.1:1234',
  bodiesLeftOut: [],
};

const on = { connection: 1, call: 1 };
export const sampleEvents: readonly NewEvent[] = [
  { kind: 'connection-open', time: 1_000_000n, connection: 1, address: 'unix:///tmp/b.sock' },
  { kind: 'client-header', time: 1_050_000n, ...on, headers: fields([':path', '/s/M']) },
  { kind: 'client-message', time: 1_050_200n, ...on, compressed: false, size: 2, data: [whole(bytes('hi'))] },
  { kind: 'client-half-close', time: 1_050_200n, ...on },
  { kind: 'server-message', time: 1_350_200n, ...on, compressed: false, size: 1200, data: [whole(new Uint8Array(1200).fill(0x78))] },
  { kind: 'server-trailer', time: 1_350_300n, ...on, headers: fields(['grpc-status', '0']) },
];

/** As a recorder, process 4711, would have left it when it was killed: without the large message, to keep it short. */
export function sampleJournal(): Uint8Array {
  const header = encodeHeader(sampleHeader, 4711);
  const start = Buffer.concat([preamble(), frame(header, 12, 'hdr', 'plain', header.length)]);
  const events = sampleEvents.filter((event) => event.kind !== 'server-message');
  const encoder = new BatchEncoder(Buffer.alloc(BatchEncoder.blockLength(events.reduce((sum, event) => sum + roomFor(event), 0))));
  for (const event of events) encoder.add(event);
  const batch = encoder.finish();
  seal(batch, start.length, 'evt', 'plain', batch.length - FRAME_LENGTH);
  return new Uint8Array(Buffer.concat([start, batch]));
}

export async function samplePacked(): Promise<Uint8Array> {
  const disk = new MemoryDisk();
  await record('/sample.cassette', sampleEvents, { disk }, sampleHeader);
  return disk.bytes('/sample.cassette');
}
