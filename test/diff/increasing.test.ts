import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { increasing } from '../../src/diff/increasing.js';

/** How long the longest growing part is, by trying all. */
function longest(numbers: readonly number[]): number {
  const best = numbers.map(() => 1);
  numbers.forEach((number, at) => numbers.slice(0, at).forEach((before, from) => before < number && (best[at] = Math.max(best[at] ?? 1, (best[from] ?? 1) + 1))));
  return Math.max(0, ...best);
}

test.prop([fc.array(fc.nat(12), { maxLength: 14 })])('a part that grows, in its order, and none is longer', (numbers) => {
  const places = [...increasing(numbers)];
  const grows = (list: readonly number[]): boolean => list.every((number, index) => index === 0 || number > (list[index - 1] ?? 0));
  expect([grows(places), grows(places.map((place) => numbers[place] ?? NaN))]).toEqual([true, true]);
  expect(places).toHaveLength(longest(numbers));
});
