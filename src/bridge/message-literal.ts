/**
 * Protobuf bytes as a literal: protobuf's JSON with the field names of proto/, members in the order of the wire. Fields
 * that proto/ doesn't have stand under `#number`. In a definition ops are opened, each has a name, and a digest of one is
 * that name, so that an op can be changed without working out the digests above it.
 */
import { sha256 } from './graph.js';
import { jsonLiteral, USUAL_STYLE } from './json-literal.js';
import { Plain, scalarText, type Literal, type LiteralMap } from './literal.js';
import { isMessage, MAX_DEPTH, valuesOf } from './message.js';
import { bytesLiteral, scalarLiteral } from './scalar-literal.js';
import { messageType, type Field, type FieldType, type MessageType } from './schema.js';
import { timestampLiteral } from './timestamp-literal.js';
import { concat, readFields, WireFormatError, type RawField } from './wire-format.js';

/** Names of a definition's ops by their digests. */
type Names = ReadonlyMap<string, string>;

/** Whether a literal of a message gives these bytes again. */
export type IsExact = (type: MessageType, literal: LiteralMap, bytes: Uint8Array) => boolean;

/** The members of a literal that the digests of ops stand in. */
export const DEFINITION = 'pb.Definition';
export const OP = 'pb.Op';
export const isDigestField = (type: MessageType, field: Field): boolean => type.name === 'pb.Input' && field.name === 'digest';
export const hasDigestKeys = (type: MessageType, field: Field): boolean =>
  (type.name === DEFINITION && field.name === 'metadata') || (type.name === 'pb.Source' && field.name === 'locations');

interface Writing {
  readonly names: Names | undefined;
  readonly isExact: IsExact;
  readonly depth: number;
}

const BYTES: FieldType = { kind: 'scalar', scalar: 'bytes' };

/**
 * @param type undefined when nothing is known of it
 * @throws WireFormatError when the bytes are no such message
 */
export function messageLiteral(type: MessageType | undefined, bytes: Uint8Array, isExact: IsExact): LiteralMap {
  return members(type, bytes, { names: undefined, isExact, depth: 0 });
}

function members(type: MessageType | undefined, bytes: Uint8Array, around: Writing): LiteralMap {
  if (around.depth > MAX_DEPTH) throw new WireFormatError(`more than ${MAX_DEPTH} messages within each other`);
  const byNumber = new Map<number, RawField[]>();
  const chosen = new Map<string, Field>();
  for (const raw of readFields(bytes)) {
    const same = byNumber.get(raw.number);
    if (same) same.push(raw);
    else byNumber.set(raw.number, [raw]);
    const field = type?.fields.get(raw.number);
    if (field?.oneof !== undefined) chosen.set(field.oneof, field);
  }
  const writing = { ...around, depth: around.depth + 1, ...(type?.name === DEFINITION ? { names: namesOf(type, byNumber) } : {}) };
  const literal = new Map<string, Literal>();
  for (const [number, raws] of byNumber) {
    const field = type?.fields.get(number);
    // Of several members of a oneof the last one counts.
    if (field?.oneof !== undefined && chosen.get(field.oneof) !== field) continue;
    const known = type && field && fieldLiteral(type, field, raws, writing);
    if (field && known !== undefined) literal.set(field.name, known);
    else literal.set(`#${number}`, unknownLiteral(raws));
  }
  return type?.name === 'google.protobuf.Any' ? withAnyValue(literal, writing) : literal;
}

function namesOf(type: MessageType, byNumber: ReadonlyMap<number, readonly RawField[]>): Names {
  const names = new Map<string, string>();
  for (const [number, raws] of byNumber) {
    if (type.fields.get(number)?.name !== 'def') continue;
    raws.forEach(({ value }, index) => {
      const digest = value instanceof Uint8Array ? sha256(value) : '';
      if (!names.has(digest)) names.set(digest, opName(index));
    });
  }
  return names;
}

const opName = (index: number): string => `op${index}`;

/** undefined when what stands on the wire doesn't fit the field. */
function fieldLiteral(type: MessageType, field: Field, raws: readonly RawField[], writing: Writing): Literal | undefined {
  if (field.label === 'map') return mapLiteral(type, field, raws, writing);
  if (field.type.kind === 'message') {
    const values = bytesOf(raws);
    if (values === undefined) return undefined;
    const of = messageType(field.type.name);
    if (of === undefined) throw new WireFormatError(`proto/ has no ${field.type.name}`);
    // A singular message that stands more than once is merged.
    return field.label === 'repeated' ? values.map((value) => embedded(of, value, writing)) : embedded(of, concat(values), writing);
  }
  if (type.name === DEFINITION && field.name === 'def') return bytesOf(raws)?.map((bytes, index) => opLiteral(bytes, index, writing));
  const values: Literal[] = [];
  for (const raw of raws) {
    const read = valuesOf(field.type, field.label === 'repeated', raw, 0);
    if (read === undefined) return undefined;
    for (const value of read) if (!isMessage(value)) values.push(scalarLiteral(value, field.type));
  }
  if (field.label === 'repeated') return values;
  const value = values.at(-1);
  return isDigestField(type, field) && typeof value === 'string' ? (writing.names?.get(value) ?? value) : value;
}

function bytesOf(raws: readonly RawField[]): readonly Uint8Array[] | undefined {
  const values = raws.flatMap((raw) => (raw.wire === 'bytes' ? [raw.value] : []));
  return values.length === raws.length ? values : undefined;
}

function embedded(type: MessageType, bytes: Uint8Array, writing: Writing): Literal {
  return (type.name === 'google.protobuf.Timestamp' ? timestampLiteral(bytes) : undefined) ?? members(type, bytes, writing);
}

function mapLiteral(type: MessageType, field: Field, raws: readonly RawField[], writing: Writing): Literal | undefined {
  const entries = new Map<string, Literal>();
  for (const raw of raws) {
    if (raw.wire !== 'bytes') return undefined;
    const parts = readFields(raw.value);
    const [keyPart, valuePart] = [1, 2].map((number) => parts.findLast((part) => part.number === number));
    if (keyPart === undefined || valuePart === undefined) return undefined;
    const [key] = valuesOf({ kind: 'scalar', scalar: field.keyType ?? 'string' }, false, keyPart, 0) ?? [];
    const value = fieldLiteral(type, { ...field, label: 'one' }, [valuePart], writing);
    if (key === undefined || typeof key === 'object' || value === undefined) return undefined;
    const name = String(key);
    const shown = hasDigestKeys(type, field) ? (writing.names?.get(name) ?? name) : name;
    // A later entry replaces an earlier one.
    entries.delete(shown);
    entries.set(shown, value);
  }
  return entries;
}

/** What is not written as the literal would be has its bytes beside it; what is no op is bytes. */
function opLiteral(bytes: Uint8Array, index: number, writing: Writing): Literal {
  const type = messageType(OP);
  if (type === undefined) throw new Error(`proto/ has no ${OP}`);
  try {
    const isWritten = writing.isExact(type, members(type, bytes, { ...writing, names: undefined }), bytes);
    return new Map<string, Literal>([['name', opName(index)], ...members(type, bytes, writing), ...(isWritten ? [] : [['exact', bytes] as const])]);
  } catch (error) {
    if (error instanceof WireFormatError) return bytes;
    throw error;
  }
}

/** An Any's value opened: JSON where BuildKit put JSON, a message of proto/ by its type's name. */
function withAnyValue(literal: LiteralMap, writing: Writing): LiteralMap {
  const [url, value] = [literal.get('type_url'), literal.get('value')];
  if (typeof url !== 'string' || value === undefined) return literal;
  const bytes = value instanceof Uint8Array ? value : Buffer.from(scalarText(value) ?? '');
  if (isJsonUrl(url)) {
    const json = jsonLiteral(bytes);
    const style: [string, Literal][] = json === undefined || json.style === USUAL_STYLE ? [] : [['style', json.style]];
    return new Map(Array.from(literal).flatMap(([name, member]): [string, Literal][] => (name === 'value' ? [...style, ['value', json?.literal ?? bytes]] : [[name, member]])));
  }
  const type = messageType(typeOfUrl(url));
  const opened = type && tryMembers(type, bytes, writing);
  if (type === undefined || opened === undefined || !writing.isExact(type, opened, bytes)) return new Map(literal).set('value', bytesLiteral(bytes));
  return new Map(literal).set('value', opened);
}

function tryMembers(type: MessageType, bytes: Uint8Array, writing: Writing): LiteralMap | undefined {
  try {
    return members(type, bytes, { ...writing, names: undefined });
  } catch (error) {
    if (error instanceof WireFormatError) return undefined;
    throw error;
  }
}

export const isJsonUrl = (url: string): boolean => url.endsWith('+json');
export const typeOfUrl = (url: string): string => url.slice(url.lastIndexOf('/') + 1);

/** One value, or a list where the number stands more than once. */
function unknownLiteral(raws: readonly RawField[]): Literal {
  const values = raws.map(({ wire, value }): Literal => new Map([[wire, value instanceof Uint8Array ? (wire === 'bytes' ? scalarLiteral(value, BYTES) : value) : new Plain(String(value))]]));
  const [only] = values;
  return values.length === 1 && only !== undefined ? only : values;
}
