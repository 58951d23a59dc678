/**
 * Which recorded client events have happened again, and so which recorded server events may go out.
 *
 * A client event that the recording has before a server event cannot have depended on it, so to wait for it never
 * deadlocks a client that behaves as recorded.
 */

/** The client events of one build that have happened, by their sequence number in the cassette. */
export class Happened {
  private readonly times = new Map<number, bigint>();
  private everything = false;
  /** How often something was taken back: a scope that has looked before must look again. */
  revisions = 0;

  /** @param now monotonic ns */
  mark(seq: number, now: bigint): void {
    if (!this.times.has(seq)) this.times.set(seq, now);
  }

  /** It was another event that happened, not this one. */
  unmark(seq: number): void {
    if (this.times.delete(seq)) this.revisions += 1;
  }

  /** Nothing more can come: what has not happened is not waited for. */
  markEverything(): void {
    this.everything = true;
  }

  has(seq: number): boolean {
    return this.everything || this.times.has(seq);
  }

  /** When it happened, in ns; undefined when it did not. */
  timeOf(seq: number): bigint | undefined {
    return this.times.get(seq);
  }
}

export interface ClientEvent {
  readonly seq: number;
  /** ns since the recording began */
  readonly time: bigint;
}

/** A set of client events that a call's server events wait for. */
export class Scope {
  private next = 0;
  private revision = 0;

  /** @param events in sequence order */
  constructor(
    private readonly events: readonly ClientEvent[],
    private readonly happened: Happened,
  ) {}

  /** The first client event before `seq` that has not happened yet. */
  missingBefore(seq: number): ClientEvent | undefined {
    if (this.revision !== this.happened.revisions) {
      this.revision = this.happened.revisions;
      this.next = 0;
    }
    let first = this.events[this.next];
    while (first !== undefined && this.happened.has(first.seq)) {
      this.next += 1;
      first = this.events[this.next];
    }
    return first !== undefined && first.seq < seq ? first : undefined;
  }

  /** The last client event before `seq` that did happen: the point from which a pause is measured. */
  anchor(seq: number): { readonly recorded: bigint; readonly live: bigint } | undefined {
    for (let index = this.before(seq); index >= 0; index -= 1) {
      const event = this.events[index];
      const live = event && this.happened.timeOf(event.seq);
      if (event !== undefined && live !== undefined) return { recorded: event.time, live };
    }
    return undefined;
  }

  /** Index of the last event before `seq`, -1 when there is none. */
  private before(seq: number): number {
    let low = 0;
    let high = this.events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.events[middle]?.seq ?? Infinity) < seq) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
