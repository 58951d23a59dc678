/**
 * When what is being handled came in. Everything of one read has the time at which that was read: what a client asked
 * counts from there, however long it waits here for its turn.
 */
import type { Clock } from './clock.js';

export class Hearing {
  private heard: bigint | undefined;

  constructor(private readonly clock: Clock) {}

  /** Monotonic ns: now, where nothing that came in is being handled. */
  get time(): bigint {
    return this.heard ?? this.clock.now();
  }

  /** Bytes have come, and are handled until {@link end}. */
  begin(): void {
    this.heard = this.clock.now();
  }

  end(): void {
    this.heard = undefined;
  }
}
