/**
 * When what is being handled came in. Everything of one read has the time of that read: what a client asked counts
 * from there, however long it waits here for its turn.
 */
import type { Clock } from './clock.js';

/** ms that this process has waited for something to come; it grows with each wait, and only then. */
const idleTime = (): number => performance.nodeTiming.idleTime;

/** Turns of the loop that an answer waits for what came before it: a client that never stops sending has to be answered too. */
const MOST_TURNS = 8;

export class Hearing {
  private heard: bigint | undefined;
  /** When something was last read, or said since. */
  private last = 0n;
  private idleBefore = -1;
  private reads = 0;

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
    this.reads += 1;
  }

  end(): void {
    this.heard = undefined;
  }

  /**
   * Runs a function when what has come by now is read, by the first turn of the loop that brings nothing. Then {@link says}
   * parts what came before an answer from what came to it: code that runs for the first time takes some ms, in which a client
   * begins its other calls (bench: pace).
   */
  onceAllIsRead(run: () => void): void {
    // The next turn of the loop reads between the two.
    setImmediate(() => this.listen(MOST_TURNS, run));
  }

  private listen(turns: number, run: () => void): void {
    const { reads } = this;
    setImmediate(() => {
      if (this.reads === reads || turns === 1) run();
      else this.listen(turns - 1, run);
    });
  }

  /** Something is about to be sent. */
  says(): void {
    this.last = this.clock.now();
  }
}
