/** Stands between a call and who plays it, and lets everything through: what a fault changes is changed in one of these. */
import type { HeaderField } from '../cassette/index.js';
import { ErrorCode } from '../wire/index.js';
import type { AcceptTransport, CallHandler, TransportCall } from './call.js';

/** A message in one piece: for what sends it later, or counts its bytes. */
export function whole(payload: Uint8Array, head: Uint8Array | undefined): Uint8Array {
  return head === undefined ? payload : Buffer.concat([head, payload]);
}

export abstract class Passage implements TransportCall, CallHandler {
  /** Who plays the call; undefined when it never got there, or is told nothing more. */
  private player: CallHandler | undefined;
  /** The player has ended the call. */
  private played = false;

  constructor(protected readonly call: TransportCall) {}

  get path(): string {
    return this.call.path;
  }

  get headers(): readonly HeaderField[] {
    return this.call.headers;
  }

  /** Lets the call through to who plays it. */
  protected pass(accept: AcceptTransport): this {
    const player = accept(this);
    if (!this.played) this.player = player;
    return this;
  }

  /** The player is told that the call is over, unless it has ended it; nothing more comes to it. */
  protected dismiss(): void {
    const { player } = this;
    this.player = undefined;
    if (!this.played) player?.cancelled();
    this.played = true;
  }

  /** The player has ended the call, and hears no more of it. */
  protected forget(): void {
    this.played = true;
    this.player = undefined;
  }

  /** Both sides are done with the call: no timer may be left. */
  protected abstract settle(): void;

  // ---- the server's side, from the player

  sendHeaders(headers: readonly HeaderField[]): void {
    this.call.sendHeaders(headers);
  }

  send(payload: Uint8Array, head?: Uint8Array): boolean {
    return this.call.send(payload, head);
  }

  sendPart(payload: Uint8Array, bytes: number): void {
    this.call.sendPart(payload, bytes);
  }

  end(trailers: readonly HeaderField[]): void {
    this.ended(() => this.call.end(trailers));
  }

  reset(code: number): void {
    this.ended(() => this.call.reset(code));
  }

  goAway(code: number): void {
    if (code === ErrorCode.NO_ERROR) this.call.goAway(code);
    else this.ended(() => this.call.goAway(code));
  }

  breakOff(): void {
    this.ended(() => this.call.breakOff());
  }

  holdWindow(onRead: (bytes: number) => void): void {
    this.call.holdWindow(onRead);
  }

  giveBack(bytes: number): void {
    this.call.giveBack(bytes);
  }

  private ended(how: () => void): void {
    this.forget();
    this.settle();
    how();
  }

  // ---- the client's side, from the transport

  message(payload: Uint8Array): void {
    this.player?.message(payload);
  }

  halfClose(): void {
    this.player?.halfClose();
  }

  cancelled(): void {
    this.settle();
    this.dismiss();
  }

  drained(): void {
    this.player?.drained();
  }
}
