/**
 * What a server sends, as frames. Reads it as a strict client would: whatever else a test looks at, a frame that a
 * server must not send (in this place, of this size, on this stream, beyond this window) makes it fail here.
 */

import { HpackDecoder, HpackFailure } from '../../src/wire/hpack-decoder.js';
import { errorCodeName } from '../../src/wire/index.js';
import { DEFAULT_LIMITS } from '../../src/wire/limits.js';
import { concat, FLAG, type Pair, pairs, PREFACE, text, TYPE } from '../wire/bytes.js';

export type Frame =
  | { readonly type: 'DATA'; readonly stream: number; readonly end: boolean; readonly bytes: Uint8Array }
  | { readonly type: 'HEADERS'; readonly stream: number; readonly end: boolean; readonly fields: readonly Pair[]; readonly block: Uint8Array; readonly frames: number }
  | { readonly type: 'RST_STREAM'; readonly stream: number; readonly code: string }
  | { readonly type: 'SETTINGS'; readonly ack: boolean; readonly values: Readonly<Record<number, number>> }
  | { readonly type: 'PING'; readonly ack: boolean; readonly payload: string }
  | { readonly type: 'GOAWAY'; readonly last: number; readonly code: string; readonly debug: string }
  | { readonly type: 'WINDOW_UPDATE'; readonly stream: number; readonly increment: number };

interface RawFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Uint8Array;
}

/** Bytes → frames, over any chunking; payloads lie in what was pushed. */
class Deframer {
  private held: Uint8Array = new Uint8Array(0);

  push(pushed: Uint8Array): RawFrame[] {
    const bytes = this.held.length === 0 ? pushed : concat(this.held, pushed);
    const frames: RawFrame[] = [];
    const octet = (at: number): number => bytes[at] ?? 0;
    let at = 0;
    while (bytes.length - at >= 9) {
      const end = at + 9 + ((octet(at) << 16) | (octet(at + 1) << 8) | octet(at + 2));
      if (end > bytes.length) break;
      const stream = ((octet(at + 5) & 0x7f) << 24) | (octet(at + 6) << 16) | (octet(at + 7) << 8) | octet(at + 8);
      frames.push({ type: octet(at + 3), flags: octet(at + 4), stream, payload: bytes.subarray(at + 9, end) });
      at = end;
    }
    // What is pushed next may be written over it.
    this.held = bytes.slice(at);
    return frames;
  }

  get rest(): number {
    return this.held.length;
  }

  /** What there is of a frame that has not come whole. */
  get begun(): RawFrame | undefined {
    if (this.held.length < 9) return undefined;
    const [type = 0, flags = 0] = this.held.subarray(3);
    return { type, flags, stream: viewOf(this.held).readUInt32BE(5) & 0x7fffffff, payload: this.held.subarray(9) };
  }
}

const viewOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

/** How much of what a server may send a client has allowed: the most that any order of its frames can mean. */
class Allowance {
  maxFrame = 16_384;
  private readonly deframer = new Deframer();
  private prefaceLeft = PREFACE.length;
  private initialWindow = 65_535;
  private connection = 65_535;
  private readonly streams = new Map<number, number>();
  private readonly sent = new Map<number, number>();
  private sentInAll = 0;
  /** The content that the client sent on each stream, up to its END_STREAM. */
  readonly contents = new Map<number, { readonly pieces: Uint8Array[]; ended: boolean }>();
  /** The highest stream that the client has sent HEADERS on. */
  highest = 0;

  clientSent(bytes: Uint8Array): void {
    const skipped = Math.min(this.prefaceLeft, bytes.length);
    this.prefaceLeft -= skipped;
    for (const { type, flags, stream, payload } of this.deframer.push(bytes.subarray(skipped))) {
      const view = viewOf(payload);
      if (type === TYPE.windowUpdate && payload.length === 4) {
        const increment = view.readUInt32BE(0) & 0x7fffffff;
        if (stream === 0) this.connection += increment;
        else this.streams.set(stream, (this.streams.get(stream) ?? 0) + increment);
      } else if (type === TYPE.settings && (flags & FLAG.ack) === 0) {
        for (let at = 0; at + 6 <= payload.length; at += 6) {
          const value = view.readUInt32BE(at + 2);
          if (view.readUInt16BE(at) === 4) this.initialWindow = Math.max(this.initialWindow, value);
          if (view.readUInt16BE(at) === 5) this.maxFrame = Math.max(this.maxFrame, value);
        }
      } else if (type === TYPE.headers) {
        this.highest = Math.max(this.highest, stream);
        this.content(stream, new Uint8Array(0), flags);
      } else if (type === TYPE.data) {
        const padding = (flags & FLAG.padded) === 0 ? 0 : (payload[0] ?? 0) + 1;
        this.content(stream, payload.subarray(Math.min(1, padding), payload.length - Math.max(0, padding - 1)), flags);
      }
    }
  }

  /** DATA is handed on as it comes, before its frame is whole. */
  contentBegun(stream: number): Uint8Array {
    const { begun } = this.deframer;
    if (begun?.type !== TYPE.data || begun.stream !== stream) return new Uint8Array(0);
    return begun.payload.subarray((begun.flags & FLAG.padded) === 0 ? 0 : 1);
  }

  private content(stream: number, bytes: Uint8Array, flags: number): void {
    let content = this.contents.get(stream);
    if (content === undefined) this.contents.set(stream, (content = { pieces: [], ended: false }));
    if (content.ended) return;
    if (bytes.length > 0) content.pieces.push(bytes);
    content.ended = (flags & FLAG.endStream) !== 0;
  }

  /** @returns whether so much more may be sent on the stream */
  spend(stream: number, bytes: number): boolean {
    const sent = (this.sent.get(stream) ?? 0) + bytes;
    this.sent.set(stream, sent);
    this.sentInAll += bytes;
    return sent <= this.initialWindow + (this.streams.get(stream) ?? 0) && this.sentInAll <= this.connection;
  }
}

/** What a server must not send. */
export class Violation extends Error {}

export class Witness {
  readonly frames: Frame[] = [];
  private readonly deframer = new Deframer();
  private readonly allowance = new Allowance();
  private readonly decoder = new HpackDecoder(DEFAULT_LIMITS);
  private block: { readonly stream: number; readonly end: boolean; readonly fragments: Uint8Array[] } | undefined;
  /** Streams whose answer is over. */
  private readonly ended = new Set<number>();
  private readonly began = new Set<number>();
  private lastPromised = 2 ** 31 - 1;

  clientSent(bytes: Uint8Array): void {
    this.allowance.clientSent(bytes);
  }

  /** A SETTINGS_HEADER_TABLE_SIZE above the first one, which the server's encoder may use. */
  allowTable(bytes: number): void {
    this.decoder.allowTableBytes(bytes);
  }

  /** Reads what the server sent; @returns the frames that came to their end in it. */
  serverSent(bytes: Uint8Array): Frame[] {
    const before = this.frames.length;
    for (const raw of this.deframer.push(bytes)) this.read(raw);
    return this.frames.slice(before);
  }

  /** Whether an application was given what its client sent: all of it, or as long as a request has not ended well the beginning. */
  checkContent(stream: number, given: Uint8Array, ended: boolean): void {
    const { pieces, ended: said } = this.allowance.contents.get(stream) ?? { pieces: [], ended: false };
    const bytes = ended ? concat(...pieces) : concat(...pieces, this.allowance.contentBegun(stream));
    const same = Buffer.compare(given, ended ? bytes : bytes.subarray(0, given.length)) === 0;
    if (!same || (ended && !said)) throw new Violation(`stream ${stream}: ${given.length} octets were given${ended ? ', and the end,' : ''} of ${bytes.length}${said ? ' and the end' : ''}`);
  }

  /** Whether a client was given what its server's application wrote. */
  checkAnswer(stream: number, written: Uint8Array): void {
    const frames = this.frames.filter((frame) => (frame.type === 'DATA' || frame.type === 'HEADERS') && frame.stream === stream);
    const got = concat(...frames.flatMap((frame) => (frame.type === 'DATA' ? [frame.bytes] : [])));
    const whole = frames.some((frame) => (frame.type === 'DATA' || frame.type === 'HEADERS') && frame.end);
    if (Buffer.compare(got, whole ? written : written.subarray(0, got.length)) !== 0) throw new Violation(`stream ${stream}: ${got.length} octets were sent${whole ? ', and the end,' : ''} of ${written.length} written, or others`);
  }

  /** The server will send no more. */
  end(): void {
    if (this.deframer.rest > 0) throw new Violation(`the server's last frame is cut off: ${this.deframer.rest} bytes of it came`);
    if (this.block !== undefined) throw new Violation('the server did not end a header block');
  }

  private read(raw: RawFrame): void {
    const { type, flags, stream, payload } = raw;
    if (payload.length > this.allowance.maxFrame) throw new Violation(`a frame of ${payload.length} bytes, where ${this.allowance.maxFrame} are allowed`);
    if (this.frames.length === 0 && this.block === undefined && (type !== TYPE.settings || flags !== 0)) throw new Violation('the first frame is no SETTINGS (RFC 9113 §3.4)');
    if (this.block !== undefined && (type !== TYPE.continuation || stream !== this.block.stream)) throw new Violation('a frame inside a header block (§6.10)');
    const view = viewOf(payload);
    switch (type) {
      case TYPE.data:
        this.answering(stream);
        if ((flags & FLAG.padded) !== 0) throw new Violation('padding, which our server has no use for');
        if (!this.allowance.spend(stream, payload.length)) throw new Violation(`DATA on stream ${stream} beyond its window, or the connection's`);
        if (!this.began.has(stream)) throw new Violation(`DATA before HEADERS on stream ${stream}`);
        this.add({ type: 'DATA', stream, end: (flags & FLAG.endStream) !== 0, bytes: payload.slice() });
        return;
      case TYPE.headers:
        this.answering(stream);
        if ((flags & ~(FLAG.endStream | FLAG.endHeaders)) !== 0) throw new Violation(`a HEADERS frame with flags 0x${flags.toString(16)}`);
        this.block = { stream, end: (flags & FLAG.endStream) !== 0, fragments: [payload.slice()] };
        if ((flags & FLAG.endHeaders) !== 0) this.closeBlock();
        return;
      case TYPE.continuation:
        if (this.block === undefined) throw new Violation('a CONTINUATION without a header block');
        this.block.fragments.push(payload.slice());
        if ((flags & FLAG.endHeaders) !== 0) this.closeBlock();
        return;
      case TYPE.rstStream:
        this.known(stream);
        if (payload.length !== 4) throw new Violation('a RST_STREAM of another size than 4');
        // An answer that is over can be followed by it, for a client that goes on sending (§8.1).
        this.ended.add(stream);
        this.add({ type: 'RST_STREAM', stream, code: errorCodeName(view.readUInt32BE(0)) });
        return;
      case TYPE.settings: {
        if (stream !== 0 || payload.length % 6 !== 0 || (flags !== 0 && payload.length > 0)) throw new Violation('a malformed SETTINGS frame');
        const values: Record<number, number> = {};
        for (let at = 0; at < payload.length; at += 6) values[view.readUInt16BE(at)] = view.readUInt32BE(at + 2);
        this.add({ type: 'SETTINGS', ack: flags === FLAG.ack, values });
        return;
      }
      case TYPE.ping:
        if (stream !== 0 || payload.length !== 8) throw new Violation('a malformed PING frame');
        this.add({ type: 'PING', ack: flags === FLAG.ack, payload: text(payload) });
        return;
      case TYPE.goaway: {
        if (stream !== 0 || payload.length < 8) throw new Violation('a malformed GOAWAY frame');
        const last = view.readUInt32BE(0);
        if (last > this.lastPromised) throw new Violation(`a GOAWAY with a higher last stream than the one before (§6.8): ${last}`);
        if (last !== 2 ** 31 - 1 && last > this.allowance.highest) throw new Violation(`a GOAWAY whose last stream, ${last}, is none of the client's`);
        this.lastPromised = last;
        this.add({ type: 'GOAWAY', last, code: errorCodeName(view.readUInt32BE(4)), debug: text(payload.subarray(8)) });
        return;
      }
      case TYPE.windowUpdate: {
        const increment = payload.length === 4 ? view.readUInt32BE(0) : 0;
        if (increment === 0 || increment > 2 ** 31 - 1) throw new Violation('a WINDOW_UPDATE of nothing');
        if (stream !== 0) this.known(stream);
        this.add({ type: 'WINDOW_UPDATE', stream, increment });
        return;
      }
      default:
        throw new Violation(`a frame of type ${type}`);
    }
  }

  /** A frame that is part of an answer: the client asked, and the answer was not over. */
  private answering(stream: number): void {
    this.known(stream);
    if (this.ended.has(stream)) throw new Violation(`a frame on stream ${stream} after its end`);
    if (stream > this.lastPromised) throw new Violation(`a frame on stream ${stream}, which the GOAWAY disowned`);
  }

  private known(stream: number): void {
    if (stream % 2 === 0 || stream > this.allowance.highest) throw new Violation(`a frame on stream ${stream}, which the client never opened`);
  }

  private closeBlock(): void {
    if (this.block === undefined) return;
    const { stream, end, fragments } = this.block;
    this.block = undefined;
    const block = concat(...fragments);
    const fields = this.decoder.decode(block, 0, block.length);
    if (fields instanceof HpackFailure) throw new Violation(`a header block that can't be read: ${fields.reason}`);
    const list = pairs(fields);
    if (!this.began.has(stream) && list[0]?.[0] !== ':status') throw new Violation(`an answer without :status on stream ${stream}`);
    if (this.began.has(stream) && list.some(([name]) => name.startsWith(':'))) throw new Violation('a pseudo-header field in trailers (§8.1)');
    if (this.began.has(stream) && !end) throw new Violation('a second header list that does not end the stream');
    if (list.some(([name]) => name !== name.toLowerCase())) throw new Violation('upper case in a field name');
    this.began.add(stream);
    this.add({ type: 'HEADERS', stream, end, fields: list, block, frames: fragments.length });
  }

  private add(frame: Frame): void {
    if ((frame.type === 'DATA' || frame.type === 'HEADERS') && frame.end) this.ended.add(frame.stream);
    this.frames.push(frame);
  }
}
