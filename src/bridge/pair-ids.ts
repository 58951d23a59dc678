/** The ids that a daemon makes up for its answers: refs of results, workers. Two runs of one build differ in them. */
import { idsIn, replaceIds } from './identity.js';


/** No canonical text has this character as it is. */
const PLACE = '\0';

/**
 * Which id the one text has where the other has which.
 *
 * @param one canonical texts, in which what is equal stands at the same place
 * @returns undefined when the texts differ in more than ids, or mean different things by one id
 */
export function pairIds(one: string, other: string): ReadonlyMap<string, string> | undefined {
  if (one === other) return new Map();
  if (replaceIds(one, PLACE) !== replaceIds(other, PLACE)) return undefined;
  const [ids, others] = [idsIn(one), idsIn(other)];
  const pairs = new Map<string, string>();
  const back = new Map<string, string>();
  for (const [index, id] of ids.entries()) {
    const partner = others[index];
    if (partner === undefined || (pairs.get(id) ?? partner) !== partner || (back.get(partner) ?? id) !== id) return undefined;
    pairs.set(id, partner);
    back.set(partner, id);
  }
  return ids.length === others.length ? pairs : undefined;
}
