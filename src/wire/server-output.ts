/**
 * What a connection of the serving side sends: answers, stream by stream, as far as the client's windows and settings have
 * room for them (RFC 9113 §5.2, §6.9), and the frames that the connection itself has to send.
 */

import { PassingSet } from '../passing.js';
import { ByteCollector } from './byte-collector.js';
import { type ConnectionError, ErrorCode } from './error-codes.js';
import type { HeaderField } from './events.js';
import { INITIAL_WINDOW_BYTES, MAX_WINDOW_BYTES, SendWindow } from './flow-window.js';
import { ACK, GOAWAY, PING, RST_STREAM, SETTINGS, WINDOW_UPDATE } from './frame-types.js';
import { HpackEncoder } from './hpack-encoder.js';
import { fieldSize } from './hpack-table.js';
import { Output } from './output.js';
import { PeerSettings } from './peer-settings.js';
import type { ServeLimits } from './serve-limits.js';
import type { ServerStream, StreamOutput } from './server-stream.js';
import { Setting } from './settings.js';

export interface OutputListener {
  /** There is something to pull. Told again only after a pull that gave nothing. */
  writable(): void;
  /** The last of a stream's answer was written. */
  answered(stream: ServerStream): void;
  /** The client has so much answered, and reads none of it, that it must not go on. */
  flooded(what: string): void;
}

/** RFC 9113 §6.8: announces the end of a connection without refusing what is on its way. */
export const EVERY_STREAM = 2 ** 31 - 1;
/** One stream writes so much before the next one gets its turn. */
const TURN_BYTES = 64 * 1024;
const MAX_DEBUG_CHARS = 256;

export class ServerOutput implements StreamOutput {
  private readonly encoder = new HpackEncoder();
  private readonly encoded = new ByteCollector();
  private readonly frames = new Output();
  private readonly peer = new PeerSettings();
  /** Streams that have something to send, in turn. */
  private readonly ready = new PassingSet<ServerStream>();
  /** Streams that wait for the connection's window. */
  private readonly starved = new PassingSet<ServerStream>();
  private readonly window = new SendWindow(INITIAL_WINDOW_BYTES);
  private queuedBytes = 0;
  /** The last stream of the latest GOAWAY. */
  private lastPromised = EVERY_STREAM;
  private longest = 0;
  private told = false;

  constructor(
    private readonly limits: ServeLimits,
    private readonly listener: OutputListener,
  ) {}

  /** Bytes that wait to be pulled or sent. */
  get pendingBytes(): number {
    return this.frames.size + this.queuedBytes;
  }

  /** Bytes of the longest header block that was sent. */
  get longestBlock(): number {
    return this.longest;
  }

  /** The window of a stream that begins now, in bytes. */
  get streamWindow(): number {
    return this.peer.initialWindowBytes;
  }

  /** What to write now, in order; empty when there is nothing. To be called again until it is. */
  pull(): readonly Uint8Array[] {
    this.writeQueued();
    const chunks = this.frames.take();
    if (chunks.length === 0) this.told = false;
    return chunks;
  }

  /** Nothing more of a stream goes out. */
  drop(stream: ServerStream): void {
    stream.sending = false;
    this.ready.delete(stream);
    this.starved.delete(stream);
    if (stream.queue === undefined) return;
    this.queuedBytes -= stream.queue.bytes;
    stream.queue.clear();
  }

  // ---- answers

  sendHeadersAtOnce(stream: ServerStream, fields: readonly HeaderField[], endStream: boolean): boolean {
    if (this.frames.size >= this.limits.outputBytes) return false;
    this.writeHeaders(stream, fields, endStream);
    this.tell();
    return true;
  }

  /** Hot path: for each message that is served (bench: replay). */
  sendDataAtOnce(stream: ServerStream, head: Uint8Array, body: Uint8Array, between: Uint8Array): boolean {
    const { frames } = this;
    const { maxFrameBytes } = this.peer;
    const before = head.length + between.length;
    const length = before + body.length;
    if (frames.size >= this.limits.outputBytes || length > stream.sendWindow.available || length > this.window.available) return false;
    stream.sendWindow.spend(length);
    this.window.spend(length);
    frames.data(stream.id, head, 0, head.length, maxFrameBytes);
    if (between.length > 0) frames.data(stream.id, between, 0, between.length, maxFrameBytes);
    let room = maxFrameBytes - before;
    for (let from = 0; from < body.length; room = maxFrameBytes) {
      const to = Math.min(body.length, from + room);
      frames.data(stream.id, body, from, to, maxFrameBytes);
      from = to;
    }
    this.tell();
    return true;
  }

  queued(stream: ServerStream, bytes: number): void {
    this.queuedBytes += bytes;
    this.isReady(stream);
  }

  queueLimit(): number {
    return this.queuedBytes > this.limits.connectionQueueBytes ? 0 : this.limits.streamQueueBytes;
  }

  takesHeaders(fields: readonly HeaderField[]): boolean {
    const { maxHeaderListBytes } = this.peer;
    return maxHeaderListBytes === undefined || fields.reduce((sum, field) => sum + fieldSize(field), 0) <= maxHeaderListBytes;
  }

  private writeQueued(): void {
    // Of most answers nothing has to wait.
    if (this.ready.size === 0) return;
    // What is added meanwhile comes up at the end of the same loop.
    for (const stream of this.ready) {
      if (this.frames.size >= this.limits.outputBytes) return;
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
      const available = Math.min(stream.sendWindow.available, this.window.available, maxFrameBytes);
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
      this.frames.data(stream.id, item.bytes, from, to, maxFrameBytes);
      queue.advance(to - from);
      const sent = to - from;
      stream.sendWindow.spend(sent);
      this.window.spend(sent);
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
    this.longest = Math.max(this.longest, encoded.length);
    this.frames.headers(stream.id, endStream, encoded, this.peer.maxFrameBytes);
    if (endStream) this.listener.answered(stream);
  }

  // ---- what the connection itself has to say

  /** The server's preface (RFC 9113 §3.4), and as much window for the connection as it gets. */
  greet(): void {
    const { concurrentStreams, streamWindowBytes, headerListBytes, connectionWindowBytes } = this.limits;
    const setting = (id: number, value: number): readonly number[] => [id >>> 8, id & 0xff, ...octets32(value)];
    this.frames.frame(SETTINGS, 0, 0, [
      ...setting(Setting.MAX_CONCURRENT_STREAMS, concurrentStreams),
      ...setting(Setting.INITIAL_WINDOW_SIZE, streamWindowBytes),
      ...setting(Setting.MAX_HEADER_LIST_SIZE, headerListBytes),
    ]);
    const more = connectionWindowBytes - INITIAL_WINDOW_BYTES;
    if (more > 0) this.frames.frame(WINDOW_UPDATE, 0, 0, octets32(more));
    this.tell();
  }

  reset(id: number, code: number): void {
    this.frames.frame(RST_STREAM, 0, id, octets32(code));
    this.answeredControl();
  }

  windowUpdate(id: number, increment: number): void {
    this.frames.frame(WINDOW_UPDATE, 0, id, octets32(increment));
    this.tell();
  }

  ping(payload: Uint8Array): void {
    this.frames.frameOf(PING, 0, 0, payload);
    this.tell();
  }

  answerPing(payload: Uint8Array): void {
    this.frames.frameOf(PING, ACK, 0, payload);
    this.answeredControl();
  }

  goAway(lastStream: number, code: number, reason: string): void {
    const debug = new TextEncoder().encode(reason.slice(0, MAX_DEBUG_CHARS));
    // RFC 9113 §6.8: of streams that were disowned once, refused ones too, none is taken back.
    this.lastPromised = Math.min(this.lastPromised, lastStream);
    this.frames.frame(GOAWAY, 0, 0, [...octets32(this.lastPromised), ...octets32(code), ...debug]);
    this.tell();
  }

  /** A frame that answers one of the client's was written: a client that never reads must not make us keep them all. */
  private answeredControl(): void {
    this.frames.controlFrames += 1;
    if (this.frames.controlFrames > this.limits.queuedControlFrames) this.listener.flooded('frames to be answered, and none of the answers read');
    else this.tell();
  }

  // ---- what the client says of it

  /**
   * Takes on the client's SETTINGS, and answers them.
   *
   * @param streams those that are open
   * @returns why they can't be taken on
   */
  applySettings(bytes: Uint8Array, from: number, to: number, streams: Iterable<ServerStream>): ConnectionError | undefined {
    const { peer } = this;
    const before = peer.initialWindowBytes;
    const bad = peer.apply(bytes, from, to);
    if (bad !== undefined) return bad;
    // RFC 7541 §4.2: the peer may have emptied its table at the smallest size on the way.
    this.encoder.allowTableBytes(peer.smallestHeaderTableBytes);
    this.encoder.allowTableBytes(peer.headerTableBytes);
    if (!this.moveWindows(peer.initialWindowBytes - before, streams)) {
      return { code: ErrorCode.FLOW_CONTROL_ERROR, reason: `a window of over ${MAX_WINDOW_BYTES} bytes, by SETTINGS_INITIAL_WINDOW_SIZE` };
    }
    this.frames.frame(SETTINGS, ACK, 0, []);
    this.answeredControl();
    return undefined;
  }

  /** RFC 9113 §6.9.2 @returns false when one would be too large */
  private moveWindows(difference: number, streams: Iterable<ServerStream>): boolean {
    if (difference === 0) return true;
    for (const stream of streams) {
      if (!stream.sendWindow.grow(difference)) return false;
      if (difference > 0 && stream.hasQueued) this.ready.add(stream);
    }
    return true;
  }

  /** The connection's window has grown. @returns false when it is too large */
  grow(increment: number): boolean {
    if (!this.window.grow(increment)) return false;
    for (const stream of this.starved) this.isReady(stream);
    this.starved.clear();
    return true;
  }

  /** A stream's window has grown. @returns false when it is too large */
  growStream(stream: ServerStream, increment: number): boolean {
    if (!stream.sendWindow.grow(increment)) return false;
    if (stream.hasQueued) this.isReady(stream);
    return true;
  }

  private isReady(stream: ServerStream): void {
    this.ready.add(stream);
    this.tell();
  }

  private tell(): void {
    if (this.told) return;
    this.told = true;
    this.listener.writable();
  }
}

function octets32(value: number): readonly number[] {
  return [(value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}
