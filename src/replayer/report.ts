/** What a replay came to, as data for programs: docs/replay-report.md describes it. */
import { version } from '../version.js';
import type { FaultTally } from './fault-plan.js';
import type { Told } from './miss.js';
import type { ProcessMiss } from './process-miss.js';
import type { Reannotation } from './reannotation.js';
import type { Replay } from './replay.js';

/** It grows when something of a report changes its meaning or goes away; what is new does not change it. */
const REPORT_VERSION = 1;
/** So many unused calls are listed; the rest is counted. */
const MAX_LISTED = 1000;

/**
 * `passed`: everything was answered; `missed`: something was not; `unused`: everything was, but not everything recorded was
 * asked for, and that was to count (`--strict`); `fault-unfired`: a fault never happened to anybody, so that what it was to
 * test was not tested; `command-failed`: the command failed by itself; `error`: the replay could not be done; `recorded`:
 * there was none, because the cassette was to be recorded.
 */
export type Verdict = 'passed' | 'missed' | 'unused' | 'fault-unfired' | 'command-failed' | 'error' | 'recorded';

export interface ReplayReport {
  readonly format: 'bridgetape-replay-report';
  readonly version: number;
  readonly tool: string;
  readonly verdict: Exclude<Verdict, 'error' | 'recorded'>;
  /** Left out when no command was run. */
  readonly command?: { readonly arguments: readonly string[]; readonly status: number };
  readonly cassettes: readonly string[];
  /** Those among them that are interrupted or damaged, as far as that has shown. */
  readonly notWhole: ReturnType<Replay['notWhole']>;
  readonly misses: { readonly count: number; readonly listed: readonly ReportedMiss[] };
  readonly unused: { readonly count: number; readonly listed: readonly { readonly cassette: string; readonly call: number; readonly method: string }[] };
  readonly annotationsDiffering: { readonly count: number; readonly listed: readonly { readonly call: number; readonly method: string; readonly differences: Reannotation['differences'] }[] };
  /** In the order in which they were given. */
  readonly faults: readonly FaultTally[];
  /** Misses from when a fault had fired, which do not count. */
  readonly afterFaults: { readonly count: number; readonly listed: readonly ReportedMiss[] };
}

/** Of a replay that could not be done. */
export interface ErrorReport extends Pick<ReplayReport, 'format' | 'version' | 'tool'> {
  readonly verdict: 'error';
  readonly error: { readonly message: string };
}

/** Of a run that recorded in place of a replay. */
export interface RecordingReport extends Pick<ReplayReport, 'format' | 'version' | 'tool' | 'command'> {
  readonly verdict: 'recorded';
  /** `rejected`: why the cassette is not in its place; left out when it is. */
  readonly recording: { readonly cassette: string; readonly rejected?: string };
}

export interface ReportedMiss {
  readonly method: string;
  /** As the client was told. */
  readonly message: string;
  readonly cassette?: string;
  readonly closest?: NonNullable<Told['comparison']>['closest'];
  readonly usedUp?: readonly number[];
  /** Of a process with which something else was done than recorded, or nothing. */
  readonly process?: Omit<ProcessMiss, 'origin'>;
  readonly recordAgain?: string;
}

export interface Outcome {
  /** Whether recorded calls that nobody made fail the replay. */
  readonly strict: boolean;
  readonly command?: { readonly arguments: readonly string[]; readonly status: number };
}

interface Findings {
  readonly misses: readonly unknown[];
  readonly unused: readonly unknown[];
  readonly faults: readonly FaultTally[];
}

export function verdictOf({ misses, unused, faults }: Findings, { strict, command }: Outcome): ReplayReport['verdict'] {
  if (misses.length > 0) return 'missed';
  if (command !== undefined && command.status !== 0) return 'command-failed';
  if (strict && unused.length > 0) return 'unused';
  return faults.every(hasFired) ? 'passed' : 'fault-unfired';
}

export function hasFired({ fired }: FaultTally): boolean {
  return fired > 0;
}

const HEAD = { format: 'bridgetape-replay-report', version: REPORT_VERSION, tool: `bridgetape ${version}` } as const;

export function errorReport(error: unknown): ErrorReport {
  return { ...HEAD, verdict: 'error', error: { message: error instanceof Error ? error.message : String(error) } };
}

export function recordingReport(cassette: string, rejected: string | undefined, { command }: Pick<Outcome, 'command'>): RecordingReport {
  return { ...HEAD, verdict: 'recorded', ...(command === undefined ? {} : { command }), recording: { cassette, ...(rejected === undefined ? {} : { rejected }) } };
}

export function reportOf(replay: Pick<Replay, 'cassettes' | 'notWhole' | 'misses' | 'missCount' | 'reannotations' | 'unused' | 'faults' | 'afterFaults'>, outcome: Outcome): ReplayReport {
  const { misses, missCount, reannotations, cassettes, faults, afterFaults } = replay;
  const unused = replay.unused();
  return {
    ...HEAD,
    verdict: verdictOf({ misses, unused, faults }, outcome),
    ...(outcome.command === undefined ? {} : { command: outcome.command }),
    cassettes,
    notWhole: replay.notWhole(),
    misses: { count: missCount, listed: misses.map(reported) },
    unused: { count: unused.length, listed: unused.slice(0, MAX_LISTED).map(({ cassette, call, path }) => ({ cassette, call, method: path })) },
    annotationsDiffering: { count: reannotations.length, listed: reannotations.map(({ call, path, differences }) => ({ call, method: path, differences })) },
    faults,
    afterFaults: { count: afterFaults.length, listed: afterFaults.map(reported) },
  };
}

function reported({ path, text, comparison, process }: Told): ReportedMiss {
  if (process !== undefined) return reportedOfProcess(path, text, process);
  if (comparison === undefined) return { method: path, message: text };
  const { origin, closest, usedUp } = comparison;
  return {
    method: path,
    message: text,
    ...(origin === undefined ? {} : { cassette: origin.file }),
    ...(closest === undefined ? {} : { closest }),
    usedUp,
    ...(origin === undefined ? {} : { recordAgain: origin.reRecord }),
  };
}

function reportedOfProcess(method: string, message: string, { origin, ...process }: ProcessMiss): ReportedMiss {
  return { method, message, ...(origin === undefined ? {} : { cassette: origin.file }), process, ...(origin === undefined ? {} : { recordAgain: origin.reRecord }) };
}
