/** A call whose build is not known yet: keeps what its client sends until somebody takes it. */
import type { CallHandler } from './call.js';

export class HeldCall implements CallHandler {
  private handler: CallHandler | undefined;
  private held: ((handler: CallHandler) => void)[] = [];
  private gone = false;

  /** @param onFirstMessage told of the first message, before anybody takes it */
  constructor(private onFirstMessage?: (payload: Uint8Array) => void) {}

  /** The client gave up waiting. */
  get isCancelled(): boolean {
    return this.gone;
  }

  /** Hands over the call, with what was kept. */
  release(handler: CallHandler): void {
    this.handler = handler;
    const held = this.held;
    this.held = [];
    for (const give of held) give(handler);
    if (this.gone) handler.cancelled();
  }

  message(payload: Uint8Array): void {
    const told = this.onFirstMessage;
    this.onFirstMessage = undefined;
    // The build may be decided by this, so it is kept before it is told.
    if (this.handler === undefined) this.held.push((handler) => handler.message(payload));
    else this.handler.message(payload);
    told?.(payload);
  }

  halfClose(): void {
    if (this.handler === undefined) this.held.push((handler) => handler.halfClose());
    else this.handler.halfClose();
  }

  cancelled(): void {
    this.gone = true;
    this.handler?.cancelled();
  }

  drained(): void {
    this.handler?.drained();
  }
}
