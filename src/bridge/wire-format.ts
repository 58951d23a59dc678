/**
 * Protobuf's wire format, without any schema: bytes to numbered fields and back. Nothing is lost on the way: a
 * field that nobody knows stays, as its number, its wire type and its value.
 */

/** One field as it stands in the bytes. Groups (wire types 3 and 4) are kept as the bytes between their ends. */
export type RawField =
  | { readonly number: number; readonly wire: 'varint' | 'fixed64' | 'fixed32'; readonly value: bigint }
  | { readonly number: number; readonly wire: 'bytes'; readonly value: Uint8Array }
  | { readonly number: number; readonly wire: 'group'; readonly value: Uint8Array };

/** Why bytes are no protobuf message. Caught within bridge/: views show it as `undecodable`. */
export class WireFormatError extends Error {
  override readonly name = 'WireFormatError';
}

/** protobuf's own limit for nested messages in most languages; groups are the only nesting at this level. */
const MAX_GROUP_DEPTH = 100;
const MAX_FIELD_NUMBER = 536_870_911;

class Cursor {
  at = 0;
  constructor(readonly bytes: Uint8Array) {}

  get done(): boolean {
    return this.at >= this.bytes.length;
  }

  byte(): number {
    const byte = this.bytes[this.at];
    if (byte === undefined) throw new WireFormatError(`ends in the middle of a field, at byte ${this.at}`);
    this.at += 1;
    return byte;
  }

  take(length: number): Uint8Array {
    if (length > this.bytes.length - this.at) {
      throw new WireFormatError(`a length of ${length} at byte ${this.at} reaches past the end, ${this.bytes.length}`);
    }
    const taken = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    return taken;
  }

  varint(): bigint {
    // Most are below 2^28: four bytes, no bigint arithmetic.
    let small = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte();
      small |= (byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt(small);
    }
    let value = BigInt(small);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new WireFormatError(`a varint of more than ten bytes ends at byte ${this.at}`);
  }

  /** A varint as a number, for tags and lengths: past 2^53 it is only roughly right, and too big for either. */
  size(): number {
    let size = 0;
    for (let unit = 1, count = 0; count < 10; count += 1, unit *= 128) {
      const byte = this.byte();
      size += (byte & 0x7f) * unit;
      if (byte < 0x80) return size;
    }
    throw new WireFormatError(`a varint of more than ten bytes ends at byte ${this.at}`);
  }

  fixed(width: 4 | 8): bigint {
    const bytes = this.take(width);
    const view = new DataView(bytes.buffer, bytes.byteOffset, width);
    return width === 8 ? view.getBigUint64(0, true) : BigInt(view.getUint32(0, true));
  }

  /** Moves behind the group's end; the bytes before its end tag. */
  group(number: number, depth: number): Uint8Array {
    if (depth > MAX_GROUP_DEPTH) throw new WireFormatError(`more than ${MAX_GROUP_DEPTH} groups within each other`);
    const start = this.at;
    for (;;) {
      const before = this.at;
      const tag = this.tag();
      if (tag.wire === 4) {
        if (tag.number !== number) throw new WireFormatError(`group ${number} is ended as ${tag.number}, at byte ${before}`);
        return this.bytes.subarray(start, before);
      }
      this.value(tag, depth + 1);
    }
  }

  tag(): { readonly number: number; readonly wire: number } {
    const at = this.at;
    const tag = this.size();
    const number = Math.floor(tag / 8);
    if (number === 0 || number > MAX_FIELD_NUMBER) throw new WireFormatError(`no field has the number ${number}, at byte ${at}`);
    return { number, wire: tag % 8 };
  }

  value({ number, wire }: { readonly number: number; readonly wire: number }, depth: number): RawField {
    switch (wire) {
      case 0:
        return { number, wire: 'varint', value: this.varint() };
      case 1:
        return { number, wire: 'fixed64', value: this.fixed(8) };
      case 2:
        return { number, wire: 'bytes', value: this.take(this.size()) };
      case 3:
        return { number, wire: 'group', value: this.group(number, depth) };
      case 5:
        return { number, wire: 'fixed32', value: this.fixed(4) };
      default:
        throw new WireFormatError(`there is no wire type ${wire} (field ${number}, before byte ${this.at})`);
    }
  }
}

/**
 * The fields of a message in the order in which they stand; byte values are views of the input.
 *
 * @throws WireFormatError when the bytes are no protobuf message
 */
export function readFields(bytes: Uint8Array): RawField[] {
  const cursor = new Cursor(bytes);
  const fields: RawField[] = [];
  while (!cursor.done) fields.push(cursor.value(cursor.tag(), 0));
  return fields;
}

/** Where each field of a message begins and ends, its tag included. */
export function fieldExtents(bytes: Uint8Array): readonly { readonly field: RawField; readonly start: number; readonly end: number }[] {
  const cursor = new Cursor(bytes);
  const extents = [];
  while (!cursor.done) {
    const start = cursor.at;
    const field = cursor.value(cursor.tag(), 0);
    extents.push({ field, start, end: cursor.at });
  }
  return extents;
}

/** The varints of a packed field. */
export function readPackedVarints(bytes: Uint8Array): bigint[] {
  const cursor = new Cursor(bytes);
  const values: bigint[] = [];
  while (!cursor.done) values.push(cursor.varint());
  return values;
}

/** The values of a packed field of fixed width. */
export function readPackedFixed(bytes: Uint8Array, width: 4 | 8): bigint[] {
  const cursor = new Cursor(bytes);
  const values: bigint[] = [];
  while (!cursor.done) values.push(cursor.fixed(width));
  return values;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return bytes;
}

/** A varint, two's complement of 64 bits for what is negative. */
export function varintBytes(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

/** A value of fixed width, little-endian. */
export function fixedBytes(value: bigint, width: 4 | 8): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value), true);
  return bytes.subarray(0, width);
}

const WIRE_TYPES: Readonly<Record<RawField['wire'], number>> = { varint: 0, fixed64: 1, bytes: 2, group: 3, fixed32: 5 };
const END_GROUP = 4;

/** Numbered fields to bytes, in their order; every tag, length and varint as short as it can be. */
export function writeFields(fields: Iterable<RawField>): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { number, wire, value } of fields) {
    parts.push(Uint8Array.from(varint(number * 8 + WIRE_TYPES[wire])));
    if (!(value instanceof Uint8Array)) parts.push(wire === 'varint' ? varintBytes(value) : fixedBytes(value, wire === 'fixed64' ? 8 : 4));
    else if (wire === 'bytes') parts.push(Uint8Array.from(varint(value.length)), value);
    else parts.push(value, Uint8Array.from(varint(number * 8 + END_GROUP)));
  }
  return concat(parts);
}

/** A varint field: tag and value. @param value a whole number from 0 on */
export function varintField(number: number, value: number): Uint8Array {
  return Uint8Array.from([...varint(number * 8), ...varint(value)]);
}

/** A length-delimited field: tag, length, value. */
export function bytesField(number: number, value: Uint8Array): Uint8Array {
  const head = [...varint(number * 8 + 2), ...varint(value.length)];
  const field = new Uint8Array(head.length + value.length);
  field.set(head);
  field.set(value, head.length);
  return field;
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only) return only;
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
