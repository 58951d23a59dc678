/** What two recordings differ in, for programs: docs/diff.md describes it member by member. */
import { version } from '../version.js';
import { legible } from '../view/index.js';
import { isSame, type CallDifferences, type CallPlace, type Difference, type DifferenceClass, type DiffReport, type OpPlace, type Pair, type Recording } from './report.js';

/** It grows when something changes its meaning or goes away; what is new does not change it. */
const DIFF_VERSION = 1;

export interface DiffJson {
  readonly format: 'bridgetape-diff';
  readonly version: number;
  readonly tool: string;
  readonly verdict: 'same' | 'different';
  readonly before: RecordingJson;
  readonly after: RecordingJson;
  readonly compared: DiffReport['compared'];
  readonly counts: DiffReport['counts'];
  readonly builds: readonly { readonly name: string; readonly builds: Pair<number>; readonly calls: readonly CallJson[] }[];
  readonly environment: readonly CallJson[];
  readonly notes: readonly string[];
}

export interface RecordingJson {
  readonly path: string;
  /** ISO 8601; left out when the cassette does not say. */
  readonly startedAt?: string;
  readonly durationNs: number;
  readonly buildkitVersion?: string;
  readonly command?: readonly string[];
  readonly builds: number;
  readonly calls: number;
  readonly whole: boolean;
}

export interface CallPlaceJson {
  readonly call: number;
  readonly startNs: number;
}

export interface CallJson {
  readonly method: string;
  readonly calls: Pair<CallPlaceJson>;
  readonly about?: string;
  readonly differences: readonly DifferenceJson[];
}

export interface DifferenceJson {
  readonly class: DifferenceClass;
  readonly at: string;
  readonly op?: Pair<OpPlace>;
  readonly otherOps: readonly Pair<OpPlace>[];
  readonly process?: Pair<string>;
  readonly value: Pair<string>;
  readonly text: boolean;
  readonly annotation: boolean;
  readonly again: readonly Pair<CallPlaceJson>[];
}

export function diffJson(report: DiffReport): readonly string[] {
  return jsonLines(diffAsJson(report));
}

/** One object, over many lines. What a terminal would act on is escaped, as JSON may have it. */
export function jsonLines(value: unknown): readonly string[] {
  return JSON.stringify(value, undefined, 2).split('\n').map(legible);
}

export function diffAsJson(report: DiffReport): DiffJson {
  const { before, after, compared, counts, builds, environment } = report;
  return {
    format: 'bridgetape-diff',
    version: DIFF_VERSION,
    tool: `bridgetape ${version}`,
    verdict: isSame(report) ? 'same' : 'different',
    before: recordingJson(before),
    after: recordingJson(after),
    compared,
    counts,
    builds: builds.map((build) => ({ name: build.name, builds: build.builds, calls: build.calls.map(callJson) })),
    environment: environment.map(callJson),
    notes: report.notes,
  };
}

function recordingJson({ path, startedAt, buildkitVersion, command, builds, calls, duration, isWhole }: Recording): RecordingJson {
  return {
    path,
    ...(Number.isNaN(startedAt.getTime()) ? {} : { startedAt: startedAt.toISOString() }),
    durationNs: Number(duration),
    ...(buildkitVersion === undefined ? {} : { buildkitVersion }),
    ...(command === undefined ? {} : { command }),
    builds,
    calls,
    whole: isWhole,
  };
}

function callJson({ method, calls, about, differences }: CallDifferences): CallJson {
  return { method, calls: placesJson(calls), ...(about === undefined ? {} : { about }), differences: differences.map(differenceJson) };
}

function differenceJson({ class: name, at, op, otherOps, process, value, isText, isAnnotation, again }: Difference): DifferenceJson {
  return { class: name, at, ...(op === undefined ? {} : { op }), otherOps, ...(process === undefined ? {} : { process }), value, text: isText, annotation: isAnnotation, again: again.map(placesJson) };
}

function placesJson({ before, after }: Pair<CallPlace>): Pair<CallPlaceJson> {
  return { ...(before === undefined ? {} : { before: placeJson(before) }), ...(after === undefined ? {} : { after: placeJson(after) }) };
}

const placeJson = ({ call, start }: CallPlace): CallPlaceJson => ({ call, startNs: Number(start) });
