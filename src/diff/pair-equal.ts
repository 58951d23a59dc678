/** What has equal keys in two lists, paired: within a key in order, across keys in any. */

const NONE = -1;

/**
 * @param pair told of each pair, in the order of the first list, by their places in the lists
 */
export function eachEqual(before: readonly string[], after: readonly string[], pair: (one: number, other: number) => void): void {
  /** By key: the first of the second list that has no partner; and behind each the next one of its key. */
  const first = new Map<string, number>();
  const next = new Int32Array(after.length);
  for (let index = after.length - 1; index >= 0; index -= 1) {
    const key = after[index] ?? '';
    next[index] = first.get(key) ?? NONE;
    first.set(key, index);
  }
  for (const [one, key] of before.entries()) {
    const other = first.get(key) ?? NONE;
    if (other === NONE) continue;
    first.set(key, next[other] ?? NONE);
    pair(one, other);
  }
}

/**
 * Pairs members of two lists. What has a partner already is passed over on both sides.
 *
 * @param partners of the first list's members; what is found comes to it
 */
export function pairEqual<T>(before: readonly T[], after: readonly T[], partners: Map<T, T>, keys: { readonly before: (member: T) => string; readonly after: (member: T) => string }): void {
  const taken = new Set(partners.values());
  const [ours, theirs] = [before.filter((member) => !partners.has(member)), after.filter((member) => !taken.has(member))];
  eachEqual(ours.map(keys.before), theirs.map(keys.after), (one, other) => {
    const [member, partner] = [ours[one], theirs[other]];
    if (member !== undefined && partner !== undefined) partners.set(member, partner);
  });
}
