/** Single values of a field as literals, and back to their bytes on the wire. */
import { kindOf, Plain, scalarText, LiteralError, type Literal, type LiteralPath } from './literal.js';
import { textOf, WIRE_OF, type EnumValue, type Scalar } from './message.js';
import { enumNumber, type FieldType, type ScalarType } from './schema.js';
import { fixedBytes, varintBytes, type RawField } from './wire-format.js';

/** Bytes with one of these are no text that somebody would edit. A terminal's bell, backspace and escape are. */
// eslint-disable-next-line no-control-regex -- these are the characters that are meant
const NOT_TEXT = /[\x00-\x06\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f]/;

/** Bytes as text where they are some. */
export function bytesLiteral(bytes: Uint8Array): Literal {
  const text = textOf(bytes);
  return text !== undefined && !NOT_TEXT.test(text) ? text : bytes;
}

export function scalarLiteral(value: Scalar | EnumValue, type: FieldType): Literal {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return type.kind === 'scalar' && type.scalar === 'bytes' ? bytesLiteral(value) : value;
  if (typeof value === 'object') return new Plain(value.name ?? String(value.number));
  return new Plain(Object.is(value, -0) ? '-0' : String(value));
}

/** Bits and whether negative numbers are among them. */
const INTEGERS: Readonly<Partial<Record<ScalarType, readonly [bits: number, signed: boolean]>>> = {
  int32: [32, true],
  uint32: [32, false],
  sint32: [32, true],
  fixed32: [32, false],
  sfixed32: [32, true],
  int64: [64, true],
  uint64: [64, false],
  sint64: [64, true],
  fixed64: [64, false],
  sfixed64: [64, true],
};

const zigzag = (value: bigint): bigint => (value << 1n) ^ (value >> 63n);

function integer(text: string, bits: number, signed: boolean): bigint | undefined {
  if (!/^-?\d{1,20}$/.test(text)) return undefined;
  const value = BigInt(text);
  return value === (signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value)) ? value : undefined;
}

function floatBits(text: string, width: 4 | 8): bigint | undefined {
  const value = /^-?(\d+(\.\d+)?([eE][-+]?\d+)?|Infinity)$|^NaN$/.test(text) ? Number(text) : undefined;
  if (value === undefined) return undefined;
  const view = new DataView(new ArrayBuffer(8));
  if (width === 8) {
    view.setFloat64(0, value);
    return view.getBigUint64(0);
  }
  view.setFloat32(0, value);
  return BigInt(view.getUint32(0));
}

function numberOf(type: ScalarType, text: string): bigint | undefined {
  if (type === 'bool') return text === 'true' ? 1n : text === 'false' ? 0n : undefined;
  if (type === 'double') return floatBits(text, 8);
  if (type === 'float') return floatBits(text, 4);
  const [bits, signed] = INTEGERS[type] ?? [64, true];
  const value = integer(text, bits, signed);
  return value !== undefined && type.startsWith('sint') ? zigzag(value) : value;
}

/** The text or the bytes that a literal stands for. */
export function textBytes(literal: Literal, what: string, at: LiteralPath): Uint8Array {
  if (literal instanceof Uint8Array) return literal;
  const text = scalarText(literal);
  if (text === undefined) throw new LiteralError(`is ${kindOf(literal)}, and should be ${what}`, at);
  return Buffer.from(text);
}

/** A scalar or enum as the field of that number. */
export function encodeScalar(number: number, type: FieldType, literal: Literal, at: LiteralPath): RawField {
  if (type.kind === 'message') throw new LiteralError(`is ${kindOf(literal)}, and should be a map of the fields of ${type.name}`, at);
  if (type.kind === 'scalar' && (type.scalar === 'string' || type.scalar === 'bytes')) {
    return { number, wire: 'bytes', value: textBytes(literal, type.scalar === 'string' ? 'a text' : 'a text or !!binary', at) };
  }
  const text = scalarText(literal);
  const value = text === undefined ? undefined : type.kind === 'enum' ? (enumNumberOf(type.name, text) ?? integer(text, 32, true)) : numberOf(type.scalar, text);
  if (value === undefined) throw new LiteralError(`is ${kindOf(literal)}, and should be ${type.kind === 'enum' ? `a value of ${type.name}, by name or number` : `a ${type.scalar}`}`, at);
  const wire = type.kind === 'enum' ? 'varint' : WIRE_OF[type.scalar];
  if (wire === 'bytes') throw new Error('texts are done');
  return { number, wire, value };
}

function enumNumberOf(type: string, name: string): bigint | undefined {
  const number = enumNumber(type, name);
  return number === undefined ? undefined : BigInt(number);
}

/** The value of a raw field as it stands in a packed one. */
export function packedBytes(raw: RawField): Uint8Array {
  if (raw.value instanceof Uint8Array) return raw.value;
  return raw.wire === 'varint' ? varintBytes(raw.value) : fixedBytes(raw.value, raw.wire === 'fixed64' ? 8 : 4);
}
