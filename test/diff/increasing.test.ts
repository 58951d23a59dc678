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
  const found = increasing(numbers.map((number, at) => ({ number, at })), ({ number }) => number);
  expect(found.every(({ number, at }, index) => index === 0 || (number > (found[index - 1]?.number ?? 0) && at > (found[index - 1]?.at ?? 0)))).toBe(true);
  expect(found).toHaveLength(longest(numbers));
});
