/** The content of an `evt` record → events. Everything is checked; anything unexpected is `Malformed`. */
import type { CassetteEvent, HeaderField, MessageEvent, Nanoseconds, Side } from '../events.js';
import { eventKinds } from './batch-encoder.js';
import { MAX_UINT32 } from './bounds.js';
import { asCount, asInteger64, decodeLongList, Malformed } from './msgpack.js';
import { Row } from './row.js';

/** A message whose payload stands in a payload block. */
export interface StoredMessage extends Omit<MessageEvent, 'data'> {
  readonly stored: number;
}

export type DecodedEvent = CassetteEvent | StoredMessage;

export function isMessage(event: DecodedEvent): event is MessageEvent | StoredMessage {
  return event.kind === 'client-message' || event.kind === 'server-message';
}

export interface Batch {
  readonly firstSeq: number;
  readonly count: number;
  /** Decoded one by one. Binary values are views of the content. May throw Malformed at any of them. */
  readonly events: Iterable<DecodedEvent>;
}

/** How header lists are read: views of the content, unless told otherwise. */
export interface HeaderSource {
  /** @param end of the row that the list is the last of; undefined when more stands behind it */
  read(content: Uint8Array, row: Row, end: number | undefined): readonly HeaderField[];
}

export const viewedHeaders: HeaderSource = {
  read: (_content, row) => readFields(row, (name, value) => ({ name, value })),
};

export function readFields(row: Row, field: (name: string, value: Uint8Array) => HeaderField): readonly HeaderField[] {
  const count = row.list('header list');
  if (count % 2 !== 0) throw new Malformed('a header list has a name without a value');
  const headers: HeaderField[] = [];
  for (let i = 0; i < count; i += 2) headers.push(field(row.text('header name'), row.bytes('header value')));
  return headers;
}

export function decodeBatch(content: Uint8Array, headers: HeaderSource = viewedHeaders): Batch {
  const { before, starts } = decodeLongList(content, 2);
  const firstSeq = asCount(before[0], 'sequence number');
  const base = asInteger64(before[1], 'base time');
  return { firstSeq, count: starts.length - 1, events: { [Symbol.iterator]: () => eventsOf(content, starts, firstSeq, base, headers) } };
}

function* eventsOf(content: Uint8Array, starts: readonly number[], firstSeq: number, base: Nanoseconds, headers: HeaderSource): Generator<DecodedEvent> {
  const row = new Row(content);
  let time = base;
  for (let i = 0; i + 1 < starts.length; i++) {
    row.open(starts[i] ?? 0, 'event');
    const kind = eventKinds[row.count('event kind')];
    if (kind === undefined) throw new Malformed('an event kind is unknown');
    time += row.integer64('time');
    yield parseEvent(kind, content, row, starts[i + 1] ?? 0, firstSeq + i, time, headers);
  }
}

/** Later minor additions may append fields to a row: what is not known is read past. */
function parseEvent(kind: (typeof eventKinds)[number], content: Uint8Array, row: Row, end: number, seq: number, time: bigint, headers: HeaderSource): DecodedEvent {
  const connection = row.count('connection');
  switch (kind) {
    case 'client-header':
    case 'server-header':
    case 'server-trailer':
      return { kind, seq, time, connection, call: row.count('call'), headers: headers.read(content, row, row.rest === 1 ? end : undefined) };
    case 'client-message':
    case 'server-message':
      return parseMessage(kind, row, seq, time, connection);
    case 'client-half-close':
      return { kind, seq, time, connection, call: row.count('call') };
    case 'reset':
      return { kind, seq, time, connection, call: row.count('call'), side: parseSide(row), code: row.count('error code') };
    case 'connection-open': {
      const address = row.text('address');
      const protocol = row.isNone() ? undefined : row.text('protocol');
      const upgradeOf = row.isNone() ? undefined : row.count('call');
      return { kind, seq, time, connection, address, ...(protocol === undefined ? {} : { protocol }), ...(upgradeOf === undefined ? {} : { upgradeOf }) };
    }
    case 'connection-close': {
      const side = row.isNone() ? undefined : parseSide(row);
      return { kind, seq, time, connection, side, ...(row.isNone() ? {} : { error: row.text('error') }) };
    }
    case 'goaway':
      return { kind, seq, time, connection, side: parseSide(row), code: row.count('error code'), debug: row.bytes('debug data') };
    case 'gap': {
      const call = row.isNone() ? undefined : row.count('call');
      const gap = { side: parseSide(row), offset: row.count('offset'), bytes: row.count('bytes'), reason: row.text('reason') };
      return { kind, seq, time, connection, ...(call === undefined ? {} : { call }), ...gap };
    }
  }
}

function parseMessage(kind: MessageEvent['kind'], row: Row, seq: number, time: bigint, connection: number): DecodedEvent {
  const call = row.count('call');
  const compressed = row.boolean('the compressed flag');
  const size = row.count('message size');
  if (row.rest === 0) throw new Malformed('payload number is not a count');
  if (row.isNone()) return { kind, seq, time, connection, call, compressed, size, data: undefined };
  if (!row.isBytes) return { kind, seq, time, connection, call, compressed, size, stored: payloadNumber(row) };
  const data = row.bytes('payload');
  if (data.length !== size) throw new Malformed(`a message of ${size} bytes has ${data.length} bytes of payload`);
  return { kind, seq, time, connection, call, compressed, size, data };
}

function payloadNumber(row: Row): number {
  const number = row.count('payload number');
  if (number > MAX_UINT32) throw new Malformed('a payload number is larger than any file has payloads');
  return number;
}

function parseSide(row: Row): Side {
  const value = row.count('side');
  if (value === 0) return 'client';
  if (value === 1) return 'server';
  throw new Malformed('a side is neither 0 nor 1');
}
