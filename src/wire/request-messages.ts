/**
 * The content of a request → its length-prefixed messages, each in one piece. Other than the tap's reader it has to
 * do with one peer that it can refuse, so what can't be read ends the call at once.
 */

import type { HeldBytes } from './held-bytes.js';
import { uint32, uint8, view } from './octets.js';

export const PREFIX_BYTES = 5;

/** What a body of several pieces is collected in at first: a length that was only announced takes no memory. */
const FIRST_BODY_BYTES = 64 * 1024;

export interface MessageSink {
  /** `payload` may be a part of what was pushed. */
  message(payload: Uint8Array, compressed: boolean): void;
  /** The content makes no sense; nothing of it is read any more. */
  unreadable(reason: string): void;
  /** A message is longer than `limit` allows, or unfinished ones together are. */
  tooLarge(reason: string): void;
}

export class RequestMessages {
  /** Made when a length prefix is cut by a boundary, which is seldom. */
  private prefix: Uint8Array | undefined;
  private prefixOctets = 0;
  private compressed = false;
  private size = 0;
  private body: Uint8Array | undefined;
  private bodyOctets = 0;
  private closed = false;

  constructor(
    private readonly sink: MessageSink,
    private readonly held: HeldBytes,
    private readonly maxBytes: number,
  ) {}

  /** Whether a message has begun and is not whole. */
  get insideMessage(): boolean {
    return this.prefixOctets > 0 || this.body !== undefined;
  }

  push(bytes: Uint8Array, from: number, to: number): void {
    let at = from;
    while (at < to && !this.closed) {
      if (this.body !== undefined) {
        at = this.readBody(this.body, bytes, at, to);
      } else if (this.prefixOctets === 0 && to - at >= PREFIX_BYTES) {
        at = this.begin(bytes, at, to);
      } else {
        const prefix = (this.prefix ??= new Uint8Array(PREFIX_BYTES));
        prefix[this.prefixOctets] = uint8(bytes, at);
        this.prefixOctets += 1;
        at += 1;
        if (this.prefixOctets < PREFIX_BYTES) continue;
        this.prefixOctets = 0;
        this.begin(prefix, 0, PREFIX_BYTES);
      }
    }
  }

  /** Nothing more is read, and nothing kept. */
  close(): void {
    this.closed = true;
    this.release();
  }

  /** A length prefix lies at `at`. @returns where the bytes go on that belong to no message yet */
  private begin(bytes: Uint8Array, at: number, to: number): number {
    const flag = uint8(bytes, at);
    const size = uint32(bytes, at + 1);
    const body = at + PREFIX_BYTES;
    if (flag > 1) {
      this.close();
      this.sink.unreadable(`a message's compressed flag is 0x${flag.toString(16)}, neither 0 nor 1`);
    } else if (size > this.maxBytes) {
      this.close();
      this.sink.tooLarge(`a message of ${size} bytes, over the limit of ${this.maxBytes}`);
    } else if (size <= to - body) {
      this.sink.message(view(bytes, body, body + size), flag === 1);
      return body + size;
    } else {
      this.compressed = flag === 1;
      this.size = size;
      this.bodyOctets = 0;
      this.grow(undefined, Math.min(size, FIRST_BODY_BYTES));
    }
    return body;
  }

  private readBody(body: Uint8Array, bytes: Uint8Array, from: number, end: number): number {
    const to = Math.min(end, from + body.length - this.bodyOctets);
    body.set(view(bytes, from, to), this.bodyOctets);
    this.bodyOctets += to - from;
    if (this.bodyOctets === this.size) {
      this.release();
      this.sink.message(body, this.compressed);
    } else if (this.bodyOctets === body.length) {
      this.grow(body, Math.min(this.size, body.length * 2));
    }
    return to;
  }

  private grow(old: Uint8Array | undefined, bytes: number): void {
    this.held.bytes += bytes - (old?.length ?? 0);
    const body = new Uint8Array(bytes);
    if (old !== undefined) body.set(old);
    this.body = body;
    if (this.held.bytes <= this.held.limit) return;
    this.close();
    this.sink.tooLarge(`a message of ${this.size} bytes, when unfinished messages hold over ${this.held.limit} bytes`);
  }

  private release(): void {
    this.held.bytes -= this.body?.length ?? 0;
    this.body = undefined;
  }
}
