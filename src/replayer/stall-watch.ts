/** Looks, as long as something goes on, whether it waits for what does not come. */
import { SOLVE } from '../bridge/index.js';
import type { Stage } from './player.js';

/** How often it looks, in parts of the time after which something counts as stalled. */
const LOOKS_PER_STALL = 4n;

export class StallWatch {
  private stopTimer: (() => void) | undefined;
  private closed = false;
  /** When clients were last seen to be kept waiting: monotonic ns. */
  private heldAt: bigint | undefined;

  /**
   * @param stall after so long something counts as stalled: ns; 0 = never
   * @param look fails what has stalled; returns whether anything goes on
   * @param isHeld whether clients are kept waiting on purpose, so that their silence says nothing
   */
  constructor(
    private readonly stage: Stage,
    private readonly stall: bigint,
    private readonly look: (stall: bigint) => boolean,
    private readonly isHeld: () => boolean,
  ) {}

  /** Something goes on. */
  wake = (): void => {
    if (this.stall === 0n || this.stopTimer !== undefined || this.closed) return;
    const { clock } = this.stage;
    this.stopTimer = clock.at(clock.now() + this.stall / LOOKS_PER_STALL, () => {
      this.stopTimer = undefined;
      try {
        if (this.isKeptWaiting() || this.look(this.stall)) this.wake();
      } catch (error) {
        this.stage.crashed(error, SOLVE);
      }
    });
  };

  /** Until the clients have had as long as ever, counted from when they could go on. */
  private isKeptWaiting(): boolean {
    const now = this.stage.clock.now();
    if (this.isHeld()) this.heldAt = now;
    return this.heldAt !== undefined && now - this.heldAt < this.stall;
  }

  close(): void {
    this.closed = true;
    this.stopTimer?.();
    this.stopTimer = undefined;
  }
}
