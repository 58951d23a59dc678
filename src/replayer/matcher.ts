/**
 * Finds the recorded call that a live request stands for: same method, equal once both are normalised and bound;
 * in order within a key, free order across keys. It never guesses.
 */
import { canonicalRequest, type Canonical } from '../bridge/index.js';
import type { Bindings } from './bindings.js';
import { explainMiss, type Miss } from './miss.js';
import { requestOf, type RecordedCall } from './script.js';

export interface Match {
  readonly recorded: RecordedCall;
  /** Undefined when the requests were equal to the byte, so that there is nothing to bind. */
  readonly canonical: { readonly live: Canonical; readonly recorded: Canonical } | undefined;
}

/** What becomes of a recorded call once it was the answer. */
export type Reuse =
  /** It is used up. */
  | 'once'
  /** The last one of its key answers again: polled state, such as the list of workers. */
  | 'repeat-last';

const NO_IDS: ReadonlyMap<string, string> = new Map();

/** Request bytes that are only ever compared: shorter than canonicalising, and as good when they are equal. */
const rawKey = (payload: Uint8Array): string => Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('latin1');

/** The recorded calls of one method that have the same request. */
interface Queue {
  readonly calls: readonly RecordedCall[];
  next: number;
}

class MethodIndex {
  private readonly byBytes = new Map<string, Queue>();
  private byCanonical: Map<string, Queue> | undefined;
  /** Equal requests have equal texts, but each its own ids. */
  private readonly canonicals = new Map<number, Canonical>();

  constructor(
    readonly path: string,
    readonly calls: readonly RecordedCall[],
    private readonly used: Set<number>,
    private readonly reuse: Reuse,
  ) {
    const groups = new Map<string, RecordedCall[]>();
    for (const call of calls) {
      const request = requestOf(call);
      if (request !== undefined) push(groups, rawKey(request), call);
    }
    for (const [key, members] of groups) this.byBytes.set(key, { calls: members, next: 0 });
  }

  equalBytes(payload: Uint8Array): RecordedCall | undefined {
    const queue = this.byBytes.get(rawKey(payload));
    return queue && this.take(queue);
  }

  equalMeaning(live: Canonical): Match | undefined {
    const queue = this.canonicalIndex().get(live.text);
    const recorded = queue && this.take(queue);
    const canonical = recorded && this.canonicals.get(recorded.id);
    return recorded && { recorded, canonical: canonical && { live, recorded: canonical } };
  }

  /** Starts looking from the first call again. */
  rewind(): void {
    for (const queue of [...this.byBytes.values(), ...(this.byCanonical?.values() ?? [])]) queue.next = 0;
  }

  private take(queue: Queue): RecordedCall | undefined {
    for (; queue.next < queue.calls.length; queue.next += 1) {
      const call = queue.calls[queue.next];
      if (call !== undefined && !this.used.has(call.id)) {
        this.used.add(call.id);
        return call;
      }
    }
    return this.reuse === 'repeat-last' ? queue.calls.at(-1) : undefined;
  }

  private canonicalIndex(): NonNullable<typeof this.byCanonical> {
    if (this.byCanonical !== undefined) return this.byCanonical;
    const groups = new Map<string, RecordedCall[]>();
    for (const call of this.calls) {
      const request = requestOf(call);
      if (request === undefined) continue;
      const canonical = canonicalRequest(this.path, request, NO_IDS);
      this.canonicals.set(call.id, canonical);
      push(groups, canonical.text, call);
    }
    this.byCanonical = new Map(Array.from(groups, ([key, calls]) => [key, { calls, next: 0 }]));
    return this.byCanonical;
  }
}

export class Matcher {
  private readonly methods = new Map<string, MethodIndex>();
  private readonly used = new Set<number>();

  constructor(
    calls: readonly RecordedCall[],
    private readonly reuse: (path: string) => Reuse,
  ) {
    const byPath = new Map<string, RecordedCall[]>();
    for (const call of calls) push(byPath, call.path, call);
    for (const [path, members] of byPath) this.methods.set(path, new MethodIndex(path, members, this.used, reuse(path)));
  }

  /** Takes the recorded call that this request stands for, or says why there is none. */
  match(path: string, payload: Uint8Array, bindings: Bindings): Match | Miss {
    const index = this.methods.get(path);
    const same = index?.equalBytes(payload);
    if (same !== undefined) return { recorded: same, canonical: undefined };
    const live = canonicalRequest(path, payload, bindings.recorded);
    return index?.equalMeaning(live) ?? explainMiss(path, live, index?.calls ?? [], this.used);
  }

  /** Takes the next unused recorded call of a method, whatever it asked. */
  next(path: string): RecordedCall | undefined {
    const call = this.methods.get(path)?.calls.find(({ id }) => !this.used.has(id));
    if (call !== undefined) this.used.add(call.id);
    return call;
  }

  /** All recorded calls of a method, used or not. */
  of(path: string): readonly RecordedCall[] {
    return this.methods.get(path)?.calls ?? [];
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
    this.methods.get(call.path)?.rewind();
  }

  isUsed(call: RecordedCall): boolean {
    return this.used.has(call.id);
  }
}

export function isMiss(result: Match | Miss): result is Miss {
  return 'closest' in result;
}

function push<K, V>(groups: Map<K, V[]>, key: K, value: V): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [value]);
  else group.push(value);
}
