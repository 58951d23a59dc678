import { expect, it } from 'vitest';
import { compareJson, type Comparison } from '../../src/compare/index.js';
import { build, difference, inCall, report } from '../diff/report.js';

const overridden = 'make \u202etset\u009b31m';
const comparison: Comparison = {
  base: 'old',
  other: 'new',
  report: report([build([inCall('Solve', 1, 1, [difference('exec.meta.args[2]', 'make', overridden)])])]),
  noise: report([]),
  statuses: { base: [0], other: [0], areSame: true },
};

it('a comparison as JSON holds what was recorded, and nothing that a terminal would act on', () => {
  const text = compareJson([], [comparison], false).join('\n');
  // eslint-disable-next-line no-control-regex -- these are the characters that are meant
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  const { comparisons } = JSON.parse(text) as { readonly comparisons: readonly { readonly diff: { readonly builds: readonly { readonly calls: readonly { readonly differences: readonly { readonly value: unknown }[] }[] }[] } }[] };
  expect(comparisons[0]?.diff.builds[0]?.calls[0]?.differences[0]?.value).toEqual({ before: 'make', after: overridden });
});
