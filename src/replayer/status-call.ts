/** A live Control/Status: it reports what a build does, as it happens. */
import { STATUS, statusRef } from '../bridge/index.js';
import type { BuildSlots } from './build-slots.js';
import type { Call, CallHandler } from './call.js';
import type { LiveBuild } from './live-build.js';
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
  const done = (): void => role.done();
  return recorded === undefined ? build.endAtOnce(role, done) : build.play(role, recorded, done);
}
