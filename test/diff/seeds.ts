/**
 * Changes to be found: every field that stands in the messages of a recording, by its descriptors, and one other value for
 * it. Made with protobufjs, which shares no code with src/bridge.
 */
import protobuf from 'protobufjs';
import { EXEC_PROCESS, knownMethods, headerText } from '../../src/bridge/index.js';
import type { CassetteEvent, HeaderField, MessageEvent } from '../../src/cassette/index.js';
import { digestOf, encode, root } from '../bridge/build.js';

export interface Seed {
  readonly method: string;
  readonly side: 'client' | 'server' | 'status';
  /** Field names down from the message, without indices and keys; `()` enters the op or the JSON that a field holds. */
  readonly path: string;
  /** Full name of the message that has the field, and the field; in JSON the member. */
  readonly owner: string;
  readonly field: string;
  /** The key in a map, or the name of a variable. */
  readonly key: string | undefined;
  readonly before: unknown;
  /** The event's place in the recording, and what stands there instead. */
  readonly at: number;
  readonly changed: () => CassetteEvent;
}

type Json = Record<string, unknown>;

interface Site {
  readonly path: string;
  readonly owner: string;
  readonly field: string;
  readonly key: string | undefined;
  readonly before: unknown;
  /** Changes the message that the site was found in, or one decoded alike. */
  readonly apply: (message: Json) => void;
}

const METHODS = new Map([...knownMethods('moby.buildkit.v1.frontend.LLBBridge'), ...knownMethods('moby.buildkit.v1.Control')].map((method) => [method.path, method]));

/** One seed for each field that stands in a message of a method; with several ops for each kind of them. */
export function seedsIn(events: readonly CassetteEvent[], takesPart: (path: string) => boolean): readonly Seed[] {
  const paths = new Map<number, string>();
  const found = new Map<string, Seed>();
  const add = (seed: Seed): void => {
    const key = `${seed.method} ${seed.side} ${seed.path}`;
    if (!found.has(key)) found.set(key, seed);
  };
  events.forEach((event, at) => {
    if (event.kind === 'client-header') paths.set(event.call, headerText(event.headers, ':path') ?? '');
    const method = METHODS.get('call' in event ? (paths.get(event.call ?? 0) ?? '') : '');
    if (method === undefined || !takesPart(method.path)) return;
    if ((event.kind === 'client-message' || event.kind === 'server-message') && event.data !== undefined) {
      const side = event.kind === 'client-message' ? 'client' : 'server';
      const type = root.lookupType(side === 'client' ? method.requestType : method.responseType);
      for (const { apply, ...site } of sitesIn(type, decoded(type, event.data), '')) {
        add({ method: method.path, side, at, ...site, changed: () => withData(event, changedBytes(type, event.data ?? new Uint8Array(), apply)) });
      }
    }
    if (event.kind === 'server-trailer') for (const seed of seedsOfStatus(event, event.headers, at, method.path)) add(seed);
  });
  return [...found.values()];
}

function withData(event: MessageEvent, data: Uint8Array): MessageEvent {
  return { kind: event.kind, seq: event.seq, time: event.time, connection: event.connection, call: event.call, compressed: false, size: data.length, data };
}

const decoded = (type: protobuf.Type, data: Uint8Array): Json => type.toObject(type.decode(data), { longs: String, enums: Number, bytes: Buffer });

function changedBytes(type: protobuf.Type, data: Uint8Array, apply: (message: Json) => void): Uint8Array {
  const message = decoded(type, data);
  apply(message);
  return encode(type.fullName.slice(1), message);
}

function* seedsOfStatus(event: CassetteEvent, headers: readonly HeaderField[], at: number, method: string): Iterable<Seed> {
  const details = headerText(headers, 'grpc-status-details-bin');
  if (details === undefined) return;
  const type = root.lookupType('google.rpc.Status');
  const data = Buffer.from(details, 'base64');
  for (const { apply, ...site } of sitesIn(type, decoded(type, data), '')) {
    // The code stands in a header of its own as well, and clients go by that.
    if (site.path === 'code') continue;
    const changed = (): HeaderField[] =>
      headers.map((header) => (header.name === 'grpc-status-details-bin' ? { name: header.name, value: Buffer.from(Buffer.from(changedBytes(type, data, apply)).toString('base64')) } : header));
    yield { method, side: 'status', at, ...site, changed: () => ({ ...event, headers: changed() }) as CassetteEvent };
  }
}

function* sitesIn(type: protobuf.Type, message: Json, above: string): Iterable<Site> {
  if (type.fullName === '.pb.Definition') yield* sitesInDefinition(message, above);
  for (const field of type.fieldsArray) {
    const value = message[field.name];
    if (value === undefined || (type.fullName === '.pb.Definition' && field.name === 'def')) continue;
    const path = above === '' ? field.name : `${above}.${field.name}`;
    const within = (sites: Iterable<Site>, step: (value: unknown) => unknown): Site[] => [...sites].map((site) => ({ ...site, apply: (whole) => site.apply(step(whole[field.name]) as Json) }));
    if (field.map) {
      for (const [key, item] of Object.entries(value as Json)) {
        if (field.resolvedType instanceof protobuf.Type) yield* within(sitesIn(field.resolvedType, item as Json, path), (map) => (map as Json)[key]);
        else yield site(type, field, `${path}[${key}]`, key, item, (map, changed) => ((map as Json)[key] = changed));
      }
    } else if (field.repeated) {
      const items = value as unknown[];
      for (const [index, item] of items.entries()) {
        if (field.resolvedType instanceof protobuf.Type) yield* within(sitesIn(field.resolvedType, item as Json, path), (list) => (list as unknown[])[index]);
        else yield site(type, field, path, typeof item === 'string' && /^\w+=/.test(item) ? item.split('=')[0] : undefined, item, (list, changed) => ((list as unknown[])[index] = changed));
      }
    } else if (field.resolvedType instanceof protobuf.Type) {
      yield* within(sitesIn(field.resolvedType, value as Json, path), (inner) => inner);
    } else if (type.fullName === '.google.protobuf.Any' && field.name === 'value') {
      yield* sitesInDetail(message, path);
    } else {
      yield { path, owner: type.fullName.slice(1), field: field.name, key: undefined, before: value, apply: (whole) => (whole[field.name] = another(value, field)) };
    }
  }
}

function site(type: protobuf.Type, field: protobuf.Field, path: string, key: string | undefined, value: unknown, put: (container: unknown, changed: unknown) => void): Site {
  return { path, owner: type.fullName.slice(1), field: field.name, key, before: value, apply: (whole) => put(whole[field.name], another(value, field)) };
}

/** A value of the field that it does not have. */
function another(value: unknown, field: protobuf.Field): unknown {
  if (typeof value === 'string' && field.type === 'string') return `${value}~seed`;
  if (value instanceof Uint8Array) return Buffer.concat([value, Buffer.from('~seed')]);
  if (typeof value === 'boolean') return !value;
  return typeof value === 'string' ? String(BigInt(value) + 1n) : Number(value) + 1;
}

/** The members of an error detail, which is JSON; a definition in it is left alone. */
function* sitesInDetail(any: Json, above: string): Iterable<Site> {
  const text = Buffer.from(any['value'] as Uint8Array).toString();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return;
  }
  const typeUrl = String(any['type_url']);
  const visit = function* (value: unknown, path: readonly (string | number)[]): Iterable<Site> {
    if (typeof value === 'object' && value !== null) {
      for (const [key, item] of Object.entries(value)) if (key !== 'def' && key !== 'definition') yield* visit(item, [...path, Array.isArray(value) ? Number(key) : key]);
      return;
    }
    if (value === null) return;
    const changed = typeof value === 'string' ? `${value}~seed` : typeof value === 'number' ? value + 1 : value !== true;
    const apply = (whole: Json): void => {
      const parsed = JSON.parse(Buffer.from(whole['value'] as Uint8Array).toString()) as Json;
      path.slice(0, -1).reduce<Json>((at, key) => at[key] as Json, parsed)[path.at(-1) ?? ''] = changed;
      whole['value'] = Buffer.from(JSON.stringify(parsed));
    };
    const names = path.filter((part) => typeof part === 'string');
    yield { path: `${above}(${typeUrl})${names.map((name) => `.${name}`).join('')}`, owner: typeUrl, field: names.at(-1) ?? '', key: undefined, before: value, apply };
  };
  yield* visit(json, []);
}

interface DecodedOp extends Json {
  inputs?: { digest?: string; index?: number }[];
}

/** An op that changes has another digest, and so have those above it; metadata and locations are keyed by these. */
function* sitesInDefinition(definition: Json, above: string): Iterable<Site> {
  const type = root.lookupType('pb.Op');
  const ops = ((definition['def'] as Uint8Array[] | undefined) ?? []).map((bytes) => decoded(type, bytes) as DecodedOp);
  for (const [index, op] of ops.entries()) {
    const kind = type.oneofs['op']?.oneof.find((name) => op[name] !== undefined) ?? 'result';
    for (const found of sitesIn(type, op, `${above}.def(${kind})`)) {
      // Which digest an input has follows from the op that it names.
      if (/\.inputs\.digest$/.test(found.path)) continue;
      yield { ...found, apply: (whole) => relink(whole, index, found.apply) };
    }
  }
}

function relink(definition: Json, changed: number, apply: (op: Json) => void): void {
  const type = root.lookupType('pb.Op');
  const renamed = new Map<string, string>();
  const def = (definition['def'] as Uint8Array[]).map((bytes, index) => {
    const op = decoded(type, bytes) as DecodedOp;
    const isTouched = index === changed || op.inputs?.some(({ digest = '' }) => renamed.has(digest)) === true;
    if (!isTouched) return bytes;
    for (const input of op.inputs ?? []) input.digest = renamed.get(input.digest ?? '') ?? input.digest ?? '';
    if (index === changed) apply(op);
    const fresh = encode('pb.Op', op);
    renamed.set(digestOf(bytes), digestOf(fresh));
    return fresh;
  });
  definition['def'] = def;
  const rekey = (map: unknown): Json => Object.fromEntries(Object.entries((map ?? {}) as Json).map(([digest, value]) => [renamed.get(digest) ?? digest, value]));
  if (definition['metadata'] !== undefined) definition['metadata'] = rekey(definition['metadata']);
  const source = definition['Source'] as Json | undefined;
  if (source?.['locations'] !== undefined) source['locations'] = rekey(source['locations']);
}

export const isExec = ({ method }: Seed): boolean => method === EXEC_PROCESS;
