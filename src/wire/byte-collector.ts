/** A buffer that grows, for the few things that have to be in one piece before they can be read. */

import { view } from './octets.js';

/** What stays allocated between uses; anything larger goes back to the heap. */
const KEPT_BYTES = 64 * 1024;
const FIRST_BYTES = 256;

export class ByteCollector {
  private buffer = new Uint8Array(FIRST_BYTES);
  private used = 0;

  get length(): number {
    return this.used;
  }

  /** What was collected, from index 0 to `length`; valid until the next `add` or `clear`. */
  get bytes(): Uint8Array {
    return this.buffer;
  }

  add(bytes: Uint8Array, from: number, to: number): void {
    const needed = this.used + to - from;
    if (needed > this.buffer.length) this.grow(needed);
    this.buffer.set(view(bytes, from, to), this.used);
    this.used = needed;
  }

  /** The bytes, with room for so many more from `length` on. They don't count before they are claimed. */
  reserve(room: number): Uint8Array {
    const needed = this.used + room;
    if (needed > this.buffer.length) this.grow(needed);
    return this.buffer;
  }

  /** The reserved room was written to, up to `end`. */
  claim(end: number): void {
    this.used = end;
  }

  clear(): void {
    this.used = 0;
    if (this.buffer.length > KEPT_BYTES) this.buffer = new Uint8Array(FIRST_BYTES);
  }

  private grow(needed: number): void {
    const larger = new Uint8Array(Math.max(needed, this.buffer.length * 2));
    larger.set(view(this.buffer, 0, this.used));
    this.buffer = larger;
  }
}
