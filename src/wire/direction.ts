/**
 * One side of a connection: its frames → events. What both sides share (streams, held bytes) is handed in.
 * Bytes that no event tells become gaps, save what the receiver has no use for either: frames on a stream that is
 * over, 1xx responses, pushed streams.
 */

import { findField, notGrpc } from './content-type.js';
import type { HeaderField, Nanoseconds, Side } from './events.js';
import { FRAME_HEADER_BYTES, FrameReader, type FrameSink } from './frame-reader.js';
import {
  ACK,
  CONTINUATION,
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
import { type MessageContext, MessageReader } from './message-reader.js';
import { copy, uint31, uint32, uint8 } from './octets.js';
import { CLIENT_PREFACE, guessProtocol } from './preface.js';
import { headerTableSize, isSettingsLength } from './settings.js';
import type { Stream, StreamTable } from './stream.js';

/** What the two sides of a connection share. */
export interface Connection extends MessageContext {
  readonly streams: StreamTable;
  readonly limits: Limits;
  readonly wantsBody: (stream: number, headers: readonly HeaderField[]) => boolean;
}

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
    private readonly connection: Connection,
  ) {
    this.hpack = new HpackDecoder(connection.limits);
    this.frames = new FrameReader(this, connection.limits);
    this.block = new HeaderBlock(connection.limits.headerBlockBytes);
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
    this.connection.sink({ kind: 'end', time, side: this.side });
  }

  // ---- what can be unfinished at the end

  private endInside(): void {
    const cut = 'cut off by the end of the connection';
    let told = false;
    for (const stream of this.connection.streams.values()) {
      const reader = stream[this.side];
      told ||= reader.insideMessage && stream.id === this.frames.frameStream;
      reader.finish(cut, this.time);
    }
    if (this.prefaceBytes !== undefined) {
      if (this.prefaceBytes > 0) this.gap(undefined, 0, this.prefaceBytes, `the connection preface, ${cut}`);
    } else if (this.block.isOpen) {
      const { stream, offset } = this.block;
      this.gap(stream, offset, this.frames.offset - offset, `a header block, ${cut}`);
    } else if (this.frames.insideFrame && !told) {
      const { frameOffset, frameStream, frameName: name } = this.frames;
      this.gap(frameStream, frameOffset, this.frames.offset - frameOffset, `a ${name}, ${cut}`);
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
    const stream = this.connection.streams.get(id);
    if (stream === undefined) return;
    if (this.side === 'client') {
      if (!stream.clientEnded) stream.client.push(bytes, from, to, offset, this.time);
    } else if (!stream.serverEnded) {
      stream.server.push(bytes, from, to, offset, this.time);
    }
  }

  onDataEnd(id: number, flags: number): void {
    const stream = this.connection.streams.get(id);
    if (stream === undefined) {
      if (!this.connection.streams.wasUsed(id)) this.frameGap(id, `a DATA frame on ${neverOpened(id)}`);
    } else if ((flags & END_STREAM) !== 0) {
      if (this.side === 'client') this.endClient(stream);
      else this.endServer(stream, []);
    }
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
      // What the frame held of a message is lost, and with it where the next one begins.
      const stream = this.connection.streams.get(id);
      stream?.[this.side].setUnread(`no message boundaries after ${reason}`);
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
    if (from <= to) this.connection.streams.markUsed(uint31(bytes, from - 4));
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

  // ---- what headers mean

  /** `fields` is undefined when the block couldn't be read, which a gap has told already. */
  private useHeaders(id: number, endStream: boolean, promised: boolean, fields: readonly HeaderField[] | undefined): void {
    if (promised) return;
    if (this.side === 'client') this.useClientHeaders(id, endStream, fields);
    else this.useServerHeaders(id, endStream, fields);
  }

  private useClientHeaders(id: number, endStream: boolean, fields: readonly HeaderField[] | undefined): void {
    const { streams } = this.connection;
    const known = streams.get(id);
    if (known !== undefined) {
      if (known.clientEnded) return;
      if (fields !== undefined && (fields.length > 0 || !endStream)) {
        this.blockGap(id, endStream ? 'client trailers, which gRPC has no use for' : SECOND_HEADER);
      }
      if (endStream) this.endClient(known);
      return;
    }
    if (streams.wasUsed(id)) return;
    if (id % 2 === 0) {
      if (fields !== undefined) this.blockGap(id, `a request header on ${neverOpened(id)}`);
      return;
    }
    streams.markUsed(id);
    if (streams.full) {
      this.blockGap(id, `a stream that is not followed: ${this.connection.limits.openStreams} are open`);
      return;
    }
    const stream = this.open(id, fields);
    if (fields !== undefined) this.connection.sink({ kind: 'client-header', time: this.time, stream: id, headers: fields });
    if (endStream) this.endClient(stream);
  }

  private open(id: number, fields: readonly HeaderField[] | undefined): Stream {
    const { connection } = this;
    const unread = fields === undefined ? 'its request header could not be read' : notGrpc(findField(fields, 'content-type'));
    const wantsBody = fields !== undefined && unread === undefined && connection.wantsBody(id, fields);
    const stream: Stream = {
      id,
      client: new MessageReader('client', id, wantsBody, connection),
      server: new MessageReader('server', id, wantsBody, connection),
      clientEnded: false,
      serverEnded: false,
      serverHeaderSeen: false,
      grpc: unread === undefined,
    };
    if (unread !== undefined) stream.client.setUnread(`DATA of a stream that is not gRPC: ${unread}`);
    stream.server.setUnread('DATA before the response header');
    connection.streams.add(stream);
    return stream;
  }

  private useServerHeaders(id: number, endStream: boolean, fields: readonly HeaderField[] | undefined): void {
    const stream = this.connection.streams.get(id);
    if (stream === undefined) {
      if (fields !== undefined && !this.connection.streams.wasUsed(id)) {
        this.blockGap(id, `a response header on ${neverOpened(id)}`);
      }
      return;
    }
    if (stream.serverEnded) return;
    if (endStream) {
      this.endServer(stream, fields);
      return;
    }
    if (stream.serverHeaderSeen) {
      if (fields !== undefined) this.blockGap(id, SECOND_HEADER);
      return;
    }
    if (fields !== undefined && isInformational(fields)) return;
    stream.serverHeaderSeen = true;
    this.expectResponse(stream, fields);
    if (fields !== undefined) this.connection.sink({ kind: 'server-header', time: this.time, stream: id, headers: fields });
  }

  /** A response to a gRPC request is read as gRPC unless its header says otherwise. */
  private expectResponse(stream: Stream, fields: readonly HeaderField[] | undefined): void {
    const contentType = fields === undefined ? undefined : findField(fields, 'content-type');
    if (!stream.grpc) stream.server.setUnread('DATA of a response to a request that is not gRPC');
    else if (contentType === undefined) stream.server.setUnread(undefined);
    else {
      const unread = notGrpc(contentType);
      stream.server.setUnread(unread === undefined ? undefined : `DATA of a response that is not gRPC: ${unread}`);
    }
  }

  private endClient(stream: Stream): void {
    if (stream.clientEnded) return;
    stream.client.finish(CUT_BY_END, this.time);
    stream.clientEnded = true;
    this.connection.sink({ kind: 'client-half-close', time: this.time, stream: stream.id });
    if (stream.serverEnded) this.connection.streams.remove(stream.id);
  }

  private endServer(stream: Stream, trailer: readonly HeaderField[] | undefined): void {
    if (stream.serverEnded) return;
    stream.server.finish(CUT_BY_END, this.time);
    stream.serverEnded = true;
    if (trailer !== undefined) {
      this.connection.sink({ kind: 'server-trailer', time: this.time, stream: stream.id, headers: trailer });
    }
    if (stream.clientEnded) this.connection.streams.remove(stream.id);
  }

  // ---- the other frames that mean something

  /** RFC 9113 §6.4 */
  private readReset(id: number, bytes: Uint8Array, from: number, to: number): void {
    if (to - from !== 4) {
      this.frameGap(id, `a RST_STREAM frame of ${to - from} bytes, where it has 4`);
      return;
    }
    const stream = this.connection.streams.get(id);
    if (stream === undefined) {
      if (!this.connection.streams.wasUsed(id)) this.frameGap(id, `a RST_STREAM frame on ${neverOpened(id)}`);
      return;
    }
    stream.client.finish(CUT_BY_RESET, this.time);
    stream.server.finish(CUT_BY_RESET, this.time);
    this.connection.streams.remove(id);
    this.connection.sink({ kind: 'reset', time: this.time, stream: id, side: this.side, code: uint32(bytes, from) });
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
    this.connection.sink({
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

  /** The header block that was just read, of which nothing can be told. */
  private blockGap(stream: number, reason: string): void {
    this.gap(stream, this.block.offset, this.frames.frameOffset + this.frames.frameBytes - this.block.offset, reason);
  }

  private gap(stream: number | undefined, offset: number, bytes: number, reason: string): void {
    const { time, side } = this;
    if (stream === undefined) this.connection.sink({ kind: 'gap', time, side, offset, bytes, reason });
    else this.connection.sink({ kind: 'gap', time, side, stream, offset, bytes, reason });
  }
}

const SECOND_HEADER = 'a second header block that does not end the stream';
const CUT_BY_END = 'cut off by the end of the stream';
const CUT_BY_RESET = 'cut off by a reset';

function neverOpened(id: number): string {
  return id === 0 ? 'stream 0, which is the connection' : `stream ${id}, which was never opened`;
}

/** A 1xx response comes before the final one and says nothing about it (RFC 9110 §15.2). */
function isInformational(fields: readonly HeaderField[]): boolean {
  const status = findField(fields, ':status');
  return status !== undefined && status.length === 3 && status[0] === 0x31;
}
