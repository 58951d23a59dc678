/**
 * The serving half of one HTTP/2 connection (RFC 9113): bytes of the client in, requests out; answers in, bytes for
 * the client out. Does no I/O and has no timers: whoever owns the transport pushes, pulls, and closes it.
 *
 * Whatever the bytes are, nothing throws: what the RFC calls an error is answered as it says.
 */

import { Latest } from '../passing.js';
import { Budget } from './budget.js';
import { type ConnectionError, ErrorCode, errorCodeName } from './error-codes.js';
import type { HeaderField } from './events.js';
import { INITIAL_WINDOW_BYTES, MAX_WINDOW_BYTES, ReceiveWindow } from './flow-window.js';
import { FRAME_HEADER_BYTES, FrameReader, type FrameSink } from './frame-reader.js';
import {
  ACK,
  CONTINUATION,
  DATA,
  END_STREAM,
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
import { HpackFailure } from './hpack-decoder.js';
import { copy, uint31, uint32, uint8 } from './octets.js';
import { CLIENT_PREFACE, guessProtocol } from './preface.js';
import { RequestBlock, RequestBlocks } from './request-blocks.js';
import { checkTrailers, Malformed, readRequestLine, type RequestLine } from './request-headers.js';
import { DEFAULT_SERVE_LIMITS, MAX_FRAME_BYTES, type ServeLimits } from './serve-limits.js';
import { EVERY_STREAM, ServerOutput } from './server-output.js';
import { ServerStream, type StreamHandler, type StreamOwner } from './server-stream.js';
import { type Ending, ServerStreams } from './server-streams.js';
import { isSettingsLength } from './settings.js';

export interface ServerSink {
  /** A request has come, its content aside. The handler that comes back takes the rest of the stream. */
  request(stream: ServerStream, line: RequestLine, headers: readonly HeaderField[]): StreamHandler;
  /** There is something to pull. Told again only after a pull that gave nothing. */
  writable(): void;
  /**
   * The connection is over: nothing is read any more. When what is left to pull is written, the transport can be closed.
   *
   * @param code RFC 9113 §7
   * @param reason in words
   */
  over(code: number, reason: string): void;
  /** A client could not take an answer that it was sent whole: it reset the stream with an error code of its own. */
  refused?(reason: string): void;
}

export interface ServerConnectionOptions {
  readonly limits?: Partial<ServeLimits>;
  /** Monotonic ms, for what may happen only so often. */
  readonly now?: () => number;
}

/** The payload of the PING after which no request of before the GOAWAY can be on its way any more. */
const DRAIN_PING = Uint8Array.from('bt drain', (char) => char.charCodeAt(0));
const PING_BYTES = 8;
/** With these HTTP/2 itself rejects what it is sent. Others are a client's own: connect-es resets calls that end early with INTERNAL_ERROR. */
const REJECTS: ReadonlySet<number> = new Set([ErrorCode.PROTOCOL_ERROR, ErrorCode.FRAME_SIZE_ERROR, ErrorCode.COMPRESSION_ERROR, ErrorCode.ENHANCE_YOUR_CALM]);

/** Not performance.now(): it takes Node longer to load than a connection takes to begin. */
function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}

export class ServerConnection implements FrameSink, StreamOwner {
  private readonly limits: ServeLimits;
  private readonly frames: FrameReader;
  private readonly blocks: RequestBlocks;
  /** A list that comes again is the same object. */
  private readonly lines = new Latest(readRequestLine);
  private readonly output: ServerOutput;
  private readonly streams: ServerStreams;
  private readonly receiveWindow: ReceiveWindow;
  private readonly resets: Budget;
  private readonly settings: Budget;
  private readonly idleFrames: Budget;
  private prefaceBytes = 0;
  private firstFrame = true;
  /** The client knows our settings; until then it keeps to RFC 9113's own. */
  private acknowledged = false;
  /** The stream of the DATA frame at hand, when its content is wanted. */
  private current: ServerStream | undefined;
  private state: 'open' | 'announced' | 'draining' | 'over' = 'open';
  /** The client has announced that it opens no more streams. */
  private clientLeaves = false;

  constructor(
    private readonly sink: ServerSink,
    { limits: given, now = monotonicMs }: ServerConnectionOptions = {},
  ) {
    const limits: ServeLimits = { ...DEFAULT_SERVE_LIMITS, ...given };
    this.limits = limits;
    this.frames = new FrameReader(this, { headerBlockBytes: limits.headerBlockBytes, controlFrameBytes: MAX_FRAME_BYTES }, 'connection');
    this.blocks = new RequestBlocks(limits);
    this.streams = new ServerStreams(limits.rememberedStreams);
    this.receiveWindow = new ReceiveWindow(limits.connectionWindowBytes);
    this.resets = new Budget(limits.resets, now);
    this.settings = new Budget(limits.settings, now);
    this.idleFrames = new Budget(limits.idleFrames, now);
    this.output = new ServerOutput(limits, {
      writable: () => sink.writable(),
      answered: (stream) => this.answered(stream),
      flooded: (what) => this.calmDown(what),
    });
    this.output.greet();
  }

  /** Streams that are not over. */
  get openStreams(): number {
    return this.streams.size;
  }

  /** Bytes that wait to be pulled or sent. */
  get pendingBytes(): number {
    return this.output.pendingBytes;
  }

  get isOver(): boolean {
    return this.state === 'over';
  }

  /** The next bytes of the client. After the connection is over they are ignored. */
  push(bytes: Uint8Array): void {
    if (this.state === 'over') return;
    let from = 0;
    if (this.prefaceBytes < CLIENT_PREFACE.length) {
      from = this.readPreface(bytes);
      if (from < 0) return;
    }
    if (from < bytes.length) this.frames.push(bytes, from);
  }

  /** The client will send no more: it is gone. */
  end(): void {
    if (this.state !== 'over') this.finish(ErrorCode.NO_ERROR, 'the client closed the connection');
  }

  /** What to write now, in order; empty when there is nothing. To be called again until it is. */
  pull(): readonly Uint8Array[] {
    return this.output.pull();
  }

  /** Lets open streams come to their end and takes no new ones; the connection is over when there are none left. */
  drain(): void {
    if (this.state !== 'open') return;
    if (this.firstFrame) {
      this.abort(ErrorCode.NO_ERROR, 'the server is ending');
      return;
    }
    this.state = 'announced';
    this.output.goAway(EVERY_STREAM, ErrorCode.NO_ERROR, '');
    this.output.ping(DRAIN_PING);
  }

  /** Ends the connection at once; its streams are cancelled. */
  abort(code: number, reason: string): void {
    if (this.state === 'over') return;
    this.output.goAway(this.streams.highest, code, reason);
    this.finish(code, reason);
  }

  // ---- what its streams and its output tell

  reset(stream: ServerStream, code: number): void {
    if (this.streams.get(stream.id) !== stream) return;
    this.output.reset(stream.id, code);
    this.close(stream, 'reset-by-server');
  }

  release(stream: ServerStream, bytes: number): void {
    if (stream.receiving) this.releaseStream(stream, bytes);
  }

  // ---- the end of streams and of the connection

  /** Forgets the stream, but for how it ended. */
  private close(stream: ServerStream, ending: Ending): void {
    stream.receiving = false;
    this.output.drop(stream);
    this.streams.end(stream.id, ending);
    if (this.streams.size > 0 || this.state === 'over') return;
    if (this.state === 'draining') this.finish(ErrorCode.NO_ERROR, 'every call has ended');
    else if (this.clientLeaves) this.finish(ErrorCode.NO_ERROR, 'the client has left');
  }

  /** The last of its answer was written. */
  private answered(stream: ServerStream): void {
    stream.sending = false;
    if (!stream.receiving) {
      this.close(stream, 'ended');
    } else if (!stream.lingers) {
      // RFC 9113 §8.1: the answer is whole, and what the client still has to say is of no use.
      this.reset(stream, ErrorCode.NO_ERROR);
    }
  }

  /** RFC 9113 §5.4.2 */
  private streamError(id: number, code: number): void {
    const stream = this.streams.get(id);
    this.output.reset(id, code);
    if (stream === undefined) {
      this.streams.end(id, 'reset-by-server');
      return;
    }
    const open = stream.sending || stream.hasQueued;
    this.close(stream, 'reset-by-server');
    if (!open) return;
    stream.handler?.cancelled(code);
    // A client can have its streams reset as fast as it can reset them itself.
    if (!this.resets.spend()) this.calmDown('streams opened and reset');
  }

  /** RFC 9113 §5.4.1 @returns false, for a frame that is not read on */
  private connectionError(code: number, reason: string): false {
    this.abort(code, reason);
    return false;
  }

  private calmDown(what: string): void {
    this.abort(ErrorCode.ENHANCE_YOUR_CALM, `too many ${what}`);
  }

  private finish(code: number, reason: string): void {
    this.state = 'over';
    for (const stream of this.streams.takeAll()) {
      const open = stream.sending || stream.hasQueued;
      stream.receiving = false;
      this.output.drop(stream);
      if (open) stream.handler?.cancelled(code === ErrorCode.NO_ERROR ? ErrorCode.CANCEL : code);
    }
    this.sink.over(code, reason);
  }

  // ---- receiving: what every frame has to keep to

  /** @returns where the frames begin; -1 when these bytes are no HTTP/2 */
  private readPreface(bytes: Uint8Array): number {
    const had = this.prefaceBytes;
    const to = Math.min(CLIENT_PREFACE.length - had, bytes.length);
    for (let at = 0; at < to; at += 1) {
      if (bytes[at] === CLIENT_PREFACE[had + at]) continue;
      this.connectionError(ErrorCode.PROTOCOL_ERROR, `not an HTTP/2 connection: no preface, ${guessProtocol(uint8(had === 0 ? bytes : CLIENT_PREFACE, 0))}`);
      return -1;
    }
    this.prefaceBytes = had + to;
    return to;
  }

  onFrameHeader(type: number, flags: number, id: number): boolean {
    if (this.state === 'over') return false;
    const length = this.frames.frameBytes - FRAME_HEADER_BYTES;
    if (length > MAX_FRAME_BYTES) return this.connectionError(ErrorCode.FRAME_SIZE_ERROR, `a ${frameName(type)} frame of ${length} bytes`);
    if (this.firstFrame) {
      if (type !== SETTINGS || (flags & ACK) !== 0) return this.connectionError(ErrorCode.PROTOCOL_ERROR, `a ${frameName(type)} frame before SETTINGS`);
      this.firstFrame = false;
    }
    if (this.blocks.isOpen !== (type === CONTINUATION) || (type === CONTINUATION && id !== this.blocks.stream)) {
      return this.connectionError(ErrorCode.PROTOCOL_ERROR, this.blocks.isOpen ? `a header block interrupted by a ${frameName(type)} frame` : 'a CONTINUATION frame that continues nothing');
    }
    // §4.2: no room for the pad length.
    if (type === DATA && length === 0 && (flags & PADDED) !== 0) return this.wrongSize(type, length);
    return this.checkPlace(type, id, length);
  }

  /** Whether a frame of this type may stand here, and has a length that it can have. */
  private checkPlace(type: number, id: number, length: number): boolean {
    switch (type) {
      case DATA:
        return this.beginData(id, length);
      case HEADERS:
      case PRIORITY:
        if (id === 0) return this.misplaced(type, id);
        if (type === PRIORITY) return this.spendIdle();
        return true;
      case RST_STREAM:
      case WINDOW_UPDATE:
        if (length !== 4) return this.wrongSize(type, length);
        if ((type === RST_STREAM || id !== 0) && this.streams.isIdle(id)) return this.misplaced(type, id);
        return true;
      case SETTINGS:
      case PING:
      case GOAWAY:
        if (id !== 0) return this.misplaced(type, id);
        if (type === PING ? length !== PING_BYTES : type === GOAWAY ? length < 8 : !isSettingsLength(length)) return this.wrongSize(type, length);
        return true;
      case PUSH_PROMISE:
        return this.connectionError(ErrorCode.PROTOCOL_ERROR, 'a PUSH_PROMISE frame of a client');
      case CONTINUATION:
        return true;
      default:
        return this.spendIdle();
    }
  }

  private misplaced(type: number, id: number): false {
    return this.connectionError(ErrorCode.PROTOCOL_ERROR, `a ${frameName(type)} frame on ${id === 0 ? 'the connection' : `stream ${id}`}`);
  }

  private wrongSize(type: number, length: number): false {
    return this.connectionError(ErrorCode.FRAME_SIZE_ERROR, `a ${frameName(type)} frame of ${length} bytes`);
  }

  private spendIdle(): boolean {
    if (this.idleFrames.spend()) return true;
    this.calmDown('frames that do nothing');
    return false;
  }

  // ---- DATA (RFC 9113 §6.1, §6.9)

  private beginData(id: number, length: number): boolean {
    this.current = undefined;
    if (this.streams.isIdle(id)) return this.misplaced(DATA, id);
    if (!this.receiveWindow.spend(length)) return this.connectionError(ErrorCode.FLOW_CONTROL_ERROR, 'more DATA than the window of the connection allows');
    const stream = this.streams.get(id);
    if (stream === undefined) return this.lateFrame(DATA, id);
    if (!stream.receiving) this.streamError(id, ErrorCode.STREAM_CLOSED);
    else if (!stream.receiveWindow.spend(length)) this.streamError(id, ErrorCode.FLOW_CONTROL_ERROR);
    else this.current = stream;
    return true;
  }

  /** A frame on a stream that is over. What was on its way when this side reset it is no error (RFC 9113 §5.1). */
  private lateFrame(type: number, id: number): boolean {
    switch (this.streams.ending(id)) {
      case 'reset-by-server':
        return true;
      case 'reset-by-client':
        this.streamError(id, ErrorCode.STREAM_CLOSED);
        return true;
      case 'ended':
        return this.connectionError(ErrorCode.STREAM_CLOSED, `a ${frameName(type)} frame on stream ${id}, which the client has ended`);
      case undefined:
        // So long over that it is forgotten, or passed over when a higher one was opened.
        if (type === DATA) this.streamError(id, ErrorCode.STREAM_CLOSED);
        else return this.connectionError(ErrorCode.PROTOCOL_ERROR, `a request on stream ${id}, after one on stream ${this.streams.highest}`);
        return true;
    }
  }

  onData(_id: number, bytes: Uint8Array, from: number, to: number): void {
    const stream = this.current;
    if (stream?.receiving !== true) return;
    const { contentLeft = Infinity } = stream;
    if (to - from <= contentLeft) {
      if (stream.contentLeft !== undefined) stream.contentLeft -= to - from;
      stream.handler?.data(bytes, from, to);
      return;
    }
    // As much as was announced, whatever chunks it comes in (seen by a fuzzer: a message more or less was answered).
    if (contentLeft > 0) stream.handler?.data(bytes, from, from + contentLeft);
    if (this.streams.get(stream.id) === stream) this.streamError(stream.id, ErrorCode.PROTOCOL_ERROR);
  }

  onDataEnd(_id: number, flags: number): void {
    if (this.state === 'over') return;
    const length = this.frames.frameBytes - FRAME_HEADER_BYTES;
    const increment = this.receiveWindow.release(length);
    if (increment > 0) this.output.windowUpdate(0, increment);
    const stream = this.current;
    if ((flags & END_STREAM) !== 0) {
      if (stream?.receiving === true) this.endReceiving(stream);
    } else if (length === 0) {
      this.spendIdle();
    } else if (stream?.receiving === true) {
      if (stream.onRead === undefined) this.releaseStream(stream, length);
      else stream.onRead(length);
    }
  }

  private releaseStream(stream: ServerStream, length: number): void {
    const increment = stream.receiveWindow.release(length);
    if (increment === 0) return;
    if (stream.sending || !stream.lingers || stream.hasQueued) this.output.windowUpdate(stream.id, increment);
    // It has its answer, and goes on all the same.
    else this.reset(stream, ErrorCode.NO_ERROR);
  }

  private endReceiving(stream: ServerStream): void {
    if (stream.contentLeft !== undefined && stream.contentLeft !== 0) {
      this.streamError(stream.id, ErrorCode.PROTOCOL_ERROR);
      return;
    }
    stream.receiving = false;
    if (stream.sending || stream.hasQueued) stream.handler?.ended();
    else this.close(stream, 'ended');
  }

  onUnreadable(_type: number, _flags: number, _id: number, reason: string): void {
    this.connectionError(ErrorCode.PROTOCOL_ERROR, reason);
  }

  // ---- the frames that come whole

  onFrame(type: number, flags: number, id: number, bytes: Uint8Array, from: number, to: number): void {
    if (this.state === 'over') return;
    switch (type) {
      case HEADERS:
        this.useBlock(this.blocks.readHeaders(flags, id, bytes, from, to));
        break;
      case CONTINUATION:
        this.useBlock(this.blocks.readContinuation(flags, bytes, from, to));
        break;
      case PRIORITY:
        if (to - from !== 5) this.priorityError(id, ErrorCode.FRAME_SIZE_ERROR);
        else if (uint31(bytes, from) === id) this.priorityError(id, ErrorCode.PROTOCOL_ERROR);
        break;
      case RST_STREAM:
        this.readReset(id, uint32(bytes, from));
        break;
      case SETTINGS:
        this.readSettings(flags, bytes, from, to);
        break;
      case PING:
        this.readPing(flags, copy(bytes, from, to));
        break;
      case WINDOW_UPDATE:
        this.readWindowUpdate(id, uint31(bytes, from));
        break;
      case GOAWAY:
        this.readGoAway(uint32(bytes, from + 4));
        break;
    }
  }

  /** RFC 9113 §6.8: a client says that it opens no more streams, or that it has met an error. */
  private readGoAway(code: number): void {
    // No error, but a client that wants no more answers: so connect-es ends each connection that it aborts.
    if (code === ErrorCode.CANCEL) {
      this.finish(ErrorCode.NO_ERROR, 'the client wants no more answers');
      return;
    }
    if (code !== ErrorCode.NO_ERROR) {
      this.finish(code, `the client ended the connection with ${errorCodeName(code)}; ${this.howLong()}`);
      return;
    }
    this.clientLeaves = true;
    if (this.streams.size === 0) this.finish(ErrorCode.NO_ERROR, 'the client has left');
  }

  /** A stream that is idle can't be reset, and neither can one that is over: its size is wrong all the same (h2spec http2/6.3/2). */
  private priorityError(id: number, code: number): void {
    if (this.streams.get(id) !== undefined) this.streamError(id, code);
    else if (this.streams.isIdle(id) || code === ErrorCode.FRAME_SIZE_ERROR) this.connectionError(code, `a PRIORITY frame on stream ${id} that can't be read`);
  }

  private readReset(id: number, code: number): void {
    const stream = this.streams.get(id);
    if (stream === undefined) {
      if (this.streams.ending(id) === 'ended' && REJECTS.has(code)) this.sink.refused?.(`the client reset a call that was answered with ${errorCodeName(code)}; ${this.howLong()}`);
      return;
    }
    const open = stream.sending || stream.hasQueued;
    this.close(stream, 'reset-by-client');
    if (open) stream.handler?.cancelled(code);
    if (open && !this.resets.spend()) this.calmDown('streams opened and reset');
  }

  /** What a client is most likely to have met its error over. */
  private howLong(): string {
    return `the longest header block that it was sent has ${this.output.longestBlock} bytes`;
  }

  private readSettings(flags: number, bytes: Uint8Array, from: number, to: number): void {
    if ((flags & ACK) !== 0) {
      this.acknowledged = true;
      if (to > from) this.wrongSize(SETTINGS, to - from);
      return;
    }
    if (!this.settings.spend()) {
      this.calmDown('SETTINGS frames');
      return;
    }
    const bad = this.output.applySettings(bytes, from, to, this.streams.values());
    if (bad !== undefined) this.connectionError(bad.code, bad.reason);
  }

  private readPing(flags: number, payload: Uint8Array): void {
    if ((flags & ACK) === 0) {
      this.output.answerPing(payload);
    } else if (this.state === 'announced' && payload.every((octet, at) => octet === DRAIN_PING[at])) {
      this.state = 'draining';
      this.output.goAway(this.streams.highest, ErrorCode.NO_ERROR, '');
      if (this.streams.size === 0) this.finish(ErrorCode.NO_ERROR, 'every call has ended');
    }
  }

  private readWindowUpdate(id: number, increment: number): void {
    if (id === 0) {
      if (increment === 0) this.connectionError(ErrorCode.PROTOCOL_ERROR, 'a WINDOW_UPDATE of 0');
      else if (!this.output.grow(increment)) this.connectionError(ErrorCode.FLOW_CONTROL_ERROR, `a window of over ${MAX_WINDOW_BYTES} bytes`);
      return;
    }
    const stream = this.streams.get(id);
    if (stream === undefined) return;
    if (increment === 0) this.streamError(id, ErrorCode.PROTOCOL_ERROR);
    else if (!this.output.growStream(stream, increment)) this.streamError(id, ErrorCode.FLOW_CONTROL_ERROR);
  }

  // ---- requests (RFC 9113 §6.2, §6.10, §8)

  private useBlock(block: RequestBlock | ConnectionError | undefined): void {
    if (block === undefined) return;
    if (!(block instanceof RequestBlock)) {
      this.connectionError(block.code, block.reason);
      return;
    }
    const { streams } = this;
    const { stream: id, endStream, fields } = block;
    const stream = streams.get(id);
    if (stream !== undefined) this.readTrailers(stream, endStream, fields);
    else if (id % 2 === 0) this.misplaced(HEADERS, id);
    else if (id <= streams.highest) this.lateFrame(HEADERS, id);
    else {
      streams.highest = id;
      if (block.dependsOnItself) this.streamError(id, ErrorCode.PROTOCOL_ERROR);
      else this.open(id, endStream, fields);
    }
  }

  private readTrailers(stream: ServerStream, endStream: boolean, fields: readonly HeaderField[] | HpackFailure): void {
    if (!stream.receiving) this.streamError(stream.id, ErrorCode.STREAM_CLOSED);
    else if (!endStream || fields instanceof HpackFailure || checkTrailers(fields) !== undefined) this.streamError(stream.id, ErrorCode.PROTOCOL_ERROR);
    else this.endReceiving(stream);
  }

  private open(id: number, endStream: boolean, fields: readonly HeaderField[] | HpackFailure): void {
    if (this.state === 'draining' || this.streams.size >= this.limits.concurrentStreams) {
      this.streamError(id, ErrorCode.REFUSED_STREAM);
      return;
    }
    const tooLarge = fields instanceof HpackFailure;
    const line = tooLarge ? undefined : this.lines.of(fields);
    if (line instanceof Malformed || (endStream && (line?.contentLength ?? 0) > 0)) {
      this.streamError(id, ErrorCode.PROTOCOL_ERROR);
      return;
    }
    const { streamWindowBytes } = this.limits;
    const window = new ReceiveWindow(streamWindowBytes, this.acknowledged ? streamWindowBytes : Math.max(streamWindowBytes, INITIAL_WINDOW_BYTES));
    const stream = new ServerStream(id, this, this.output, this.output.streamWindow, window, line?.contentLength);
    this.streams.add(stream);
    if (tooLarge || line === undefined) {
      stream.linger();
      stream.sendHeaders(HEADERS_TOO_LARGE, true);
    } else {
      stream.handler = this.sink.request(stream, line, fields);
    }
    if (endStream && this.streams.get(id) === stream) this.endReceiving(stream);
  }
}

/** RFC 9113 §10.5.1, RFC 6585 §5 */
const HEADERS_TOO_LARGE: readonly HeaderField[] = [{ name: ':status', value: Uint8Array.from('431', (char) => char.charCodeAt(0)) }];
