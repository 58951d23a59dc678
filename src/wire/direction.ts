/**
 * One side of a connection: its bytes → preface, frames, header lists. What those mean for the calls is `Calls`' matter,
 * which both sides share. Bytes of which nothing can be told become gaps.
 */

import { type Calls, neverOpened } from './calls.js';
import type { HeaderField, Nanoseconds, Side, WireEvent } from './events.js';
import { FRAME_HEADER_BYTES, FrameReader, type FrameSink } from './frame-reader.js';
import {
  ACK,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  frameName,
  GOAWAY,
  HEADERS,
  PADDED,
  PRIORITY_FLAG,
  PUSH_PROMISE,
  RST_STREAM,
  SETTINGS,
} from './frame-types.js';
import { HeaderBlock } from './header-block.js';
import { HpackDecoder, HpackFailure } from './hpack-decoder.js';
import type { Limits } from './limits.js';
import { copy, uint31, uint32, uint8 } from './octets.js';
import { CLIENT_PREFACE, guessProtocol } from './preface.js';
import { headerTableSize, isSettingsLength } from './settings.js';

export class Direction implements FrameSink {
  readonly hpack: HpackDecoder;
  /** The other side's decoder, which this side's SETTINGS are about. */
  peer: Direction | undefined;
  ended = false;
  private readonly frames: FrameReader;
  private readonly block: HeaderBlock;
  /** When the bytes that are being pushed were read. */
  private time: Nanoseconds = 0n;
  /** How much of the client's preface went by; undefined on the server's side, and when it is whole. */
  private prefaceBytes: number | undefined;
  /** The server's preface is a SETTINGS frame. */
  private firstFrame: boolean;
  /** Why these bytes are not HTTP/2; they are only counted. */
  private foreign: string | undefined;
  private foreignOffset = 0;
  /** Why no header block can be read any more. */
  private poison: string | undefined;

  constructor(
    private readonly side: Side,
    private readonly calls: Calls,
    private readonly sink: (event: WireEvent) => void,
    limits: Limits,
  ) {
    this.hpack = new HpackDecoder(limits);
    this.frames = new FrameReader(this, limits);
    this.block = new HeaderBlock(limits.headerBlockBytes);
    this.prefaceBytes = side === 'client' ? 0 : undefined;
    this.firstFrame = side === 'server';
  }

  push(bytes: Uint8Array, time: Nanoseconds): void {
    if (this.ended) return;
    this.time = time;
    if (this.foreign !== undefined) {
      this.frames.skip(bytes.length);
    } else if (this.prefaceBytes !== undefined) {
      this.readPreface(bytes, this.prefaceBytes);
    } else {
      this.frames.push(bytes, 0);
    }
  }

  end(time: Nanoseconds): void {
    if (this.ended) return;
    this.ended = true;
    this.time = time;
    if (this.foreign !== undefined) {
      const rest = this.frames.offset - this.foreignOffset;
      if (rest > 0) this.gap(undefined, this.foreignOffset, rest, this.foreign);
    } else {
      this.endInside();
    }
    this.sink({ kind: 'end', time, side: this.side });
  }

  // ---- what can be unfinished at the end

  private endInside(): void {
    const cut = 'cut off by the end of the connection';
    const told = this.calls.endSide(this.side, cut, this.time);
    const { frames } = this;
    const { frameStream } = frames;
    if (this.prefaceBytes !== undefined) {
      if (this.prefaceBytes > 0) this.gap(undefined, 0, this.prefaceBytes, `the connection preface, ${cut}`);
    } else if (this.block.isOpen) {
      const { stream, offset } = this.block;
      this.gap(stream, offset, frames.offset - offset, `a header block, ${cut}`);
    } else if (frames.insideData && frameStream !== undefined && !this.calls.neverOpened(frameStream)) {
      // What came of it was read; a message it cut short was told of.
      if (!told.includes(frameStream)) this.gap(frameStream, frames.offset, 0, `a DATA frame, ${cut}`);
    } else if (frames.insideFrame) {
      this.gap(frameStream, frames.frameOffset, frames.offset - frames.frameOffset, `a ${frames.frameName}, ${cut}`);
    }
  }

  // ---- bytes that aren't HTTP/2

  private readPreface(bytes: Uint8Array, had: number): void {
    const to = Math.min(CLIENT_PREFACE.length - had, bytes.length);
    for (let at = 0; at < to; at += 1) {
      if (bytes[at] === CLIENT_PREFACE[had + at]) continue;
      this.frames.skip(bytes.length);
      const first = had + at === 0 ? uint8(bytes, 0) : uint8(CLIENT_PREFACE, 0);
      this.setForeign(0, had + at + 1, `not an HTTP/2 connection: no preface, ${guessProtocol(first)}`);
      return;
    }
    this.frames.skip(to);
    if (had + to < CLIENT_PREFACE.length) {
      this.prefaceBytes = had + to;
    } else {
      this.prefaceBytes = undefined;
      this.frames.push(bytes, to);
    }
  }

  /** Tells at once what was seen, up to the byte that gave it away; the end tells the rest. */
  private setForeign(offset: number, bytes: number, reason: string): void {
    this.gap(undefined, offset, bytes, reason);
    this.foreign = reason;
    this.foreignOffset = offset + bytes;
  }

  // ---- frames

  onFrameHeader(type: number, flags: number, stream: number): boolean {
    if (this.firstFrame) {
      this.firstFrame = false;
      if (type !== SETTINGS || stream !== 0 || (flags & ACK) !== 0) {
        const reason = `not an HTTP/2 connection: the server did not begin with a SETTINGS frame`;
        this.setForeign(this.frames.frameOffset, FRAME_HEADER_BYTES, reason);
        return false;
      }
    }
    if (this.block.isOpen && (type !== CONTINUATION || stream !== this.block.stream)) {
      this.abandonBlock(`a header block interrupted by a ${frameName(type)} frame of stream ${stream}`);
    }
    return true;
  }

  onData(id: number, bytes: Uint8Array, from: number, to: number, offset: number): void {
    this.calls.data(this.side, id, bytes, from, to, offset, this.time);
  }

  onDataEnd(id: number, flags: number): void {
    if (this.calls.neverOpened(id)) this.frameGap(id, `a DATA frame on ${neverOpened(id)}`);
    else if ((flags & END_STREAM) !== 0) this.calls.endStream(this.side, id, this.time);
  }

  onFrame(type: number, flags: number, stream: number, bytes: Uint8Array, from: number, to: number): void {
    switch (type) {
      case HEADERS:
        this.readHeaders(flags, stream, bytes, from, to);
        break;
      case CONTINUATION:
        this.readContinuation(flags, stream, bytes, from, to);
        break;
      case PUSH_PROMISE:
        this.readPushPromise(flags, stream, bytes, from, to);
        break;
      case RST_STREAM:
        this.readReset(stream, bytes, from, to);
        break;
      case SETTINGS:
        this.readSettings(flags, stream, bytes, from, to);
        break;
      case GOAWAY:
        this.readGoAway(stream, bytes, from, to);
        break;
    }
  }

  onUnreadable(type: number, flags: number, id: number, reason: string): void {
    if (type === HEADERS || type === PUSH_PROMISE) {
      this.block.open(id, this.frames.frameOffset, type === PUSH_PROMISE, type === HEADERS && (flags & END_STREAM) !== 0);
      this.block.unreadable = reason;
      if ((flags & END_HEADERS) !== 0) this.closeBlock();
    } else if (type === CONTINUATION && this.block.isOpen) {
      this.block.unreadable ??= reason;
      if ((flags & END_HEADERS) !== 0) this.closeBlock();
    } else {
      this.frameGap(id, reason);
      if (type === CONTINUATION) this.poison ??= this.poisoned(reason);
      if (type === DATA) {
        this.calls.loseData(this.side, id, reason);
        if ((flags & END_STREAM) !== 0) this.calls.endStream(this.side, id, this.time);
      }
    }
  }

  // ---- header blocks (RFC 9113 §4.3, §6.2, §6.6, §6.10)

  private readHeaders(flags: number, stream: number, bytes: Uint8Array, start: number, end: number): void {
    const padded = (flags & PADDED) !== 0;
    const from = start + (padded ? 1 : 0) + ((flags & PRIORITY_FLAG) !== 0 ? 5 : 0);
    const to = end - (padded ? uint8(bytes, start) : 0);
    this.beginBlock(flags, stream, (flags & END_STREAM) !== 0, false, bytes, from, to);
  }

  private readPushPromise(flags: number, stream: number, bytes: Uint8Array, start: number, end: number): void {
    const padded = (flags & PADDED) !== 0;
    const from = start + (padded ? 1 : 0) + 4;
    const to = end - (padded ? uint8(bytes, start) : 0);
    if (from <= to) this.calls.promise(uint31(bytes, from - 4));
    this.beginBlock(flags, stream, false, true, bytes, from, to);
  }

  private beginBlock(
    flags: number,
    stream: number,
    endStream: boolean,
    promised: boolean,
    bytes: Uint8Array,
    from: number,
    to: number,
  ): void {
    const whole = (flags & END_HEADERS) !== 0;
    if (whole && from <= to) {
      this.block.offset = this.frames.frameOffset;
      const fields = this.decode(stream, this.frames.frameOffset, this.frames.frameBytes, bytes, from, to);
      this.useHeaders(stream, endStream, promised, fields);
      return;
    }
    this.block.open(stream, this.frames.frameOffset, promised, endStream);
    if (from <= to) this.block.add(bytes, from, to);
    else this.block.unreadable = `a ${promised ? 'PUSH_PROMISE' : 'HEADERS'} frame shorter than what its flags announce`;
    if (whole) this.closeBlock();
  }

  private readContinuation(flags: number, stream: number, bytes: Uint8Array, from: number, to: number): void {
    if (!this.block.isOpen) {
      const reason = 'a CONTINUATION frame that continues no header block';
      this.frameGap(stream, reason);
      this.poison ??= this.poisoned(reason);
      return;
    }
    this.block.add(bytes, from, to);
    if ((flags & END_HEADERS) !== 0) this.closeBlock();
  }

  private closeBlock(): void {
    const { stream, offset, promised, endStream, unreadable, fragments } = this.block;
    const bytes = this.frames.frameOffset + this.frames.frameBytes - offset;
    if (unreadable !== undefined) {
      this.abandon(stream, offset, bytes, unreadable);
      this.block.close();
      this.useHeaders(stream, endStream, promised, undefined);
      return;
    }
    const fields = this.decode(stream, offset, bytes, fragments.bytes, 0, fragments.length);
    this.block.close();
    this.useHeaders(stream, endStream, promised, fields);
  }

  /** Another frame came where a CONTINUATION had to. */
  private abandonBlock(reason: string): void {
    const { stream, offset, promised, endStream } = this.block;
    this.abandon(stream, offset, this.frames.frameOffset - offset, reason);
    this.block.close();
    this.useHeaders(stream, endStream, promised, undefined);
  }

  /** A block that never reached HPACK: the table is no longer the encoder's. */
  private abandon(stream: number, offset: number, bytes: number, reason: string): void {
    this.gap(stream, offset, bytes, this.poison ?? reason);
    this.poison ??= this.poisoned(reason, offset);
  }

  /** The header list, or a gap of `size` bytes at `offset`. */
  private decode(
    stream: number,
    offset: number,
    size: number,
    bytes: Uint8Array,
    from: number,
    to: number,
  ): readonly HeaderField[] | undefined {
    if (this.poison !== undefined) {
      this.gap(stream, offset, size, this.poison);
      return undefined;
    }
    const fields = this.hpack.decode(bytes, from, to);
    if (!(fields instanceof HpackFailure)) return fields;
    this.gap(stream, offset, size, `a header block that can't be read: ${fields.reason}`);
    if (fields.poisons) this.poison = this.poisoned(fields.reason, offset);
    return undefined;
  }

  private poisoned(reason: string, offset = this.frames.frameOffset): string {
    return `a header block after one that couldn't be read (at byte ${offset}: ${reason})`;
  }

  /** `fields` is undefined when the block couldn't be read, which a gap has told already. */
  private useHeaders(id: number, endStream: boolean, promised: boolean, fields: readonly HeaderField[] | undefined): void {
    if (promised) return;
    if (this.side === 'client') this.calls.requestHeaders(id, endStream, fields, this.time, this.blockGap);
    else this.calls.responseHeaders(id, endStream, fields, this.time, this.blockGap);
  }

  // ---- the other frames that mean something

  /** RFC 9113 §6.4 */
  private readReset(id: number, bytes: Uint8Array, from: number, to: number): void {
    if (to - from !== 4) {
      this.frameGap(id, `a RST_STREAM frame of ${to - from} bytes, where it has 4`);
      return;
    }
    if (this.calls.neverOpened(id)) this.frameGap(id, `a RST_STREAM frame on ${neverOpened(id)}`);
    else this.calls.reset(this.side, id, uint32(bytes, from), this.time);
  }

  /** RFC 9113 §6.5 */
  private readSettings(flags: number, id: number, bytes: Uint8Array, from: number, to: number): void {
    if (id !== 0) {
      this.frameGap(id, 'a SETTINGS frame on a stream');
    } else if ((flags & ACK) === 0) {
      if (!isSettingsLength(to - from)) this.frameGap(undefined, `a SETTINGS frame of ${to - from} bytes`);
      const size = headerTableSize(bytes, from, to);
      if (size !== undefined) this.peer?.hpack.allowTableBytes(size);
    }
  }

  /** RFC 9113 §6.8 */
  private readGoAway(id: number, bytes: Uint8Array, from: number, to: number): void {
    if (id !== 0 || to - from < 8) {
      this.frameGap(id === 0 ? undefined : id, `a GOAWAY frame ${id === 0 ? `of ${to - from} bytes` : 'on a stream'}`);
      return;
    }
    this.sink({
      kind: 'goaway',
      time: this.time,
      side: this.side,
      lastStream: uint31(bytes, from),
      code: uint32(bytes, from + 4),
      debug: copy(bytes, from + 8, to),
    });
  }

  // ---- gaps

  private frameGap(stream: number | undefined, reason: string): void {
    this.gap(stream, this.frames.frameOffset, this.frames.frameBytes, reason);
  }

  /** The header block that was just read, of which nothing can be told. Bound once: it is handed on with every block. */
  private readonly blockGap = (stream: number, reason: string): void => {
    this.gap(stream, this.block.offset, this.frames.frameOffset + this.frames.frameBytes - this.block.offset, reason);
  };

  private gap(stream: number | undefined, offset: number, bytes: number, reason: string): void {
    const { time, side } = this;
    if (stream === undefined) this.sink({ kind: 'gap', time, side, offset, bytes, reason });
    else this.sink({ kind: 'gap', time, side, stream, offset, bytes, reason });
  }
}
