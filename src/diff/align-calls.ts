/**
 * Which call of one recording stands for which of the other: those that ask for the same, in order within equal ones and in
 * any order among others; then, of a method's calls between such pairs, the ones most alike.
 */
import { BRIDGE_SOLVE, NEW_CONTAINER, type CanonicalField } from '../bridge/index.js';
import { methodKey, type Forms } from './form.js';
import { Ids } from './ids.js';
import { increasing } from './increasing.js';
import { pairEqual } from './pair-equal.js';
import type { RecordedCall } from './recorded.js';

export interface CallPair {
  readonly before: RecordedCall;
  readonly after: RecordedCall;
}

export interface AlignedCalls {
  /** In the order of the first recording. */
  readonly pairs: readonly CallPair[];
  readonly onlyBefore: readonly RecordedCall[];
  readonly onlyAfter: readonly RecordedCall[];
}

/** Lists of unlike calls are compared one with each other up to this product of their lengths, and by place beyond it. */
const MAX_COMPARED_PAIRS = 10_000;
/** Ids that other calls refer to come from these: they are paired before those. */
const INTRODUCING: readonly string[] = [BRIDGE_SOLVE, NEW_CONTAINER];

export class CallAligner {
  private readonly partners = new Map<RecordedCall, RecordedCall>();
  private readonly taken = new Set<RecordedCall>();

  constructor(
    private readonly before: Forms,
    private readonly after: Forms,
  ) {}

  align(before: readonly RecordedCall[], after: readonly RecordedCall[]): AlignedCalls {
    const [ours, theirs] = [byMethod(before), byMethod(after)];
    for (const method of [...INTRODUCING, ...[...ours.keys()].filter((name) => !INTRODUCING.includes(name))]) this.alignMethod(ours.get(method) ?? [], theirs.get(method) ?? []);
    const pairs = before.flatMap((call) => {
      const partner = this.partners.get(call);
      return partner === undefined ? [] : [{ before: call, after: partner }];
    });
    return { pairs, onlyBefore: before.filter((call) => !this.partners.has(call)), onlyAfter: after.filter((call) => !this.taken.has(call)) };
  }

  private alignMethod(before: readonly RecordedCall[], after: readonly RecordedCall[]): void {
    // First those about the same results and containers and for the same use, then those that ask for the same of others.
    const exactly = (forms: Forms, call: RecordedCall): string => {
      const { key, ids } = forms.request(call);
      return ids.length === 0 ? key : `${key}\n${forms.ids.named(ids)}`;
    };
    const isUsed = (calls: readonly RecordedCall[], forms: Forms): boolean => calls.some((call) => forms.useOf(call) !== '');
    if (isUsed(before, this.before) || isUsed(after, this.after)) this.pairEqual(before, after, (forms, call) => `${exactly(forms, call)}\n${forms.useOf(call)}`);
    this.pairEqual(before, after, exactly);
    this.pairEqual(before, after, (forms, call) => forms.request(call).key);
    this.pairBetween(before, after);
    // What stood in one place and now stands, changed, in another.
    this.pairAlike(before.filter(this.isFree), after.filter(this.isFree), { onlyClose: true });
  }

  private readonly isFree = (call: RecordedCall): boolean => !this.partners.has(call) && !this.taken.has(call);

  private pairEqual(before: readonly RecordedCall[], after: readonly RecordedCall[], keyOf: (forms: Forms, call: RecordedCall) => string): void {
    const found = new Map<RecordedCall, RecordedCall>();
    pairEqual(before.filter(this.isFree), after.filter(this.isFree), found, { before: (call) => keyOf(this.before, call), after: (call) => keyOf(this.after, call) });
    for (const [call, partner] of found) this.pair(call, partner);
  }

  /** What lies between the same pairs in both recordings. */
  private pairBetween(before: readonly RecordedCall[], after: readonly RecordedCall[]): void {
    const place = new Map(after.map((call, index) => [call, index]));
    const crossing = before.flatMap((call, index) => {
      const partner = this.partners.get(call);
      const at = partner === undefined ? undefined : place.get(partner);
      return at === undefined ? [] : [[index, at] as const];
    });
    let [from, otherFrom] = [0, 0];
    for (const [to, otherTo] of [...increasing(crossing, ([, at]) => at), [before.length, after.length] as const]) {
      this.pairAlike(before.slice(from, to).filter(this.isFree), after.slice(otherFrom, otherTo).filter(this.isFree), { onlyClose: false });
      [from, otherFrom] = [to + 1, otherTo + 1];
    }
  }

  private pairAlike(before: readonly RecordedCall[], after: readonly RecordedCall[], { onlyClose }: { readonly onlyClose: boolean }): void {
    if (before.length === 0 || after.length === 0) return;
    if (before.length * after.length > MAX_COMPARED_PAIRS) {
      if (!onlyClose) before.forEach((call, index) => after[index] !== undefined && this.pair(call, after[index]));
      return;
    }
    const [ours, theirs] = [before.map((call) => countsOf(this.before.requestFields(call).fields)), after.map((call) => countsOf(this.after.requestFields(call).fields))];
    const candidates = ours.flatMap((counts, one) => theirs.map((others, other) => ({ one, other, ...distanceBetween(counts, others) })));
    candidates.sort((a, b) => a.distance - b.distance || Math.abs(a.one - a.other) - Math.abs(b.one - b.other) || a.one - b.one);
    for (const { one, other, distance, most } of candidates) {
      const [call, partner] = [before[one], after[other]];
      if (call === undefined || partner === undefined || !this.isFree(call) || !this.isFree(partner)) continue;
      if (most > 0 && distance >= (onlyClose ? most / 2 : most)) continue;
      this.pair(call, partner);
    }
    if (onlyClose) return;
    const [left, others] = [before.filter(this.isFree), after.filter(this.isFree)];
    // As many in the same place: each was changed, however much.
    if (left.length === others.length) left.forEach((call, index) => others[index] !== undefined && this.pair(call, others[index]));
  }

  private pair(before: RecordedCall, after: RecordedCall): void {
    this.partners.set(before, after);
    this.taken.add(after);
    Ids.pairNumbers(this.before.ids, this.before.request(before).ids, this.after.ids, this.after.request(after).ids);
    const introduced = new Map(this.after.introducedBy(after).map(({ at, id }) => [at, id]));
    this.before.definedBy(before).forEach(({ id }, index) => Ids.pair(this.before.ids, id, this.after.ids, this.after.definedBy(after)[index]?.id ?? ''));
    for (const { at, id } of this.before.introducedBy(before)) {
      const partner = introduced.get(at);
      if (partner !== undefined) Ids.pair(this.before.ids, id, this.after.ids, partner);
    }
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

function byMethod(calls: readonly RecordedCall[]): ReadonlyMap<string, readonly RecordedCall[]> {
  const methods = new Map<string, RecordedCall[]>();
  for (const call of calls) {
    const method = methodKey(call);
    const known = methods.get(method);
    if (known === undefined) methods.set(method, [call]);
    else known.push(call);
  }
  return methods;
}
