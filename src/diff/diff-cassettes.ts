/** Two recordings held against each other, in BuildKit's terms: what differs, and nothing that only differs from run to run. */
import { CONTROL, Rules, shortMethod, type RuleSettings } from '../bridge/index.js';
import type { Cassette, EventSource, Nanoseconds } from '../cassette/index.js';
import { plural } from '../quantity.js';
import { aboutCall } from './about.js';
import { alignBuilds, buildName } from './align-builds.js';
import { alignCalls, type AlignedCalls } from './align-calls.js';
import { Cascade } from './cascade.js';
import { compareCall } from './compare-call.js';
import { compareControl } from './compare-control.js';
import { compareDurations } from './compare-durations.js';
import { compareFrontends } from './compare-frontend.js';
import { Forms, type Sides } from './form.js';
import { Ids } from './ids.js';
import { compareOrder } from './order.js';
import { readSide, type RecordedBuild, type RecordedCall, type RecordedSide } from './recorded.js';
import { callsTold, countsOf, DIFFERENCE_CLASSES, type BuildDifferences, type CallDifferences, type CallPlace, type Difference, type DifferenceClass, type DiffReport, type Pair, type Recording } from './report.js';
import { withWorldRules } from './world-rules.js';

export interface DiffOptions {
  /** Changes to the normaliser's rules, as bridgetape.yaml has them. */
  readonly rules?: RuleSettings;
  /** Which classes take part; all but time unless told. */
  readonly classes?: readonly DifferenceClass[];
  /** Compare Control as well: what was asked for, its outcome, and the steps that Status told of. */
  readonly control?: boolean;
  /** Durations that differ by less are the same, in ns; 100 ms unless told. Used when the class time takes part. */
  readonly timeThreshold?: Nanoseconds;
}

/** What is compared of a cassette. */
export type ComparedCassette = Pick<Cassette, 'path' | 'header' | 'state' | 'duration'> & EventSource;

const ALL_BUT_TIME = DIFFERENCE_CLASSES.filter((name) => name !== 'time');
const DEFAULT_THRESHOLD: Nanoseconds = 100_000_000n;
/** Facts of a daemon that clients ask for outside of builds. */
const FACTS = /\/Control\/(?:Info|ListWorkers)$/;

/**
 * Compares two cassettes.
 *
 * @param before open, and to stay open meanwhile
 * @throws BridgetapeError `cassette-damaged` when an answer cannot be read back
 * @example
 * ```ts
 * using before = Cassette.open('old.cassette');
 * using after = Cassette.open('new.cassette');
 * const report = diffCassettes(before, after);
 * if (!isSame(report)) console.log(report.counts);
 * ```
 */
export function diffCassettes(before: ComparedCassette, after: ComparedCassette, { rules, classes = ALL_BUT_TIME, control = false, timeThreshold = DEFAULT_THRESHOLD }: DiffOptions = {}): DiffReport {
  const normaliser = new Rules(withWorldRules(rules));
  const sides = { before: new Forms('before', normaliser), after: new Forms('after', normaliser) };
  const [was, is] = [readSide(before), readSide(after)];
  readAll(was, sides.before);
  readAll(is, sides.after);
  Ids.join(sides.before.ids, sides.after.ids);
  const comparison = new Comparison(sides, { control, timeThreshold: classes.includes('time') ? timeThreshold : undefined });
  const environment = comparison.environment(was, is, before, after);
  const builds = alignBuilds(was.builds, is.builds, sides).map((build) => comparison.build(build));
  return reportOf({
    before: recordingOf(before, was),
    after: recordingOf(after, is),
    builds,
    environment,
    compared: comparison.compared,
    notes: [...notesOn('first', before, was), ...notesOn('second', after, is), ...comparison.notes],
    classes,
  });
}

/** In the order of their starts, so that ids are known before they are used. */
function readAll({ builds, around }: RecordedSide, forms: Forms): void {
  const calls = [...around, ...builds.flatMap((build) => [...build.calls, ...build.control])].sort((one, other) => one.id - other.id);
  for (const call of calls) forms.read(call);
}

class Comparison {
  readonly compared = { builds: 0, calls: 0, messages: 0 };
  private respelled = 0;

  constructor(
    private readonly sides: Sides,
    private readonly options: { readonly control: boolean; readonly timeThreshold: Nanoseconds | undefined },
  ) {}

  get notes(): readonly string[] {
    return this.respelled === 0 ? [] : [`${plural(this.respelled, 'call')} of ResolveImageConfig and ResolveSourceMeta ask for the same in two spellings.`];
  }

  /** What daemons said of themselves outside of builds, and how container frontends were run. */
  environment(was: RecordedSide, is: RecordedSide, before: ComparedCassette, after: ComparedCassette): readonly CallDifferences[] {
    const found: CallDifferences[] = [];
    const [one, other] = [before.header.frontend, after.header.frontend];
    if (one !== undefined && other !== undefined) {
      const differences = compareFrontends(one, other, this.sides);
      if (differences.length > 0) found.push({ method: 'frontend', calls: {}, differences });
    }
    const cascade = new Cascade();
    for (const path of new Set(was.around.map((call) => call.path).filter((name) => FACTS.test(name)))) {
      const [ours, theirs] = [was.around.find((call) => call.path === path), is.around.find((call) => call.path === path)];
      if (ours === undefined || theirs === undefined) continue;
      found.push(...this.told(cascade, { before: ours, after: theirs }, compareCall({ before: ours, after: theirs }, this.sides)));
    }
    return found;
  }

  build({ before, after }: Pair<RecordedBuild>): BuildDifferences {
    const builds = { ...(before === undefined ? {} : { before: before.number }), ...(after === undefined ? {} : { after: after.number }) };
    const shown = before ?? after;
    const name = shown === undefined ? '' : buildName(shown);
    if (before === undefined || after === undefined) {
      const difference: Difference = { class: 'order', at: 'build', value: before === undefined ? { after: name } : { before: name }, isText: false, isAnnotation: false, otherOps: [], again: [] };
      return { name, builds, calls: [{ method: 'build', calls: {}, differences: [difference] }] };
    }
    this.compared.builds += 1;
    const aligned = alignCalls({ before: before.calls, after: after.calls }, this.sides);
    const cascade = new Cascade();
    const calls: CallDifferences[] = [];
    if (this.options.control) for (const { calls: pair, differences } of compareControl(before, after, this.sides)) calls.push(...this.told(cascade, pair, differences));
    for (const pair of aligned.pairs) {
      this.compared.calls += 1;
      this.compared.messages += pair.before.messageCount;
      if (pair.before.path !== pair.after.path) this.respelled += 1;
      const differences = [...compareCall(pair, this.sides), ...compareDurations(pair, this.options.timeThreshold)];
      calls.push(...this.told(cascade, pair, differences));
    }
    calls.push(...this.onlyOnce('before', aligned), ...this.onlyOnce('after', aligned));
    const nameOf = (call: RecordedCall, forms: Forms): string => [shortMethod(call.path), aboutCall(call, forms)].filter((part) => part !== undefined).join(' ');
    for (const { calls: pair, difference } of compareOrder(aligned, before.calls, after.calls, (call) => nameOf(call, this.sides.before))) calls.push(...this.told(cascade, pair, [difference]));
    return { name, builds, calls: merged(calls) };
  }

  /** Calls that only one recording has; those that ask for the same are told once. */
  private onlyOnce(side: 'before' | 'after', aligned: AlignedCalls): readonly CallDifferences[] {
    const forms = this.sides[side];
    const groups = new Map<string, RecordedCall[]>();
    const keyOf = (call: RecordedCall): string => `${call.path}\n${forms.request(call).key}\n${forms.ids.named(forms.request(call).ids)}`;
    for (const call of side === 'before' ? aligned.onlyBefore : aligned.onlyAfter) {
      const key = keyOf(call);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [call]);
      else group.push(call);
    }
    if (groups.size === 0) return [];
    const elsewhere = new Map<string, number>();
    for (const pair of aligned.pairs) {
      const key = keyOf(pair[side]);
      if (groups.has(key)) elsewhere.set(key, (elsewhere.get(key) ?? 0) + 1);
    }
    return Array.from(groups, ([key, calls]) => {
      const [first] = calls;
      const times = elsewhere.get(key) ?? 0;
      const about = first && aboutCall(first, forms);
      const more = calls.length + times;
      const value = times > 0 ? { [side]: timesOf(more), [side === 'before' ? 'after' : 'before']: timesOf(times) } : { [side]: `made ${timesOf(more)}` };
      const difference: Difference = { class: 'order', at: times > 0 ? 'count' : 'call', value, isText: false, isAnnotation: false, otherOps: [], again: calls.slice(1).map((call) => ({ [side]: placeOf(call) })) };
      return { method: shortMethod(first?.path ?? ''), calls: first === undefined ? {} : { [side]: placeOf(first) }, ...(about === undefined ? {} : { about }), differences: [difference] };
    });
  }

  private told(cascade: Cascade, calls: Pair<RecordedCall>, differences: readonly Difference[]): readonly CallDifferences[] {
    const call = calls.before ?? calls.after;
    if (differences.length === 0 || call === undefined) return [];
    const places = { ...(calls.before === undefined ? {} : { before: placeOf(calls.before) }), ...(calls.after === undefined ? {} : { after: placeOf(calls.after) }) };
    const method = shortMethod(call.path);
    const fresh = cascade.add(method, places, differences);
    if (fresh.length === 0) return [];
    const about = call.path.startsWith(CONTROL) ? undefined : aboutCall(call, calls.before === undefined ? this.sides.after : this.sides.before);
    return [{ method, calls: places, ...(about === undefined ? {} : { about }), differences: fresh }];
  }
}

const timesOf = (count: number): string => (count === 1 ? 'once' : `${count} times`);
const placeOf = ({ id, start }: RecordedCall): CallPlace => ({ call: id, start });

/** In the order of the first recording, those of the second in between by their own times; what is said of one pair of calls stands together. */
function merged(calls: readonly CallDifferences[]): readonly CallDifferences[] {
  const together = new Map<string, CallDifferences>();
  for (const entry of calls) {
    const key = `${entry.calls.before?.call} ${entry.calls.after?.call}`;
    const known = together.get(key);
    together.set(key, known === undefined ? entry : { ...known, differences: [...known.differences, ...entry.differences] });
  }
  const start = ({ calls: { before, after } }: CallDifferences): Nanoseconds => (before ?? after)?.start ?? 0n;
  return [...together.values()].sort((one, other) => (start(one) < start(other) ? -1 : start(one) > start(other) ? 1 : 0));
}

function recordingOf(cassette: ComparedCassette, side: RecordedSide): Recording {
  const { header, path, state, duration } = cassette;
  return {
    path,
    startedAt: header.startedAt,
    ...(header.buildkitVersion === undefined ? {} : { buildkitVersion: header.buildkitVersion }),
    ...(header.command === undefined ? {} : { command: header.command }),
    builds: side.builds.length,
    calls: side.builds.reduce((sum, { calls }) => sum + calls.length, 0),
    duration,
    isWhole: state === 'whole',
  };
}

function notesOn(which: string, cassette: ComparedCassette, { leftOut, gaps }: RecordedSide): readonly string[] {
  return [
    ...(cassette.state === 'whole' ? [] : [`The ${which} recording is ${cassette.state}: what it lacks may be due to that (bridgetape verify ${cassette.path}).`]),
    ...(leftOut === 0 ? [] : [`${plural(leftOut, 'message')} of the ${which} recording ${leftOut === 1 ? 'has' : 'have'} no body to compare.`]),
    ...(gaps === 0 ? [] : [`The ${which} recording has ${plural(gaps, 'gap')}.`]),
  ];
}

function reportOf({ classes, builds, environment, ...rest }: Omit<DiffReport, 'counts'> & { readonly classes: readonly DifferenceClass[] }): DiffReport {
  const takesPart = (entry: CallDifferences): readonly CallDifferences[] => {
    const differences = entry.differences.filter((difference) => classes.includes(difference.class));
    return differences.length === 0 ? [] : [{ ...entry, differences }];
  };
  const kept = builds.map((build) => ({ ...build, calls: build.calls.flatMap(takesPart) })).filter(({ calls }) => calls.length > 0);
  const around = environment.flatMap(takesPart);
  return { ...rest, builds: kept, environment: around, counts: countsOf(callsTold({ environment: around, builds: kept })) };
}
