/** One request and its answer, on the serving side of a connection: what each side may still send (RFC 9113 §5.1). */

import type { HeaderField } from './events.js';
import { type ReceiveWindow, SendWindow } from './flow-window.js';
import { copy } from './octets.js';
import { SendQueue } from './send-queue.js';

/** Takes the client's side of a stream as it comes in. */
export interface StreamHandler {
  /** Content of the request; a handler that keeps it has to copy it, or `bytes` stays alive as a whole. */
  data(bytes: Uint8Array, from: number, to: number): void;
  /** The client has sent all it will. */
  ended(): void;
  /** The stream is over before its answer was: reset by the client or for an error of its, or the connection is gone. Nothing comes after it. */
  cancelled(code: number): void;
  /** There is room again, after a `write` that returned false. */
  drained(): void;
}

/** Where a stream's answer goes. */
export interface StreamOutput {
  /** Sends a header list now, unless it has to wait for its turn. @returns whether it was sent */
  sendHeadersAtOnce(stream: ServerStream, fields: readonly HeaderField[], endStream: boolean): boolean;
  /** Sends all of it now, if the windows have room for it. @returns whether it was sent */
  sendDataAtOnce(stream: ServerStream, head: Uint8Array, body: Uint8Array, between: Uint8Array): boolean;
  /** The stream's queue has got so many bytes of data more, or a header list. */
  queued(stream: ServerStream, bytes: number): void;
  /** Bytes that a stream may have in its queue before its handler has to wait. */
  queueLimit(): number;
  /** Whether the client has said that it takes a header list of this size. */
  takesHeaders(fields: readonly HeaderField[]): boolean;
}

/** What else a stream needs of its connection. */
export interface StreamOwner {
  reset(stream: ServerStream, code: number): void;
  /** Content of the stream was read: its window may open again by so much. */
  release(stream: ServerStream, bytes: number): void;
}

const NOTHING = new Uint8Array(0);

export class ServerStream {
  handler: StreamHandler | undefined;
  /** The client can send more. */
  receiving = true;
  /** The answer can go on. */
  sending = true;
  /** A write has returned false, and nobody was told that there is room since. */
  waiting = false;
  /** When the answer is over, the client may still say what it has to. */
  lingers = false;
  readonly sendWindow: SendWindow;
  /** Made when something has to wait: most streams never need it. */
  queue: SendQueue | undefined;
  /** Told how much was read, when somebody else gives it back. */
  onRead: ((bytes: number) => void) | undefined;

  /** @param contentLeft octets that the request's content-length still announces */
  constructor(
    readonly id: number,
    private readonly owner: StreamOwner,
    private readonly output: StreamOutput,
    sendWindow: number,
    readonly receiveWindow: ReceiveWindow,
    public contentLeft: number | undefined,
  ) {
    this.sendWindow = new SendWindow(sendWindow);
  }

  /** Something waits to be sent. */
  get hasQueued(): boolean {
    return this.queue !== undefined && !this.queue.isEmpty;
  }

  /** Whether the client takes a header list of this size (SETTINGS_MAX_HEADER_LIST_SIZE). */
  takesHeaders(fields: readonly HeaderField[]): boolean {
    return this.output.takesHeaders(fields);
  }

  /** Sends a header or trailer list; with `endStream` the answer is over. Ignored when it was over before. */
  sendHeaders(fields: readonly HeaderField[], endStream: boolean): void {
    if (!this.sending) return;
    if (endStream) this.sending = false;
    if (this.hasQueued || !this.output.sendHeadersAtOnce(this, fields, endStream)) {
      (this.queue ??= new SendQueue()).add({ kind: 'headers', fields, endStream });
      this.output.queued(this, 0);
    }
  }

  /**
   * Sends the octets of all of it.
   *
   * @param head is copied
   * @param body may be sent from where it lies: it must not be written to any more
   * @param between comes before the body; it is copied
   * @returns false when so much waits that the caller should too, until `drained`
   */
  write(head: Uint8Array, body: Uint8Array, between: Uint8Array = NOTHING): boolean {
    if (!this.sending) return true;
    if (!this.hasQueued && this.output.sendDataAtOnce(this, head, body, between)) return true;
    const queue = (this.queue ??= new SendQueue());
    queue.add({ kind: 'data', bytes: copy(head, 0, head.length) });
    if (between.length > 0) queue.add({ kind: 'data', bytes: copy(between, 0, between.length) });
    if (body.length > 0) queue.add({ kind: 'data', bytes: body });
    this.output.queued(this, head.length + between.length + body.length);
    if (queue.bytes <= this.output.queueLimit()) return true;
    this.waiting = true;
    return false;
  }

  /** The answer is all there is to say: what the client still sends is read over, rather than cut off by a reset. */
  linger(): void {
    this.lingers = true;
  }

  /** Its window opens only by what is given back, not by itself. */
  holdWindow(onRead: (bytes: number) => void): void {
    this.onRead = onRead;
  }

  giveBack(bytes: number): void {
    this.owner.release(this, bytes);
  }

  /** Ends the stream at once, in both directions. */
  reset(code: number): void {
    this.owner.reset(this, code);
  }
}
