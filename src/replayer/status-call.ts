/** A live Control/Status: it reports what a build does, as it happens. */
import { STATUS, statusRef } from '../bridge/index.js';
import { OK } from '../wire/index.js';
import type { BuildSlots } from './build-slots.js';
import type { Call, CallHandler } from './call.js';
import { heedNothing, type LiveBuild } from './live-build.js';
import type { Role } from './part.js';

/** Waits for its request, which names the build. */
export class StatusCall implements CallHandler {
  private part: CallHandler | undefined;

  constructor(
    private readonly call: Call,
    private readonly slots: BuildSlots,
  ) {}

  message(payload: Uint8Array): void {
    this.part ??= this.slots.named(statusRef(payload) ?? '').join(this.call, playStatus);
  }

  halfClose(): void {
    // It asks nothing.
  }

  cancelled(): void {
    this.part?.cancelled();
  }

  drained(): void {
    this.part?.drained();
  }
}

function playStatus(role: Role, build: LiveBuild): CallHandler {
  const recorded = build.matcher.takeNext(STATUS);
  if (recorded !== undefined) return build.play(role, recorded, () => role.done());
  role.end(OK);
  role.done();
  return heedNothing;
}
