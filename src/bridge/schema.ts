/**
 * What proto/ says, for look-up by name and number: messages, fields, enums, methods. The table is made at build
 * time and indexed when first asked for, type by type: loading a protobuf library and its descriptors would cost
 * more than all the rest of a replay's start (measured: 16 ms for protobufjs/light alone).
 */
import type { FieldRow, MethodRow, SchemaTable } from './schema-table.js';
import { schemaTable } from './schema.generated.js';

export type ScalarType =
  | 'double'
  | 'float'
  | 'int32'
  | 'uint32'
  | 'sint32'
  | 'fixed32'
  | 'sfixed32'
  | 'int64'
  | 'uint64'
  | 'sint64'
  | 'fixed64'
  | 'sfixed64'
  | 'bool'
  | 'string'
  | 'bytes';

export type FieldType =
  | { readonly kind: 'scalar'; readonly scalar: ScalarType }
  | { readonly kind: 'enum'; readonly name: string }
  | { readonly kind: 'message'; readonly name: string };

export interface Field {
  readonly number: number;
  readonly name: string;
  readonly type: FieldType;
  readonly label: 'one' | 'repeated' | 'map';
  /** The type of a map's keys. */
  readonly keyType: ScalarType | undefined;
  readonly oneof: string | undefined;
}

export interface MessageType {
  /** Full name, such as pb.Definition. */
  readonly name: string;
  readonly fields: ReadonlyMap<number, Field>;
}

/** A gRPC method and what crosses on it. */
export interface Method {
  /** As in the :path header: /moby.buildkit.v1.frontend.LLBBridge/Solve. */
  readonly path: string;
  readonly service: string;
  readonly name: string;
  /** Full message names. */
  readonly requestType: string;
  readonly responseType: string;
  readonly clientStreaming: boolean;
  readonly serverStreaming: boolean;
}

const SCALARS: ReadonlySet<string> = new Set<ScalarType>([
  'double',
  'float',
  'int32',
  'uint32',
  'sint32',
  'fixed32',
  'sfixed32',
  'int64',
  'uint64',
  'sint64',
  'fixed64',
  'sfixed64',
  'bool',
  'string',
  'bytes',
]);

const isScalar = (type: string): type is ScalarType => SCALARS.has(type);

let loaded: SchemaTable | undefined;
const table = (): SchemaTable => (loaded ??= schemaTable());

const types = new Map<string, MessageType>();
const enums = new Map<string, ReadonlyMap<number, string>>();
const methods = new Map<string, Method>();

function fieldType(type: string): FieldType {
  if (isScalar(type)) return { kind: 'scalar', scalar: type };
  return { kind: Object.hasOwn(table().enums, type) ? 'enum' : 'message', name: type };
}

function field([number, name, type, label, keyTypeOrOneof]: FieldRow): Field {
  const isMap = label === 'map';
  return {
    number,
    name,
    type: fieldType(type),
    label,
    keyType: isMap && keyTypeOrOneof !== undefined && isScalar(keyTypeOrOneof) ? keyTypeOrOneof : undefined,
    oneof: isMap ? undefined : keyTypeOrOneof,
  };
}

/** The message of that full name, or undefined when proto/ doesn't have it. */
export function messageType(name: string): MessageType | undefined {
  const known = types.get(name);
  if (known) return known;
  const { messages } = table();
  const rows = Object.hasOwn(messages, name) ? messages[name] : undefined;
  if (!rows) return undefined;
  const type: MessageType = { name, fields: new Map(rows.map((row) => [row[0], field(row)])) };
  types.set(name, type);
  return type;
}

/** The name of an enum's value, or undefined for values newer than proto/. */
export function enumName(enumType: string, value: number): string | undefined {
  let names = enums.get(enumType);
  if (!names) {
    names = new Map(table().enums[enumType]?.map(([name, number]) => [number, name]));
    enums.set(enumType, names);
  }
  return names.get(value);
}

/** The value of that name; undefined when the enum has none. Of names for one value any will do. */
export function enumNumber(enumType: string, name: string): number | undefined {
  return table().enums[enumType]?.find(([known]) => known === name)?.[1];
}

function method(service: string, [name, requestType, responseType, clientStreaming, serverStreaming]: MethodRow): Method {
  return { path: `/${service}/${name}`, service, name, requestType, responseType, clientStreaming, serverStreaming };
}

/** The methods of a service that proto/ knows, in its order; none for an unknown service. */
export function knownMethods(service: string): readonly Method[] {
  const { services } = table();
  return (Object.hasOwn(services, service) ? services[service] : undefined)?.map((row) => method(service, row)) ?? [];
}

/** The services that proto/ knows, by full name. */
export function knownServices(): readonly string[] {
  return Object.keys(table().services);
}

/**
 * What is known about a method, by its :path.
 *
 * @returns undefined for methods that proto/ doesn't have: their messages are bytes, and nothing tells their streaming
 * @example methodOf('/moby.buildkit.v1.frontend.LLBBridge/Ping')?.responseType // 'moby.buildkit.v1.frontend.PongResponse'
 */
export function methodOf(path: string): Method | undefined {
  if (methods.size === 0) {
    for (const service of knownServices()) for (const known of knownMethods(service)) methods.set(known.path, known);
  }
  return methods.get(path);
}
