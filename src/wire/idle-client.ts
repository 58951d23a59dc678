/**
 * The client's end of an HTTP/2 connection on which it asks for nothing: it greets, answers what has to be answered,
 * and is there until somebody goes (RFC 9113 §3.4, §6.5.3, §6.7). Bytes in, bytes out, no I/O.
 */

import { FRAME_HEADER_BYTES, FrameReader, type FrameSink } from './frame-reader.js';
import { ACK, GOAWAY, PING, SETTINGS } from './frame-types.js';
import { copy } from './octets.js';
import { Output } from './output.js';
import { CLIENT_PREFACE } from './preface.js';
import { MAX_FRAME_BYTES } from './serve-limits.js';

/** A server that goes on asking, with nobody to take the answers, is not answered for ever. */
const MAX_QUEUED_ANSWERS = 1000;

export class IdleClient implements FrameSink {
  private readonly out = new Output();
  private readonly frames = new FrameReader(this, { headerBlockBytes: MAX_FRAME_BYTES, controlFrameBytes: MAX_FRAME_BYTES }, 'connection');
  private greeted = false;
  private firstFrame = true;
  private over = false;

  /** @param onSettled told once: the server has read our SETTINGS and said so, so both ends are up */
  constructor(private onSettled: (() => void) | undefined) {
    this.out.frame(SETTINGS, 0, 0, []);
  }

  /** The server has said that it goes (GOAWAY), or something that is no HTTP/2. */
  get isOver(): boolean {
    return this.over;
  }

  /** The next bytes of the server. */
  push(bytes: Uint8Array): void {
    if (!this.over) this.frames.push(bytes, 0);
  }

  /** What to send now, in order; empty when there is nothing. */
  pull(): readonly Uint8Array[] {
    const chunks = this.out.take();
    if (this.greeted) return chunks;
    this.greeted = true;
    return [CLIENT_PREFACE, ...chunks];
  }

  onFrameHeader(type: number, flags: number): boolean {
    const isGreeting = type === SETTINGS && (flags & ACK) === 0;
    if ((this.firstFrame && !isGreeting) || type === GOAWAY || this.frames.frameBytes > FRAME_HEADER_BYTES + MAX_FRAME_BYTES) this.over = true;
    this.firstFrame = false;
    return !this.over;
  }

  onFrame(type: number, flags: number, _stream: number, bytes: Uint8Array, from: number, to: number): void {
    const isAck = (flags & ACK) !== 0;
    if (type === SETTINGS && isAck) {
      const told = this.onSettled;
      this.onSettled = undefined;
      told?.();
    } else if ((type === SETTINGS || type === PING) && !isAck && this.out.controlFrames < MAX_QUEUED_ANSWERS) {
      this.out.controlFrames += 1;
      this.out.frameOf(type, ACK, 0, type === PING ? copy(bytes, from, to) : new Uint8Array());
    }
  }

  onData(): void {
    // Nothing was asked, so there is nothing to be answered.
  }

  onDataEnd(): void {
    // As above.
  }

  onUnreadable(): void {
    // What can't be read asks for nothing.
  }
}
