/** A request that is the recorded one, but describes its contents in another way: told, and answered all the same. */
import { type CanonicalField, canonicalRequest, type Difference, differences, type Rules, shortMethod } from '../bridge/index.js';
import { MAX_KEPT_DIFFERENCES, shortened } from './miss.js';
import { requestOf, type RecordedCall } from './recorded-call.js';

export interface Reannotation {
  readonly path: string;
  /** Number of the recorded call in the cassette. */
  readonly call: number;
  readonly differences: readonly Difference[];
}

/** @param annotations of the live request */
export function reannotation(recorded: RecordedCall, annotations: readonly CanonicalField[], rules: Rules): Reannotation {
  const request = requestOf(recorded);
  const before = request === undefined ? [] : canonicalRequest(recorded.path, request, new Map(), rules).annotations;
  return { path: recorded.path, call: recorded.id, differences: differences(before, annotations).slice(0, MAX_KEPT_DIFFERENCES).map(shortened) };
}

/** So many differing fields are named; the rest is counted. */
const MAX_FIELDS = 3;

/** In one sentence what was annotated otherwise; undefined when nothing was. */
export function describeReannotations(all: readonly Reannotation[]): string | undefined {
  if (all.length === 0) return undefined;
  const counts = new Map<string, number>();
  for (const { path } of all) counts.set(path, (counts.get(path) ?? 0) + 1);
  const requests = Array.from(counts, ([path, count]) => `${count} ${shortMethod(path)}`).join(', ');
  const fields = new Set(all.flatMap(({ differences }) => differences.map(({ field }) => field)));
  const named = [...fields].slice(0, MAX_FIELDS);
  const more = fields.size - named.length;
  return `bridgetape: matched, though annotated otherwise than recorded (source files, lines, names on the screen): ${requests}; ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
