/** Comparisons laid out for people: each as a diff is, with what was set apart, and all of them summed up. */
import { basename } from 'node:path';

import type { DifferenceClass, DiffReport } from '../diff/index.js';
import type { Comparison } from './compare.js';
import { noiseLines } from './noise-lines.js';
import { summaryTable } from './summary.js';

export interface ReviewOptions {
  /** How one report is laid out. */
  readonly render: (report: DiffReport) => Iterable<string>;
  readonly command: readonly string[];
  readonly classes: readonly DifferenceClass[];
  /** All places of noise. */
  readonly full: boolean;
}

export function* compareReview(comparisons: readonly Comparison[], { render, command, classes, full }: ReviewOptions): Generator<string> {
  for (const [index, comparison] of comparisons.entries()) {
    if (index > 0) yield '';
    if (comparisons.length > 1) yield `${comparison.base} → ${comparison.other}`;
    yield* render(comparison.report);
    if (!comparison.statuses.areSame) yield endings(comparison, command);
    yield* noiseLines(comparison.noise, full);
  }
  if (comparisons.length < 2) return;
  yield '';
  yield* summaryTable(comparisons, classes);
}

function endings({ base, other, statuses }: Comparison, command: readonly string[]): string {
  const at = (name: string, all: readonly number[]): string => `with status ${all.join(' or ')} at ${name}`;
  return `ended otherwise: ${basename(command[0] ?? '')} ${at(base, statuses.base)}, ${at(other, statuses.other)}`;
}
