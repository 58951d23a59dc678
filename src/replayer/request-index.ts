/**
 * The recorded calls of one method by what they asked for: by bytes, and by meaning. It knows nothing of what was
 * used, so everyone who plays a recording shares it. Nothing is canonicalised before it is asked for: an op graph
 * takes some 0.2 ms (bench: 32 callers, Solve).
 */
import { hash } from 'node:crypto';

import { type Canonical, canonicalRequest, type IdMap, isWrittenOneWay, KnownOps, type Rules } from '../bridge/index.js';
import { BytesIndex } from './bytes-index.js';
import type { Origin } from './origin.js';
import { requestOf, type RecordedCall } from './recorded-call.js';

/** Recorded calls that asked for the same, in their order. */
export type Group = readonly RecordedCall[];

/** What a request gives names to: ids that it introduces, and its ops, by their digests. */
export type NamesInRequest = Pick<Canonical, 'defines' | 'digests'>;

/** What is kept of a recorded request that was understood. */
export interface Understood {
  readonly names: NamesInRequest;
  /** Equal for equal annotations; the texts themselves, whole source files among them, are not kept. */
  readonly annotations: string;
}

const NO_IDS: IdMap = new Map<string, string>();

/** Equal for equal annotations. */
export function digestOf(annotations: Canonical['annotations']): string {
  return annotations.length === 0 ? '' : hash('sha256', JSON.stringify(annotations), 'base64');
}

/** Longer texts are not kept as keys: those of a few thousand op graphs are 10 KB each. */
const LONGEST_KEY = 128;

/** Equal for equal texts. */
const keyOf = (text: string): string => (text.length <= LONGEST_KEY ? text : hash('sha256', text, 'base64'));

export class MethodIndex {
  private bytes: BytesIndex | undefined;
  private readonly meanings = new Map<string, RecordedCall[]>();
  private readonly known = new Map<number, Understood>();
  /** How many calls stand in `meanings`. */
  private read = 0;

  constructor(
    readonly path: string,
    readonly calls: readonly RecordedCall[],
    private readonly canonical: (request: Uint8Array) => Canonical,
  ) {}

  /** The calls with a request of these bytes; undefined as well when equal bytes alone would not keep their order. */
  equalBytes(payload: Uint8Array): Group | undefined {
    if (!isWrittenOneWay(this.path)) return undefined;
    this.bytes ??= new BytesIndex(this.calls);
    return this.bytes.get(payload);
  }

  /**
   * The calls with a request of this meaning, as far as they are known.
   *
   * @param text of the request's {@link Canonical}
   * @param furtherThan look for more of them until there are more than so many
   */
  equalMeaning(text: string, furtherThan = 0): Group | undefined {
    const key = keyOf(text);
    while (this.read < this.calls.length && (this.meanings.get(key)?.length ?? 0) <= furtherThan) this.understandNext();
    return this.meanings.get(key);
  }

  /** Of the request of a call that was found by its meaning. */
  understood(call: RecordedCall): Understood | undefined {
    return this.known.get(call.id);
  }

  private understandNext(): void {
    const call = this.calls[this.read];
    this.read += 1;
    const request = call && requestOf(call);
    if (call === undefined || request === undefined) return;
    const { text, defines, digests, annotations } = this.canonical(request);
    push(this.meanings, keyOf(text), call);
    this.known.set(call.id, { names: { defines, digests }, annotations: digestOf(annotations) });
  }
}

export class RequestIndex {
  private readonly methods = new Map<string, MethodIndex>();
  /** A client that solves step by step sends all that it has so far each time. */
  private readonly ops = new KnownOps();

  /**
   * @param rules by which requests are compared
   * @param origin the cassette of the calls, for what is said of one that is not among them
   */
  constructor(
    calls: readonly RecordedCall[],
    readonly rules: Rules,
    readonly origin: Origin | undefined = calls[0]?.origin,
  ) {
    const byPath = new Map<string, RecordedCall[]>();
    for (const call of calls) push(byPath, call.path, call);
    for (const [path, members] of byPath) this.methods.set(path, new MethodIndex(path, members, (request) => this.canonical(path, request)));
  }

  /**
   * A request of one of the calls, or one that is looked for among them.
   *
   * @param ids see {@link canonicalRequest}
   */
  canonical(path: string, request: Uint8Array, ids = NO_IDS): Canonical {
    return canonicalRequest(path, request, ids, this.rules, { ops: this.ops });
  }

  method(path: string): MethodIndex | undefined {
    return this.methods.get(path);
  }

  /** Whether a call of this method asked for the same. */
  holds(path: string, text: string): boolean {
    return this.method(path)?.equalMeaning(text) !== undefined;
  }

  /** All calls of a method, in their order. */
  of(path: string): readonly RecordedCall[] {
    return this.methods.get(path)?.calls ?? [];
  }
}

function push<K, V>(groups: Map<K, V[]>, key: K, value: V): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [value]);
  else group.push(value);
}
