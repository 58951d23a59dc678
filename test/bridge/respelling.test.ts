import { fc, test } from '@fast-check/vitest';
import { expect, it } from 'vitest';
import { readOp, type GraphOp } from '../../src/bridge/graph.js';
import { respelledDigests } from '../../src/bridge/respelling.js';
import { bytesField } from '../../src/bridge/wire-format.js';
import { fieldOrder, graph, oneofLast, type Fields, type OpEncoder, type OpSpec } from './build.js';

const kinds: fc.Arbitrary<Fields> = fc.oneof(
  fc.string().map((identifier) => ({ source: { identifier } })),
  fc.array(fc.string()).map((args) => ({ exec: { meta: { args } } })),
  fc.string().map((path) => ({ file: { actions: [{ input: -1, mkdir: { path } }] } })),
);
const surroundings: fc.Arbitrary<Fields> = fc.record({ platform: fc.record({ OS: fc.constantFrom('linux', 'windows') }), constraints: fc.constant({ filter: ['a'] }) });
/** Each op stands on those before it that the numbers name. */
const specs: fc.Arbitrary<readonly OpSpec[]> = fc
  .array(fc.tuple(kinds, surroundings, fc.uniqueArray(fc.nat(9), { maxLength: 3 })), { minLength: 1, maxLength: 10 })
  .map((ops) => ops.map(([kind, around, below], at) => ({ name: `op ${at}`, op: { ...kind, ...around }, inputs: below.filter((index) => index < at).map((index) => ({ op: `op ${index}`, index: index % 2 })) })));

function written(ops: readonly OpSpec[], encodeOp: OpEncoder): readonly ReturnType<typeof readOp>[] {
  const { def } = graph(ops, { encodeOp }).fields as { readonly def: readonly Uint8Array[] };
  return def.map((bytes) => readOp(bytes));
}

test.prop([specs])("an older client's ops have the digests of a newer one's", (ops) => {
  const [was, is] = [written(ops, fieldOrder), written(ops, oneofLast)];
  const other = respelledDigests(was);
  expect(was.map(({ digest }) => other.get(digest) ?? digest)).toEqual(is.map(({ digest }) => digest));
});

test.prop([specs])("a newer client's have no others", (ops) => {
  // Told by its fields' order alone: what most daemons are sent is not read a second time.
  const unread = written(ops, oneofLast).map(({ digest, bytes, inputs }) => ({
    ...{ digest, bytes, inputs },
    get op(): GraphOp['op'] {
      throw new Error('an op was looked into');
    },
  }));
  expect(respelledDigests(unread).size).toBe(0);
});

it('what is no op stays what it is', () => {
  const ops = written([{ name: 'a', op: { source: { identifier: 'local://x' }, platform: { OS: 'linux' } } }], fieldOrder);
  const broken = readOp(bytesField(1, new Uint8Array(3)).subarray(0, 3));
  expect([...respelledDigests([broken, ...ops]).keys()]).toEqual(ops.map(({ digest }) => digest));
});
