import { describe, expect, it } from 'vitest';
import { compareReview, isAlike, type Comparison, type ReviewOptions } from '../../src/compare/index.js';
import { DIFFERENCE_CLASSES, type DiffReport } from '../../src/diff/index.js';
import { build, difference, inCall, onlyOne, report } from '../diff/report.js';

const same = report([]);
const size = report([build([inCall('StatFile', 4, 4, [difference('stat.size', '1', '2', { class: 'responses' })], '/log'), onlyOne('ReadFile', 9, undefined, '/x')])]);

function comparison(other: string, of: DiffReport, more: Partial<Comparison> = {}): Comparison {
  return { base: 'old', other, report: of, noise: same, statuses: { base: [0], other: [0], areSame: true }, ...more };
}

function review(comparisons: readonly Comparison[], more: Partial<ReviewOptions> = {}): readonly string[] {
  return [...compareReview(comparisons, { render: ({ counts }) => [`report of ${counts.responses}`], command: ['/usr/bin/buildctl', 'build'], classes: DIFFERENCE_CLASSES.filter((name) => name !== 'time'), full: false, isMarkdown: false, ...more })];
}

describe('a comparison of daemons', () => {
  it('of two is one report', () => {
    expect(review([comparison('new', size)])).toEqual(['report of 1']);
  });

  it('of more has a report for each, and a table that sums up', () => {
    expect(review([comparison('middle', same), comparison('new', size, { noise: size })])).toEqual([
      'old → middle',
      'report of 0',
      '',
      'old → new',
      'report of 1',
      'noise: 2 differences in what varies from run to run of one daemon as well',
      '  LLBBridge/StatFile /log  stat.size',
      '  LLBBridge/ReadFile /x  how often',
      '',
      '        BuildKit  calls  requests  responses  errors  exec  environment  order  noise',
      'old     v0.8.3       10                                                                base',
      'middle  v0.32.2      12         0          0       0     0            0      0      0  same',
      'new     v0.32.2      12         0          1       0     0            0      1      2  different',
    ]);
  });

  it('tells of a command that ended otherwise, which is a difference', () => {
    const ended = comparison('new', same, { statuses: { base: [0], other: [1, 7], areSame: false } });
    expect(isAlike(ended)).toBe(false);
    expect(review([ended])).toEqual(['report of 0', 'ended otherwise: buildctl with status 0 at old, with status 1 or 7 at new']);
    expect(review([comparison('a', same), ended]).at(-1)).toMatch(/different, and ended otherwise$/);
  });

  it('lists so many places of noise, and all of them when asked', () => {
    const noisy = report([build(Array.from({ length: 20 }, (_, index) => inCall('StatFile', index + 1, index + 1, [difference('stat.size', '1', '2', { class: 'responses' })], `/${index}`)))]);
    expect(review([comparison('new', same, { noise: noisy })]).slice(-2)).toEqual(['  LLBBridge/StatFile /11  stat.size', '  … 8 more places']);
    expect(review([comparison('new', same, { noise: noisy })], { full: true })).toHaveLength(22);
  });

  it('fences what stands beside the reports in Markdown', () => {
    const lines = review([comparison('new', same, { noise: size })], { isMarkdown: true });
    expect(lines.slice(1, 3)).toEqual(['', '`````text']);
    expect(lines.at(-1)).toBe('`````');
  });
});
