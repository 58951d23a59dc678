import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { fieldDifferences, type FieldDifference } from '../../src/bridge/index.js';

const between = (recorded: Readonly<Record<string, string>>, live: Readonly<Record<string, string>>): readonly FieldDifference[] => [
  ...fieldDifferences(new Map(Object.entries(recorded)), new Map(Object.entries(live))),
];
const list = (at: string, items: readonly string[]): Readonly<Record<string, string>> => Object.fromEntries(items.map((item, index) => [`${at}[${index}]`, JSON.stringify(item)]));

describe('what differs between two forms', () => {
  it('is a field with another value, or one that only one of them has', () => {
    expect(between({ a: '1', 'b.c': '2' }, { a: '3', 'b.d': '4' })).toEqual([
      { field: 'a', recorded: '1', live: '3' },
      { field: 'b.d', live: '4' },
      { field: 'b.c', recorded: '2' },
    ]);
  });

  it('is one item that was put in, and nothing of those behind it', () => {
    expect(between(list('args', ['a', 'b', 'c']), list('args', ['a', 'x', 'b', 'c']))).toEqual([{ field: 'args[1]', live: '"x"' }]);
  });

  it('is one item that was taken out, at the place that it had', () => {
    expect(between(list('args', ['a', 'b', 'c']), list('args', ['b', 'c']))).toEqual([{ field: 'args[0]', recorded: '"a"' }]);
  });

  it('is the value of a variable where others moved around it', () => {
    expect(between(list('env', ['PATH=/bin', 'WHO=you']), list('env', ['LANG=C', 'WHO=me', 'PATH=/bin']))).toEqual(
      expect.arrayContaining([{ field: 'env[1]', recorded: '"WHO=you"', live: '"WHO=me"' }]),
    );
  });

  it('is an item that moved, as gone from one place and come to another', () => {
    expect(between(list('env', ['A=1', 'B=1']), list('env', ['B=1', 'A=1']))).toHaveLength(2);
  });

  it('is a message that only one of them has as one value', () => {
    expect(between({ name: '"x"' }, { name: '"x"', 'platform.OS': '"linux"', 'platform.Architecture': '"amd64"' })).toEqual([
      { field: 'platform', live: '{ OS: "linux", Architecture: "amd64" }' },
    ]);
  });

  it('keeps keys in quotes whole, whatever is in them', () => {
    expect(between({ 'attrs["a.b[0]"]': '1' }, { 'attrs["a.b[0]"]': '2' })).toEqual([{ field: 'attrs["a.b[0]"]', recorded: '1', live: '2' }]);
  });

  it('takes an index far behind the end of its list for a name', () => {
    expect(between({ 'a[4000000000]': '1' }, { 'a[4000000000]': '2' })).toEqual([{ field: 'a[4000000000]', recorded: '1', live: '2' }]);
  });
});

const forms = fc.dictionary(fc.stringMatching(/^[a-c](?:\.[a-c]|\[[0-2]\]|\["[a-c]"\]){0,3}$/), fc.constantFrom('1', '2', '"N=1"', '"N=2"'), { maxKeys: 12 });

test.prop([forms, forms], { numRuns: 1000 })('something differs exactly where two forms are not equal', (one, other) => {
  const isEqual = JSON.stringify(Object.entries(one).sort()) === JSON.stringify(Object.entries(other).sort());
  expect(between(one, other).length === 0).toBe(isEqual);
});
