/**
 * Which recorded client events have happened again, and so which recorded server events may go out.
 *
 * A client event that the recording has before a server event cannot have depended on it, so to wait for it never
 * deadlocks a client that behaves as recorded.
 */
import type { EventReader } from '../cassette/index.js';
import { NumberSet } from './number-set.js';
import { awaitedIn, type AwaitedEvent, type RecordedCall } from './recorded-call.js';

export interface ClientEvent {
  readonly seq: number;
  /** ns since the recording began */
  readonly time: bigint;
}

/** Client events of several calls, in sequence order; as numbers, of which there can be hundreds of thousands (bench: many). */
export class ClientEvents {
  private readonly seqs: Float64Array;
  private readonly times: BigInt64Array;

  constructor(calls: readonly RecordedCall[]) {
    const seqs: number[] = [];
    for (const { seq } of allAwaited(calls)) seqs.push(seq);
    this.seqs = new Float64Array(seqs).sort();
    this.times = new BigInt64Array(this.seqs.length);
    for (const { seq, time } of allAwaited(calls)) this.times[this.before(seq) + 1] = time;
  }

  /** Undefined behind the last one. */
  at(index: number): ClientEvent | undefined {
    const [seq, time] = [this.seqs[index], this.times[index]];
    return seq === undefined || time === undefined ? undefined : { seq, time };
  }

  seqAt(index: number): number | undefined {
    return this.seqs[index];
  }

  every(holds: (seq: number) => boolean): boolean {
    return this.seqs.every(holds);
  }

  /** Index of the last event before `seq`, -1 when there is none. */
  before(seq: number): number {
    let low = 0;
    let high = this.seqs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.seqs[middle] ?? Infinity) < seq) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

function* allAwaited(calls: readonly RecordedCall[]): Generator<AwaitedEvent> {
  for (const call of calls) yield* awaitedIn(call);
}

/** From where a pause is measured: one event's time in the recording, and now, both in ns. */
export interface Anchor {
  readonly recorded: bigint;
  readonly live: bigint;
}

/** A set of client events that a call's server events wait for. */
export interface Scope {
  /** The first client event before `seq` that has not happened yet. */
  missingBefore(seq: number): ClientEvent | undefined;
  /** The last client event before `seq` that did happen; undefined when there is none to measure from. */
  anchor(seq: number): Anchor | undefined;
  /** Nothing that the client may still do can matter to the call. */
  readonly isOver: boolean;
}

/** The client's side of one call, which happens in order. */
export class CallScope implements Scope {
  /** What the recorded client did next. */
  upcoming: AwaitedEvent | undefined;
  private readonly happened: { readonly event: AwaitedEvent; readonly live: bigint }[] = [];

  /** @param events the call's; undefined when it is not known yet which call it is */
  constructor(private readonly events?: EventReader<AwaitedEvent>) {
    this.upcoming = events?.next();
  }

  get isOver(): boolean {
    return this.upcoming === undefined;
  }

  /** How much of it has happened. */
  get count(): number {
    return this.happened.length;
  }

  /**
   * The upcoming event has happened.
   *
   * @param now monotonic ns
   */
  happen(now: bigint): void {
    const event = this.upcoming;
    if (event === undefined) return;
    this.happened.push({ event, live: now });
    this.upcoming = this.events?.next();
  }

  missingBefore(seq: number): ClientEvent | undefined {
    const event = this.upcoming;
    return event !== undefined && event.seq < seq ? event : undefined;
  }

  anchor(seq: number): Anchor | undefined {
    for (let index = this.happened.length - 1; index >= 0; index -= 1) {
      const last = this.happened[index];
      if (last !== undefined && last.event.seq < seq) return { recorded: last.event.time, live: last.live };
    }
    return undefined;
  }
}

/** Sequence numbers of one page of {@link Happened}. */
const PAGE = 1024;

/**
 * The client events of one build that have happened, by their sequence number in the cassette. Hot path: asked and told for
 * each of them, so they are bits, and their times numbers in pages, rather than a map of a hundred thousand entries (bench: 32
 * callers, many).
 */
export class Happened {
  private readonly marks = new NumberSet();
  /** ns. */
  private readonly pages: (Float64Array | undefined)[] = [];
  /** Nothing more can come. */
  everything = false;
  /** How often something was taken back: a scope that has looked before must look again. */
  revisions = 0;

  /** @param isTimed whether anybody will ask when something happened */
  constructor(private readonly isTimed: boolean) {}

  /** @param now monotonic ns */
  mark(seq: number, now: bigint): void {
    if (this.marks.has(seq)) return;
    this.marks.add(seq);
    if (this.isTimed) (this.pages[Math.floor(seq / PAGE)] ??= new Float64Array(PAGE))[seq % PAGE] = Number(now);
  }

  /** It was another event that happened, not this one. */
  unmark(seq: number): void {
    if (!this.marks.has(seq)) return;
    this.marks.delete(seq);
    this.revisions += 1;
  }

  /** Nothing more can come: what has not happened is not waited for. */
  markEverything(): void {
    this.everything = true;
  }

  has(seq: number): boolean {
    return this.everything || this.marks.has(seq);
  }

  /** When it happened, in ns; undefined when it did not. */
  timeOf(seq: number): bigint | undefined {
    const time = this.marks.has(seq) ? this.pages[Math.floor(seq / PAGE)]?.[seq % PAGE] : undefined;
    return time === undefined ? undefined : BigInt(time);
  }
}

/** Client events of several calls, which happen in any order. */
export class BuildScope implements Scope {
  private next = 0;
  private revision = 0;

  /**
   * @param origin from where a pause is measured before any of them has happened
   * @param isOpen whether the client may do more than these, until it has returned
   */
  constructor(
    private readonly events: ClientEvents,
    private readonly happened: Happened,
    private readonly origin: Anchor,
    private readonly isOpen: boolean,
  ) {}

  get isOver(): boolean {
    return this.happened.everything || (!this.isOpen && this.missingBefore(Infinity) === undefined);
  }

  missingBefore(seq: number): ClientEvent | undefined {
    if (this.revision !== this.happened.revisions) {
      this.revision = this.happened.revisions;
      this.next = 0;
    }
    let first = this.events.seqAt(this.next);
    while (first !== undefined && this.happened.has(first)) {
      this.next += 1;
      first = this.events.seqAt(this.next);
    }
    return first !== undefined && first < seq ? this.events.at(this.next) : undefined;
  }

  anchor(seq: number): Anchor | undefined {
    for (let index = this.events.before(seq); index >= 0; index -= 1) {
      const event = this.events.at(index);
      const live = event && this.happened.timeOf(event.seq);
      if (event !== undefined && live !== undefined) return { recorded: event.time, live };
    }
    return this.origin;
  }
}
