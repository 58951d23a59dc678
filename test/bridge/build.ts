/** Builders: messages of proto/ made by protobufjs, which shares no code with src/bridge. */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs';

const folder = join(import.meta.dirname, '..', '..', 'proto');

export const root = new protobuf.Root();
root.resolvePath = (_origin, path) => (path.startsWith('/') || protobuf.common.get(path) !== null ? path : join(folder, path));
root.loadSync(
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.proto'))
    .map((path) => join(folder, path)),
  { keepCase: true },
);
root.resolveAll();

export type Fields = Readonly<Record<string, unknown>>;

/** The bytes of a message, from its fields by their names in proto/. */
export function encode(typeName: string, fields: Fields): Uint8Array {
  const type = root.lookupType(typeName);
  return type.encode(type.fromObject({ ...fields })).finish();
}

export const FRONTEND = 'moby.buildkit.v1.frontend';
export const bridge = (method: string): string => `/${FRONTEND}.LLBBridge/${method}`;
export const control = (method: string): string => `/moby.buildkit.v1.Control/${method}`;

export const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** An op of a graph under construction; `inputs` are names of earlier ones. */
export interface OpSpec {
  readonly name: string;
  readonly inputs?: readonly (string | { readonly op: string; readonly index: number })[];
  readonly op: Fields;
  readonly metadata?: Fields;
  /** Line in the source file. */
  readonly line?: number;
}

export interface BuiltGraph {
  /** Fields of the pb.Definition. */
  readonly fields: Fields;
  readonly bytes: Uint8Array;
  /** The ops' digests by name; `` of the last one, which only names the result. */
  readonly digests: ReadonlyMap<string, string>;
}

export type OpEncoder = (fields: Fields) => Uint8Array;

/** Up to v0.16: fields in the order of their numbers. */
export const fieldOrder: OpEncoder = (fields) => encode('pb.Op', fields);

/** From v0.17: the oneof after all else. */
export const oneofLast: OpEncoder = ({ inputs, platform, constraints, ...oneof }) =>
  Buffer.concat([
    encode('pb.Op', { inputs, ...(platform !== undefined && { platform }), ...(constraints !== undefined && { constraints }) }),
    encode('pb.Op', oneof),
  ]);

export interface GraphOptions {
  readonly encodeOp?: OpEncoder;
  /** Writes maps in the opposite order. */
  readonly reversed?: boolean;
  readonly source?: Fields;
}

/** A pb.Definition of ops in order; the last one is what it results in. */
export function graph(specs: readonly OpSpec[], { encodeOp = fieldOrder, reversed = false, source }: GraphOptions = {}): BuiltGraph {
  const digests = new Map<string, string>();
  const edge = (input: string | { readonly op: string; readonly index: number }): Fields => {
    const { op, index } = typeof input === 'string' ? { op: input, index: 0 } : input;
    return { digest: digests.get(op), index };
  };
  const def = specs.map(({ name, inputs = [], op }) => {
    const bytes = encodeOp({ inputs: inputs.map(edge), ...op });
    digests.set(name, digestOf(bytes));
    return bytes;
  });
  const last = specs.at(-1);
  const result = encodeOp({ inputs: last ? [edge(last.name)] : [] });
  digests.set('', digestOf(result));
  const ordered = reversed ? specs.toReversed() : specs;
  const metadata = Object.fromEntries(ordered.map(({ name, metadata }) => [digests.get(name) ?? '', { ...metadata }]));
  const locations = Object.fromEntries(
    ordered
      .filter(({ line }) => line !== undefined)
      .map(({ name, line }) => [
        digests.get(name) ?? '',
        { locations: [{ sourceIndex: 0, ranges: [{ start: { line }, end: { line } }] }] },
      ]),
  );
  const fields = { def: [...def, result], metadata, Source: { locations, infos: [{ filename: 'Dockerfile', ...source }] } };
  return { fields, bytes: encode('pb.Definition', fields), digests };
}

/** An id such as BuildKit's identity.NewID() makes. */
export const id = (letter: string): string => letter.repeat(25);

export const header = (name: string, value: string | Uint8Array): { readonly name: string; readonly value: Uint8Array } => ({
  name,
  value: Buffer.from(value),
});
