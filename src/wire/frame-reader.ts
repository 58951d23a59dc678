/**
 * One side's bytes → frames (RFC 9113 §4.1), over any chunking. What a frame means is its sink's matter.
 * DATA content is handed on in the pieces it arrives in; the few other types that mean something are collected
 * (or read in place, when they lie in one chunk); the rest is passed over.
 *
 * Hot path: per frame one header parsed out of the chunk and one or two calls, nothing allocated.
 */

import { ByteCollector } from './byte-collector.js';
import {
  CONTINUATION,
  DATA,
  frameName,
  GOAWAY,
  HEADERS,
  PADDED,
  PING,
  PRIORITY,
  PUSH_PROMISE,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
} from './frame-types.js';
import type { Limits } from './limits.js';
import { uint24, uint31, uint8 } from './octets.js';

/** Length of a frame's header. */
export const FRAME_HEADER_BYTES = 9;

export interface FrameSink {
  /** A frame's header was read. False: these bytes aren't frames, stop here. */
  onFrameHeader(type: number, flags: number, stream: number): boolean;
  /** A piece of a DATA frame's content, padding left out; `offset` is where the piece stands in this side's bytes. */
  onData(stream: number, bytes: Uint8Array, from: number, to: number, offset: number): void;
  /** A DATA frame is over. */
  onDataEnd(stream: number, flags: number): void;
  /** Any other frame that means something, payload whole and valid during the call. */
  onFrame(type: number, flags: number, stream: number, bytes: Uint8Array, from: number, to: number): void;
  /** A frame went by that can't be read. */
  onUnreadable(type: number, flags: number, stream: number, reason: string): void;
}

// What is being read: a frame's header, or one of four kinds of payload.
const HEADER = 0;
const CONTENT = 1;
const PAD_LENGTH = 2;
const COLLECTED = 3;
const SKIPPED = 4;

export class FrameReader {
  /** Where the current frame begins in this side's bytes; between frames, where the next one does. */
  frameOffset = 0;
  /** Where the chunk being pushed begins in this side's bytes. */
  private chunkOffset = 0;
  private state = HEADER;
  private readonly header = new ByteCollector();
  private readonly collected = new ByteCollector();
  private type = 0;
  private flags = 0;
  private stream = 0;
  private length = 0;
  /** Payload bytes still to come, padding included. */
  private left = 0;
  private padding = 0;
  /** Why the payload is skipped although its type means something. */
  private unreadable: string | undefined;

  /** @param interest in every frame of RFC 9113, or only in those that say something about calls */
  constructor(
    private readonly sink: FrameSink,
    private readonly limits: Pick<Limits, 'headerBlockBytes' | 'controlFrameBytes'>,
    private readonly interest: 'calls' | 'connection' = 'calls',
  ) {}

  /** How many of this side's bytes were pushed. */
  get offset(): number {
    return this.chunkOffset;
  }

  /** Bytes of the frame whose header was read, header included. */
  get frameBytes(): number {
    return FRAME_HEADER_BYTES + this.length;
  }

  /** Whether a frame has begun and isn't over. */
  get insideFrame(): boolean {
    return this.state !== HEADER || this.header.length > 0;
  }

  /** Whether that is a DATA frame whose content is being handed on. */
  get insideData(): boolean {
    return this.state === CONTENT || this.state === PAD_LENGTH;
  }

  /** The stream of the frame that has begun; undefined while its header isn't whole. */
  get frameStream(): number | undefined {
    return this.state === HEADER ? undefined : this.stream;
  }

  /** The name of the frame that has begun. */
  get frameName(): string {
    return this.state === HEADER ? 'frame header' : `${frameName(this.type)} frame`;
  }

  /** Counts bytes that are not frames. */
  skip(bytes: number): void {
    this.chunkOffset += bytes;
    this.frameOffset = this.chunkOffset;
  }

  /**
   * Reads the frames in `bytes` from `from` on.
   * @returns false when the sink found that these are no frames
   */
  push(bytes: Uint8Array, from: number): boolean {
    const end = bytes.length;
    let at = from;
    const base = this.chunkOffset - from;
    this.chunkOffset = base + end;
    while (at < end) {
      if (this.state === HEADER) {
        if (this.header.length === 0 && end - at >= FRAME_HEADER_BYTES) {
          this.frameOffset = base + at;
          if (!this.begin(bytes, at)) return false;
          at += FRAME_HEADER_BYTES;
        } else {
          if (this.header.length === 0) this.frameOffset = base + at;
          const next = Math.min(end, at + FRAME_HEADER_BYTES - this.header.length);
          this.header.add(bytes, at, next);
          at = next;
          if (this.header.length < FRAME_HEADER_BYTES) break;
          const known = this.begin(this.header.bytes, 0);
          this.header.clear();
          if (!known) return false;
        }
      }
      at = this.readPayload(bytes, at, end, base);
    }
    if (this.state === HEADER && this.header.length === 0) this.frameOffset = this.chunkOffset;
    return true;
  }

  private begin(bytes: Uint8Array, at: number): boolean {
    this.length = uint24(bytes, at);
    this.type = uint8(bytes, at + 3);
    this.flags = uint8(bytes, at + 4);
    this.stream = uint31(bytes, at + 5);
    this.left = this.length;
    this.padding = 0;
    this.unreadable = undefined;
    if (!this.sink.onFrameHeader(this.type, this.flags, this.stream)) return false;
    switch (this.type) {
      case DATA:
        this.state = (this.flags & PADDED) === 0 ? CONTENT : PAD_LENGTH;
        break;
      case HEADERS:
      case PUSH_PROMISE:
      case CONTINUATION:
        this.collectUpTo(this.limits.headerBlockBytes);
        break;
      case RST_STREAM:
      case SETTINGS:
      case GOAWAY:
        this.collectUpTo(this.limits.controlFrameBytes);
        break;
      case PRIORITY:
      case PING:
      case WINDOW_UPDATE:
        if (this.interest === 'connection') this.collectUpTo(this.limits.controlFrameBytes);
        else this.state = SKIPPED;
        break;
      default:
        // Unknown types are to be ignored (RFC 9113 §5.5).
        this.state = SKIPPED;
    }
    return true;
  }

  private collectUpTo(limit: number): void {
    this.state = COLLECTED;
    if (this.left > limit) this.skipAs(`a ${frameName(this.type)} frame of ${this.left} bytes, over the limit of ${limit}`);
  }

  private skipAs(reason: string): void {
    this.state = SKIPPED;
    this.unreadable = reason;
  }

  private readPayload(bytes: Uint8Array, from: number, end: number, base: number): number {
    let at = from;
    if (this.state === PAD_LENGTH) {
      if (this.left === 0) {
        this.skipAs('a padded DATA frame without a pad length');
      } else if (at < end) {
        this.readPadLength(uint8(bytes, at));
        at += 1;
      } else {
        return at;
      }
    }
    switch (this.state) {
      case CONTENT:
        at = this.readContent(bytes, at, end, base);
        break;
      case COLLECTED:
        at = this.collect(bytes, at, end);
        break;
      default:
        at = this.pass(at, end);
    }
    return at;
  }

  /** RFC 9113 §6.1 */
  private readPadLength(padding: number): void {
    this.left -= 1;
    if (padding > this.left) {
      this.skipAs(`a DATA frame with ${padding} bytes of padding in ${this.left}`);
    } else {
      this.padding = padding;
      this.state = CONTENT;
    }
  }

  private readContent(bytes: Uint8Array, from: number, end: number, base: number): number {
    const content = this.left - this.padding;
    if (content > 0) {
      const to = end - from < content ? end : from + content;
      if (to > from) this.sink.onData(this.stream, bytes, from, to, base + from);
      this.left -= to - from;
      if (to - from < content) return to;
      from = to;
    }
    return this.pass(from, end);
  }

  private collect(bytes: Uint8Array, from: number, end: number): number {
    const to = Math.min(end, from + this.left);
    this.left -= to - from;
    if (this.left === 0 && this.collected.length === 0) {
      this.state = HEADER;
      this.sink.onFrame(this.type, this.flags, this.stream, bytes, from, to);
      return to;
    }
    this.collected.add(bytes, from, to);
    if (this.left === 0) {
      this.state = HEADER;
      this.sink.onFrame(this.type, this.flags, this.stream, this.collected.bytes, 0, this.collected.length);
      this.collected.clear();
    }
    return to;
  }

  /** Over padding, or a payload that is of no use. */
  private pass(from: number, end: number): number {
    const to = end - from < this.left ? end : from + this.left;
    this.left -= to - from;
    if (this.left === 0) {
      this.state = HEADER;
      if (this.unreadable !== undefined) this.sink.onUnreadable(this.type, this.flags, this.stream, this.unreadable);
      else if (this.type === DATA) this.sink.onDataEnd(this.stream, this.flags);
    }
    return to;
  }
}
