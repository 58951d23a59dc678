/** Literals to protobuf bytes: fields in the order in which their members are written, everything else as Go writes it. */
import { sha256 } from './graph.js';
import { USUAL_STYLE, writeJson } from './json-literal.js';
import { isList, isMap, kindOf, LiteralError, scalarText, type Literal, type LiteralMap, type LiteralPath } from './literal.js';
import { MAX_DEPTH } from './message.js';
import { DEFINITION, hasDigestKeys, isDigestField, isJsonUrl, messageLiteral, OP, typeOfUrl } from './message-literal.js';
import { encodeScalar, packedBytes, textBytes } from './scalar-literal.js';
import { messageType, type Field, type FieldType, type MessageType } from './schema.js';
import { encodeTimestamp } from './timestamp-literal.js';
import { concat, readFields, WireFormatError, writeFields, type RawField } from './wire-format.js';

/** What a digest is written as → the digest. */
type Digests = (name: string, at: LiteralPath) => string;

interface Encoding {
  readonly digests: Digests | undefined;
  /** Where bytes stood beside what was changed since; they were not used. */
  readonly stale: LiteralPath[];
}

/** Forward references only: in the order in which BuildKit writes ops there are none. */
const MAX_FORWARD = 1000;

/** @throws LiteralError */
export function encodeMessage(type: MessageType | undefined, literal: Literal, at: LiteralPath, encoding: Encoding): Uint8Array {
  if (at.length > MAX_DEPTH * 3) throw new LiteralError('is nested too deep', at);
  if (type?.name === 'google.protobuf.Timestamp') {
    const text = scalarText(literal);
    const bytes = text === undefined ? undefined : encodeTimestamp(text);
    if (bytes !== undefined) return bytes;
  }
  if (!isMap(literal)) throw new LiteralError(`is ${kindOf(literal)}, and should be a map of the fields of ${type?.name ?? 'a message, each by #number'}`, at);
  if (type?.name === DEFINITION) return encodeDefinition(type, literal, at, encoding);
  return encodeMembers(type, literal, at, encoding);
}

function encodeMembers(type: MessageType | undefined, literal: LiteralMap, at: LiteralPath, encoding: Encoding): Uint8Array {
  const isAny = type?.name === 'google.protobuf.Any';
  const fields: RawField[] = [];
  const members = new Map<string, string>();
  for (const [name, value] of literal) {
    const here = [...at, name];
    if (name.startsWith('#')) {
      fields.push(...encodeUnknown(name, value, here));
      continue;
    }
    if (isAny && name === 'style') continue;
    const field = fieldNamed(type, name, here);
    if (field.oneof !== undefined) {
      const other = members.get(field.oneof);
      if (other !== undefined) throw new LiteralError(`stands beside ${other}: a ${type?.name ?? 'message'} has one of the two`, here);
      members.set(field.oneof, name);
    }
    if (isAny && name === 'value') fields.push({ number: field.number, wire: 'bytes', value: encodeAnyValue(literal, value, here, encoding) });
    else if (type !== undefined) fields.push(...encodeField(type, field, value, here, encoding));
  }
  return writeFields(fields);
}

function fieldNamed(type: MessageType | undefined, name: string, at: LiteralPath): Field {
  const known = type === undefined ? [] : [...type.fields.values()];
  const field = known.find((candidate) => candidate.name === name);
  if (field !== undefined) return field;
  const has = known.length === 0 ? 'fields by #number only' : known.map((candidate) => candidate.name).join(', ');
  throw new LiteralError(`${type?.name ?? 'a message of an unknown type'} has no field ${JSON.stringify(name)}; it has ${has}`, at);
}

function encodeField(type: MessageType, field: Field, literal: Literal, at: LiteralPath, encoding: Encoding): readonly RawField[] {
  if (field.label === 'map') return encodeMap(type, field, literal, at, encoding);
  if (field.label === 'one') return [encodeValue(type, field, literal, at, encoding)];
  if (!isList(literal)) throw new LiteralError(`is ${kindOf(literal)}, and should be a list: ${field.name} can stand any number of times`, at);
  const values = literal.map((item, index) => encodeValue(type, field, item, [...at, index], encoding));
  const isPacked = values[0] !== undefined && values[0].wire !== 'bytes';
  return isPacked ? [{ number: field.number, wire: 'bytes', value: concat(values.map(packedBytes)) }] : values;
}

function encodeValue(type: MessageType, field: Field, literal: Literal, at: LiteralPath, encoding: Encoding): RawField {
  const { number } = field;
  if (field.type.kind === 'message') return { number, wire: 'bytes', value: encodeMessage(messageType(field.type.name), literal, at, encoding) };
  const name = isDigestField(type, field) ? scalarText(literal) : undefined;
  return encodeScalar(number, field.type, name === undefined || encoding.digests === undefined ? literal : encoding.digests(name, at), at);
}

function encodeMap(type: MessageType, field: Field, literal: Literal, at: LiteralPath, encoding: Encoding): readonly RawField[] {
  if (!isMap(literal)) throw new LiteralError(`is ${kindOf(literal)}, and should be a map`, at);
  const keyType: FieldType = { kind: 'scalar', scalar: field.keyType ?? 'string' };
  return Array.from(literal, ([written, value]): RawField => {
    const here = [...at, written];
    const key = hasDigestKeys(type, field) && encoding.digests !== undefined ? encoding.digests(written, here) : written;
    return { number: field.number, wire: 'bytes', value: writeFields([encodeScalar(1, keyType, key, here), { ...encodeValue(type, field, value, here, encoding), number: 2 }]) };
  });
}

const WIRES: readonly string[] = ['varint', 'fixed64', 'fixed32', 'bytes', 'group'];

function encodeUnknown(name: string, literal: Literal, at: LiteralPath): readonly RawField[] {
  const number = /^#[1-9]\d{0,8}$/.test(name) ? Number(name.slice(1)) : 0;
  if (number < 1 || number > 536_870_911) throw new LiteralError('is no field number', at);
  return (isList(literal) ? literal : [literal]).map((item, index): RawField => {
    const here = isList(literal) ? [...at, index] : at;
    const [wire, value] = (isMap(item) && item.size === 1 ? [...item][0] : undefined) ?? [];
    if (wire === undefined || value === undefined || !WIRES.includes(wire)) throw new LiteralError(`is ${kindOf(item)}, and should be a map of one of ${WIRES.join(', ')} and its value`, here);
    const place = [...here, wire];
    if (wire === 'bytes' || wire === 'group') {
      const bytes = textBytes(value, 'a text or !!binary', place);
      if (wire === 'group') checkFields(bytes, place);
      return { number, wire, value: bytes };
    }
    const scalar = wire === 'varint' ? 'uint64' : wire === 'fixed64' ? 'fixed64' : 'fixed32';
    return encodeScalar(number, { kind: 'scalar', scalar }, value, place);
  });
}

function checkFields(bytes: Uint8Array, at: LiteralPath): void {
  try {
    readFields(bytes);
  } catch (error) {
    if (error instanceof WireFormatError) throw new LiteralError(`is no group of fields: ${error.message}`, at);
    throw error;
  }
}

function encodeAnyValue(any: LiteralMap, value: Literal, at: LiteralPath, encoding: Encoding): Uint8Array {
  const url = scalarText(any.get('type_url')) ?? '';
  if (value instanceof Uint8Array) return value;
  if (isJsonUrl(url)) return Buffer.from(writeJson(value, scalarText(any.get('style')) ?? USUAL_STYLE, at));
  const type = messageType(typeOfUrl(url));
  if (type === undefined || !isMap(value)) return textBytes(value, type === undefined ? `a text or !!binary: proto/ has no ${typeOfUrl(url)}` : `a map of the fields of ${type.name}`, at);
  return encodeMessage(type, value, at, { ...encoding, digests: undefined });
}

/** Ops first, each after those that it names, so that their digests are known wherever a name stands. */
function encodeDefinition(type: MessageType, literal: LiteralMap, at: LiteralPath, encoding: Encoding): Uint8Array {
  const def = literal.get('def') ?? [];
  if (!isList(def)) throw new LiteralError(`is ${kindOf(def)}, and should be a list of ops`, [...at, 'def']);
  const places = new Map<string, number>();
  def.forEach((item, index) => {
    const name = isMap(item) ? item.get('name') : undefined;
    if (name === undefined) return;
    const text = scalarText(name);
    const here = [...at, 'def', index, 'name'];
    if (text === undefined || text === '' || text.includes(':')) throw new LiteralError(`is ${kindOf(name)}, and should be a text without a colon, which digests have`, here);
    if (places.has(text)) throw new LiteralError(`is the name of two ops, ${text}`, here);
    places.set(text, index);
  });
  const encoded = new Map<number, { readonly bytes: Uint8Array; readonly digest: string }>();
  const open = new Set<number>();
  const digests: Digests = (name, place) => {
    const index = places.get(name);
    if (index !== undefined) return opAt(index, place).digest;
    if (name.includes(':')) return name;
    throw new LiteralError(`no op of this definition has the name ${JSON.stringify(name)}`, place);
  };
  const opAt = (index: number, place: LiteralPath): { readonly bytes: Uint8Array; readonly digest: string } => {
    const known = encoded.get(index);
    if (known !== undefined) return known;
    if (open.has(index)) throw new LiteralError('leads back to the op itself', place);
    if (open.size > MAX_FORWARD) throw new LiteralError(`is one of more than ${MAX_FORWARD} ops that each build on a later one`, place);
    open.add(index);
    const bytes = encodeOp(def[index] ?? '', [...at, 'def', index], { ...encoding, digests });
    open.delete(index);
    const op = { bytes, digest: sha256(bytes) };
    encoded.set(index, op);
    return op;
  };
  const ops = def.map((_item, index) => opAt(index, [...at, 'def', index]).bytes);
  return encodeMembers(type, literal.has('def') ? new Map(literal).set('def', ops) : literal, at, { ...encoding, digests });
}

/** The bytes beside an op count as long as they say what the op says. */
function encodeOp(item: Literal, at: LiteralPath, encoding: Encoding): Uint8Array {
  if (item instanceof Uint8Array) return item;
  if (!isMap(item)) throw new LiteralError(`is ${kindOf(item)}, and should be an op: a map, or !!binary`, at);
  const members = new Map(item);
  members.delete('name');
  members.delete('exact');
  const shown = encodeMessage(messageType(OP), members, at, encoding);
  const exact = item.get('exact');
  if (exact === undefined) return shown;
  return exactOr(messageType(OP), shown, textBytes(exact, '!!binary', [...at, 'exact']), at, encoding.stale);
}

function exactOr(type: MessageType | undefined, shown: Uint8Array, exact: Uint8Array, at: LiteralPath, stale: LiteralPath[]): Uint8Array {
  const meant = literalBytes(type, exact);
  if (meant !== undefined && same(meant, shown)) return exact;
  stale.push(at);
  return shown;
}

const same = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0;

/** Bytes written out and encoded again; undefined when that can't be. */
function literalBytes(type: MessageType | undefined, bytes: Uint8Array): Uint8Array | undefined {
  const literal = tryLiteral(type, bytes);
  return literal && tryEncode(type, literal);
}

function tryLiteral(type: MessageType | undefined, bytes: Uint8Array): LiteralMap | undefined {
  try {
    return messageLiteral(type, bytes, isExact);
  } catch (error) {
    if (error instanceof WireFormatError) return undefined;
    throw error;
  }
}

function tryEncode(type: MessageType | undefined, literal: LiteralMap): Uint8Array | undefined {
  try {
    return encodeMessage(type, literal, [], { digests: undefined, stale: [] });
  } catch (error) {
    if (error instanceof LiteralError) return undefined;
    throw error;
  }
}

function isExact(type: MessageType, literal: LiteralMap, bytes: Uint8Array): boolean {
  const encoded = tryEncode(type, literal);
  return encoded !== undefined && same(encoded, bytes);
}

/** A message written out. */
export interface WrittenMessage {
  /** undefined for bytes that can't be written in another way. */
  readonly literal: LiteralMap | undefined;
  /** Whether the literal alone gives the same bytes again. If not, they have to stand beside it. */
  readonly exact: boolean;
}

/**
 * Bytes as a literal. Never throws, whatever they are.
 *
 * @param typeName a message of proto/; undefined where nothing is known: fields then stand under their numbers
 */
export function writeMessage(typeName: string | undefined, bytes: Uint8Array): WrittenMessage {
  const type = typeName === undefined ? undefined : messageType(typeName);
  const literal = tryLiteral(type, bytes);
  const encoded = literal && tryEncode(type, literal);
  if (encoded === undefined) return { literal: undefined, exact: false };
  return { literal, exact: same(encoded, bytes) };
}

export interface ReadMessage {
  readonly bytes: Uint8Array;
  /** Where bytes stood beside something that was changed since; the change counts. An empty path: beside the message. */
  readonly stale: readonly LiteralPath[];
}

/**
 * A literal to bytes.
 *
 * @param exact the bytes that stand beside it: they are what is meant, as long as the literal says what they say
 * @throws LiteralError
 */
export function readMessage(typeName: string | undefined, literal: Literal, exact?: Uint8Array): ReadMessage {
  const type = typeName === undefined ? undefined : messageType(typeName);
  const stale: LiteralPath[] = [];
  const shown = encodeMessage(type, literal, [], { digests: undefined, stale });
  return exact === undefined ? { bytes: shown, stale } : { bytes: exactOr(type, shown, exact, [], stale), stale };
}
