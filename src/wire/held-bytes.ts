/** What unfinished messages hold: counted over a whole connection, kept so that it pins no more than it counts for. */

import { copy, view } from './octets.js';

/** How much the unfinished messages of one connection hold, and may hold. */
export class HeldBytes {
  bytes = 0;
  constructor(readonly limit: number) {}
}

/**
 * A piece shorter than this part of its chunk is copied when it has to wait for the rest of its message: a view
 * would keep the whole chunk alive. So what is held never pins more than eight times its own size.
 */
const CHUNK_PART = 8;
const FIRST_TAIL_BYTES = 1024;
const LAST_TAIL_BYTES = 64 * 1024;

/** The body of one message so far: views of the pushed chunks, and small pieces put together. */
export class Pieces {
  private pieces: Uint8Array[] = [];
  /** Where small pieces go; views of it are taken when it is full, or something larger follows. */
  private tail: Uint8Array | undefined;
  private tailFrom = 0;
  private tailTo = 0;

  add(bytes: Uint8Array, from: number, to: number): void {
    if ((to - from) * CHUNK_PART >= bytes.length) {
      this.closeTail();
      this.pieces.push(view(bytes, from, to));
    } else {
      this.addSmall(bytes, from, to);
    }
  }

  /** The body with its last piece, which is never copied; the collection starts anew. */
  finish(bytes: Uint8Array, from: number, to: number): readonly Uint8Array[] {
    this.closeTail();
    this.pieces.push(view(bytes, from, to));
    const { pieces } = this;
    this.clear();
    return pieces;
  }

  clear(): void {
    this.pieces = [];
    this.tail = undefined;
    this.tailFrom = 0;
    this.tailTo = 0;
  }

  private addSmall(bytes: Uint8Array, from: number, to: number): void {
    const length = to - from;
    if (this.tail === undefined || this.tailTo + length > this.tail.length) {
      this.closeTail();
      const grown = this.tail === undefined ? FIRST_TAIL_BYTES : Math.min(LAST_TAIL_BYTES, this.tail.length * 4);
      if (length >= grown) {
        this.pieces.push(copy(bytes, from, to));
        return;
      }
      this.tail = new Uint8Array(grown);
      this.tailFrom = 0;
      this.tailTo = 0;
    }
    this.tail.set(view(bytes, from, to), this.tailTo);
    this.tailTo += length;
  }

  private closeTail(): void {
    if (this.tail === undefined || this.tailTo === this.tailFrom) return;
    this.pieces.push(view(this.tail, this.tailFrom, this.tailTo));
    this.tailFrom = this.tailTo;
  }
}
