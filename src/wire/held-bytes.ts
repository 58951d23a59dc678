/** What unfinished messages hold: counted over a whole connection, kept so that it pins no more than it counts for. */

import type { Piece } from './events.js';
import { copy, view } from './octets.js';

/** How much the unfinished messages of one connection hold, and may hold. */
export class HeldBytes {
  bytes = 0;
  /** Bodies that got pieces of the chunk at hand. */
  private touched: Pieces[] = [];

  constructor(readonly limit: number) {}

  touch(pieces: Pieces): void {
    this.touched.push(pieces);
  }

  /** The chunk at hand is over: what still waits must not keep it alive for a little of it. */
  settle(): void {
    if (this.touched.length === 0) return;
    for (const pieces of this.touched) pieces.settle();
    this.touched = [];
  }
}

/**
 * A piece shorter than this part of its chunk is copied when it has to wait for the rest of its message: a view
 * would keep the whole chunk alive. So what is held never pins more than eight times its own size.
 */
const CHUNK_PART = 8;
const FIRST_TAIL_BYTES = 1024;
const LAST_TAIL_BYTES = 64 * 1024;

/** The body of one message so far: pieces of the pushed chunks, and small pieces put together. */
export class Pieces {
  private pieces: Piece[] = [];
  /** Pieces of the chunk at hand: most of them are complete before it is over, and need no copy. */
  private fresh: Piece[] = [];
  /** Where small pieces go; parts of it are taken when it is full, or something larger follows. */
  private tail: Uint8Array | undefined;
  private tailFrom = 0;
  private tailTo = 0;

  constructor(private readonly held: HeldBytes) {}

  add(bytes: Uint8Array, from: number, to: number): void {
    if (this.fresh.length === 0) this.held.touch(this);
    this.fresh.push({ bytes, from, to });
  }

  /** The body with its last piece; the collection starts anew. */
  finish(bytes: Uint8Array, from: number, to: number): readonly Piece[] {
    this.closeTail();
    const { pieces } = this;
    for (const piece of this.fresh) pieces.push(piece);
    pieces.push({ bytes, from, to });
    this.clear();
    return pieces;
  }

  clear(): void {
    this.pieces = [];
    if (this.fresh.length > 0) this.fresh = [];
    this.tail = undefined;
    this.tailFrom = 0;
    this.tailTo = 0;
  }

  settle(): void {
    for (const piece of this.fresh) {
      const { bytes, from, to } = piece;
      if ((to - from) * CHUNK_PART >= bytes.length) {
        this.closeTail();
        this.pieces.push(piece);
      } else {
        this.addSmall(bytes, from, to);
      }
    }
    if (this.fresh.length > 0) this.fresh = [];
  }

  private addSmall(bytes: Uint8Array, from: number, to: number): void {
    const length = to - from;
    if (this.tail === undefined || this.tailTo + length > this.tail.length) {
      this.closeTail();
      const grown = this.tail === undefined ? FIRST_TAIL_BYTES : Math.min(LAST_TAIL_BYTES, this.tail.length * 4);
      if (length >= grown) {
        this.pieces.push({ bytes: copy(bytes, from, to), from: 0, to: length });
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
    this.pieces.push({ bytes: this.tail, from: this.tailFrom, to: this.tailTo });
    this.tailFrom = this.tailTo;
  }
}
