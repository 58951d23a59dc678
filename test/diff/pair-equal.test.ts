import { fc, test } from '@fast-check/vitest';
import { expect, it } from 'vitest';
import { pairEqual } from '../../src/diff/pair-equal.js';

interface Member {
  readonly key: string;
}
const members = (keys: readonly string[]): readonly Member[] => keys.map((key) => ({ key }));
const byKey = { before: ({ key }: Member): string => key, after: ({ key }: Member): string => key };

function paired(before: readonly Member[], after: readonly Member[], partners = new Map<Member, Member>()): readonly (number | undefined)[] {
  pairEqual(before, after, partners, byKey);
  return before.map((member) => (partners.has(member) ? after.findIndex((other) => other === partners.get(member)) : undefined));
}

it('equal keys are paired in their order, whatever stands between them', () => {
  expect(paired(members(['a', 'b', 'a', 'a']), members(['b', 'a', 'c', 'a']))).toEqual([1, 0, 3, undefined]);
});

it('what has a partner keeps it, and is no partner of another', () => {
  const [before, after] = [members(['a', 'a']), members(['a', 'a'])];
  const [first, , last] = [before[0], before[1], after[1]];
  if (first === undefined || last === undefined) throw new Error('there are two of each');
  expect(paired(before, after, new Map([[first, last]]))).toEqual([1, 0]);
});

const keys = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 12 });
test.prop([keys, keys])('the first of a key is paired with the first of that key, the second with the second, and so on', (one, other) => {
  const places = (key: string): readonly number[] => [...other.keys()].filter((place) => other[place] === key);
  const counts = new Map<string, number>();
  const wanted = one.map((key) => {
    const count = counts.get(key) ?? 0;
    counts.set(key, count + 1);
    return places(key)[count];
  });
  expect(paired(members(one), members(other))).toEqual(wanted);
});
