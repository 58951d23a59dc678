/** What differs between two builds as Control tells of them: what was asked for, how it ended, and the steps between. */
import { align, SOLVE, STATUS } from '../bridge/index.js';
import { compareCall } from './compare-call.js';
import { pair } from './field-report.js';
import type { Sides } from './form.js';
import { withoutAnyId } from './ids.js';
import { readProgress, type Step } from './progress.js';
import type { RecordedBuild, RecordedCall } from './recorded.js';
import type { Difference, DifferenceClass, Pair } from './report.js';
import { withoutMountPaths } from './world-rules.js';

export interface ControlDifferences {
  readonly calls: Pair<RecordedCall>;
  readonly differences: readonly Difference[];
}

export function compareControl(before: RecordedBuild, after: RecordedBuild, sides: Sides): readonly ControlDifferences[] {
  const of = ({ control }: RecordedBuild, path: string): RecordedCall | undefined => control.find((call) => call.path === path);
  const found: ControlDifferences[] = [];
  const [solve, otherSolve] = [of(before, SOLVE), of(after, SOLVE)];
  if (solve !== undefined && otherSolve !== undefined) found.push({ calls: { before: solve, after: otherSolve }, differences: compareCall({ before: solve, after: otherSolve }, sides) });
  const [status, otherStatus] = [of(before, STATUS), of(after, STATUS)];
  if (status !== undefined && otherStatus !== undefined) found.push({ calls: { before: status, after: otherStatus }, differences: compareSteps(readProgress(status), readProgress(otherStatus)) });
  return found;
}

/** By their names: in which order steps are told of is chance. */
function compareSteps(before: readonly Step[], after: readonly Step[]): readonly Difference[] {
  const [was, is] = [sorted(before), sorted(after)];
  const { equal, between } = align(was.map(({ name }) => name), is.map(({ name }) => name));
  const found = equal.flatMap(([one, other]) => compareStep(was[one], is[other]));
  for (const { one, other } of between) {
    for (const index of one) found.push(difference('responses', 'step', was[index]?.name, undefined));
    for (const index of other) found.push(difference('responses', 'step', undefined, is[index]?.name));
  }
  return found;
}

const sorted = (steps: readonly Step[]): readonly Step[] => [...steps].sort((one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0));

const told = (error: string): string => withoutMountPaths(withoutAnyId(error));

function difference(of: DifferenceClass, at: string, before: string | undefined, after: string | undefined): Difference {
  return { class: of, at, value: pair(before, after), isText: [before, after].some((text) => text !== undefined && /\n(?=[\s\S])/.test(text)), isAnnotation: false, otherOps: [], again: [] };
}

function compareStep(before: Step | undefined, after: Step | undefined): readonly Difference[] {
  if (before === undefined || after === undefined) return [];
  const found: Difference[] = [];
  const at = (what: string): string => `step ${JSON.stringify(before.name)} ${what}`;
  const compare = (of: DifferenceClass, what: string, was: string, is: string): void => {
    if (was !== is) found.push(difference(of, at(what), was === '' ? undefined : was, is === '' ? undefined : is));
  };
  compare('responses', 'cached', String(before.cached), String(after.cached));
  compare('errors', 'error', told(before.error), told(after.error));
  for (const stream of new Set([...before.output.keys(), ...after.output.keys()])) compare('responses', stream === 2 ? 'stderr' : 'stdout', before.output.get(stream) ?? '', after.output.get(stream) ?? '');
  compare('responses', 'warnings', before.warnings.join('\n'), after.warnings.join('\n'));
  return found;
}
