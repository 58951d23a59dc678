/** The content of an `evt` record → events. Everything is checked; anything unexpected is `Malformed`. */
import type { CassetteEvent, HeaderField, MessageEvent, Nanoseconds, Side } from '../events.js';
import { eventKinds } from './batch-encoder.js';
import { asArray, asBytes, asCount, asInteger64, asOptional, asString, decodeElement, decodeLongList, Malformed } from './msgpack.js';

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

export function decodeBatch(content: Uint8Array): Batch {
  const { before, starts } = decodeLongList(content, 2);
  const firstSeq = asCount(before[0], 'sequence number');
  const base = asInteger64(before[1], 'base time');
  return { firstSeq, count: starts.length - 1, events: { [Symbol.iterator]: () => eventsOf(content, starts, firstSeq, base) } };
}

function* eventsOf(content: Uint8Array, starts: readonly number[], firstSeq: number, base: Nanoseconds): Generator<DecodedEvent> {
  let time = base;
  for (let i = 0; i + 1 < starts.length; i++) {
    const row = asArray(decodeElement(content, starts[i] ?? 0, starts[i + 1] ?? 0), 'event');
    time += asInteger64(row[1], 'time');
    yield parseEvent(row, firstSeq + i, time);
  }
}

/** Later minor additions may append fields to a row: what is not known is read past. */
function parseEvent(row: readonly unknown[], seq: number, time: bigint): DecodedEvent {
  const kind = eventKinds[asCount(row[0], 'event kind')];
  if (kind === undefined) throw new Malformed(`event kind ${String(row[0])} is unknown`);
  const connection = asCount(row[2], 'connection');
  switch (kind) {
    case 'client-header':
    case 'server-header':
    case 'server-trailer':
      return { kind, seq, time, connection, call: asCount(row[3], 'call'), headers: parseHeaders(row[4]) };
    case 'client-message':
    case 'server-message':
      return parseMessage(kind, row, seq, time, connection);
    case 'client-half-close':
      return { kind, seq, time, connection, call: asCount(row[3], 'call') };
    case 'reset':
      return { kind, seq, time, connection, call: asCount(row[3], 'call'), side: parseSide(row[4]), code: asCount(row[5], 'error code') };
    case 'connection-open': {
      const protocol = asOptional(row[4], asString, 'protocol');
      const upgradeOf = asOptional(row[5], asCount, 'call');
      return { kind, seq, time, connection, address: asString(row[3], 'address'), ...(protocol === undefined ? {} : { protocol }), ...(upgradeOf === undefined ? {} : { upgradeOf }) };
    }
    case 'connection-close': {
      const error = asOptional(row[4], asString, 'error');
      return { kind, seq, time, connection, side: asOptional(row[3], parseSide, 'side'), ...(error === undefined ? {} : { error }) };
    }
    case 'goaway':
      return { kind, seq, time, connection, side: parseSide(row[3]), code: asCount(row[4], 'error code'), debug: asBytes(row[5], 'debug data') };
    case 'gap': {
      const call = asOptional(row[3], asCount, 'call');
      const gap = { side: parseSide(row[4]), offset: asCount(row[5], 'offset'), bytes: asCount(row[6], 'bytes'), reason: asString(row[7], 'reason') };
      return { kind, seq, time, connection, ...(call === undefined ? {} : { call }), ...gap };
    }
  }
}

function parseMessage(kind: MessageEvent['kind'], row: readonly unknown[], seq: number, time: bigint, connection: number): DecodedEvent {
  const call = asCount(row[3], 'call');
  const compressed = row[4];
  if (typeof compressed !== 'boolean') throw new Malformed('the compressed flag is not a boolean');
  const size = asCount(row[5], 'message size');
  const payload = row[6];
  if (payload === null) return { kind, seq, time, connection, call, compressed, size, data: undefined };
  if (payload instanceof Uint8Array) {
    if (payload.length !== size) throw new Malformed(`a message of ${size} bytes has ${payload.length} bytes of payload`);
    return { kind, seq, time, connection, call, compressed, size, data: payload };
  }
  return { kind, seq, time, connection, call, compressed, size, stored: asCount(payload, 'payload number') };
}

function parseSide(value: unknown): Side {
  if (value === 0) return 'client';
  if (value === 1) return 'server';
  throw new Malformed('a side is neither 0 nor 1');
}

function parseHeaders(value: unknown): readonly HeaderField[] {
  const flat = asArray(value, 'header list');
  if (flat.length % 2 !== 0) throw new Malformed('a header list has a name without a value');
  const headers: HeaderField[] = [];
  for (let i = 0; i < flat.length; i += 2) {
    headers.push({ name: asString(flat[i], 'header name'), value: asBytes(flat[i + 1], 'header value') });
  }
  return headers;
}
