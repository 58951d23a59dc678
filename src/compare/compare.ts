/** The sides of a comparison, held against each other: each against the first, and each run of a side against its first. */
import { Cassette } from '../cassette/index.js';
import { diffCassettes, isSame, setNoiseApart, type DiffOptions, type DiffReport } from '../diff/index.js';
import type { Run, Side } from './side.js';

/** The first daemon's side against another's. */
export interface Comparison {
  readonly base: string;
  readonly other: string;
  readonly report: DiffReport;
  /** What differs between the two and varies within one of them, too. */
  readonly noise: DiffReport;
  /** How the command ended. */
  readonly statuses: { readonly base: readonly number[]; readonly other: readonly number[]; readonly areSame: boolean };
}

/** @param named how a cassette is called in the reports: undefined for its path */
export function compareSides(sides: readonly [Side, ...Side[]], options: DiffOptions, named?: (side: Side) => string): readonly Comparison[] {
  const [base, ...others] = sides;
  const within = new Map(sides.map((side) => [side, variation(side, options)]));
  return others.map((other) => {
    const across = differ(base.runs[0], other.runs[0], options);
    const { report, noise } = setNoiseApart(across, [base, other].flatMap((side) => within.get(side) ?? []));
    const name = (of: DiffReport): DiffReport => (named === undefined ? of : { ...of, before: { ...of.before, path: named(base) }, after: { ...of.after, path: named(other) } });
    return { base: base.name, other: other.name, report: name(report), noise: name(noise), statuses: statusesOf(base, other) };
  });
}

/** The calls, and how the command ended. */
export function isAlike({ report, statuses }: Comparison): boolean {
  return isSame(report) && statuses.areSame;
}

function variation({ runs: [first, ...again] }: Side, options: DiffOptions): readonly DiffReport[] {
  return again.map((run) => differ(first, run, options));
}

function differ(before: Run, after: Run, options: DiffOptions): DiffReport {
  using one = Cassette.open(before.cassette);
  using other = Cassette.open(after.cassette);
  return diffCassettes(one, other, options);
}

/** Statuses that vary within a side are noise as well: then one that both have is enough. */
function statusesOf(base: Side, other: Side): Comparison['statuses'] {
  const of = ({ runs }: Side): readonly number[] => [...new Set(runs.map(({ status }) => status))].sort((a, b) => a - b);
  const [ours, theirs] = [of(base), of(other)];
  return { base: ours, other: theirs, areSame: ours.some((status) => theirs.includes(status)) };
}
