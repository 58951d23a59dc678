/**
 * Which call of one recording stands for which of the other: those that ask for the same, in order within equal ones and in
 * any order among others; then, of a method's calls between such pairs, the ones most alike.
 */
import { BRIDGE_SOLVE, NEW_CONTAINER, type CanonicalField } from '../bridge/index.js';
import { methodKey, type Forms, type Sides } from './form.js';
import { Ids } from './ids.js';
import { increasing } from './increasing.js';
import { eachEqual } from './pair-equal.js';
import type { RecordedCall } from './recorded.js';

export interface CallPair {
  readonly before: RecordedCall;
  readonly after: RecordedCall;
}

export interface AlignedCalls {
  /** In the order of the first recording. */
  readonly pairs: readonly CallPair[];
  /** By pair: which of the build's calls its second one is. */
  readonly places: readonly number[];
  readonly onlyBefore: readonly RecordedCall[];
  readonly onlyAfter: readonly RecordedCall[];
}

/** Lists of unlike calls are compared one with each other up to this product of their lengths, and by place beyond it. */
const MAX_COMPARED_PAIRS = 10_000;
/** Ids that other calls refer to come from these: they are paired before those. */
const INTRODUCING: readonly string[] = [BRIDGE_SOLVE, NEW_CONTAINER];

/** One recording's calls of a build, and who of them has a partner. */
class Roll {
  /** By place in the build: the place of the partner. */
  private readonly partners: Int32Array;

  constructor(
    readonly calls: readonly RecordedCall[],
    readonly forms: Forms,
  ) {
    this.partners = new Int32Array(calls.length).fill(NONE);
  }

  /** Undefined when it has none. */
  partnerOf(place: number): number | undefined {
    const partner = this.partners[place] ?? NONE;
    return partner === NONE ? undefined : partner;
  }

  pair(place: number, partner: number): void {
    this.partners[place] = partner;
  }

  readonly isFree = (place: number): boolean => this.partners[place] === NONE;

  at(place: number): RecordedCall {
    const call = this.calls[place];
    if (call === undefined) throw new Error(`there is no call at ${place}`);
    return call;
  }

  /** Places of its calls by their methods. */
  byMethod(): ReadonlyMap<string, readonly number[]> {
    const methods = new Map<string, number[]>();
    for (const [place, call] of this.calls.entries()) {
      const method = methodKey(call);
      const known = methods.get(method);
      if (known === undefined) methods.set(method, [place]);
      else known.push(place);
    }
    return methods;
  }
}

const NONE = -1;

/** Calls by their places in their builds. */
type Places = readonly number[];

export function alignCalls(calls: { readonly before: readonly RecordedCall[]; readonly after: readonly RecordedCall[] }, { before, after }: Sides): AlignedCalls {
  return new Alignment(new Roll(calls.before, before), new Roll(calls.after, after)).align();
}

class Alignment {
  constructor(
    private readonly before: Roll,
    private readonly after: Roll,
  ) {}

  align(): AlignedCalls {
    const { before, after } = this;
    const [ours, theirs] = [before.byMethod(), after.byMethod()];
    for (const method of [...INTRODUCING, ...[...ours.keys()].filter((name) => !INTRODUCING.includes(name))]) this.alignMethod(ours.get(method) ?? [], theirs.get(method) ?? []);
    const pairs: CallPair[] = [];
    const places: number[] = [];
    const onlyBefore: RecordedCall[] = [];
    for (const [place, call] of before.calls.entries()) {
      const partner = before.partnerOf(place);
      if (partner === undefined) {
        onlyBefore.push(call);
        continue;
      }
      pairs.push({ before: call, after: after.at(partner) });
      places.push(partner);
    }
    return { pairs, places, onlyBefore, onlyAfter: after.calls.filter((_, place) => after.isFree(place)) };
  }

  private alignMethod(before: Places, after: Places): void {
    // First those about the same results and containers and for the same use, then those that ask for the same of others.
    const exactly = (forms: Forms, call: RecordedCall): string => {
      const { key, ids } = forms.request(call);
      return ids.length === 0 ? key : `${key}\n${forms.ids.named(ids)}`;
    };
    const isUsed = (places: Places, roll: Roll): boolean => places.some((place) => roll.forms.useOf(roll.at(place)) !== '');
    if (isUsed(before, this.before) || isUsed(after, this.after)) this.pairEqual(before, after, (forms, call) => `${exactly(forms, call)}\n${forms.useOf(call)}`);
    this.pairEqual(before, after, exactly);
    this.pairEqual(before, after, (forms, call) => forms.request(call).key);
    this.pairBetween(before, after);
    // What stood in one place and now stands, changed, in another.
    this.pairAlike(before, after, { onlyClose: true });
  }

  private pairEqual(before: Places, after: Places, keyOf: (forms: Forms, call: RecordedCall) => string): void {
    const [ours, theirs] = [before.filter(this.before.isFree), after.filter(this.after.isFree)];
    const keys = (places: Places, roll: Roll): readonly string[] => places.map((place) => keyOf(roll.forms, roll.at(place)));
    eachEqual(keys(ours, this.before), keys(theirs, this.after), (one, other) => {
      this.pair(ours[one] ?? NONE, theirs[other] ?? NONE);
    });
  }

  /** What lies between the same pairs in both recordings. */
  private pairBetween(before: Places, after: Places): void {
    if (!before.some(this.before.isFree) || !after.some(this.after.isFree)) return;
    /** By place in the build: where in the second list. */
    const back = new Int32Array(this.after.calls.length).fill(NONE);
    for (const [index, place] of after.entries()) back[place] = index;
    /** By where in the first list: where in the second list the partner stands. */
    const partners = before.map((place) => back[this.before.partnerOf(place) ?? NONE] ?? NONE);
    const crossing = [...partners.keys()].filter((index) => partners[index] !== NONE);
    let [from, otherFrom] = [0, 0];
    const cross = (to: number, otherTo: number): void => {
      if (to > from && otherTo > otherFrom) this.pairAlike(before.slice(from, to), after.slice(otherFrom, otherTo), { onlyClose: false });
      [from, otherFrom] = [to + 1, otherTo + 1];
    };
    for (const kept of increasing(crossing.map((index) => partners[index] ?? NONE))) {
      const index = crossing[kept] ?? NONE;
      cross(index, partners[index] ?? NONE);
    }
    cross(before.length, after.length);
  }

  private pairAlike(before: Places, after: Places, { onlyClose }: { readonly onlyClose: boolean }): void {
    const [ours, theirs] = [before.filter(this.before.isFree), after.filter(this.after.isFree)];
    if (ours.length === 0 || theirs.length === 0) return;
    if (ours.length * theirs.length > MAX_COMPARED_PAIRS) {
      if (!onlyClose) this.pairInOrder(ours, theirs);
      return;
    }
    const counts = (places: Places, roll: Roll): readonly Counts[] => places.map((place) => countsOf(roll.forms.requestFields(roll.at(place)).fields));
    const [was, is] = [counts(ours, this.before), counts(theirs, this.after)];
    const candidates = was.flatMap((one, index) => is.map((other, otherIndex) => ({ one: index, other: otherIndex, ...distanceBetween(one, other) })));
    candidates.sort((a, b) => a.distance - b.distance || Math.abs(a.one - a.other) - Math.abs(b.one - b.other) || a.one - b.one);
    for (const { one, other, distance, most } of candidates) {
      const [place, partner] = [ours[one] ?? NONE, theirs[other] ?? NONE];
      if (!this.before.isFree(place) || !this.after.isFree(partner)) continue;
      if (most > 0 && distance >= (onlyClose ? most / 2 : most)) continue;
      this.pair(place, partner);
    }
    if (onlyClose) return;
    const [left, others] = [ours.filter(this.before.isFree), theirs.filter(this.after.isFree)];
    // As many in the same place: each was changed, however much.
    if (left.length === others.length) this.pairInOrder(left, others);
  }

  private pairInOrder(before: Places, after: Places): void {
    for (const [index, place] of before.entries()) {
      const partner = after[index];
      if (partner !== undefined) this.pair(place, partner);
    }
  }

  private pair(place: number, partner: number): void {
    const [one, other] = [this.before.at(place), this.after.at(partner)];
    const [before, after] = [this.before.forms, this.after.forms];
    this.before.pair(place, partner);
    this.after.pair(partner, place);
    Ids.pairNumbers(before.ids, before.request(one).ids, after.ids, after.request(other).ids);
    before.definedBy(one).forEach(({ id }, index) => Ids.pair(before.ids, id, after.ids, after.definedBy(other)[index]?.id ?? ''));
    const introduced = before.introducedBy(one);
    if (introduced.length === 0) return;
    const theirs = new Map(after.introducedBy(other).map(({ at, id }) => [at, id]));
    for (const { at, id } of introduced) Ids.pair(before.ids, id, after.ids, theirs.get(at) ?? '');
  }
}

/** How often each field stands with its value, in whichever op that is. */
type Counts = ReadonlyMap<string, number>;

function countsOf(fields: readonly CanonicalField[]): Counts {
  const counts = new Map<string, number>();
  for (const [path, value] of fields) {
    const line = `${path.replace(/\bop\[\d+\]/g, 'op')} = ${value.replace(/^op\[\d+\]/, 'op')}`;
    counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  return counts;
}

/** @returns in how many fields they differ, and in how many they could differ */
function distanceBetween(one: Counts, other: Counts): { readonly distance: number; readonly most: number } {
  let [common, most] = [0, 0];
  for (const [line, count] of one) {
    most += count;
    common += Math.min(count, other.get(line) ?? 0);
  }
  for (const count of other.values()) most += count;
  return { distance: most - 2 * common, most };
}
