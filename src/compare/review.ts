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
  /** What is added to the reports has to be told apart from markup. */
  readonly isMarkdown: boolean;
}

export function* compareReview(comparisons: readonly Comparison[], { render, command, classes, full, isMarkdown }: ReviewOptions): Generator<string> {
  for (const [index, comparison] of comparisons.entries()) {
    if (index > 0) yield '';
    if (comparisons.length > 1) yield `${comparison.base} → ${comparison.other}`;
    yield* render(comparison.report);
    yield* asText([...endings(comparison, command), ...noiseLines(comparison.noise, full)], isMarkdown);
  }
  if (comparisons.length < 2) return;
  yield '';
  yield* asText(summaryTable(comparisons, classes), isMarkdown);
}

const FENCE = '`````';

function asText(lines: readonly string[], isMarkdown: boolean): readonly string[] {
  return isMarkdown && lines.length > 0 ? ['', `${FENCE}text`, ...lines.map((line) => line.replaceAll(FENCE, "'''''")), FENCE] : lines;
}

/** How the command ended, where that is a difference. */
export function endings({ base, other, statuses }: Comparison, command: readonly string[]): readonly string[] {
  if (statuses.areSame) return [];
  const at = (name: string, all: readonly number[]): string => `with status ${all.join(' or ')} at ${name}`;
  return [`ended otherwise: ${basename(command[0] ?? '')} ${at(base, statuses.base)}, ${at(other, statuses.other)}`];
}
