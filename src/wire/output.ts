/**
 * Frames on their way out: small ones are written one after the other into a slab, large payloads are referred to
 * where they lie. Hot path: a short answer (HEADERS, DATA, HEADERS) is one chunk, and one system call.
 */

import type { ByteCollector } from './byte-collector.js';
import { FRAME_HEADER_BYTES } from './frame-reader.js';
import { CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS } from './frame-types.js';
import { view } from './octets.js';

const SLAB_BYTES = 64 * 1024;

/** Longer payloads are sent from where they are: copying so much costs about what one more chunk to write does. */
const COPIED_BYTES = 4096;

/** Shorter ones are copied octet by octet. */
const LOOPED_BYTES = 48;

export class Output {
  /** Bytes that wait to be taken. */
  size = 0;
  /** Frames among them that answer something, rather than being part of a stream's own. */
  controlFrames = 0;
  private slab = new Uint8Array(SLAB_BYTES);
  /** What of the slab was not taken yet, and is in no chunk. */
  private from = 0;
  private at = 0;
  private chunks: Uint8Array[] = [];
  /** The DATA frame written last, as long as nothing follows it: more of the same stream goes into it. */
  private dataStream = 0;
  private dataSlab = this.slab;
  private dataAt = 0;
  private dataLength = 0;

  /** What waits, in order; it is the caller's. */
  take(): readonly Uint8Array[] {
    this.cut();
    const { chunks } = this;
    this.chunks = [];
    this.size = 0;
    this.controlFrames = 0;
    this.dataStream = 0;
    return chunks;
  }

  /** A frame whose payload is written by `payload`. */
  frame(type: number, flags: number, stream: number, payload: readonly number[]): void {
    this.begin(payload.length, type, flags, stream);
    for (const octet of payload) this.slab[this.at++] = octet;
  }

  /** A frame around bytes that are copied. */
  frameOf(type: number, flags: number, stream: number, payload: Uint8Array): void {
    this.begin(payload.length, type, flags, stream);
    this.slab.set(payload, this.at);
    this.at += payload.length;
  }

  /** A header block: HEADERS, and CONTINUATIONs when it is longer than a frame. */
  headers(stream: number, endStream: boolean, block: ByteCollector, maxFrameBytes: number): void {
    let from = 0;
    do {
      const to = Math.min(block.length, from + maxFrameBytes);
      const type = from === 0 ? HEADERS : CONTINUATION;
      const flags = (to === block.length ? END_HEADERS : 0) | (from === 0 && endStream ? END_STREAM : 0);
      this.begin(to - from, type, flags, stream);
      this.slab.set(view(block.bytes, from, to), this.at);
      this.at += to - from;
      from = to;
    } while (from < block.length);
  }

  /** Octets of `bytes` as DATA of a stream; not more than a frame takes. */
  data(stream: number, bytes: Uint8Array, from: number, to: number, maxFrameBytes: number): void {
    const length = to - from;
    this.openData(stream, length, maxFrameBytes);
    if (length > COPIED_BYTES) {
      this.cut();
      this.chunks.push(view(bytes, from, to));
      return;
    }
    this.reserve(length);
    const { slab, at } = this;
    this.at = at + length;
    // A view costs as much as copying so many octets one by one (bench: 64 B exec output).
    if (length > LOOPED_BYTES) slab.set(length === bytes.length ? bytes : view(bytes, from, to), at);
    else for (let i = 0; i < length; i += 1) slab[at + i] = bytes[from + i] ?? 0;
  }

  /** Makes a DATA frame of the stream that ends with the next `length` bytes: the last one grown, or a new one. */
  private openData(stream: number, length: number, maxFrameBytes: number): void {
    if (this.dataStream === stream && this.dataLength + length <= maxFrameBytes) {
      this.dataLength += length;
      const { dataSlab, dataAt, dataLength } = this;
      dataSlab[dataAt] = dataLength >>> 16;
      dataSlab[dataAt + 1] = dataLength >>> 8;
      dataSlab[dataAt + 2] = dataLength;
      this.size += length;
      return;
    }
    this.reserve(FRAME_HEADER_BYTES);
    const at = this.at;
    this.header(length, DATA, 0, stream);
    this.size += FRAME_HEADER_BYTES + length;
    this.dataStream = stream;
    this.dataSlab = this.slab;
    this.dataAt = at;
    this.dataLength = length;
  }

  private begin(length: number, type: number, flags: number, stream: number): void {
    this.dataStream = 0;
    this.reserve(FRAME_HEADER_BYTES + length);
    this.header(length, type, flags, stream);
    this.size += FRAME_HEADER_BYTES + length;
  }

  private header(length: number, type: number, flags: number, stream: number): void {
    const { slab, at } = this;
    slab[at] = length >>> 16;
    slab[at + 1] = length >>> 8;
    slab[at + 2] = length;
    slab[at + 3] = type;
    slab[at + 4] = flags;
    slab[at + 5] = stream >>> 24;
    slab[at + 6] = stream >>> 16;
    slab[at + 7] = stream >>> 8;
    slab[at + 8] = stream;
    this.at = at + FRAME_HEADER_BYTES;
  }

  /** Makes sure that so many bytes fit behind what was written. */
  private reserve(bytes: number): void {
    if (this.at + bytes <= this.slab.length) return;
    this.cut();
    this.slab = new Uint8Array(Math.max(SLAB_BYTES, bytes));
    this.from = 0;
    this.at = 0;
  }

  /** What was written so far becomes a chunk. */
  private cut(): void {
    if (this.at === this.from) return;
    this.chunks.push(view(this.slab, this.from, this.at));
    this.from = this.at;
  }
}
