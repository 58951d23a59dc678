/** A live Control/Status: it reports what a build does, as it happens. */
import { statusRef } from '../bridge/index.js';
import type { BuildSlot } from './build-slot.js';
import type { BuildSlots } from './build-slots.js';
import type { Call, CallHandler } from './call.js';
import type { LiveBuild } from './live-build.js';
import { STATUS } from './methods.js';
import type { Player } from './player.js';
import { OK, Status, statusTrailers } from './status.js';

export class StatusCall implements CallHandler {
  private slot: BuildSlot | undefined;
  private player: Player | undefined;
  private ended = false;

  constructor(
    private readonly call: Call,
    private readonly slots: BuildSlots,
  ) {}

  message(payload: Uint8Array): void {
    if (this.slot !== undefined) return;
    this.slot = this.slots.named(statusRef(payload) ?? '');
    this.slot.callOpened();
    this.slot.whenReady(
      (build) => this.play(build),
      (reason) => this.refuse(reason),
    );
  }

  halfClose(): void {
    // It asks nothing.
  }

  cancelled(): void {
    if (this.player !== undefined) this.player.cancel();
    else this.close();
  }

  drained(): void {
    this.player?.drained();
  }

  private play(build: LiveBuild): void {
    if (this.ended) return;
    const recorded = build.matcher.takeNext(STATUS);
    if (recorded !== undefined) {
      this.player = build.play(this.call, recorded, () => this.close());
      return;
    }
    this.call.end(OK);
    this.close();
  }

  private refuse(reason: string): void {
    if (this.ended) return;
    this.call.end(statusTrailers(Status.failedPrecondition, reason));
    this.close();
  }

  private close(): void {
    if (this.ended) return;
    this.ended = true;
    this.slot?.callClosed();
  }
}
