/** What verifying a cassette found: what is whole, what is hit, and what to do about it. */
import type { CassetteState, VerifyReport } from '../cassette/index.js';
import type { ViewOptions } from './cassette-head.js';
import { callNumbers, damageFacts, paintedState } from './damage.js';
import { factLines, type Fact } from './facts.js';
import { legible } from './legible.js';
import { plainPainter } from './painter.js';
import { duration, grouped, plural, seconds, size } from '../quantity.js';

/** So many losses are told apart; the rest is counted. */
const MAX_LOSSES = 8;

export interface Verdict {
  readonly report: VerifyReport;
  /** Calls that have not ended in the cassette. */
  readonly openCalls: readonly number[];
}

/** Whether everything that crossed can be had from the file. */
export function isComplete({ state, losses }: VerifyReport): boolean {
  return state === 'whole' && losses.length === 0;
}

/** What `bridgetape verify FILE` prints. */
export function showVerdict({ report, openCalls }: Verdict, { width = 80, painter = plainPainter }: ViewOptions = {}): string[] {
  const { events, calls, connections, leftOut, gaps } = report;
  const facts: Fact[] = [
    { label: 'holds', text: `${plural(calls, 'call')} on ${plural(connections, 'connection')}, ${plural(events, 'event')} over ${duration(report.duration)}, in ${size(report.bytes)}` },
    ...(leftOut.messages === 0 ? [] : [{ label: 'left out', text: `the bodies of ${plural(leftOut.messages, 'message')}, ${size(leftOut.bytes)}, as the recording was asked to` }]),
    ...(gaps === 0 ? [] : [{ label: 'gaps', text: `${plural(gaps, 'gap')}: bytes that crossed and could not be read; show names them`, alarming: true }]),
    ...lossFacts(report),
    ...(report.state === 'whole' ? [] : cutFacts(report, openCalls)),
    ...damageFacts(report.damages),
    ...advice(report),
  ];
  return [`${painter.bold(legible(report.path))}: ${paintedState(report.state, painter)}`, ...factLines(facts, width, painter)];
}

function lossFacts({ losses }: VerifyReport): Fact[] {
  const facts: Fact[] = losses.slice(0, MAX_LOSSES).map(({ time, bytes, reason }) => ({
    label: 'lost',
    text: `${size(bytes)} at ${seconds(time, 3)} s: ${legible(reason)}`,
    alarming: true,
  }));
  return losses.length <= MAX_LOSSES ? facts : [...facts, { label: '', text: `and ${plural(losses.length - MAX_LOSSES, 'more loss', 'more losses')}`, alarming: true }];
}

function cutFacts({ state, tail, bytes }: VerifyReport, openCalls: readonly number[]): Fact[] {
  const where = tail === undefined ? `byte ${grouped(bytes)}, the end of the file` : `byte ${grouped(tail.offset)}; ${size(tail.bytes)} behind it are no whole record`;
  return [
    ...(state === 'interrupted' ? [{ label: 'cut off', text: `the recorder did not close it: it is readable up to ${where}`, alarming: true }] : []),
    ...(openCalls.length === 0 ? [] : [{ label: 'open', text: `${callNumbers(openCalls)}: the file does not hold ${openCalls.length === 1 ? 'its end' : 'their ends'}`, alarming: true }]),
  ];
}

const ADVICE: Readonly<Record<CassetteState, string>> = {
  whole: 'Record it again, with room on the disk, to have what was lost.',
  interrupted: 'show and replay work with what it holds. Record it again to have the rest.',
  damaged: 'Restore the file from a copy, or record it again; show and replay work with what can be read.',
};

function advice(report: VerifyReport): Fact[] {
  return isComplete(report) ? [] : [{ label: 'to do', text: ADVICE[report.state] }];
}

/** The same as one object for programs; times in ns. */
export function verdictJson({ report, openCalls }: Verdict): string {
  const { path, state, packed, bytes, events, calls, connections, duration: length, tail, damages, leftOut, losses, gaps } = report;
  return JSON.stringify({
    kind: 'verdict',
    path,
    state,
    complete: isComplete(report),
    packed,
    bytes,
    events,
    calls,
    connections,
    durationNs: Number(length),
    openCalls,
    leftOut,
    gaps,
    losses: losses.map(({ time, bytes: lost, reason }) => ({ timeNs: Number(time), bytes: lost, reason })),
    tail,
    damages,
  });
}
