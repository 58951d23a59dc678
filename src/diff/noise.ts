/**
 * What differs between recordings of one and the same side says nothing when it differs between two sides as well: it is
 * set apart, by the place at which it is. The values there don't count, since what varies has no value of its own.
 */
import { callsTold, countsOf, DIFFERENCE_CLASSES, type CallDifferences, type Difference, type DiffReport, type Pair } from './report.js';

export interface NoiseApart {
  /** Without the noise. */
  readonly report: DiffReport;
  /** Only the noise. */
  readonly noise: DiffReport;
}

/**
 * @param across what differs between two sides
 * @param within what differs between recordings of one side: of both sides, in any order
 */
export function setNoiseApart(across: DiffReport, within: readonly DiffReport[]): NoiseApart {
  const places = new Set(within.flatMap(placesIn));
  // Of what is told once for several ops, all have to be.
  const isNoise: Choice = (build, call, difference) => placesOf(build, call, difference).every((names) => names.some((place) => places.has(place)));
  const chosen = chosenOf(across, isNoise);
  const noise = { ...across, ...chosen, builds: chosen.builds.filter(({ calls }) => calls.length > 0), counts: countsOf(callsTold(chosen)), notes: [] };
  const counts = Object.fromEntries(DIFFERENCE_CLASSES.map((name) => [name, across.counts[name] - noise.counts[name]])) as DiffReport['counts'];
  const rest = chosenOf(across, (build, call, difference) => !isNoise(build, call, difference));
  // A build that only one side has stays, whatever is said of its calls.
  return { report: { ...across, ...rest, builds: rest.builds.filter(({ builds, calls }) => calls.length > 0 || builds.before === undefined || builds.after === undefined), counts }, noise };
}

type Choice = (build: string, call: CallDifferences, difference: Difference) => boolean;

function chosenOf({ environment, builds }: DiffReport, choose: Choice): Pick<DiffReport, 'environment' | 'builds'> {
  const of = (build: string, calls: readonly CallDifferences[]): readonly CallDifferences[] =>
    calls.flatMap((call) => {
      const differences = call.differences.filter((difference) => choose(build, call, difference));
      return differences.length === 0 ? [] : [{ ...call, differences }];
    });
  return { environment: of('', environment), builds: builds.map((build) => ({ ...build, calls: of(build.name, build.calls) })) };
}

function placesIn({ environment, builds }: DiffReport): readonly string[] {
  const of = (build: string, calls: readonly CallDifferences[]): readonly string[] => calls.flatMap((call) => call.differences.flatMap((difference) => placesOf(build, call, difference).flat()));
  return [...of('', environment), ...builds.flatMap(({ name, calls }) => of(name, calls))];
}

/** Where a difference is, in words that do not change from run to run: for each of its ops, one place, or where the op has two names, two. */
function placesOf(build: string, { method, about }: CallDifferences, { class: name, at, op, otherOps, process }: Difference): readonly (readonly string[])[] {
  const place = (within: string): string => JSON.stringify([build, method, about ?? '', name, at, within]);
  const names = ({ before, after }: Pair<string>): readonly string[] => [...new Set([before, after].filter((text) => text !== undefined))].map(place);
  if (process !== undefined) return [names(process)];
  if (op === undefined) return [[place('')]];
  return [op, ...otherOps].map(({ before, after }) => names({ ...(before === undefined ? {} : { before: before.name }), ...(after === undefined ? {} : { after: after.name }) }));
}
