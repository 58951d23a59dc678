/**
 * The serving half of one HTTP/2 connection (RFC 9113): bytes of the client in, requests out; answers in, bytes for
 * the client out. Does no I/O and has no timers: whoever owns the transport pushes, pulls, and closes it.
 *
 * Whatever the bytes are, nothing throws: what the RFC calls an error is answered as it says.
 */

import { PassingMap, PassingSet } from '../passing.js';
import { Budget } from './budget.js';
import { ByteCollector } from './byte-collector.js';
import { ErrorCode, errorCodeName } from './error-codes.js';
import type { HeaderField } from './events.js';
import { MAX_WINDOW_BYTES, INITIAL_WINDOW_BYTES, ReceiveWindow, SendWindow } from './flow-window.js';
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
  PING,
  PRIORITY,
  PRIORITY_FLAG,
  PUSH_PROMISE,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
} from './frame-types.js';
import { HeaderBlock } from './header-block.js';
import { HpackDecoder, HpackFailure } from './hpack-decoder.js';
import { HpackEncoder } from './hpack-encoder.js';
import { fieldSize } from './hpack-table.js';
import { INITIAL_HEADER_TABLE_BYTES } from './limits.js';
import { copy, uint31, uint32, uint8 } from './octets.js';
import { Output } from './output.js';
import { PeerSettings } from './peer-settings.js';
import { CLIENT_PREFACE, guessProtocol } from './preface.js';
import { checkTrailers, Malformed, readRequestLine, type RequestLine } from './request-headers.js';
import { DEFAULT_SERVE_LIMITS, MAX_FRAME_BYTES, type ServeLimits } from './serve-limits.js';
import { ServerStream, type StreamHandler, type StreamOwner } from './server-stream.js';
import { isSettingsLength, Setting } from './settings.js';

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

/** How a stream that is over came to its end. */
type Ending = 'ended' | 'reset-by-client' | 'reset-by-server';

/** RFC 9113 §6.8: announces the end of a connection without refusing what is on its way. */
const EVERY_STREAM = 2 ** 31 - 1;
/** The payload of the PING after which no request of before the GOAWAY can be on its way any more. */
const DRAIN_PING = Uint8Array.from('bt drain', (char) => char.charCodeAt(0));
const PING_BYTES = 8;
/** With these HTTP/2 itself rejects what it is sent. Others are a client's own: connect-es resets calls that end early with INTERNAL_ERROR. */
const REJECTS: ReadonlySet<number> = new Set([ErrorCode.PROTOCOL_ERROR, ErrorCode.FRAME_SIZE_ERROR, ErrorCode.COMPRESSION_ERROR, ErrorCode.ENHANCE_YOUR_CALM]);
/** One stream writes so much before the next one gets its turn. */
const TURN_BYTES = 64 * 1024;
const MAX_DEBUG_CHARS = 256;

/** Not performance.now(): it takes Node longer to load than a connection takes to begin. */
function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}

export class ServerConnection implements FrameSink, StreamOwner {
  private readonly limits: ServeLimits;
  private readonly frames: FrameReader;
  private readonly block: HeaderBlock;
  private readonly decoder: HpackDecoder;
  private readonly encoder = new HpackEncoder();
  private readonly encoded = new ByteCollector();
  private readonly out = new Output();
  private readonly peer = new PeerSettings();
  private readonly streams = new PassingMap<number, ServerStream>();
  /** Streams that have something to send, in turn. */
  private readonly ready = new PassingSet<ServerStream>();
  /** Streams that wait for the connection's window. */
  private readonly starved = new PassingSet<ServerStream>();
  private readonly endings = new PassingMap<number, Ending>();
  private readonly sendWindow = new SendWindow(INITIAL_WINDOW_BYTES);
  private readonly receiveWindow: ReceiveWindow;
  private readonly resets: Budget;
  private readonly settings: Budget;
  private readonly idleFrames: Budget;
  private queuedBytes = 0;
  private prefaceBytes = 0;
  private firstFrame = true;
  /** The client knows our settings; until then it keeps to RFC 9113's own. */
  private acknowledged = false;
  private highest = 0;
  /** The last stream of the latest GOAWAY. */
  private lastPromised = EVERY_STREAM;
  private continuations = 0;
  private blockDependsOnItself = false;
  /** The stream of the DATA frame at hand, when its content is wanted. */
  private current: ServerStream | undefined;
  private state: 'open' | 'announced' | 'draining' | 'over' = 'open';
  private told = false;
  /** The client has announced that it opens no more streams. */
  private clientLeaves = false;
  private longestBlock = 0;

  constructor(
    private readonly sink: ServerSink,
    { limits, now = monotonicMs }: ServerConnectionOptions = {},
  ) {
    this.limits = { ...DEFAULT_SERVE_LIMITS, ...limits };
    const { headerBlockBytes, headerFields, headerListBytes, connectionWindowBytes } = this.limits;
    this.frames = new FrameReader(this, { headerBlockBytes, controlFrameBytes: MAX_FRAME_BYTES }, 'connection');
    this.block = new HeaderBlock(headerBlockBytes);
    this.decoder = new HpackDecoder({ headerFields, headerListBytes, headerTableBytes: INITIAL_HEADER_TABLE_BYTES });
    this.receiveWindow = new ReceiveWindow(connectionWindowBytes);
    this.resets = new Budget(this.limits.resets, now);
    this.settings = new Budget(this.limits.settings, now);
    this.idleFrames = new Budget(this.limits.idleFrames, now);
    this.greet();
  }

  /** Streams that are not over. */
  get openStreams(): number {
    return this.streams.size;
  }

  /** Bytes that wait to be pulled or sent. */
  get pendingBytes(): number {
    return this.out.size + this.queuedBytes;
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
    this.writeQueued();
    const chunks = this.out.take();
    if (chunks.length === 0) this.told = false;
    return chunks;
  }

  /** Lets open streams come to their end and takes no new ones; the connection is over when there are none left. */
  drain(): void {
    if (this.state !== 'open') return;
    if (this.firstFrame) {
      this.abort(ErrorCode.NO_ERROR, 'the server is ending');
      return;
    }
    this.state = 'announced';
    this.goAway(EVERY_STREAM, ErrorCode.NO_ERROR, '');
    this.out.frameOf(PING, 0, 0, DRAIN_PING);
    this.tell();
  }

  /** Ends the connection at once; its streams are cancelled. */
  abort(code: number, reason: string): void {
    if (this.state === 'over') return;
    this.goAway(this.highest, code, reason);
    this.tell();
    this.finish(code, reason);
  }

  // ---- sending

  sendHeadersAtOnce(stream: ServerStream, fields: readonly HeaderField[], endStream: boolean): boolean {
    if (this.out.size >= this.limits.outputBytes) return false;
    this.writeHeaders(stream, fields, endStream);
    this.tell();
    return true;
  }

  /** Hot path: for each message that is served (bench: replay). */
  sendDataAtOnce(stream: ServerStream, head: Uint8Array, body: Uint8Array, between: Uint8Array): boolean {
    const { out } = this;
    const { maxFrameBytes } = this.peer;
    const before = head.length + between.length;
    const length = before + body.length;
    if (out.size >= this.limits.outputBytes || length > stream.sendWindow.available || length > this.sendWindow.available) return false;
    stream.sendWindow.spend(length);
    this.sendWindow.spend(length);
    out.data(stream.id, head, 0, head.length, maxFrameBytes);
    if (between.length > 0) out.data(stream.id, between, 0, between.length, maxFrameBytes);
    let room = maxFrameBytes - before;
    for (let from = 0; from < body.length; room = maxFrameBytes) {
      const to = Math.min(body.length, from + room);
      out.data(stream.id, body, from, to, maxFrameBytes);
      from = to;
    }
    this.tell();
    return true;
  }

  queued(stream: ServerStream, bytes: number): void {
    this.queuedBytes += bytes;
    this.ready.add(stream);
    this.tell();
  }

  queueLimit(): number {
    return this.queuedBytes > this.limits.connectionQueueBytes ? 0 : this.limits.streamQueueBytes;
  }

  takesHeaders(fields: readonly HeaderField[]): boolean {
    const { maxHeaderListBytes } = this.peer;
    return maxHeaderListBytes === undefined || fields.reduce((sum, field) => sum + fieldSize(field), 0) <= maxHeaderListBytes;
  }

  reset(stream: ServerStream, code: number): void {
    if (this.streams.get(stream.id) !== stream) return;
    this.writeReset(stream.id, code);
    this.close(stream, 'reset-by-server');
  }

  /** There is something to pull. */
  private tell(): void {
    if (this.told) return;
    this.told = true;
    this.sink.writable();
  }

  private writeQueued(): void {
    // Of most answers nothing has to wait.
    if (this.ready.size === 0) return;
    // What is added meanwhile comes up at the end of the same loop.
    for (const stream of this.ready) {
      if (this.out.size >= this.limits.outputBytes) return;
      this.ready.delete(stream);
      this.writeTurn(stream);
    }
  }

  private writeTurn(stream: ServerStream): void {
    const { queue } = stream;
    if (queue === undefined) return;
    const { maxFrameBytes } = this.peer;
    let turn = TURN_BYTES;
    for (let item = queue.peek(); item !== undefined; item = queue.peek()) {
      if (item.kind === 'headers') {
        queue.drop();
        this.writeHeaders(stream, item.fields, item.endStream);
        continue;
      }
      const available = Math.min(stream.sendWindow.available, this.sendWindow.available, maxFrameBytes);
      if (available <= 0) {
        if (stream.sendWindow.available > 0) this.starved.add(stream);
        break;
      }
      if (turn <= 0) {
        this.ready.add(stream);
        break;
      }
      const from = queue.offset;
      const to = Math.min(item.bytes.length, from + available);
      this.out.data(stream.id, item.bytes, from, to, maxFrameBytes);
      queue.advance(to - from);
      const sent = to - from;
      stream.sendWindow.spend(sent);
      this.sendWindow.spend(sent);
      this.queuedBytes -= sent;
      turn -= sent;
    }
    if (!stream.waiting || queue.bytes > this.queueLimit() / 2) return;
    stream.waiting = false;
    if (stream.sending) stream.handler?.drained();
  }

  private writeHeaders(stream: ServerStream, fields: readonly HeaderField[], endStream: boolean): void {
    const { encoded } = this;
    encoded.clear();
    this.encoder.encode(fields, encoded);
    this.longestBlock = Math.max(this.longestBlock, encoded.length);
    this.out.headers(stream.id, endStream, encoded, this.peer.maxFrameBytes);
    if (endStream) this.answered(stream);
  }

  private answered(stream: ServerStream): void {
    stream.sending = false;
    if (!stream.receiving) {
      this.close(stream, 'ended');
    } else if (!stream.lingers) {
      // RFC 9113 §8.1: the answer is whole, and what the client still has to say is of no use.
      this.writeReset(stream.id, ErrorCode.NO_ERROR);
      this.close(stream, 'reset-by-server');
    }
  }

  private writeReset(id: number, code: number): void {
    this.out.frame(RST_STREAM, 0, id, octets32(code));
    this.answeredControl();
  }

  private writeWindowUpdate(id: number, increment: number): void {
    this.out.frame(WINDOW_UPDATE, 0, id, octets32(increment));
    this.tell();
  }

  /** A frame that answers one of the client's was written: a client that never reads must not make us keep them all. */
  private answeredControl(): void {
    this.out.controlFrames += 1;
    if (this.out.controlFrames > this.limits.queuedControlFrames) this.calmDown('frames to be answered, and none of the answers read');
    else this.tell();
  }

  private goAway(lastStream: number, code: number, reason: string): void {
    const debug = new TextEncoder().encode(reason.slice(0, MAX_DEBUG_CHARS));
    // RFC 9113 §6.8: of streams that were disowned once, refused ones too, none is taken back.
    this.lastPromised = Math.min(this.lastPromised, lastStream);
    this.out.frame(GOAWAY, 0, 0, [...octets32(this.lastPromised), ...octets32(code), ...debug]);
  }

  /** The server's preface (RFC 9113 §3.4), and as much window for the connection as it gets. */
  private greet(): void {
    const { concurrentStreams, streamWindowBytes, headerListBytes, connectionWindowBytes } = this.limits;
    const setting = (id: number, value: number): readonly number[] => [id >>> 8, id & 0xff, ...octets32(value)];
    this.out.frame(SETTINGS, 0, 0, [
      ...setting(Setting.MAX_CONCURRENT_STREAMS, concurrentStreams),
      ...setting(Setting.INITIAL_WINDOW_SIZE, streamWindowBytes),
      ...setting(Setting.MAX_HEADER_LIST_SIZE, headerListBytes),
    ]);
    const more = connectionWindowBytes - INITIAL_WINDOW_BYTES;
    if (more > 0) this.out.frame(WINDOW_UPDATE, 0, 0, octets32(more));
    this.tell();
  }

  // ---- the end of streams and of the connection

  /** Forgets the stream, but for how it ended. */
  private close(stream: ServerStream, ending: Ending): void {
    this.streams.delete(stream.id);
    this.ready.delete(stream);
    this.starved.delete(stream);
    if (stream.queue !== undefined) {
      this.queuedBytes -= stream.queue.bytes;
      stream.queue.clear();
    }
    stream.sending = false;
    stream.receiving = false;
    this.remember(stream.id, ending);
    if (this.streams.size > 0 || this.state === 'over') return;
    if (this.state === 'draining') this.finish(ErrorCode.NO_ERROR, 'every call has ended');
    else if (this.clientLeaves) this.finish(ErrorCode.NO_ERROR, 'the client has left');
  }

  private remember(id: number, ending: Ending): void {
    this.endings.set(id, ending);
    if (this.endings.size <= this.limits.rememberedStreams) return;
    const { oldest } = this.endings;
    if (oldest !== undefined) this.endings.delete(oldest);
  }

  /** RFC 9113 §5.4.2 */
  private streamError(id: number, code: number): void {
    const stream = this.streams.get(id);
    this.writeReset(id, code);
    if (stream === undefined) {
      this.remember(id, 'reset-by-server');
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
    const streams = [...this.streams.values()];
    this.streams.clear();
    this.ready.clear();
    this.starved.clear();
    this.queuedBytes = 0;
    for (const stream of streams) {
      const open = stream.sending || stream.hasQueued;
      stream.sending = false;
      stream.receiving = false;
      stream.queue?.clear();
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
    if (this.block.isOpen !== (type === CONTINUATION) || (type === CONTINUATION && id !== this.block.stream)) {
      return this.connectionError(ErrorCode.PROTOCOL_ERROR, this.block.isOpen ? `a header block interrupted by a ${frameName(type)} frame` : 'a CONTINUATION frame that continues nothing');
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
        if ((type === RST_STREAM || id !== 0) && this.isIdle(id)) return this.misplaced(type, id);
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

  /** Whether nobody has opened that stream yet. */
  private isIdle(id: number): boolean {
    return id === 0 || id % 2 === 0 || id > this.highest;
  }

  // ---- DATA (RFC 9113 §6.1, §6.9)

  private beginData(id: number, length: number): boolean {
    this.current = undefined;
    if (this.isIdle(id)) return this.misplaced(DATA, id);
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
    switch (this.endings.get(id)) {
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
        else return this.connectionError(ErrorCode.PROTOCOL_ERROR, `a request on stream ${id}, after one on stream ${this.highest}`);
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
    if (increment > 0) this.writeWindowUpdate(0, increment);
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

  release(stream: ServerStream, bytes: number): void {
    if (stream.receiving) this.releaseStream(stream, bytes);
  }

  private releaseStream(stream: ServerStream, length: number): void {
    const increment = stream.receiveWindow.release(length);
    if (increment === 0) return;
    if (stream.sending || !stream.lingers || stream.hasQueued) this.writeWindowUpdate(stream.id, increment);
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
        this.readHeaders(flags, id, bytes, from, to);
        break;
      case CONTINUATION:
        this.readContinuation(flags, bytes, from, to);
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
    if (this.streams.has(id)) this.streamError(id, code);
    else if (this.isIdle(id) || code === ErrorCode.FRAME_SIZE_ERROR) this.connectionError(code, `a PRIORITY frame on stream ${id} that can't be read`);
  }

  private readReset(id: number, code: number): void {
    const stream = this.streams.get(id);
    if (stream === undefined) {
      if (this.endings.get(id) === 'ended' && REJECTS.has(code)) this.sink.refused?.(`the client reset a call that was answered with ${errorCodeName(code)}; ${this.howLong()}`);
      return;
    }
    const open = stream.sending || stream.hasQueued;
    this.close(stream, 'reset-by-client');
    if (open) stream.handler?.cancelled(code);
    if (open && !this.resets.spend()) this.calmDown('streams opened and reset');
  }

  /** What a client is most likely to have met its error over. */
  private howLong(): string {
    return `the longest header block that it was sent has ${this.longestBlock} bytes`;
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
    const { peer } = this;
    const before = peer.initialWindowBytes;
    const bad = peer.apply(bytes, from, to);
    if (bad !== undefined) {
      this.connectionError(bad.code, bad.reason);
      return;
    }
    // RFC 7541 §4.2: the peer may have emptied its table at the smallest size on the way.
    this.encoder.allowTableBytes(peer.smallestHeaderTableBytes);
    this.encoder.allowTableBytes(peer.headerTableBytes);
    if (!this.moveWindows(peer.initialWindowBytes - before)) return;
    this.out.frame(SETTINGS, ACK, 0, []);
    this.answeredControl();
  }

  /** RFC 9113 §6.9.2 */
  private moveWindows(difference: number): boolean {
    if (difference === 0) return true;
    for (const stream of this.streams.values()) {
      if (!stream.sendWindow.grow(difference)) return this.connectionError(ErrorCode.FLOW_CONTROL_ERROR, `a window of over ${MAX_WINDOW_BYTES} bytes, by SETTINGS_INITIAL_WINDOW_SIZE`);
      if (difference > 0 && stream.hasQueued) this.ready.add(stream);
    }
    return true;
  }

  private readPing(flags: number, payload: Uint8Array): void {
    if ((flags & ACK) === 0) {
      this.out.frameOf(PING, ACK, 0, payload);
      this.answeredControl();
    } else if (this.state === 'announced' && payload.every((octet, at) => octet === DRAIN_PING[at])) {
      this.state = 'draining';
      this.goAway(this.highest, ErrorCode.NO_ERROR, '');
      this.tell();
      if (this.streams.size === 0) this.finish(ErrorCode.NO_ERROR, 'every call has ended');
    }
  }

  private readWindowUpdate(id: number, increment: number): void {
    if (id === 0) {
      if (increment === 0) this.connectionError(ErrorCode.PROTOCOL_ERROR, 'a WINDOW_UPDATE of 0');
      else if (!this.sendWindow.grow(increment)) this.connectionError(ErrorCode.FLOW_CONTROL_ERROR, `a window of over ${MAX_WINDOW_BYTES} bytes`);
      else this.feedStarved();
      return;
    }
    const stream = this.streams.get(id);
    if (stream === undefined) return;
    if (increment === 0) this.streamError(id, ErrorCode.PROTOCOL_ERROR);
    else if (!stream.sendWindow.grow(increment)) this.streamError(id, ErrorCode.FLOW_CONTROL_ERROR);
    else if (stream.hasQueued) this.isReady(stream);
  }

  private isReady(stream: ServerStream): void {
    this.ready.add(stream);
    this.tell();
  }

  private feedStarved(): void {
    for (const stream of this.starved) this.isReady(stream);
    this.starved.clear();
  }

  // ---- requests (RFC 9113 §6.2, §6.10, §8)

  private readHeaders(flags: number, id: number, bytes: Uint8Array, start: number, end: number): void {
    let from = start;
    let to = end;
    if ((flags & PADDED) !== 0) {
      to -= uint8(bytes, from);
      from += 1;
    }
    if ((flags & PRIORITY_FLAG) !== 0) from += 5;
    if (from > end) {
      this.wrongSize(HEADERS, end - start);
      return;
    }
    if (from > to) {
      this.connectionError(ErrorCode.PROTOCOL_ERROR, 'a HEADERS frame with more padding than it has room for');
      return;
    }
    const dependsOnItself = (flags & PRIORITY_FLAG) !== 0 && uint31(bytes, from - 5) === id;
    const endStream = (flags & END_STREAM) !== 0;
    if ((flags & END_HEADERS) !== 0) {
      this.useBlock(id, endStream, dependsOnItself, bytes, from, to);
      return;
    }
    this.continuations = 0;
    this.blockDependsOnItself = dependsOnItself;
    this.block.open(id, 0, false, endStream);
    this.block.add(bytes, from, to);
  }

  private readContinuation(flags: number, bytes: Uint8Array, from: number, to: number): void {
    const { block } = this;
    this.continuations += 1;
    block.add(bytes, from, to);
    if (block.unreadable !== undefined || this.continuations > this.limits.continuations) {
      this.calmDown(block.unreadable ?? 'CONTINUATION frames');
    } else if ((flags & END_HEADERS) !== 0) {
      const { stream, endStream, fragments } = block;
      this.useBlock(stream, endStream, this.blockDependsOnItself, fragments.bytes, 0, fragments.length);
      block.close();
    }
  }

  private useBlock(id: number, endStream: boolean, dependsOnItself: boolean, bytes: Uint8Array, from: number, to: number): void {
    const fields = this.decoder.decode(bytes, from, to);
    if (fields instanceof HpackFailure && fields.poisons) {
      this.connectionError(ErrorCode.COMPRESSION_ERROR, fields.reason);
      return;
    }
    const stream = this.streams.get(id);
    if (stream !== undefined) this.readTrailers(stream, endStream, fields);
    else if (id % 2 === 0) this.misplaced(HEADERS, id);
    else if (id <= this.highest) this.lateFrame(HEADERS, id);
    else {
      this.highest = id;
      if (dependsOnItself) this.streamError(id, ErrorCode.PROTOCOL_ERROR);
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
    const line = tooLarge ? undefined : readRequestLine(fields);
    if (line instanceof Malformed || (endStream && (line?.contentLength ?? 0) > 0)) {
      this.streamError(id, ErrorCode.PROTOCOL_ERROR);
      return;
    }
    const { streamWindowBytes } = this.limits;
    const window = new ReceiveWindow(streamWindowBytes, this.acknowledged ? streamWindowBytes : Math.max(streamWindowBytes, INITIAL_WINDOW_BYTES));
    const stream = new ServerStream(id, this, this.peer.initialWindowBytes, window, line?.contentLength);
    this.streams.set(id, stream);
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

function octets32(value: number): readonly number[] {
  return [(value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}
