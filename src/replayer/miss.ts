/** A request that matches nothing: which recorded call came closest, and what differs. */
import { type Canonical, type CanonicalField, canonicalRequest, shortMethod } from '../bridge/index.js';
import { requestOf, type RecordedCall } from './recorded-call.js';

export interface Difference {
  /** Where in the request, such as `FilePath` or `Definition.def[2].exec.meta.args[2]`. */
  readonly field: string;
  readonly recorded: string | undefined;
  readonly live: string | undefined;
}

export interface Miss {
  readonly path: string;
  /** The recorded call of this method that differs in the fewest fields. */
  readonly closest: { readonly call: number; readonly alreadyUsed: boolean; readonly differences: readonly Difference[] } | undefined;
  readonly text: string;
}

/** So many recorded calls are compared with a request: a miss must not take longer than an answer by far. */
const MAX_CANDIDATES = 500;
/** So many differing fields are named; the rest is counted. */
const MAX_DIFFERENCES = 5;
/** So much of a field's value is shown: status messages go over the wire in a header. */
const MAX_VALUE_CHARS = 120;

export function explainMiss(path: string, live: Canonical, calls: readonly RecordedCall[], used: ReadonlySet<number>): Miss {
  let closest: Miss['closest'];
  for (const call of calls.slice(0, MAX_CANDIDATES)) {
    const request = requestOf(call);
    if (request === undefined) continue;
    const differences = compare(canonicalRequest(path, request, new Map()).fields, live.fields);
    const candidate = { call: call.id, alreadyUsed: used.has(call.id), differences };
    if (closest === undefined || closer(candidate, closest)) closest = candidate;
  }
  return { path, closest, text: describe(path, closest, calls.length) };
}

type Candidate = NonNullable<Miss['closest']>;

function closer(a: Candidate, b: Candidate): boolean {
  if (a.differences.length !== b.differences.length) return a.differences.length < b.differences.length;
  return b.alreadyUsed && !a.alreadyUsed;
}

export function compare(recorded: readonly CanonicalField[], live: readonly CanonicalField[]): readonly Difference[] {
  const values = new Map(recorded);
  const differences: Difference[] = [];
  for (const [field, value] of live) {
    const before = values.get(field);
    if (before !== value) differences.push({ field, recorded: before, live: value });
    values.delete(field);
  }
  for (const [field, value] of values) differences.push({ field, recorded: value, live: undefined });
  return differences;
}

function describe(path: string, closest: Miss['closest'], calls: number): string {
  const what = `bridgetape: the cassette has no answer for this ${shortMethod(path)}`;
  if (closest === undefined && calls > 0) return `${what}: the requests of its ${calls} calls of that method were left out; record again with --bodies ${path}`;
  if (closest === undefined) return `${what}: it holds no call of that method`;
  if (closest.differences.length === 0) return `${what}: call ${closest.call} has the same request and was already used`;
  const shown = closest.differences.slice(0, MAX_DIFFERENCES).map(({ field, recorded, live }) => `${field}: recorded ${show(recorded)}, got ${show(live)}`);
  const more = closest.differences.length - shown.length;
  if (more > 0) shown.push(`and ${more} more`);
  const used = closest.alreadyUsed ? ' (already used)' : '';
  return `${what}; the closest is call ${closest.call}${used}, which differs in ${shown.join('; ')}`;
}

function show(value: string | undefined): string {
  if (value === undefined) return 'nothing';
  return value.length > MAX_VALUE_CHARS ? `${value.slice(0, MAX_VALUE_CHARS).replace(/[\ud800-\udbff]$/, '')}… (${value.length} characters)` : value;
}
