/** Which method a fault means by its name for it. */
import type { Fault } from './fault.js';
import { formatFault, refusal } from './fault-spec.js';
import { methodMeant } from './method-name.js';

/**
 * @param recorded the `:path`s of the cassette
 * @returns the `:path` that is meant; undefined for every one
 * @throws BridgetapeError `bad-argument` when neither the cassette nor bridgetape knows the method, or when several have its name
 */
export function faultPath(fault: Fault, recorded: Iterable<string>): string | undefined {
  const { method } = fault;
  if (method === '*') return undefined;
  const meant = methodMeant(method, recorded);
  if (meant.kind === 'none') throw refusal(formatFault(fault), 0, `names ${meant.what}`, meant.hint);
  return meant.path;
}
