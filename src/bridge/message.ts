/**
 * A decoded message: wire-format fields joined with what the schema says of them. Everything that views and the
 * normaliser need and generated code would drop is kept: which fields were there, unknown ones, 64-bit values.
 */
import { enumName, messageType, type Field, type FieldType, type MessageType, type ScalarType } from './schema.js';
import { concat, readFields, readPackedFixed, readPackedVarints, WireFormatError, type RawField } from './wire-format.js';

export type Scalar = string | number | bigint | boolean | Uint8Array;

/** An enum's value with its name, when that is known. */
export interface EnumValue {
  readonly kind: 'enum';
  readonly number: number;
  readonly name: string | undefined;
}

/** A string field whose bytes are no UTF-8 is a Uint8Array. */
export type Value = Scalar | EnumValue | Message;

export interface MapEntry {
  readonly key: Scalar;
  readonly value: Value;
}

export type Entry =
  | { readonly label: 'one'; readonly field: Field; readonly value: Value }
  | { readonly label: 'repeated'; readonly field: Field; readonly values: readonly Value[] }
  | { readonly label: 'map'; readonly field: Field; readonly entries: readonly MapEntry[] };

export interface Message {
  readonly kind: 'message';
  readonly type: MessageType;
  /** By field number. A singular field that holds proto3's default outside of a oneof counts as absent. */
  readonly entries: readonly Entry[];
  readonly unknown: readonly RawField[];
}

/** BuildKit's deepest message has some ten levels; this bounds hostile bytes. */
export const MAX_DEPTH = 64;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of UTF-8 bytes; undefined when they are none. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

export const isMessage = (value: Value): value is Message =>
  typeof value === 'object' && 'kind' in value && value.kind === 'message';

const floatOf = (bits: bigint, width: 4 | 8): number => {
  const view = new DataView(new ArrayBuffer(8));
  if (width === 8) {
    view.setBigUint64(0, bits);
    return view.getFloat64(0);
  }
  view.setUint32(0, Number(bits));
  return view.getFloat32(0);
};

const zigzag = (value: bigint): bigint => (value >> 1n) ^ -(value & 1n);

/** The scalar in a varint or fixed value. */
function numeric(type: ScalarType, value: bigint): Scalar {
  switch (type) {
    case 'bool':
      return value !== 0n;
    case 'int32':
      return Number(BigInt.asIntN(32, value));
    case 'uint32':
      return Number(BigInt.asUintN(32, value));
    case 'sint32':
      return Number(zigzag(BigInt.asUintN(32, value)));
    case 'fixed32':
      return Number(value);
    case 'sfixed32':
      return Number(BigInt.asIntN(32, value));
    case 'int64':
    case 'sfixed64':
      return BigInt.asIntN(64, value);
    case 'uint64':
    case 'fixed64':
      return value;
    case 'sint64':
      return zigzag(value);
    case 'double':
      return floatOf(value, 8);
    case 'float':
      return floatOf(value, 4);
    case 'string':
    case 'bytes':
      throw new WireFormatError(`a ${type} is not a number`);
  }
}

export const WIRE_OF: Readonly<Record<ScalarType, 'varint' | 'fixed64' | 'fixed32' | 'bytes'>> = {
  double: 'fixed64',
  float: 'fixed32',
  int32: 'varint',
  uint32: 'varint',
  sint32: 'varint',
  fixed32: 'fixed32',
  sfixed32: 'fixed32',
  int64: 'varint',
  uint64: 'varint',
  sint64: 'varint',
  fixed64: 'fixed64',
  sfixed64: 'fixed64',
  bool: 'varint',
  string: 'bytes',
  bytes: 'bytes',
};

const scalarOf = (type: FieldType): ScalarType | undefined =>
  type.kind === 'scalar' ? type.scalar : type.kind === 'enum' ? 'int32' : undefined;

const enumValue = (type: string, number: number): EnumValue => ({ kind: 'enum', number, name: enumName(type, number) });

function fromNumber(type: FieldType, value: bigint): Value {
  if (type.kind === 'enum') return enumValue(type.name, Number(BigInt.asIntN(32, value)));
  if (type.kind === 'scalar') return numeric(type.scalar, value);
  throw new WireFormatError('a message is not a number');
}

function fromBytes(type: FieldType, value: Uint8Array, depth: number): Value {
  if (type.kind === 'message') {
    const known = messageType(type.name);
    if (!known) throw new WireFormatError(`proto/ has no ${type.name}`);
    return decodeFields(known, value, depth);
  }
  return type.kind === 'scalar' && type.scalar === 'string' ? (textOf(value) ?? value) : value;
}

/** The values that one wire field holds, packed ones apart; undefined when the wire type doesn't fit. */
export function valuesOf(type: FieldType, packable: boolean, raw: RawField, depth: number): readonly Value[] | undefined {
  const scalar = scalarOf(type);
  const wire = scalar === undefined ? 'bytes' : WIRE_OF[scalar];
  if (raw.wire === 'bytes') {
    if (wire === 'bytes') return [fromBytes(type, raw.value, depth)];
    if (!packable) return undefined;
    const numbers = wire === 'varint' ? readPackedVarints(raw.value) : readPackedFixed(raw.value, wire === 'fixed64' ? 8 : 4);
    return numbers.map((number) => fromNumber(type, number));
  }
  if (raw.wire === 'group' || raw.wire !== wire) return undefined;
  return [fromNumber(type, raw.value)];
}

function isDefault(value: Value): boolean {
  if (value instanceof Uint8Array) return value.length === 0;
  if (typeof value === 'object') return value.kind === 'enum' && value.number === 0;
  return value === '' || value === 0 || value === 0n || value === false;
}

function defaultOf(type: FieldType): Value {
  if (type.kind === 'enum') return enumValue(type.name, 0);
  if (type.kind === 'message') return fromBytes(type, new Uint8Array(0), 0);
  if (type.scalar === 'string') return '';
  if (type.scalar === 'bytes') return new Uint8Array(0);
  return numeric(type.scalar, 0n);
}

function mapEntry(field: Field, bytes: Uint8Array, depth: number): MapEntry | undefined {
  const keyType: FieldType = { kind: 'scalar', scalar: field.keyType ?? 'string' };
  let key: Value = defaultOf(keyType);
  let value: Value | undefined;
  for (const raw of readFields(bytes)) {
    if (raw.number !== 1 && raw.number !== 2) return undefined;
    const values = valuesOf(raw.number === 1 ? keyType : field.type, false, raw, depth);
    const [read] = values ?? [];
    if (read === undefined) return undefined;
    if (raw.number === 1) key = read;
    else value = read;
  }
  if (typeof key === 'object' && !(key instanceof Uint8Array)) return undefined;
  return { key, value: value ?? defaultOf(field.type) };
}

/** What has been read of a field so far. */
type Pending =
  | { readonly kind: 'scalar' | 'repeated'; readonly field: Field; readonly values: Value[] }
  /** The encodings of a singular message: when it stands more than once, protobuf merges them. */
  | { readonly kind: 'message'; readonly field: Field; readonly parts: Uint8Array[] }
  /** By key: a later entry replaces an earlier one. */
  | { readonly kind: 'map'; readonly field: Field; readonly entries: Map<Scalar, MapEntry> };

function pendingOf(field: Field): Pending {
  if (field.label === 'map') return { kind: 'map', field, entries: new Map() };
  if (field.label === 'repeated') return { kind: 'repeated', field, values: [] };
  return field.type.kind === 'message' ? { kind: 'message', field, parts: [] } : { kind: 'scalar', field, values: [] };
}

function keyOf(key: Scalar): Scalar {
  return key instanceof Uint8Array ? `bytes ${Buffer.from(key).toString('hex')}` : key;
}

/** Adds a wire field to what is known of its field; false when it doesn't fit and stays unknown. */
function add(pending: Pending, raw: RawField, depth: number): boolean {
  const { field } = pending;
  switch (pending.kind) {
    case 'map': {
      const entry = raw.wire === 'bytes' ? mapEntry(field, raw.value, depth) : undefined;
      if (!entry) return false;
      const key = keyOf(entry.key);
      pending.entries.delete(key);
      pending.entries.set(key, entry);
      return true;
    }
    case 'message':
      if (raw.wire !== 'bytes') return false;
      pending.parts.push(raw.value);
      return true;
    case 'scalar':
    case 'repeated': {
      const values = valuesOf(field.type, pending.kind === 'repeated', raw, depth);
      if (!values) return false;
      if (pending.kind === 'scalar') pending.values.length = 0;
      for (const value of values) pending.values.push(value);
      return true;
    }
  }
}

function finish(pending: Pending, depth: number): Entry | undefined {
  const { field } = pending;
  switch (pending.kind) {
    case 'map':
      return { label: 'map', field, entries: [...pending.entries.values()] };
    case 'repeated':
      return pending.values.length > 0 ? { label: 'repeated', field, values: pending.values } : undefined;
    case 'message':
      return { label: 'one', field, value: fromBytes(field.type, concat(pending.parts), depth) };
    case 'scalar': {
      const [value] = pending.values;
      return value === undefined || (field.oneof === undefined && isDefault(value)) ? undefined : { label: 'one', field, value };
    }
  }
}

function decodeFields(type: MessageType, bytes: Uint8Array, depth: number): Message {
  if (depth > MAX_DEPTH) throw new WireFormatError(`more than ${MAX_DEPTH} messages within each other`);
  const pending = new Map<number, Pending>();
  const unknown: RawField[] = [];
  for (const raw of readFields(bytes)) {
    const field = type.fields.get(raw.number);
    if (!field) {
      unknown.push(raw);
      continue;
    }
    const of = pending.get(raw.number) ?? pendingOf(field);
    if (!add(of, raw, depth + 1)) {
      unknown.push(raw);
      continue;
    }
    pending.set(raw.number, of);
    if (field.oneof !== undefined) {
      // The last member that stands in the bytes is the one that counts.
      for (const other of type.fields.values()) if (other.oneof === field.oneof && other !== field) pending.delete(other.number);
    }
  }
  const entries: Entry[] = [];
  for (const number of [...pending.keys()].sort((one, other) => one - other)) {
    const of = pending.get(number);
    const entry = of && finish(of, depth + 1);
    if (entry) entries.push(entry);
  }
  return { kind: 'message', type, entries, unknown };
}

/**
 * Decodes a message of a type that proto/ has.
 *
 * @throws WireFormatError when the bytes are no such message
 */
export function decode(typeName: string, bytes: Uint8Array): Message {
  const type = messageType(typeName);
  if (!type) throw new WireFormatError(`proto/ has no ${typeName}`);
  return decodeFields(type, bytes, 0);
}

/** Decodes, or says why that can't be done. */
export function tryDecode(typeName: string, bytes: Uint8Array): Message | WireFormatError {
  try {
    return decode(typeName, bytes);
  } catch (error) {
    if (error instanceof WireFormatError) return error;
    throw error;
  }
}

/** The same of a type that may be none: undefined when nobody knows it. */
export function decodeIfKnown(typeName: string | undefined, bytes: Uint8Array): Message | WireFormatError | undefined {
  return typeName === undefined || messageType(typeName) === undefined ? undefined : tryDecode(typeName, bytes);
}

function entryOf(message: Message, name: string): Entry | undefined {
  return message.entries.find((entry) => entry.field.name === name);
}

/** The text of a string field; '' when it isn't there, as proto3 has it. */
export function stringField(message: Message, name: string): string {
  const entry = entryOf(message, name);
  return entry?.label === 'one' && typeof entry.value === 'string' ? entry.value : '';
}

/** A number or enum of at most 32 bits; 0 when it isn't there. */
export function numberField(message: Message, name: string): number {
  const entry = entryOf(message, name);
  if (entry?.label !== 'one') return 0;
  const { value } = entry;
  if (typeof value === 'object' && 'kind' in value && value.kind === 'enum') return value.number;
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : 0;
}

export function booleanField(message: Message, name: string): boolean {
  const entry = entryOf(message, name);
  return entry?.label === 'one' && entry.value === true;
}

export function bytesFieldOf(message: Message, name: string): Uint8Array {
  const entry = entryOf(message, name);
  return entry?.label === 'one' && entry.value instanceof Uint8Array ? entry.value : new Uint8Array(0);
}

export function messageField(message: Message, name: string): Message | undefined {
  const entry = entryOf(message, name);
  return entry?.label === 'one' && isMessage(entry.value) ? entry.value : undefined;
}

/** The values of a repeated field. */
export function repeatedField(message: Message, name: string): readonly Value[] {
  const entry = entryOf(message, name);
  return entry?.label === 'repeated' ? entry.values : [];
}

export function repeatedMessages(message: Message, name: string): readonly Message[] {
  return repeatedField(message, name).filter(isMessage);
}

export function repeatedStrings(message: Message, name: string): readonly string[] {
  return repeatedField(message, name).filter((value) => typeof value === 'string');
}

/** The entries of a map field. */
export function mapField(message: Message, name: string): readonly MapEntry[] {
  const entry = entryOf(message, name);
  return entry?.label === 'map' ? entry.entries : [];
}
