/**
 * When what is being handled came in. Everything of one read has the time of that read: what a client asked counts
 * from there, however long it waits here for its turn.
 */
import type { Clock } from './clock.js';

/** ms that this process has waited for something to come; it grows with each wait, and only then. */
const idleTime = (): number => performance.nodeTiming.idleTime;

export class Hearing {
  private heard: bigint | undefined;
  /** When something was last read, or said since. */
  private last = 0n;
  private idleBefore = -1;

  constructor(
    private readonly clock: Clock,
    private readonly idle = idleTime,
  ) {}

  /** Monotonic ns: now, where nothing that came in is being handled. */
  get time(): bigint {
    return this.heard ?? this.clock.now();
  }

  /**
   * Bytes have come, and are handled until {@link end}. Where nobody waited for them they came while those before them were
   * handled, mostly together with them: a request's header list and its message, or several calls that begin at once. What
   * may be said to an answer came after that.
   */
  begin(): void {
    const now = this.clock.now();
    const idle = this.idle();
    this.heard = idle === this.idleBefore ? this.last : now;
    this.last = now;
    this.idleBefore = idle;
  }

  end(): void {
    this.heard = undefined;
  }

  /** Something is about to be sent. */
  says(): void {
    this.last = this.clock.now();
  }
}
