/** Several comparisons at one glance: a line for each daemon, a column for each class. */
import { DIFFERENCE_CLASSES, type DifferenceClass } from '../diff/index.js';
import { isAlike, type Comparison } from './compare.js';

/**
 * @param classes those that took part
 * @returns lines that are as long as their names make them
 */
export function summaryTable(comparisons: readonly Comparison[], classes: readonly DifferenceClass[]): readonly string[] {
  const shown = DIFFERENCE_CLASSES.filter((name) => classes.includes(name));
  const rows = comparisons.map((comparison) => [
    comparison.other,
    comparison.report.after.buildkitVersion ?? '-',
    String(comparison.report.after.calls),
    ...shown.map((name) => String(comparison.report.counts[name])),
    String(Object.values(comparison.noise.counts).reduce((sum, count) => sum + count, 0)),
    verdict(comparison),
  ]);
  const [first] = comparisons;
  const base = first === undefined ? [] : [[first.base, first.report.before.buildkitVersion ?? '-', String(first.report.before.calls), ...shown.map(() => ''), '', 'base']];
  const table = [['', 'BuildKit', 'calls', ...shown, 'noise', ''], ...base, ...rows];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
  const isText = (column: number): boolean => column < 2 || column === widths.length - 1;
  return table.map((row) => row.map((cell, column) => (isText(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ').trimEnd());
}

function verdict(comparison: Comparison): string {
  if (isAlike(comparison)) return 'same';
  return comparison.statuses.areSame ? 'different' : 'different, and ended otherwise';
}
