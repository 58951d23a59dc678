/** Decoded messages and their parts as the plain values of decoded.ts. */
import { Budget, viewBytes, viewInteger, viewString, viewUnknown, type Decoded, type DecodedObject, type ViewOptions } from './decoded.js';
import { viewGraph, type Definition } from './definition.js';
import { parseJson } from './json.js';
import { stringField, tryDecode, type Entry, type Message, type Value } from './message.js';
import { messageType, methodOf } from './schema.js';
import { readFields, WireFormatError } from './wire-format.js';

const MAX_JSON_DEPTH = 64;

function viewList<T>(items: readonly T[], budget: Budget, view: (item: T) => Decoded): readonly Decoded[] {
  const shown: Decoded[] = [];
  for (const item of items) {
    if (budget.exhausted) {
      shown.push({ omitted: items.length - shown.length });
      break;
    }
    shown.push(view(item));
  }
  return shown;
}

function viewMembers<T>(members: readonly (readonly [name: string, value: T])[], budget: Budget, view: (value: T) => Decoded): DecodedObject {
  const shown: [string, Decoded][] = [];
  for (const [name, value] of members) {
    if (budget.exhausted) {
      shown.push(['#omitted', members.length - shown.length]);
      break;
    }
    shown.push([name, view(value)]);
  }
  return Object.fromEntries(shown);
}

/** JSON from outside, within the budget. */
function viewJson(value: unknown, budget: Budget, depth = 0): Decoded {
  if (typeof value === 'string') return viewString(value, budget);
  budget.take();
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value !== 'object') return null;
  if (depth > MAX_JSON_DEPTH) return { omitted: true };
  if (Array.isArray(value)) return viewList(value, budget, (item: unknown) => viewJson(item, budget, depth + 1));
  return viewMembers(Object.entries(value), budget, (item: unknown) => viewJson(item, budget, depth + 1));
}

/** The value of an Any: JSON where BuildKit put JSON, a message of proto/ by its type's name, else bytes. */
export function viewAnyValue(typeUrl: string, bytes: Uint8Array, budget: Budget): Decoded {
  const isJson = typeUrl.endsWith('+json');
  const parsed = isJson ? parseJson(bytes) : undefined;
  if (parsed) return viewJson(parsed.json, budget);
  const typeName = typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
  return !isJson && messageType(typeName) ? viewType(typeName, bytes, budget) : viewBytes(bytes, budget);
}

function timestamp(message: Message): Decoded {
  let seconds = 0n;
  let nanos = 0;
  for (const entry of message.entries) {
    if (entry.label !== 'one') continue;
    if (typeof entry.value === 'bigint') seconds = entry.value;
    if (typeof entry.value === 'number') nanos = entry.value;
  }
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime()) || nanos < 0 || nanos > 999_999_999) return { seconds: viewInteger(seconds), nanos };
  return `${date.toISOString().slice(0, -5)}.${String(nanos).padStart(9, '0')}Z`;
}

function viewValue(value: Value, budget: Budget): Decoded {
  if (typeof value === 'string') return viewString(value, budget);
  if (value instanceof Uint8Array) return viewBytes(value, budget);
  budget.take();
  if (typeof value === 'bigint') return viewInteger(value);
  if (typeof value !== 'object') return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
  return value.kind === 'enum' ? (value.name ?? value.number) : viewMessage(value, budget);
}

function viewEntry(entry: Entry, budget: Budget): Decoded {
  switch (entry.label) {
    case 'one':
      return viewValue(entry.value, budget);
    case 'repeated':
      return viewList(entry.values, budget, (value) => viewValue(value, budget));
    case 'map':
      return viewMembers(
        entry.entries.map(({ key, value }) => [key instanceof Uint8Array ? Buffer.from(key).toString('latin1') : String(key), value]),
        budget,
        (value) => viewValue(value, budget),
      );
  }
}

export function viewMessage(message: Message, budget: Budget): Decoded {
  const { name } = message.type;
  if (name === 'google.protobuf.Timestamp' && message.unknown.length === 0) return timestamp(message);
  if (name === 'pb.Definition') return { ...viewGraph(message, budget, viewMessage) };
  if (name === 'google.protobuf.Any') return viewAny(message, budget);
  return Object.fromEntries([
    ...message.entries.map((entry) => [entry.field.name, viewEntry(entry, budget)] as const),
    ...Object.entries(viewUnknown(message.unknown, budget)),
  ]);
}

function viewAny(message: Message, budget: Budget): Decoded {
  const typeUrl = stringField(message, 'type_url');
  const value = message.entries.find((entry) => entry.field.name === 'value');
  const bytes = value?.label === 'one' && value.value instanceof Uint8Array ? value.value : new Uint8Array(0);
  return Object.fromEntries([
    ['@type', typeUrl],
    ['value', viewAnyValue(typeUrl, bytes, budget)],
    ...Object.entries(viewUnknown(message.unknown, budget)),
  ]);
}

function undecodable(reason: string, bytes: Uint8Array, budget: Budget): Decoded {
  return { undecodable: reason, bytes: viewBytes(bytes, budget) };
}

/** A message of a type of proto/. */
export function viewType(typeName: string, bytes: Uint8Array, budget: Budget): Decoded {
  const message = tryDecode(typeName, bytes);
  return message instanceof WireFormatError ? undecodable(message.message, bytes, budget) : viewMessage(message, budget);
}

function viewWithoutType(path: string, bytes: Uint8Array, budget: Budget): Decoded {
  const reason = `${path} is not known to this version of bridgetape`;
  try {
    return { undecodable: reason, fields: viewUnknown(readFields(bytes), budget) };
  } catch (error) {
    if (error instanceof WireFormatError) return undecodable(reason, bytes, budget);
    throw error;
  }
}

/**
 * One message of a call as a plain value, for JSON or for the screen. Never throws, whatever the bytes are.
 *
 * @param path the method, as in the :path header; the fields of an unknown method's messages stand under their numbers
 * @param side who sent the message
 */
export function decodeMessage(path: string, side: 'client' | 'server', payload: Uint8Array, options: ViewOptions = {}): Decoded {
  const method = methodOf(path);
  const budget = new Budget(options);
  if (!method) return viewWithoutType(path, payload, budget);
  return viewType(side === 'client' ? method.requestType : method.responseType, payload, budget);
}

/** The content of an HTTP message: what JSON says, else text or bytes. Never throws. */
export function decodeContent(content: Uint8Array, options: ViewOptions = {}): Decoded {
  const budget = new Budget(options);
  const parsed = parseJson(content);
  return parsed === undefined ? viewBytes(content, budget) : viewJson(parsed.json, budget);
}

/** A pb.Definition as a list of ops. Never throws, whatever the bytes are. */
export function decodeDefinition(bytes: Uint8Array, options: ViewOptions = {}): Definition {
  const message = tryDecode('pb.Definition', bytes);
  const budget = new Budget(options);
  if (message instanceof WireFormatError) return { ops: [], undecodable: message.message, bytes: viewBytes(bytes, budget) };
  return viewGraph(message, budget, viewMessage);
}
