/** A call whose build is not known yet: keeps what its client sends until somebody takes it. */
import type { CallHandler } from './call.js';

export class HeldCall implements CallHandler {
  private handler: CallHandler | undefined;
  private held: ((handler: CallHandler) => void)[] = [];
  private gone = false;

  /**
   * @param onFirstMessage told of the first message
   * @param onAbandoned told when the client gave up before anybody took the call
   */
  constructor(
    private onFirstMessage: ((payload: Uint8Array) => void) | undefined,
    private readonly onAbandoned: () => void,
  ) {}

  get isAbandoned(): boolean {
    return this.gone && this.handler === undefined;
  }

  /** Hands over the call, with what was kept; not after it was abandoned. */
  release(handler: CallHandler): void {
    this.handler = handler;
    const held = this.held;
    this.held = [];
    for (const give of held) give(handler);
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
    if (this.handler !== undefined) this.handler.cancelled();
    else this.onAbandoned();
  }

  drained(): void {
    this.handler?.drained();
  }
}
