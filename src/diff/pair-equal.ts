/** What has equal keys in two lists, paired: within a key in order, across keys in any. */
import { PassingMap } from '../passing.js';

const NONE = -1;

/** Places of one list whose keys have not come in the other one yet: by key in their order. */
class Waiting {
  private readonly first = new PassingMap<string, number>();
  private readonly last = new PassingMap<string, number>();
  /** Behind each place the next one of its key. */
  private readonly next: Int32Array;

  /** @param length of the list */
  constructor(length: number) {
    this.next = new Int32Array(length).fill(NONE);
  }

  add(key: string, place: number): void {
    const last = this.last.get(key);
    if (last === undefined) this.first.set(key, place);
    else this.next[last] = place;
    this.last.set(key, place);
  }

  /** Takes out the first that waits under a key; undefined when none does. */
  take(key: string): number | undefined {
    if (this.first.size === 0) return undefined;
    const place = this.first.get(key);
    if (place === undefined) return undefined;
    const next = this.next[place] ?? NONE;
    if (next === NONE) {
      this.first.delete(key);
      this.last.delete(key);
    } else this.first.set(key, next);
    return place;
  }
}

/**
 * Goes through both lists side by side, so that as long as they are equal nothing has to be remembered (bench: diff).
 *
 * @param pair told of each pair, in the order of the first list, by their places in the lists
 */
export function eachEqual(before: readonly string[], after: readonly string[], pair: (one: number, other: number) => void): void {
  const partners = new Int32Array(before.length).fill(NONE);
  const [ours, theirs] = [new Waiting(before.length), new Waiting(after.length)];
  for (let [one, other] = [0, 0]; one < before.length || other < after.length; ) {
    const [key, otherKey] = [before[one], after[other]];
    const waited = key === undefined ? undefined : theirs.take(key);
    if (waited !== undefined) {
      partners[one] = waited;
      one += 1;
      continue;
    }
    const waiting = otherKey === undefined ? undefined : ours.take(otherKey);
    if (waiting !== undefined) {
      partners[waiting] = other;
      other += 1;
      continue;
    }
    if (key !== undefined && key === otherKey) partners[one] = other;
    else {
      if (key !== undefined) ours.add(key, one);
      if (otherKey !== undefined) theirs.add(otherKey, other);
    }
    one += 1;
    other += 1;
  }
  for (const [one, other] of partners.entries()) if (other !== NONE) pair(one, other);
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
