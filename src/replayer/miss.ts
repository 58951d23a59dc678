/** A request that matches nothing: which recorded call came closest, what differs, and what to do about it. */
import { type Canonical, canonicalRequest, differences, type Difference, type IdMap, roughDistance, type Rules, shortMethod, sketch, sketchDistance } from '../bridge/index.js';
import { plural } from '../quantity.js';
import { excerpts } from './excerpt.js';
import { adviceOf, type Origin } from './origin.js';
import { requestOf, type RecordedCall } from './recorded-call.js';
import type { ProcessMiss } from './process-miss.js';
import { withAdvice } from './status-text.js';

/** What the client was told when there was no recorded answer. */
export interface Told {
  readonly path: string;
  /** One line, short enough for a header. */
  readonly text: string;
  /** Of a request that was compared with recorded ones. */
  readonly comparison?: Comparison | undefined;
  /** Of a process with which something else was done than recorded, or nothing. */
  readonly process?: ProcessMiss | undefined;
}

export interface Comparison {
  /** The cassette in which was looked; undefined when nobody knows. */
  readonly origin: Origin | undefined;
  /** How many calls of the method there were to match. */
  readonly candidates: number;
  /** Those of them that have been the answer to an earlier request, by number: the first {@link MAX_USED_UP}. */
  readonly usedUp: readonly number[];
  /** How many of them have the same request: the client made it once more than the recorded one. */
  readonly same: number;
  /** The recorded call that differs in the fewest fields; undefined when no request of the method was recorded. */
  readonly closest: Closest | undefined;
}

export interface Closest {
  readonly call: number;
  /** Of a process that was started on it: what was run. */
  readonly process?: string;
  readonly alreadyUsed: boolean;
  /** The first {@link MAX_KEPT_DIFFERENCES}. */
  readonly differences: readonly Difference[];
  /** How many there are. */
  readonly distance: number;
}

/** A recorded request that a live one is compared with. */
export interface Candidate {
  readonly call: RecordedCall;
  /** It has been the answer already. */
  readonly isUsed: boolean;
  /** The start of a process, on a stream of them. */
  readonly process?: { readonly init: Uint8Array; readonly command: string };
}

/** A miss whose text is made when somebody asks for it: a build that is tried out can miss often, and nobody does. */
export interface Miss extends Told {
  readonly kind: 'miss';
}

/** So many recorded calls are compared with a request: a miss must not take longer than an answer by far. */
const MAX_CANDIDATES = 500;
/** And no more than so many bytes of their requests, but of one in any case: a MiB of op graphs takes half a second. */
const MAX_COMPARED_BYTES = 4 * 1024 * 1024;
/** Which of them, where there are more, is found from their sketches: of so many bytes, at some 50 ms a MiB. */
const MAX_SKETCHED_BYTES = 64 * 1024 * 1024;
/** So many of those are compared closely. */
const MAX_CLOSE = 8;
/** An op that only one side has is so many differing fields. */
const WHOLE_OP = 3;
/** So many differing fields are kept for reports; the rest is counted. */
export const MAX_KEPT_DIFFERENCES = 50;
export const MAX_USED_UP = 50;
/** So many of both are named to the client. */
const MAX_NAMED = 5;
/** So much of a field's value is kept for reports. */
const MAX_KEPT_CHARS = 400;
/** So much of it is shown to the client: status messages go over the wire in a header. */
const MAX_VALUE_CHARS = 120;

export interface MissOptions {
  readonly path: string;
  readonly live: Canonical;
  /** The bytes of the live request. */
  readonly payload: Uint8Array;
  /** The recorded calls of that method, or the processes. */
  readonly candidates: readonly Candidate[];
  readonly rules: Rules;
  /** Those that ask for the same, where they are known. */
  readonly same?: readonly RecordedCall[] | undefined;
  /** The cassette in which was looked, where no candidate tells. */
  readonly origin?: Origin | undefined;
  /** Under which names ids of the recording are shown. */
  readonly names?: IdMap;
}

const NO_NAMES: IdMap = { get: () => undefined };

/**
 * @param candidates as things stand now: by the time that somebody asks for the text, more can be used up
 */
export function explainMiss(options: MissOptions): Miss {
  const { path } = options;
  let known: { readonly comparison: Comparison; readonly text: string } | undefined;
  const told = (): { readonly comparison: Comparison; readonly text: string } => (known ??= explained(options));
  return {
    kind: 'miss',
    path,
    get text() {
      return told().text;
    },
    get comparison() {
      return told().comparison;
    },
  };
}

function explained(options: MissOptions): { readonly comparison: Comparison; readonly text: string } {
  const { path, candidates, origin } = options;
  const compared = closestTo(options);
  const [best] = compared;
  const isProcess = best?.process !== undefined;
  // Processes share a call, so that a call says nothing of them.
  const used = isProcess ? [] : candidates.filter(({ isUsed }) => isUsed);
  const closest = best && {
    call: best.call.id,
    ...(best.process === undefined ? {} : { process: best.process.command }),
    alreadyUsed: best.isUsed,
    differences: best.found.slice(0, MAX_KEPT_DIFFERENCES),
    distance: best.found.length,
  };
  const comparison = {
    origin: best?.call.origin ?? candidates[0]?.call.origin ?? origin,
    candidates: candidates.length,
    usedUp: used.slice(0, MAX_USED_UP).map(({ call }) => call.id),
    same: best?.same ?? 0,
    closest,
  };
  const text = describe(path, comparison, used.length);
  return { text, comparison: { ...comparison, closest: closest && { ...closest, differences: closest.differences.map(shortened) } } };
}

type Compared = Candidate & { readonly found: readonly Difference[]; readonly same: number };

/** Those that come closest, the closest first. */
function closestTo(options: MissOptions): readonly Compared[] {
  const { path, live, payload, candidates, rules, names = NO_NAMES } = options;
  const nearest: (Candidate & { readonly fields: Canonical['fields']; readonly distance: number })[] = [];
  let same = 0;
  for (const { candidate, request } of withinBounds(payload, candidates, new Set(options.same))) {
    const { fields, text } = canonicalRequest(path, request, names, rules);
    if (options.same === undefined && text === live.text) same += 1;
    nearest.push({ ...candidate, fields, distance: roughDistance(fields, live.fields) });
    if (nearest.length <= MAX_CLOSE) continue;
    // Only what may be shown is kept: requests can be large.
    nearest.sort(byRoughDistance);
    nearest.pop();
  }
  return nearest
    .map(({ fields, ...candidate }) => ({ ...candidate, same: options.same?.length ?? same, found: differences(fields, live.fields) }))
    .toSorted((a, b) => farness(a.found) - farness(b.found) || Number(a.isUsed) - Number(b.isUsed) || a.distance - b.distance);
}

/** A call without the op at hand is no closer than one whose op has a field or two otherwise. */
const farness = (found: readonly Difference[]): number => found.reduce((sum, difference) => sum + (isWholeOp(difference) ? WHOLE_OP : 1), 0);

function byRoughDistance(a: Candidate & { readonly distance: number }, b: Candidate & { readonly distance: number }): number {
  return a.distance - b.distance || Number(a.isUsed) - Number(b.isUsed);
}

interface WithRequest {
  readonly candidate: Candidate;
  readonly request: Uint8Array;
}

/** Those that are compared: of too many those that are worth it, of too large ones those whose bytes say that they come closest. */
function withinBounds(payload: Uint8Array, candidates: readonly Candidate[], same: ReadonlySet<RecordedCall>): readonly WithRequest[] {
  const all = candidates.length <= MAX_CANDIDATES ? candidates : byWorth(candidates, same).slice(0, MAX_CANDIDATES);
  const compared = upTo(MAX_COMPARED_BYTES, all);
  if (compared.isAll) return compared.within;
  const live = sketch(payload);
  const likely = upTo(MAX_SKETCHED_BYTES, byWorth(all, same))
    .within.map((each) => ({ ...each, distance: same.has(each.candidate.call) ? 0 : sketchDistance(sketch(each.request), live) }))
    .sort((one, other) => one.distance - other.distance);
  return upTo(MAX_COMPARED_BYTES, likely.map(({ candidate }) => candidate)).within;
}

/** The first of them that are so large together, or the first alone; those without a request left out. */
function upTo(bytes: number, candidates: Iterable<Candidate>): { readonly within: readonly WithRequest[]; readonly isAll: boolean } {
  const within: WithRequest[] = [];
  let room = bytes;
  for (const candidate of candidates) {
    const request = candidate.process?.init ?? requestOf(candidate.call);
    if (request === undefined) continue;
    room -= request.length;
    if (room < 0 && within.length > 0) return { within, isAll: false };
    within.push({ candidate, request });
  }
  return { within, isAll: true };
}

/** Those that ask for the same first, then those that are still to come, then those that were used last. */
function byWorth(candidates: readonly Candidate[], same: ReadonlySet<RecordedCall>): readonly Candidate[] {
  const isSame = ({ call }: Candidate): boolean => same.has(call);
  const others = candidates.filter((candidate) => !isSame(candidate));
  const unused = others.filter(({ isUsed }) => !isUsed);
  return [...candidates.filter(isSame), ...unused, ...others.filter(({ isUsed }) => isUsed).reverse()];
}

function describe(path: string, { candidates, closest, usedUp, same, origin }: Comparison, used: number): string {
  const what = `bridgetape: the cassette has no answer for this ${shortMethod(path)}`;
  const advice = adviceOf(origin);
  if (closest === undefined && candidates > 0) return `${what}: the requests of that method (${plural(candidates, 'call')}) were left out; record again with --bodies ${path}`;
  if (closest === undefined) return withAdvice(`${what}: it holds no call of that method`, advice);
  const others = used - (closest.alreadyUsed ? 1 : 0);
  const gone = others <= 0 ? '' : used > MAX_NAMED ? `; ${used} calls of that method are used up` : `; used up: ${numbered(usedUp)}`;
  if (closest.distance === 0) return withAdvice(`${what}: ${usedUpText(closest, same)}${gone}`, advice);
  const shown = closest.differences.slice(0, MAX_NAMED).map(inWords);
  const more = closest.distance - shown.length;
  if (more > 0) shown.push(`and ${more} more`);
  const which = `${closest.process === undefined ? '' : `the process ${closest.process} of `}call ${closest.call}${closest.alreadyUsed ? ' (already used)' : ''}`;
  return withAdvice(`${what}; the closest is ${which}, which differs in ${shown.join('; ')}${gone}`, advice);
}

/** Why the same request has no answer. */
export function usedUpText({ call, process }: Closest, same: number): string {
  const what = process === undefined ? 'this request' : `the process ${process}, started like this,`;
  return same > 1 ? `it has ${what} ${same} times, and all of them are used up` : `it has ${what} once, in call ${call}, and that is used up`;
}

const numbered = (ids: readonly number[]): string => `${ids.length === 1 ? 'call' : 'calls'} ${ids.join(', ')}`;

function inWords(difference: Difference): string {
  const { op, field } = difference;
  const [recorded = 'nothing', live = 'nothing'] = excerpts(difference.recorded, difference.live, MAX_VALUE_CHARS);
  if (op !== undefined && op.live === undefined && isWholeOp(difference)) return `${op.recorded ?? field}: only recorded`;
  if (op !== undefined && op.recorded === undefined && isWholeOp(difference)) return `${op.live ?? field}: not recorded`;
  const place = op === undefined ? field : `${op.recorded ?? op.live ?? ''}, ${fieldInOp(field)}`;
  return `${place}: recorded ${recorded}, got ${live}`;
}

/** Whether only one side has the op. */
export function isWholeOp({ field, op }: Difference): boolean {
  return op !== undefined && /(^|\.)op\[\d+\]$/.test(field) && (op.recorded === undefined || op.live === undefined);
}

/** `exec.meta.args[2]` of `Definition.op[2].exec.meta.args[2]`. */
export function fieldInOp(field: string): string {
  return /^(?:[^"]*?\.)?op\[\d+\]\.(.+)$/s.exec(field)?.[1] ?? field;
}

/** With values that are not longer than reports need. */
export function shortened(difference: Difference): Difference {
  const [recorded, live] = excerpts(difference.recorded, difference.live, MAX_KEPT_CHARS);
  return { ...difference, ...(recorded === undefined ? {} : { recorded }), ...(live === undefined ? {} : { live }) };
}
