/** A request that matches nothing: which recorded call came closest, what differs, and what to do about it. */
import { type Canonical, canonicalRequest, differences, type Difference, roughDistance, type Rules, shortMethod } from '../bridge/index.js';
import { excerpts } from './excerpt.js';
import type { Origin } from './origin.js';
import { requestOf, type RecordedCall } from './recorded-call.js';
import { adviceOf, type ProcessMiss } from './process-miss.js';
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
  /** The recorded call that differs in the fewest fields; undefined when no request of the method was recorded. */
  readonly closest: Closest | undefined;
}

export interface Closest {
  readonly call: number;
  readonly alreadyUsed: boolean;
  /** The first {@link MAX_KEPT_DIFFERENCES}. */
  readonly differences: readonly Difference[];
  /** How many there are. */
  readonly distance: number;
}

/** A miss whose text is made when somebody asks for it: a build that is tried out can miss often, and nobody does. */
export interface Miss extends Told {
  readonly kind: 'miss';
}

/** So many recorded calls are compared with a request: a miss must not take longer than an answer by far. */
const MAX_CANDIDATES = 500;
/** So many of those are compared closely. */
const MAX_CLOSE = 8;
/** So many differing fields are kept for reports; the rest is counted. */
export const MAX_KEPT_DIFFERENCES = 50;
export const MAX_USED_UP = 50;
/** So many of both are named to the client. */
const MAX_NAMED = 5;
/** So much of a field's value is kept for reports. */
const MAX_KEPT_CHARS = 400;
/** So much of it is shown to the client: status messages go over the wire in a header. */
const MAX_VALUE_CHARS = 120;

/**
 * @param calls the recorded calls of that method
 * @param used whether a call has been the answer already
 */
export function explainMiss(path: string, live: Canonical, calls: readonly RecordedCall[], used: (call: RecordedCall) => boolean, rules: Rules, origin?: Origin): Miss {
  // As things stand now; by the time that somebody asks, more can be used up.
  const usedCalls = new Set(calls.filter(used));
  let known: { readonly comparison: Comparison; readonly text: string } | undefined;
  const told = (): { readonly comparison: Comparison; readonly text: string } => {
    if (known !== undefined) return known;
    const [best, closest] = closestTo(path, live, calls, usedCalls, rules) ?? [];
    const where = best?.origin ?? calls[0]?.origin ?? origin;
    const comparison = { origin: where, candidates: calls.length, usedUp: [...usedCalls].slice(0, MAX_USED_UP).map(({ id }) => id), closest };
    const text = describe(path, comparison, usedCalls.size);
    known = { text, comparison: { ...comparison, closest: closest && { ...closest, differences: closest.differences.map(shortened) } } };
    return known;
  };
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

function closestTo(path: string, live: Canonical, calls: readonly RecordedCall[], used: ReadonlySet<RecordedCall>, rules: Rules): readonly [RecordedCall, Closest] | undefined {
  const candidates = calls.slice(0, MAX_CANDIDATES).flatMap((call) => {
    const request = requestOf(call);
    if (request === undefined) return [];
    const { fields } = canonicalRequest(path, request, new Map(), rules);
    return [{ call, fields, rough: roughDistance(fields, live.fields) }];
  });
  const compared = candidates
    .toSorted((a, b) => a.rough - b.rough || Number(used.has(a.call)) - Number(used.has(b.call)))
    .slice(0, MAX_CLOSE)
    .map(({ call, fields }) => ({ call, found: differences(fields, live.fields) }))
    .toSorted((a, b) => a.found.length - b.found.length || Number(used.has(a.call)) - Number(used.has(b.call)));
  const [best] = compared;
  return best && [best.call, { call: best.call.id, alreadyUsed: used.has(best.call), differences: best.found.slice(0, MAX_KEPT_DIFFERENCES), distance: best.found.length }];
}

function describe(path: string, { candidates, closest, usedUp, origin }: Comparison, used: number): string {
  const what = `bridgetape: the cassette has no answer for this ${shortMethod(path)}`;
  const advice = adviceOf(origin);
  if (closest === undefined && candidates > 0) return `${what}: the requests of its ${candidates} calls of that method were left out; record again with --bodies ${path}`;
  if (closest === undefined) return withAdvice(`${what}: it holds no call of that method`, advice);
  const others = used - (closest.alreadyUsed ? 1 : 0);
  const gone = others === 0 ? '' : used > MAX_NAMED ? `; ${used} calls of that method are used up` : `; used up: ${numbered(usedUp)}`;
  if (closest.distance === 0) return withAdvice(`${what}: call ${closest.call} has the same request and was already used${gone}`, advice);
  const shown = closest.differences.slice(0, MAX_NAMED).map(inWords);
  const more = closest.distance - shown.length;
  if (more > 0) shown.push(`and ${more} more`);
  const already = closest.alreadyUsed ? ' (already used)' : '';
  return withAdvice(`${what}; the closest is call ${closest.call}${already}, which differs in ${shown.join('; ')}${gone}`, advice);
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
