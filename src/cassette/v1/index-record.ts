/**
 * The `idx` records: each holds rows of one section, `[section, [row, row, …]]`; a section may take several
 * records. And the `end` record, which says where they begin.
 */
import type { CallEntry, CallOutcome, ConnectionSummary } from '../summary.js';
import type { Side } from '../events.js';
import { INDEX_VALUES, MAX_BLOCKS, MAX_CALLS, MAX_CONNECTIONS, MAX_RUNS } from './bounds.js';
import { asArray, asCount, asInteger64, asOptional, asString, decode, integer, integer64, Malformed, type Packable } from './msgpack.js';
import { encode } from './msgpack-encoder.js';

/** Where a block of events stands, and which. */
export interface EventBlock {
  /** Offset of the record's frame in the file. */
  readonly offset: number;
  readonly firstSeq: number;
  readonly count: number;
}

export interface PayloadBlockPlace {
  readonly offset: number;
  /** The number of the first payload in it. */
  readonly first: number;
  readonly count: number;
}

export interface Index {
  readonly eventBlocks: EventBlock[];
  readonly payloadBlocks: PayloadBlockPlace[];
  readonly connections: ConnectionSummary[];
  readonly calls: CallEntry[];
}

const sides: Readonly<Record<Side, number>> = { client: 0, server: 1 };

export function* encodeIndex(index: Index): Generator<Uint8Array> {
  yield* section('events', index.eventBlocks, (block) => [integer(block.offset), integer(block.firstSeq), block.count]);
  yield* section('payloads', index.payloadBlocks, (block) => [integer(block.offset), integer(block.first), block.count]);
  yield* section('connections', index.connections, (connection) => [
    integer(connection.id),
    connection.address,
    integer64(connection.open),
    connection.close === undefined ? null : integer64(connection.close),
    connection.side === undefined ? null : sides[connection.side],
    connection.error ?? null,
    ...(connection.protocol === undefined && connection.upgradeOf === undefined ? [] : [connection.protocol ?? null, connection.upgradeOf === undefined ? null : integer(connection.upgradeOf)]),
  ]);
  yield* section('calls', index.calls, ({ summary, blocks }) => [
    integer(summary.id),
    integer(summary.connection),
    summary.path,
    integer64(summary.start),
    summary.end === undefined ? null : integer64(summary.end),
    integer(summary.clientMessages),
    integer(summary.serverMessages),
    integer(summary.clientBytes),
    integer(summary.serverBytes),
    integer(summary.leftOut),
    integer(summary.gaps),
    encodeOutcome(summary.outcome),
    blocks,
    ...(summary.method === undefined ? [] : [summary.method]),
  ]);
}

function* section<T>(name: string, items: readonly T[], row: (item: T) => Packable[]): Generator<Uint8Array> {
  let rows: Packable[][] = [];
  let values = 0;
  for (const item of items) {
    const next = row(item);
    const weight = next.reduce((sum: number, field) => sum + (Array.isArray(field) ? field.length + 1 : 1), 1);
    if (values + weight > INDEX_VALUES && rows.length > 0) {
      yield encode([name, rows]);
      rows = [];
      values = 0;
    }
    rows.push(next);
    values += weight;
  }
  if (rows.length > 0) yield encode([name, rows]);
}

function encodeOutcome(outcome: CallOutcome): Packable {
  switch (outcome.kind) {
    case 'open':
      return null;
    case 'status':
      return [0, integer(outcome.code), outcome.message];
    case 'reset':
      return [1, sides[outcome.side], integer(outcome.code)];
    case 'http':
      return [2, outcome.code];
  }
}

export function emptyIndex(): Index {
  return { eventBlocks: [], payloadBlocks: [], connections: [], calls: [] };
}

/** Whether an idx record holds rows of the list of calls, which is as long as the recording, and not all readers' business. */
export function listsCalls(content: Uint8Array): boolean {
  return CALLS_RECORD.every((octet, at) => content[at] === octet);
}

/** How every writer begins such a record: a list of two (0x92), and a text of five octets (0xa5). */
const CALLS_RECORD = Buffer.from('\x92\xa5calls', 'latin1');

/** Adds what one idx record holds; returns the number of block runs in it. */
export function decodeIndex(content: Uint8Array, index: Index): number {
  const record = asArray(decode(content), 'index record');
  const rows = asArray(record[1], 'index rows').map((row) => asArray(row, 'index row'));
  let runs = 0;
  switch (record[0]) {
    case 'events':
      bounded(index.eventBlocks.length + rows.length, MAX_BLOCKS, 'event blocks');
      for (const row of rows) {
        index.eventBlocks.push({ offset: asCount(row[0], 'offset'), firstSeq: asCount(row[1], 'sequence number'), count: asCount(row[2], 'event count') });
      }
      break;
    case 'payloads':
      bounded(index.payloadBlocks.length + rows.length, MAX_BLOCKS, 'payload blocks');
      for (const row of rows) {
        index.payloadBlocks.push({ offset: asCount(row[0], 'offset'), first: asCount(row[1], 'payload number'), count: asCount(row[2], 'payload count') });
      }
      break;
    case 'connections':
      bounded(index.connections.length + rows.length, MAX_CONNECTIONS, 'connections');
      for (const row of rows) index.connections.push(decodeConnection(row));
      break;
    case 'calls':
      bounded(index.calls.length + rows.length, MAX_CALLS, 'calls');
      for (const row of rows) {
        const entry = decodeCall(row);
        runs += entry.blocks.length;
        index.calls.push(entry);
      }
      break;
    default: // a section that a later writer added
      break;
  }
  return runs;
}

function bounded(count: number, most: number, what: string): void {
  if (count > most) throw new Malformed(`the index has more than ${most} ${what}`);
}

function decodeConnection(row: readonly unknown[]): ConnectionSummary {
  const error = asOptional(row[5], asString, 'error');
  const protocol = asOptional(row[6], asString, 'protocol');
  const upgradeOf = asOptional(row[7], asCount, 'call');
  return {
    id: asCount(row[0], 'connection'),
    address: asString(row[1], 'address'),
    open: asInteger64(row[2], 'time'),
    close: asOptional(row[3], asInteger64, 'time'),
    side: asOptional(row[4], asSide, 'side'),
    ...(error === undefined ? {} : { error }),
    ...(protocol === undefined ? {} : { protocol }),
    ...(upgradeOf === undefined ? {} : { upgradeOf }),
  };
}

function decodeCall(row: readonly unknown[]): CallEntry {
  const blocks = asArray(row[12], 'block runs').map((number) => asCount(number, 'block run'));
  if (blocks.length % 2 !== 0) throw new Malformed('a block run has no length');
  const method = asOptional(row[13], asString, 'method');
  return {
    summary: {
      id: asCount(row[0], 'call'),
      connection: asCount(row[1], 'connection'),
      path: asString(row[2], 'path'),
      ...(method === undefined ? {} : { method }),
      start: asInteger64(row[3], 'time'),
      end: asOptional(row[4], asInteger64, 'time'),
      clientMessages: asCount(row[5], 'message count'),
      serverMessages: asCount(row[6], 'message count'),
      clientBytes: asCount(row[7], 'bytes'),
      serverBytes: asCount(row[8], 'bytes'),
      leftOut: asCount(row[9], 'message count'),
      gaps: asCount(row[10], 'gap count'),
      outcome: asOptional(row[11], asOutcome, 'outcome') ?? { kind: 'open' },
    },
    blocks,
  };
}

function asSide(value: unknown): Side {
  if (value === 0) return 'client';
  if (value === 1) return 'server';
  throw new Malformed('a side is neither 0 nor 1');
}

function asOutcome(value: unknown): CallOutcome {
  const row = asArray(value, 'outcome');
  if (row[0] === 0) return { kind: 'status', code: asCount(row[1], 'status'), message: asString(row[2], 'status message') };
  if (row[0] === 1) return { kind: 'reset', side: asSide(row[1]), code: asCount(row[2], 'error code') };
  if (row[0] === 2) return { kind: 'http', code: asCount(row[1], 'status') };
  throw new Malformed('an outcome is none that is known');
}

/** Checked by the reader over all index records. */
export function boundRuns(runs: number): void {
  bounded(runs, MAX_RUNS, 'block runs');
}

export interface End {
  /** Offset of the first idx record; 0 when the file has no index. */
  readonly indexOffset: number;
  readonly indexRecords: number;
  readonly events: number;
  readonly calls: number;
  readonly connections: number;
  readonly payloads: number;
  readonly duration: bigint;
}

/** Seven integers in their nine-byte form: always the same length, so it is found from the end of the file. */
export const END_CONTENT_LENGTH = 1 + 7 * 9;

export function encodeEnd(end: End): Uint8Array {
  const bytes = Buffer.alloc(END_CONTENT_LENGTH);
  bytes[0] = 0x97;
  const counts = [end.indexOffset, end.indexRecords, end.events, end.calls, end.connections, end.payloads];
  counts.forEach((count, i) => {
    bytes[1 + i * 9] = 0xcf;
    bytes.writeBigUInt64BE(BigInt(count), 2 + i * 9);
  });
  bytes[1 + 6 * 9] = 0xd3;
  bytes.writeBigInt64BE(BigInt.asIntN(64, end.duration), 2 + 6 * 9);
  return bytes;
}

export function decodeEnd(content: Uint8Array): End {
  const row = asArray(decode(content), 'end record');
  return {
    indexOffset: asCount(row[0], 'offset'),
    indexRecords: asCount(row[1], 'record count'),
    events: asCount(row[2], 'event count'),
    calls: asCount(row[3], 'call count'),
    connections: asCount(row[4], 'connection count'),
    payloads: asCount(row[5], 'payload count'),
    duration: asInteger64(row[6], 'duration'),
  };
}
