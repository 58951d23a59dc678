import { fc, test as property } from '@fast-check/vitest';
import { expect } from 'vitest';
import { NumberSet } from '../../src/replayer/number-set.js';

const number = fc.oneof(fc.nat(20), fc.nat(5000), fc.maxSafeNat());

property.prop([fc.array(fc.record({ number, isAdded: fc.boolean() }), { maxLength: 300 }), fc.array(number)])('a set of numbers is what a Set is after the same changes', (changes, others) => {
  const [set, model] = [new NumberSet(), new Set<number>()];
  for (const { number: changed, isAdded } of changes) {
    if (isAdded) [set, model].forEach((one) => one.add(changed));
    else [set, model].forEach((one) => one.delete(changed));
  }
  for (const asked of [...others, ...changes.map((change) => change.number)]) expect(set.has(asked)).toBe(model.has(asked));
});
