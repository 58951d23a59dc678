/**
 * Finds the recorded call that a live request stands for: same method, equal once both are normalised and bound;
 * in order within a key, free order across keys. It never guesses.
 */
import { type CanonicalField, introducesId } from '../bridge/index.js';
import type { Bindings } from './bindings.js';
import { explainMiss, type Miss } from './miss.js';
import { NumberSet } from './number-set.js';
import { reannotation, type Reannotation } from './reannotation.js';
import { awaitedIn, requestOf, type RecordedCall } from './recorded-call.js';
import { digestOf, type Group, type MethodIndex, type NamesInRequest, type RequestIndex } from './request-index.js';

export interface Match {
  readonly recorded: RecordedCall;
  /** What the two requests name; undefined when they are equal to the byte, so that there is nothing to bind. */
  readonly names: { readonly live: NamesInRequest; readonly recorded: NamesInRequest } | undefined;
  /** What the live request is annotated with, where that differs from the recorded one. */
  readonly annotations?: readonly CanonicalField[];
}

/** What becomes of a recorded call once it was the answer. */
export type Reuse =
  /** It is used up. */
  | 'once'
  /** The last one of its key answers again: polled state, such as the list of workers. */
  | 'repeat-last';

export class Matcher {
  private readonly used = new NumberSet();
  /** Where the first unused call of a list may be. */
  private readonly next = new Map<Group, number>();

  constructor(
    private readonly index: RequestIndex,
    private readonly reuse: (path: string) => Reuse,
  ) {}

  /** Takes the recorded call that this request stands for, or says why there is none. */
  match(path: string, payload: Uint8Array, bindings: Bindings): Match | Miss {
    const method = this.index.method(path);
    const same = method && this.matchBytes(method, payload);
    if (same !== undefined) return { recorded: same, names: undefined };
    const live = this.index.canonical(path, payload, bindings.recorded);
    const recorded = method && (this.matchMeaning(method, live.text) ?? this.takeAnsweredUnread(method));
    if (recorded === undefined) return explainMiss({ path, live, payload, candidates: (method?.calls ?? []).map((call) => ({ call, isUsed: this.isUsed(call) })), same: method?.equalMeaning(live.text) ?? [], rules: this.index.rules, origin: this.index.origin });
    const known = method?.understood(recorded);
    if (known === undefined) return { recorded, names: undefined };
    const names = { live, recorded: known.names };
    return digestOf(live.annotations) === known.annotations ? { recorded, names } : { recorded, names, annotations: live.annotations };
  }

  /** Whether a live message stands for a recorded one. */
  isSame(path: string, live: Uint8Array, recorded: Uint8Array, bindings: Bindings): boolean {
    return Buffer.compare(live, recorded) === 0 || this.index.canonical(path, live, bindings.recorded).text === this.index.canonical(path, recorded).text;
  }

  /** What the live request is annotated with, where that differs: see {@link Match}. */
  reannotation(recorded: RecordedCall, annotations: readonly CanonicalField[]): Reannotation {
    return reannotation(recorded, annotations, this.index.rules);
  }

  /** Takes the next unused recorded call of a method, whatever it asked. */
  takeNext(path: string): RecordedCall | undefined {
    return this.take(this.index.of(path));
  }

  /** All recorded calls of a method, used or not. */
  of(path: string): readonly RecordedCall[] {
    return this.index.of(path);
  }

  /** Marks a call as used; false when it was already. */
  use(call: RecordedCall): boolean {
    if (this.used.has(call.id)) return false;
    this.used.add(call.id);
    return true;
  }

  /** A call that was used turned out not to have been. */
  free(call: RecordedCall): void {
    this.used.delete(call.id);
    this.next.clear();
  }

  isUsed(call: RecordedCall): boolean {
    return this.used.has(call.id);
  }

  private matchBytes(method: MethodIndex, payload: Uint8Array): RecordedCall | undefined {
    const isNamed = introducesId(method.path);
    if (!isNamed) {
      // The first one left has no other before it: equal bytes are enough to know it, and most clients ask in the recorded order.
      const first = this.firstUnused(method.calls);
      const request = first && requestOf(first);
      if (first !== undefined && request !== undefined && areEqual(request, payload) && this.use(first)) return first;
    }
    const group = method.equalBytes(payload);
    return group === undefined ? undefined : (this.take(group) ?? this.again(method.path, group));
  }

  private matchMeaning(method: MethodIndex, text: string): RecordedCall | undefined {
    let group = method.equalMeaning(text);
    let taken = group && this.take(group);
    while (group !== undefined && taken === undefined) {
      const known = group.length;
      group = method.equalMeaning(text, known);
      if (group?.length === known) break;
      taken = group && this.take(group);
    }
    return taken ?? (group && this.again(method.path, group));
  }

  /**
   * A call that the server ended before its request came, as a daemon does for a method that it doesn't have: whatever
   * was asked, this was the answer. Whether the client's message still crosses is a race.
   */
  private takeAnsweredUnread(method: MethodIndex): RecordedCall | undefined {
    return method.calls.find((call) => isAnsweredUnread(call) && this.use(call));
  }

  private again(path: string, group: Group): RecordedCall | undefined {
    return this.reuse(path) === 'repeat-last' ? group.at(-1) : undefined;
  }

  private take(group: Group): RecordedCall | undefined {
    const call = this.firstUnused(group);
    if (call !== undefined) this.used.add(call.id);
    return call;
  }

  private firstUnused(group: Group): RecordedCall | undefined {
    if (group.length === 1) return group[0] === undefined || this.used.has(group[0].id) ? undefined : group[0];
    let at = this.next.get(group) ?? 0;
    let call = group[at];
    while (call !== undefined && this.used.has(call.id)) {
      at += 1;
      call = group[at];
    }
    this.next.set(group, at);
    return call;
  }
}

/** Requests that differ mostly differ near their end, or in their length. */
function areEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.at(-1) === other.at(-1) && Buffer.compare(one, other) === 0;
}

function isAnsweredUnread(call: RecordedCall): boolean {
  const [asked] = awaitedIn(call);
  return asked === undefined && call.events.some(({ kind }) => kind === 'server-trailer');
}

export function isMiss(result: Match | Miss): result is Miss {
  return 'kind' in result;
}
