/**
 * DATA content → gRPC's length-prefixed messages, one direction of one stream:
 * a compressed flag, four octets of length, the message; frame boundaries mean nothing.
 *
 * Hot path: a message that lies in one piece costs its event and no copy.
 */

import type { MessageEvent, Nanoseconds, Side, WireEvent } from './events.js';
import { type HeldBytes, Pieces } from './held-bytes.js';
import { uint32, uint8 } from './octets.js';

const PREFIX_BYTES = 5;

export class MessageReader {
  private readonly kind: MessageEvent['kind'];
  /** Octets of a length prefix that was cut by a boundary: how many, and their value so far. */
  private prefixOctets = 0;
  private compressed = false;
  private size = 0;
  /** Body octets still to come; 0 between messages. */
  private left = 0;
  /** Where the message begins, prefix included. */
  private messageOffset = 0;
  private readonly pieces: Pieces;
  /** What `pieces` adds to the connection's held bytes. */
  private holding = 0;
  /** Why the current message won't be given. */
  private dropped: string | undefined;
  /** Why nothing of this direction is read as messages; what goes by is counted. */
  private unread: string | undefined;
  private unreadOffset = 0;
  private unreadBytes = 0;

  constructor(
    private readonly side: Side,
    private readonly stream: number,
    private readonly wantsBody: boolean,
    private readonly sink: (event: WireEvent) => void,
    private readonly held: HeldBytes,
    private readonly messageBytes: number,
  ) {
    this.kind = side === 'client' ? 'client-message' : 'server-message';
    this.pieces = new Pieces(held);
  }

  /** From here on nothing is read as messages; `undefined` takes that back where nothing went by since. */
  setUnread(reason: string | undefined): void {
    if (reason === undefined && this.unreadBytes > 0) return;
    this.unread = reason;
  }

  /** A piece of DATA content; `offset` is where it stands in this side's bytes. */
  push(bytes: Uint8Array, from: number, to: number, offset: number, time: Nanoseconds): void {
    let at = from;
    while (at < to) {
      if (this.unread !== undefined) {
        this.count(to - at, offset + at - from);
        return;
      }
      if (this.left === 0 && this.prefixOctets === 0 && to - at >= PREFIX_BYTES) {
        const flag = uint8(bytes, at);
        const size = uint32(bytes, at + 1);
        const body = at + PREFIX_BYTES;
        if (flag <= 1 && size <= to - body && (!this.wantsBody || this.admits(size))) {
          const data = this.wantsBody ? (size === 0 ? [] : [{ bytes, from: body, to: body + size }]) : undefined;
          this.sink({ kind: this.kind, time, stream: this.stream, compressed: flag === 1, size, data });
          at = body + size;
          continue;
        }
      }
      at =
        this.left === 0
          ? this.readPrefixOctet(bytes, at, offset + at - from, time)
          : this.readBody(bytes, at, to, time);
    }
  }

  /** Content was lost, and with it where messages begin. */
  loseBoundaries(reason: string): void {
    this.unread ??= reason;
  }

  /**
   * No more content will come: what is unfinished or was never read becomes a gap that ends with `ending`.
   * @returns whether there was any
   */
  finish(ending: string, time: Nanoseconds): boolean {
    const told = this.left > 0 || this.prefixOctets > 0 || this.unreadBytes > 0;
    if (this.left > 0) {
      const got = PREFIX_BYTES + this.size - this.left;
      this.gap(this.messageOffset, got, `${this.dropped ?? `a message of ${this.size} bytes`}, ${ending}`, time);
    } else if (this.prefixOctets > 0) {
      this.gap(this.messageOffset, this.prefixOctets, `a message's length prefix, ${ending}`, time);
    }
    if (this.unread !== undefined && this.unreadBytes > 0) {
      this.gap(this.unreadOffset, this.unreadBytes, this.unread, time);
    }
    this.unreadBytes = 0;
    this.release();
    this.left = 0;
    this.prefixOctets = 0;
    this.dropped = undefined;
    return told;
  }

  private admits(size: number): boolean {
    return size <= this.messageBytes && this.held.bytes + size <= this.held.limit;
  }

  private count(bytes: number, offset: number): void {
    if (this.unreadBytes === 0) this.unreadOffset = offset;
    this.unreadBytes += bytes;
  }

  private readPrefixOctet(bytes: Uint8Array, at: number, offset: number, time: Nanoseconds): number {
    const octet = uint8(bytes, at);
    if (this.prefixOctets === 0) {
      if (octet > 1) {
        this.unread = `a message's compressed flag is 0x${octet.toString(16)}, neither 0 nor 1`;
        return at;
      }
      this.messageOffset = offset;
      this.compressed = octet === 1;
      this.size = 0;
    } else {
      this.size = this.size * 256 + octet;
    }
    this.prefixOctets += 1;
    if (this.prefixOctets === PREFIX_BYTES) this.beginBody(bytes, at + 1, time);
    return at + 1;
  }

  private beginBody(bytes: Uint8Array, at: number, time: Nanoseconds): void {
    this.prefixOctets = 0;
    this.left = this.size;
    if (this.wantsBody && this.size > this.messageBytes) {
      this.dropped = `a message of ${this.size} bytes, over the limit of ${this.messageBytes}`;
    }
    if (this.left === 0) this.complete(bytes, at, at, time);
  }

  private readBody(bytes: Uint8Array, from: number, end: number, time: Nanoseconds): number {
    const to = end - from < this.left ? end : from + this.left;
    this.left -= to - from;
    if (this.wantsBody && this.dropped === undefined) this.hold(bytes, from, to);
    if (this.left === 0) this.complete(bytes, from, to, time);
    return to;
  }

  /** Counts the piece, even the last: whether a message passes the limit must not depend on how it is cut. */
  private hold(bytes: Uint8Array, from: number, to: number): void {
    const { held } = this;
    held.bytes += to - from;
    this.holding += to - from;
    if (held.bytes > held.limit) {
      this.dropped = `a message of ${this.size} bytes, when unfinished messages held over ${held.limit} bytes`;
      this.release();
    } else if (this.left > 0) {
      this.pieces.add(bytes, from, to);
    }
  }

  private complete(bytes: Uint8Array, from: number, to: number, time: Nanoseconds): void {
    const { stream, compressed, size } = this;
    if (this.dropped !== undefined) {
      this.gap(this.messageOffset, PREFIX_BYTES + size, this.dropped, time);
      this.dropped = undefined;
    } else {
      const data = this.wantsBody ? (size === 0 ? [] : this.pieces.finish(bytes, from, to)) : undefined;
      this.sink({ kind: this.kind, time, stream, compressed, size, data });
    }
    this.release();
  }

  private release(): void {
    if (this.holding === 0) return;
    this.held.bytes -= this.holding;
    this.holding = 0;
    this.pieces.clear();
  }

  private gap(offset: number, bytes: number, reason: string, time: Nanoseconds): void {
    this.sink({ kind: 'gap', time, side: this.side, stream: this.stream, offset, bytes, reason });
  }
}
