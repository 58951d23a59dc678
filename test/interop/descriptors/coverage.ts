// Does the project's proto/ say the same as the descriptors a BuildKit version is linked with? What it lacks, or says
// otherwise, comes out as lines to read.
import protobuf from 'protobufjs';
import {
  declared,
  reachable,
  type Declared,
  type DescriptorSet,
  type EnumDescriptor,
  type FieldDescriptor,
  type MessageDescriptor,
  type ServiceDescriptor,
} from './descriptor-set.js';

/** A field that BuildKit gave another name under the same number. proto/ has the newer one. */
export interface Rename {
  readonly message: string;
  readonly number: number;
  readonly was: string;
  readonly is: string;
  readonly reason: string;
}

/** Where to start: services with all they exchange, and messages with all they hold. */
export interface Roots {
  readonly services: readonly string[];
  readonly messages: (name: string) => boolean;
}

const SCALARS: Readonly<Record<string, string>> = {
  TYPE_DOUBLE: 'double',
  TYPE_FLOAT: 'float',
  TYPE_INT64: 'int64',
  TYPE_UINT64: 'uint64',
  TYPE_INT32: 'int32',
  TYPE_FIXED64: 'fixed64',
  TYPE_FIXED32: 'fixed32',
  TYPE_BOOL: 'bool',
  TYPE_STRING: 'string',
  TYPE_BYTES: 'bytes',
  TYPE_UINT32: 'uint32',
  TYPE_SFIXED32: 'sfixed32',
  TYPE_SFIXED64: 'sfixed64',
  TYPE_SINT32: 'sint32',
  TYPE_SINT64: 'sint64',
};

/** What `ours` lacks of what `theirs` reaches from the roots; empty when it covers all. */
export function missing(ours: protobuf.Root, theirs: DescriptorSet, roots: Roots, renames: readonly Rename[]): string[] {
  const all = declared(theirs);
  const lines: string[] = [];
  const starts = [...all.messages.keys()].filter((name) => roots.messages(name));
  for (const name of roots.services) {
    const service = all.services.get(name);
    if (service === undefined) continue;
    lines.push(...serviceLines(ours, name, service));
    for (const method of service.method ?? []) starts.push(method.inputType, method.outputType);
  }
  const messages = [...reachable(starts, all)].sort();
  const enums = new Set<string>();
  for (const name of messages) {
    const message = all.messages.get(name);
    if (message === undefined) {
      lines.push(`${name}: named by a field, but BuildKit's own descriptors lack it`);
      continue;
    }
    if (message.options?.mapEntry === true) continue;
    lines.push(...messageLines(ours, name, message, all, renames));
    for (const field of message.field ?? []) if (field.type === 'TYPE_ENUM') enums.add(field.typeName ?? '');
  }
  for (const name of [...enums].sort()) {
    const type = all.enums.get(name);
    if (type !== undefined) lines.push(...enumLines(ours, name, type));
  }
  return lines;
}

function find<T extends protobuf.ReflectionObject>(ours: protobuf.Root, name: string, kind: abstract new (...args: never[]) => T): T | undefined {
  const found = ours.lookup(name);
  return found instanceof kind ? found : undefined;
}

function serviceLines(ours: protobuf.Root, name: string, service: ServiceDescriptor): string[] {
  const here = find(ours, name, protobuf.Service);
  if (here === undefined) return [`service ${name}: missing`];
  return (service.method ?? []).flatMap((method) => {
    const said = here.methods[method.name];
    if (said === undefined) return [`service ${name}: method ${method.name} missing`];
    said.resolve();
    const want = `${stream(method.clientStreaming)}${method.inputType} → ${stream(method.serverStreaming)}${method.outputType}`;
    const have = `${stream(said.requestStream)}${said.resolvedRequestType?.fullName ?? '?'} → ${stream(said.responseStream)}${said.resolvedResponseType?.fullName ?? '?'}`;
    return want === have ? [] : [`service ${name}: method ${method.name} is ${want}, here ${have}`];
  });
}

function stream(streaming: boolean | undefined): string {
  return streaming === true ? 'stream ' : '';
}

function messageLines(ours: protobuf.Root, name: string, message: MessageDescriptor, all: Declared, renames: readonly Rename[]): string[] {
  const here = find(ours, name, protobuf.Type);
  if (here === undefined) return [`message ${name}: missing`];
  return (message.field ?? []).flatMap((field) => {
    const said = here.fieldsById[field.number];
    if (said === undefined) return [`message ${name}: field ${field.number} ${field.name} missing`];
    said.resolve();
    const rename = renames.find((r) => r.message === name && r.number === field.number && r.was === field.name);
    const want = [rename?.is ?? field.name, theirType(field, all), theirGroup(field, message)];
    const have = [said.name, ourType(said), ourGroup(said)];
    return want.join(' ') === have.join(' ')
      ? []
      : [`message ${name}: field ${field.number} is ${want.join(' ').trim()}, here ${have.join(' ').trim()}`];
  });
}

function theirType(field: FieldDescriptor, all: Declared): string {
  const entry = field.typeName === undefined ? undefined : all.messages.get(field.typeName);
  if (entry?.options?.mapEntry === true) {
    const of = (number: number): string => {
      const part = entry.field?.find((f) => f.number === number);
      return part === undefined ? '?' : theirType({ ...part, label: 'LABEL_OPTIONAL' }, all);
    };
    return `map<${of(1)}, ${of(2)}>`;
  }
  const type = SCALARS[field.type] ?? field.typeName ?? field.type;
  return field.label === 'LABEL_REPEATED' ? `repeated ${type}` : field.label === 'LABEL_REQUIRED' ? `required ${type}` : type;
}

function ourType(field: protobuf.Field): string {
  const type = field.resolvedType?.fullName ?? field.type;
  if (field instanceof protobuf.MapField) return `map<${field.keyType}, ${type}>`;
  return field.repeated ? `repeated ${type}` : field.required ? `required ${type}` : type;
}

function theirGroup(field: FieldDescriptor, message: MessageDescriptor): string {
  if (field.proto3Optional === true) return '(optional)';
  return field.oneofIndex === undefined ? '' : `(oneof ${message.oneofDecl?.[field.oneofIndex]?.name ?? '?'})`;
}

function ourGroup(field: protobuf.Field): string {
  if (field.partOf === null) return '';
  return field.partOf.isProto3Optional ? '(optional)' : `(oneof ${field.partOf.name})`;
}

function enumLines(ours: protobuf.Root, name: string, type: EnumDescriptor): string[] {
  const here = find(ours, name, protobuf.Enum);
  if (here === undefined) return [`enum ${name}: missing`];
  return (type.value ?? []).flatMap((value) => {
    const number = value.number ?? 0;
    const said = here.values[value.name];
    if (said === undefined) return [`enum ${name}: value ${value.name} = ${number} missing`];
    return said === number ? [] : [`enum ${name}: value ${value.name} is ${number}, here ${said}`];
  });
}
