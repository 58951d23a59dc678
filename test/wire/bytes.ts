/** Builders of the bytes that HTTP/2 and gRPC peers send, so that a test shows what matters. Encodes simply, not well. */

import type { HeaderField } from '../../src/wire/index.js';

export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

export function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

/** Spaces are for the reader. */
export function hex(digits: string): Uint8Array {
  return Uint8Array.from(Buffer.from(digits.replaceAll(/\s+/g, ''), 'hex'));
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

export function uint32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

export const PREFACE = latin1('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export const TYPE = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const FLAG = { ack: 1, endStream: 1, endHeaders: 4, padded: 8, priority: 0x20 } as const;

export function frame(type: number, flags: number, stream: number, payload: Uint8Array = new Uint8Array(0)): Uint8Array {
  const { length } = payload;
  return concat(Uint8Array.of(length >>> 16, length >>> 8, length, type, flags), uint32(stream), payload);
}

export interface DataOptions {
  readonly end?: boolean;
  readonly padding?: number;
}

export function data(stream: number, content: Uint8Array, { end = false, padding }: DataOptions = {}): Uint8Array {
  const flags = (end ? FLAG.endStream : 0) | (padding === undefined ? 0 : FLAG.padded);
  return frame(TYPE.data, flags, stream, padded(content, padding));
}

function padded(content: Uint8Array, padding: number | undefined): Uint8Array {
  return padding === undefined ? content : concat(Uint8Array.of(padding), content, new Uint8Array(padding));
}

export interface HeadersOptions {
  readonly end?: boolean;
  readonly padding?: number;
  readonly priority?: boolean;
  /** Bytes of the block in the HEADERS frame and in each CONTINUATION. */
  readonly split?: number;
}

/** HEADERS, and CONTINUATIONs when the block is split. */
export function headers(stream: number, block: Uint8Array, options: HeadersOptions = {}): Uint8Array {
  const { end = false, padding, priority = false, split = block.length } = options;
  const flags =
    (end ? FLAG.endStream : 0) |
    (padding === undefined ? 0 : FLAG.padded) |
    (priority ? FLAG.priority : 0) |
    (split >= block.length ? FLAG.endHeaders : 0);
  const first = concat(priority ? hex('80000003 10') : new Uint8Array(0), block.subarray(0, split));
  const frames = [frame(TYPE.headers, flags, stream, padded(first, padding))];
  for (let at = split; at < block.length; at += split) {
    const last = at + split >= block.length;
    frames.push(frame(TYPE.continuation, last ? FLAG.endHeaders : 0, stream, block.subarray(at, at + split)));
  }
  return concat(...frames);
}

export function settings(values: Readonly<Record<number, number>> = {}, flags = 0): Uint8Array {
  const entries = Object.entries(values).map(([id, value]) => concat(Uint8Array.of(0, Number(id)), uint32(value)));
  return frame(TYPE.settings, flags, 0, concat(...entries));
}

export function rstStream(stream: number, code: number): Uint8Array {
  return frame(TYPE.rstStream, 0, stream, uint32(code));
}

export function goaway(lastStream: number, code: number, debug = ''): Uint8Array {
  return frame(TYPE.goaway, 0, 0, concat(uint32(lastStream), uint32(code), latin1(debug)));
}

export function pushPromise(stream: number, promised: number, block: Uint8Array): Uint8Array {
  return frame(TYPE.pushPromise, FLAG.endHeaders, stream, concat(uint32(promised), block));
}

/** A gRPC message: its prefix and its body. */
export function message(body: Uint8Array | string, compressed = false): Uint8Array {
  const bytes = typeof body === 'string' ? latin1(body) : body;
  return concat(Uint8Array.of(compressed ? 1 : 0), uint32(bytes.length), bytes);
}

/** An HPACK integer (RFC 7541 §5.1) under the bits of `high`. */
export function hpackInteger(value: number, prefixBits: number, high = 0): Uint8Array {
  const mask = 2 ** prefixBits - 1;
  if (value < mask) return Uint8Array.of(high | value);
  const octets = [high | mask];
  let rest = value - mask;
  for (; rest >= 128; rest = Math.floor(rest / 128)) octets.push((rest % 128) | 128);
  octets.push(rest);
  return Uint8Array.from(octets);
}

export function hpackString(value: string | Uint8Array): Uint8Array {
  const bytes = typeof value === 'string' ? latin1(value) : value;
  return concat(hpackInteger(bytes.length, 7), bytes);
}

export type Pair = readonly [name: string, value: string];

/** A block of literals with new names, none of which enter the table (RFC 7541 §6.2.2). */
export function literals(...pairs: readonly Pair[]): Uint8Array {
  return concat(...pairs.map(([name, value]) => concat(Uint8Array.of(0), hpackString(name), hpackString(value))));
}

/** A block of literals with new names that enter the table (RFC 7541 §6.2.1). */
export function indexedLiterals(...pairs: readonly Pair[]): Uint8Array {
  return concat(...pairs.map(([name, value]) => concat(Uint8Array.of(0x40), hpackString(name), hpackString(value))));
}

/** Header lists as tests like to compare them. */
export function pairs(fields: readonly HeaderField[]): Pair[] {
  return fields.map(({ name, value }) => [name, text(value)]);
}

const REQUEST: readonly Pair[] = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/moby.buildkit.v1.frontend.LLBBridge/Ping'],
  [':authority', 'localhost'],
  ['content-type', 'application/grpc'],
  ['te', 'trailers'],
];
const RESPONSE: readonly Pair[] = [
  [':status', '200'],
  ['content-type', 'application/grpc'],
];
const TRAILER: readonly Pair[] = [
  ['grpc-status', '0'],
  ['grpc-message', ''],
];

/** The header lists of an ordinary call. */
export const CALL = { request: REQUEST, response: RESPONSE, trailer: TRAILER } as const;

export const requestHeader = (stream: number, options?: HeadersOptions): Uint8Array =>
  headers(stream, literals(...REQUEST), options);
export const responseHeader = (stream: number, options?: HeadersOptions): Uint8Array =>
  headers(stream, literals(...RESPONSE), options);
export const trailer = (stream: number): Uint8Array => headers(stream, literals(...TRAILER), { end: true });
