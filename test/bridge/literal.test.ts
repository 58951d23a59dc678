import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { LiteralError, methodOf, Plain, readMessage, writeMessage, type Literal, type LiteralMap } from '../../src/bridge/index.js';
import { Cassette } from '../../src/cassette/index.js';
import { encode, fieldOrder, FRONTEND, graph, oneofLast, root } from './build.js';

const SOLVE_REQUEST = `${FRONTEND}.SolveRequest`;
const cassettes = join(import.meta.dirname, '..', '..', 'cassettes');

/** Objects for maps and what they hold for scalars, to be compared with. */
function plain(literal: Literal | undefined): unknown {
  if (literal instanceof Plain) return literal.source;
  if (literal instanceof Map) return Object.fromEntries(Array.from(literal as LiteralMap, ([key, value]) => [key, plain(value)]));
  return Array.isArray(literal) ? literal.map((item: Literal) => plain(item)) : literal;
}

const map = (object: Readonly<Record<string, unknown>>): LiteralMap => new Map(Object.entries(object).map(([key, value]) => [key, literal(value)]));
function literal(value: unknown): Literal {
  if (Array.isArray(value)) return value.map(literal);
  if (value instanceof Uint8Array || value instanceof Map) return value as Literal;
  if (typeof value === 'object' && value !== null) return map(value as Record<string, unknown>);
  return typeof value === 'string' ? value : new Plain(String(value));
}

/** Written and read again, with the bytes beside it where the literal alone would not give them. */
function again(typeName: string | undefined, bytes: Uint8Array): Uint8Array | undefined {
  const { literal: written, exact } = writeMessage(typeName, bytes);
  if (written === undefined) return undefined;
  const read = readMessage(typeName, written, exact ? undefined : bytes);
  expect(read.stale).toEqual([]);
  return read.bytes;
}

const hex = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString('hex');

function failure(typeName: string, written: Literal): { readonly reason: string; readonly at: unknown } {
  try {
    readMessage(typeName, written);
  } catch (error) {
    if (error instanceof LiteralError) return { reason: error.reason, at: error.at };
    throw error;
  }
  throw new Error('it was read');
}

describe('a message as a literal', { timeout: 120_000 }, () => {
  it.each(readdirSync(cassettes).filter((name) => name.endsWith('.cassette')))('needs no bytes beside it for anything that BuildKit wrote in %s', (name) => {
    using cassette = Cassette.open(join(cassettes, name));
    const methods = new Map(cassette.calls.map(({ id, path }) => [id, methodOf(path)]));
    for (const event of cassette.events()) {
      if ((event.kind !== 'client-message' && event.kind !== 'server-message') || event.data === undefined) continue;
      const method = methods.get(event.call);
      const typeName = event.kind === 'client-message' ? method?.requestType : method?.responseType;
      expect(writeMessage(typeName, event.data).exact).toBe(true);
      expect(hex(again(typeName, event.data))).toBe(hex(event.data));
    }
  });

  it.each([['in field order', fieldOrder], ['with the oneof last', oneofLast]])('names ops, and follows them %s', (_how, encodeOp) => {
    const { bytes } = graph(
      [
        { name: 'a', op: { source: { identifier: 'local://context' }, platform: { OS: 'linux' } }, metadata: { ignore_cache: true }, line: 1 },
        { name: 'b', inputs: ['a', { op: 'a', index: 1 }], op: { exec: { meta: { args: ['make'] } }, platform: { OS: 'linux' } } },
      ],
      { encodeOp },
    );
    const { literal: written, exact } = writeMessage('pb.Definition', bytes);
    expect(exact).toBe(true);
    const { def, metadata, Source } = plain(written) as { readonly def: readonly Record<string, unknown>[]; readonly metadata: unknown; readonly Source: { readonly locations: unknown } };
    expect(def[1]).toMatchObject({ name: 'op1', inputs: [{ digest: 'op0' }, { digest: 'op0', index: '1' }] });
    expect(def[2]).toEqual({ name: 'op2', inputs: [{ digest: 'op1' }] });
    expect(metadata).toMatchObject({ op0: { ignore_cache: 'true' } });
    expect(Source.locations).toHaveProperty('op0');
  });

  it('works the digests out again when an op is changed', () => {
    const make = (identifier: string): Uint8Array => graph([{ name: 'a', op: { source: { identifier } }, metadata: { ignore_cache: true } }, { name: 'b', inputs: ['a'], op: { exec: { meta: { args: ['make'] } } } }]).bytes;
    const written = writeMessage('pb.Definition', make('docker-image://one')).literal!;
    const [first, ...others] = written.get('def') as readonly LiteralMap[];
    const changed = new Map(written).set('def', [new Map(first).set('source', map({ identifier: 'docker-image://two' })), ...others]);
    expect(hex(readMessage('pb.Definition', changed).bytes)).toBe(hex(make('docker-image://two')));
  });

  it('takes names of its own for ops, in any order', () => {
    const { bytes } = graph([{ name: 'a', op: { source: { identifier: 'x' } } }, { name: 'b', inputs: ['a'], op: { exec: {} } }]);
    const b = map({ name: 'build', inputs: [{ digest: 'base' }], exec: {} });
    const [a, result] = [map({ name: 'base', source: { identifier: 'x' } }), map({ inputs: [{ digest: 'build' }] })];
    const read = (def: readonly Literal[]): LiteralMap => writeMessage('pb.Definition', readMessage('pb.Definition', map({ def })).bytes).literal!;
    expect(plain(read([a, b, result]).get('def'))).toEqual(plain(writeMessage('pb.Definition', bytes).literal!.get('def')));
    expect(plain(read([b, a, result]).get('def'))).toMatchObject([{ inputs: [{ digest: 'op1' }] }, { source: { identifier: 'x' } }, { inputs: [{ digest: 'op0' }] }]);
  });

  it('opens JSON in an Any, in the style in which it was written', () => {
    const written = (json: string): unknown =>
      plain(writeMessage('google.rpc.Status', encode('google.rpc.Status', { code: 2, details: [{ type_url: 'github.com/moby/buildkit/errdefs.Vertex+json', value: Buffer.from(json) }] })).literal);
    const details = (value: unknown): unknown => ({ code: '2', details: [{ type_url: 'github.com/moby/buildkit/errdefs.Vertex+json', ...(value as object) }] });
    expect(written('{"a":"\\u003cb\\u003e","n":7}')).toEqual(details({ value: { a: '<b>', n: '7' } }));
    expect(written('{"a":"<b>","n":7}')).toEqual(details({ style: 'plain', value: { a: '<b>', n: '7' } }));
    expect(written('{"a":1, "n":[1, 2]}')).toEqual(details({ style: 'spaced', value: { a: '1', n: ['1', '2'] } }));
    expect(written('{ "n" : 1}')).toEqual(details({ value: Buffer.from('{ "n" : 1}') }));
  });

  it('keeps a number that JavaScript would round', () => {
    const bytes = encode('google.rpc.Status', { details: [{ type_url: 'x/y+json', value: Buffer.from('{"n":9007199254740993}') }] });
    expect(hex(again('google.rpc.Status', bytes))).toBe(hex(bytes));
  });

  it('keeps bytes beside what could have been written in another way, as long as nothing of it is changed', () => {
    // allowResultReturn, as a varint of two bytes.
    const bytes = Buffer.from('28' + '8100', 'hex');
    const { literal: written, exact } = writeMessage(SOLVE_REQUEST, bytes);
    expect([plain(written), exact]).toEqual([{ allowResultReturn: 'true' }, false]);
    expect(readMessage(SOLVE_REQUEST, written!, bytes)).toEqual({ bytes, stale: [] });
    const changed = readMessage(SOLVE_REQUEST, map({ allowResultReturn: true, Frontend: 'x' }), bytes);
    expect([hex(changed.bytes), changed.stale]).toEqual(['2801120178', [[]]]);
  });

  it('keeps the bytes of one op apart from those of the others', () => {
    // Its source stands twice, which protobuf merges.
    const odd = Buffer.from('1a030a0178' + '1a030a0178', 'hex');
    const written = writeMessage('pb.Definition', encode('pb.Definition', { def: [odd] }));
    expect(plain(written.literal)).toEqual({ def: [{ name: 'op0', source: { identifier: 'x' }, exact: odd }] });
    expect(written.exact).toBe(true);
  });

  it.each<[string, Literal, string, readonly (string | number)[]]>([
    ['a field that is not there', map({ Frontent: 'x' }), `${SOLVE_REQUEST} has no field "Frontent"; it has Definition, Frontend`, ['Frontent']],
    ['a text for a flag', map({ allowResultReturn: 'yes' }), 'is "yes", and should be a bool', ['allowResultReturn']],
    ['a map for a text', map({ Frontend: {} }), 'is a map, and should be a text', ['Frontend']],
    ['one for many', map({ CacheImports: {} }), 'is a map, and should be a list', ['CacheImports']],
    ['an op that is not there', map({ Definition: { def: [{ inputs: [{ digest: 'op7' }] }] } }), 'no op of this definition has the name "op7"', ['Definition', 'def', 0, 'inputs', 0, 'digest']],
    ['an op that builds on itself', map({ Definition: { def: [{ name: 'a', inputs: [{ digest: 'a' }] }] } }), 'leads back to the op itself', ['Definition', 'def', 0, 'inputs', 0, 'digest']],
    ['a name that two ops have', map({ Definition: { def: [{ name: 'a' }, { name: 'a' }] } }), 'is the name of two ops, a', ['Definition', 'def', 1, 'name']],
    ['two of a oneof', map({ Definition: { def: [{ exec: {}, source: {} }] } }), 'stands beside exec: a pb.Op has one of the two', ['Definition', 'def', 0, 'source']],
    ['no field number', map({ '#0': { varint: 1 } }), 'is no field number', ['#0']],
  ])('is refused with the place of %s', (_what, written, reason, at) => {
    const refused = failure(SOLVE_REQUEST, written);
    expect(refused.reason).toContain(reason);
    expect(refused.at).toEqual(at);
  });

  const types = ['pb.Op', 'pb.Definition', SOLVE_REQUEST, `${FRONTEND}.ExecMessage`, 'google.rpc.Status', 'moby.buildkit.v1.StatusResponse', 'moby.buildkit.v1.types.WorkerRecord'];

  test.prop([fc.constantFrom(...types, undefined), fc.uint8Array({ maxLength: 60 })], { numRuns: 2000 })('gives any bytes again', (typeName, bytes) => {
    const read = again(typeName, bytes);
    if (read !== undefined) expect(hex(read)).toBe(hex(bytes));
  });

  const message = fc.constantFrom(...types).chain((typeName) => fc.tuple(fc.constant(typeName), fieldsOf(typeName, 3)));
  test.prop([message], { numRuns: 500 })('of protobufjs gives the same bytes without any beside it', ([typeName, fields]) => {
    const bytes = encode(typeName, fields);
    expect(writeMessage(typeName, bytes).exact).toBe(true);
    expect(hex(again(typeName, bytes))).toBe(hex(bytes));
  });

  test.prop([message, fc.nat(), fc.nat({ max: 255 })], { numRuns: 1000 })('gives a damaged message again', ([typeName, fields], place, byte) => {
    const bytes = encode(typeName, fields);
    if (bytes.length > 0) bytes[place % bytes.length] = byte;
    const read = again(typeName, bytes);
    if (read !== undefined) expect(hex(read)).toBe(hex(bytes));
  });
});

/** With the colon that digests have: anything else in the place of a digest would be the name of an op. */
const text = fc.string({ unit: 'grapheme', maxLength: 8 }).map((rest) => `:${rest}`);

/** Fields for protobufjs, by the descriptors. */
function fieldsOf(typeName: string, depth: number): fc.Arbitrary<Record<string, unknown>> {
  const type = root.lookupType(typeName);
  const entries = type.fieldsArray.flatMap((field): [string, fc.Arbitrary<unknown>][] => {
    field.resolve();
    const value = valueOf(field.resolvedType === null ? field.type : field.resolvedType.fullName.slice(1), field.resolvedType !== null && 'values' in field.resolvedType ? Object.values(field.resolvedType.values) : undefined, depth);
    if (value === undefined) return [];
    if (field.map) return 'keyType' in field && field.keyType === 'string' ? [[field.name, fc.dictionary(text, value, { maxKeys: 3, noNullPrototype: true })]] : [];
    return [[field.name, field.repeated ? fc.array(value, { maxLength: 3 }) : value]];
  });
  const oneofs = new Map(type.oneofsArray.map((oneof) => [oneof.name, oneof.fieldsArray.map(({ name }) => name)]));
  return fc.record(Object.fromEntries(entries), { requiredKeys: [], noNullPrototype: true }).map((fields) => {
    const kept = { ...fields };
    for (const names of oneofs.values()) for (const name of names.filter((candidate) => candidate in kept).slice(1)) Reflect.deleteProperty(kept, name);
    return kept;
  });
}

function valueOf(type: string, values: readonly number[] | undefined, depth: number): fc.Arbitrary<unknown> | undefined {
  if (values !== undefined) return fc.oneof(fc.constantFrom(...values), fc.integer({ min: 0, max: 1000 }));
  switch (type) {
    case 'string':
      return text;
    case 'bytes':
      return fc.uint8Array({ maxLength: 12 });
    case 'bool':
      return fc.boolean();
    case 'int32':
    case 'sint32':
    case 'sfixed32':
      return fc.integer();
    case 'uint32':
    case 'fixed32':
      return fc.nat();
    case 'int64':
    case 'uint64':
    case 'fixed64':
      return fc.maxSafeNat();
    case 'double':
    case 'float':
      return fc.float({ noNaN: true });
    default:
      return depth === 0 ? undefined : fieldsOf(type, depth - 1);
  }
}
