/**
 * msgpack as format v1 uses it: nil, booleans, integers, strings, binary, arrays and maps. What comes from a
 * file is walked before it is decoded, because msgpackr would follow any count it meets and also decodes
 * extension types (records, typed arrays, dates, errors): none of those, no floats, bounded depth, bounded
 * number of values, and every length inside the content.
 */
import { Unpackr } from 'msgpackr';
import { MAX_DEPTH, MAX_VALUES } from './bounds.js';

const unpackr = new Unpackr({ useRecords: false, int64AsType: 'bigint', copyBuffers: false, moreTypes: false });

/** Content that is not what format v1 allows. Readers turn it into a damage report; it never leaves this folder. */
export class Malformed extends Error {
  override readonly name = 'Malformed';
}

export type Packable = null | boolean | number | bigint | string | Uint8Array | readonly Packable[] | { readonly [key: string]: Packable };

/** msgpackr writes a number over 2^32 as a float; as a bigint it becomes an integer. */
export function integer(value: number): number | bigint {
  return value > 0xffff_ffff || value < -0x8000_0000 ? BigInt(value) : value;
}

export function integer64(value: bigint): number | bigint {
  return value > 0xffff_ffffn || value < -0x8000_0000n ? value : Number(value);
}

/** Decodes exactly one value; binary values are views of `bytes`. */
export function decode(bytes: Uint8Array): unknown {
  check(bytes);
  return decodeElement(bytes, 0, bytes.length);
}

/**
 * A list whose last element is a long list: the elements before it, and where each element of the long one begins,
 * so that they can be decoded one by one and none outlives its use.
 */
export interface LongList {
  readonly before: readonly unknown[];
  /** One more than there are elements: the last is the end. */
  readonly starts: readonly number[];
}

export function decodeLongList(bytes: Uint8Array, before: number): LongList {
  const outer: number[] = [];
  const inner: number[] = [];
  check(bytes, (depth, at) => (depth === 1 ? outer.push(at) : depth === 2 ? inner.push(at) : undefined));
  const last = outer[before];
  const head = last === undefined ? 0 : (bytes[last] ?? 0);
  const isList = (head & 0xf0) === 0x90 || head === 0xdc || head === 0xdd;
  if (outer.length !== before + 1 || last === undefined || !isList || inner.some((at) => at < last)) throw new Malformed(`msgpack: not ${before} values and a list`);
  inner.push(bytes.length);
  return { before: outer.slice(0, before).map((start, i) => decodeElement(bytes, start, outer[i + 1] ?? last)), starts: inner };
}

export function decodeElement(bytes: Uint8Array, start: number, end: number): unknown {
  try {
    const value: unknown = unpackr.unpack(bytes, { start, end });
    return value;
  } catch (error) {
    throw new Malformed(`msgpack: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function check(bytes: Uint8Array, begins?: (depth: number, at: number) => void): void {
  const open: number[] = [];
  let left = 1; // values still to come in the innermost container
  let values = 0;
  let at = 0;
  const end = bytes.length;
  const big = (width: number): number => {
    if (at + width > end) throw new Malformed('msgpack: content ends inside a value');
    let value = 0;
    for (let i = 0; i < width; i++) value = value * 256 + (bytes[at + i] ?? 0);
    at += width;
    return value;
  };
  for (;;) {
    while (left === 0) {
      const outer = open.pop();
      if (outer === undefined) {
        if (at !== end) throw new Malformed('msgpack: bytes behind the value');
        return;
      }
      left = outer;
    }
    left--;
    if (++values > MAX_VALUES) throw new Malformed(`msgpack: more than ${MAX_VALUES} values`);
    if (at >= end) throw new Malformed('msgpack: content ends inside a value');
    if (open.length <= 2) begins?.(open.length, at);
    const head = bytes[at++] ?? 0;
    let skip = 0;
    let inside = -1;
    if (head < 0x80 || head >= 0xe0) continue;
    else if (head < 0x90) inside = (head & 0x0f) * 2;
    else if (head < 0xa0) inside = head & 0x0f;
    else if (head < 0xc0) skip = head & 0x1f;
    else {
      switch (head) {
        case 0xc0:
        case 0xc2:
        case 0xc3:
          continue;
        case 0xc4:
        case 0xd9:
          skip = big(1);
          break;
        case 0xc5:
        case 0xda:
          skip = big(2);
          break;
        case 0xc6:
        case 0xdb:
          skip = big(4);
          break;
        case 0xcc:
        case 0xd0:
          skip = 1;
          break;
        case 0xcd:
        case 0xd1:
          skip = 2;
          break;
        case 0xce:
        case 0xd2:
          skip = 4;
          break;
        case 0xcf:
        case 0xd3:
          skip = 8;
          break;
        case 0xdc:
          inside = big(2);
          break;
        case 0xdd:
          inside = big(4);
          break;
        case 0xde:
          inside = big(2) * 2;
          break;
        case 0xdf:
          inside = big(4) * 2;
          break;
        default:
          throw new Malformed(`msgpack: type 0x${head.toString(16)} is not used in cassettes`);
      }
    }
    if (inside >= 0) {
      if (open.length >= MAX_DEPTH) throw new Malformed(`msgpack: nested deeper than ${MAX_DEPTH}`);
      if (inside > end - at) throw new Malformed('msgpack: a count larger than the content');
      open.push(left);
      left = inside;
    } else {
      if (skip > end - at) throw new Malformed('msgpack: a length larger than the content');
      at += skip;
    }
  }
}

export function isArray(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

export function asArray(value: unknown, what: string): readonly unknown[] {
  if (!isArray(value)) throw new Malformed(`${what} is not a list`);
  return value;
}

/** Looks up a map's own values by name. */
export type Fields = (name: string) => unknown;

export function asMap(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || isArray(value) || value instanceof Uint8Array) throw new Malformed(`${what} is not a map`);
  return (name): unknown => Object.getOwnPropertyDescriptor(value, name)?.value;
}

export function asString(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new Malformed(`${what} is not a text`);
  return value;
}

export function asBytes(value: unknown, what: string): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new Malformed(`${what} is not bytes`);
  return value;
}

/** A whole number from 0 to 2^53 - 1. */
export function asCount(value: unknown, what: string): number {
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < 0) throw new Malformed(`${what} is not a count`);
  return number;
}

/** A 64-bit integer. */
export function asInteger64(value: unknown, what: string): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  throw new Malformed(`${what} is not an integer`);
}

export function asOptional<T>(value: unknown, parse: (value: unknown, what: string) => T, what: string): T | undefined {
  return value === null || value === undefined ? undefined : parse(value, what);
}
