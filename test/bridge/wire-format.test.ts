import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { decode, isMessage, type Message, type Value } from '../../src/bridge/message.js';
import { fieldExtents, readFields, WireFormatError } from '../../src/bridge/wire-format.js';
import { root } from './build.js';

/** Fields of any message of proto/, to a depth. */
function anyFields(type: protobuf.Type, depth: number): fc.Arbitrary<Record<string, unknown>> {
  const scalar = (field: protobuf.Field): fc.Arbitrary<unknown> => {
    if (field.resolvedType instanceof protobuf.Type) return anyFields(field.resolvedType, depth - 1);
    if (field.resolvedType instanceof protobuf.Enum) return fc.integer({ min: 0, max: 9 });
    switch (field.type) {
      case 'string':
        return fc.string({ unit: 'grapheme' });
      case 'bytes':
        return fc.uint8Array({ maxLength: 20 });
      case 'bool':
        return fc.boolean();
      case 'int32':
        return fc.integer();
      case 'uint32':
        return fc.nat();
      case 'uint64':
        return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);
      default:
        return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
    }
  };
  const value = (field: protobuf.Field): fc.Arbitrary<unknown> => {
    if (field instanceof protobuf.MapField) {
      const key = field.keyType === 'string' ? fc.string({ maxLength: 5 }).filter((name) => name !== '__proto__') : fc.bigInt({ min: 0n, max: 2n ** 53n }).map(String);
      return fc.dictionary(key, scalar(field), { maxKeys: 3 });
    }
    return field.repeated ? fc.array(scalar(field), { maxLength: 3 }) : scalar(field);
  };
  const used = new Set<string>();
  const fields = type.fieldsArray.filter((field) => {
    if (depth <= 0 && field.resolvedType instanceof protobuf.Type) return false;
    if (!field.partOf) return true;
    if (used.has(field.partOf.name)) return false;
    used.add(field.partOf.name);
    return true;
  });
  return fc.record(Object.fromEntries(fields.map((field) => [field.name, fc.option(value(field), { nil: undefined })])));
}

function plainValue(value: Value): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object') return value;
  return isMessage(value) ? plain(value) : value.number;
}

/** As protobufjs's toObject has it. */
function plain(message: Message): Record<string, unknown> {
  return Object.fromEntries(
    message.entries.map((entry) => {
      switch (entry.label) {
        case 'one':
          return [entry.field.name, plainValue(entry.value)];
        case 'repeated':
          return [entry.field.name, entry.values.map(plainValue)];
        case 'map':
          return [entry.field.name, Object.fromEntries(entry.entries.map(({ key, value }) => [String(key), plainValue(value)]))];
      }
    }),
  );
}

/** Drops what proto3 doesn't tell from an absent field. */
function withoutDefaults(type: protobuf.Type, object: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(object).flatMap(([name, value]): [string, unknown][] => {
    const field = type.fields[name];
    if (!field) return [];
    const inner = (item: unknown): unknown =>
      field.resolvedType instanceof protobuf.Type ? withoutDefaults(field.resolvedType, item as Record<string, unknown>) : item;
    if (field.map) return Object.keys(value as object).length > 0 ? [[name, Object.fromEntries(Object.entries(value as object).map(([key, item]) => [key, inner(item)]))]] : [];
    if (field.repeated) return (value as unknown[]).length > 0 ? [[name, (value as unknown[]).map(inner)]] : [];
    // 64-bit numbers are texts here; a string of this text is no default.
    const isDefault = value === '' || value === 0 || (value === '0' && field.type !== 'string') || value === false;
    return isDefault && !field.partOf ? [] : [[name, inner(value)]];
  });
  return Object.fromEntries(entries);
}

const names = [
  'moby.buildkit.v1.frontend.SolveRequest',
  'moby.buildkit.v1.frontend.ReturnRequest',
  'moby.buildkit.v1.frontend.NewContainerRequest',
  'moby.buildkit.v1.frontend.ExecMessage',
  'moby.buildkit.v1.frontend.ResolveSourceMetaResponse',
  'moby.buildkit.v1.StatusResponse',
  'moby.buildkit.v1.BuildHistoryEvent',
  'pb.Op',
  'pb.Definition',
];

describe('messages', () => {
  it.each(names)('%s is read as protobufjs writes it', (name) => {
    const type = root.lookupType(name);
    fc.assert(
      fc.property(anyFields(type, 4), (fields) => {
        const json = JSON.stringify(fields, (_key, value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value));
        const message = type.fromObject(JSON.parse(json) as Record<string, unknown>);
        const bytes = type.encode(message).finish();
        expect(plain(decode(name, bytes))).toEqual(withoutDefaults(type, type.toObject(type.decode(bytes), { longs: String, bytes: String })));
      }),
      { numRuns: 60 },
    );
  });

  it('keeps fields that nobody knows: number, wire type and value', () => {
    const writer = protobuf.Writer.create();
    writer.uint32(2000 * 8).uint64('18446744073709551615');
    writer.uint32(2001 * 8 + 2).string('new');
    writer.uint32(2002 * 8 + 1).fixed64(7);
    writer.uint32(2003 * 8 + 5).fixed32(8);
    expect(decode('moby.buildkit.v1.frontend.ReadFileRequest', writer.finish()).unknown).toEqual([
      { number: 2000, wire: 'varint', value: 18446744073709551615n },
      { number: 2001, wire: 'bytes', value: Buffer.from('new') },
      { number: 2002, wire: 'fixed64', value: 7n },
      { number: 2003, wire: 'fixed32', value: 8n },
    ]);
  });

  it('keeps a known number with an unfitting wire type as unknown', () => {
    const bytes = protobuf.Writer.create().uint32(8).uint32(5).finish();
    expect(decode('moby.buildkit.v1.StatusRequest', bytes)).toMatchObject({ entries: [], unknown: [{ number: 1, wire: 'varint', value: 5n }] });
  });

  it('reads unpacked numbers of a packed field, and the other way round', () => {
    const type = 'moby.buildkit.v1.frontend.InitMessage';
    const unpacked = Buffer.from([0x18, 0, 0x18, 1, 0x18, 2]);
    const packed = Buffer.from([0x1a, 3, 0, 1, 2]);
    expect(plain(decode(type, unpacked))).toEqual({ Fds: [0, 1, 2] });
    expect(plain(decode(type, packed))).toEqual({ Fds: [0, 1, 2] });
  });

  it('merges a message that stands twice, and takes the last member of a oneof', () => {
    const file = (bytes: number[]): number[] => [0x1a, bytes.length, ...bytes];
    const twice = Buffer.from([...file([8, 2]), ...file([16, 1])]);
    expect(plain(decode('moby.buildkit.v1.frontend.ExecMessage', twice))).toEqual({ File: { Fd: 2, EOF: true } });
    const other = Buffer.from([...file([8, 2]), 0x3a, 0]);
    expect(plain(decode('moby.buildkit.v1.frontend.ExecMessage', other))).toEqual({ Done: {} });
  });
});

describe('wire format', () => {
  it.each([
    ['a cut varint', [0x08, 0x80]],
    ['a varint of eleven bytes', [0x08, ...Array<number>(10).fill(0x80), 1]],
    ['a length past the end', [0x0a, 5, 1]],
    ['a huge length', [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
    ['field number 0', [0x02, 0]],
    ['wire type 6', [0x0e]],
    ['a group that ends as another', [0x0b, 0x14]],
    ['a group without an end', [0x0b, 0x08, 1]],
  ])('refuses %s', (_what, bytes) => {
    expect(() => readFields(Buffer.from(bytes))).toThrow(WireFormatError);
  });

  it('keeps a group as its bytes', () => {
    expect(readFields(Buffer.from([0x0b, 0x10, 5, 0x0c, 0x18, 1]))).toEqual([
      { number: 1, wire: 'group', value: Buffer.from([0x10, 5]) },
      { number: 3, wire: 'varint', value: 1n },
    ]);
  });

  it('bounds how deep groups are nested', () => {
    expect(() => readFields(Buffer.alloc(100_000, 0x0b))).toThrow(WireFormatError);
  });

  it('covers every byte with the extents of the fields', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        let extents;
        try {
          extents = fieldExtents(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(WireFormatError);
          return;
        }
        let at = 0;
        for (const { start, end } of extents) {
          expect(start).toBe(at);
          at = end;
        }
        expect(at).toBe(bytes.length);
      }),
    );
  });
});
