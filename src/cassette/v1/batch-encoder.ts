/**
 * HOT PATH (measured by hand and in bench/): events → the content of an `evt` record, msgpack written straight
 * into a block. No object, closure or buffer is made per event; the only copy of a payload is the one into the
 * block.
 *
 *   [first sequence number, base time, [event, event, …]]
 *
 * Numbers that are known only when the block is sealed (the count) or that must not move (sequence number, base
 * time) have their widest form, so the content begins at a fixed place behind the frame.
 */
import type { CassetteEvent, HeaderField, MessageEvent, Nanoseconds, Piece, Side } from '../events.js';
import { FRAME_LENGTH } from './frame.js';

type WithoutSeq<E> = E extends unknown ? Omit<E, 'seq'> : never;

/** A message on its way into a block: its payload as pieces, as the number of a stored payload, or left out. */
export interface NewMessage extends Omit<MessageEvent, 'seq' | 'data'> {
  readonly data: readonly Piece[] | number | undefined;
}

/** An event to append: without its sequence number, and a message's payload as the pieces in which it came. */
export type NewEvent =
  | WithoutSeq<Exclude<CassetteEvent, MessageEvent>>
  | (Omit<MessageEvent, 'seq' | 'data'> & { readonly data: readonly Piece[] | undefined });

/** An event on its way into a block. */
export type EncodableEvent = WithoutSeq<Exclude<CassetteEvent, MessageEvent>> | NewMessage;

/** Event codes of format v1: the index is the code. */
export const eventKinds = [
  'connection-open',
  'connection-close',
  'client-header',
  'server-header',
  'server-trailer',
  'client-message',
  'server-message',
  'client-half-close',
  'reset',
  'goaway',
  'gap',
] as const satisfies readonly CassetteEvent['kind'][];

const code = Object.fromEntries(eventKinds.map((kind, index) => [kind, index])) as Readonly<Record<CassetteEvent['kind'], number>>;
const sides: Readonly<Record<Side, number>> = { client: 0, server: 1 };

/** [seq, time, [ … ]]: 0x93, 0xcf + 8, 0xd3 + 8, 0xdd + 4. */
const HEAD = 1 + 9 + 9 + 5;
const CONTENT = FRAME_LENGTH + HEAD;
/** More than all the numbers of any event take. */
const NUMBERS = 96;
/** Up to here a byte loop is faster than a view and a call of TypedArray.set. */
const SHORT = 128;
/** Up to here times are exact as a number, and so is the difference of two of them. */
const EXACT = 2 ** 52;

/** The most bytes that the event can take in a block. */
export function roomFor(event: EncodableEvent): number {
  switch (event.kind) {
    case 'client-message':
    case 'server-message':
      return NUMBERS + (typeof event.data === 'object' ? total(event.data) : 0);
    case 'client-header':
    case 'server-header':
    case 'server-trailer':
      return roomForHeaders(event.headers);
    case 'connection-open':
      return NUMBERS + (event.address.length + (event.protocol?.length ?? 0)) * 3;
    case 'connection-close':
      return NUMBERS + (event.error === undefined ? 0 : event.error.length * 3);
    case 'goaway':
      return NUMBERS + event.debug.length;
    case 'gap':
      return NUMBERS + event.reason.length * 3;
    case 'client-half-close':
    case 'reset':
      return NUMBERS;
  }
}

function roomForHeaders(headers: readonly HeaderField[]): number {
  let room = NUMBERS;
  for (const field of headers) room += 10 + field.name.length * 3 + field.value.length;
  return room;
}

export function total(pieces: readonly Piece[]): number {
  let length = 0;
  for (const { from, to } of pieces) length += to - from;
  return length;
}

export class BatchEncoder {
  #block: Buffer;
  #at = CONTENT;
  #count = 0;
  #firstSeq: number;
  #base: Nanoseconds = 0n;
  #last: Nanoseconds = 0n;
  #lastNumber = 0;

  /** @param firstSeq the sequence number of the first event of all */
  constructor(block: Buffer, firstSeq = 0) {
    this.#block = block;
    this.#firstSeq = firstSeq;
  }

  get count(): number {
    return this.#count;
  }

  /** Length of the content so far. */
  get length(): number {
    return this.#at - FRAME_LENGTH;
  }

  /** The sequence number of the next event. */
  get nextSeq(): number {
    return this.#firstSeq + this.#count;
  }

  /** The time of the last event of all. */
  get lastTime(): Nanoseconds {
    return this.#last;
  }

  has(room: number): boolean {
    return this.#at + room <= this.#block.length;
  }

  /** The block with its content in place, the frame still to be sealed. Afterwards `begin` with another one. */
  finish(): Buffer {
    const block = this.#block;
    block[FRAME_LENGTH] = 0x93;
    block[FRAME_LENGTH + 1] = 0xcf;
    block.writeUInt32BE(Math.floor(this.#firstSeq / 2 ** 32), FRAME_LENGTH + 2);
    block.writeUInt32BE(this.#firstSeq >>> 0, FRAME_LENGTH + 6);
    block[FRAME_LENGTH + 10] = 0xd3;
    block.writeBigInt64BE(BigInt.asIntN(64, this.#base), FRAME_LENGTH + 11);
    block[FRAME_LENGTH + 19] = 0xdd;
    block.writeUInt32BE(this.#count, FRAME_LENGTH + 20);
    return block.subarray(0, this.#at);
  }

  begin(block: Buffer): void {
    this.#firstSeq += this.#count;
    this.#count = 0;
    this.#at = CONTENT;
    this.#block = block;
  }

  static blockLength(room: number): number {
    return CONTENT + room;
  }

  /** Appends an event; the caller has made sure that `has(roomFor(event))`. */
  add(event: EncodableEvent): void {
    switch (event.kind) {
      case 'client-message':
      case 'server-message':
        this.#head(0x97, code[event.kind], event.time, event.connection);
        this.#uint(event.call);
        this.#block[this.#at++] = event.compressed ? 0xc3 : 0xc2;
        this.#payload(event.size, event.data);
        break;
      case 'client-header':
      case 'server-header':
      case 'server-trailer':
        this.#head(0x95, code[event.kind], event.time, event.connection);
        this.#uint(event.call);
        this.#headers(event.headers);
        break;
      case 'client-half-close':
        this.#head(0x94, code[event.kind], event.time, event.connection);
        this.#uint(event.call);
        break;
      case 'reset':
        this.#head(0x96, code[event.kind], event.time, event.connection);
        this.#uint(event.call);
        this.#uint(sides[event.side]);
        this.#uint(event.code);
        break;
      case 'connection-open':
        if (event.protocol === undefined && event.upgradeOf === undefined) {
          this.#head(0x94, code[event.kind], event.time, event.connection);
          this.#text(event.address);
          break;
        }
        this.#head(0x96, code[event.kind], event.time, event.connection);
        this.#text(event.address);
        if (event.protocol === undefined) this.#nil();
        else this.#text(event.protocol);
        this.#optional(event.upgradeOf);
        break;
      case 'connection-close':
        this.#head(0x95, code[event.kind], event.time, event.connection);
        this.#optional(event.side === undefined ? undefined : sides[event.side]);
        if (event.error === undefined) this.#nil();
        else this.#text(event.error);
        break;
      case 'goaway':
        this.#head(0x96, code[event.kind], event.time, event.connection);
        this.#uint(sides[event.side]);
        this.#uint(event.code);
        this.#bytes(event.debug);
        break;
      case 'gap':
        this.#head(0x98, code[event.kind], event.time, event.connection);
        this.#optional(event.call);
        this.#uint(sides[event.side]);
        this.#uint(event.offset);
        this.#uint(event.bytes);
        this.#text(event.reason);
        break;
    }
    this.#count++;
  }

  /** Array head, code, time since the event before it (since the base for the first), connection. */
  #head(array: number, kind: number, time: Nanoseconds, connection: number): void {
    if (this.#count === 0) {
      this.#base = time;
      this.#last = time;
      this.#lastNumber = Number(time);
    }
    const block = this.#block;
    block[this.#at++] = array;
    block[this.#at++] = kind;
    const now = Number(time);
    if (now < EXACT && now > -EXACT && this.#lastNumber < EXACT && this.#lastNumber > -EXACT) {
      this.#int(now - this.#lastNumber);
    } else {
      block[this.#at++] = 0xd3;
      block.writeBigInt64BE(BigInt.asIntN(64, time - this.#last), this.#at);
      this.#at += 8;
    }
    this.#last = time;
    this.#lastNumber = now;
    this.#uint(connection);
  }

  #payload(size: number, data: readonly Piece[] | number | undefined): void {
    if (data === undefined) {
      this.#uint(size);
      this.#nil();
    } else if (typeof data === 'number') {
      this.#uint(size);
      this.#uint(data);
    } else {
      const length = total(data);
      this.#uint(length);
      this.#binHead(length);
      for (const { bytes, from, to } of data) this.#copy(bytes, from, to);
    }
  }

  #headers(headers: readonly HeaderField[]): void {
    this.#arrayHead(headers.length * 2);
    for (const field of headers) {
      this.#text(field.name);
      this.#bytes(field.value);
    }
  }

  #copy(bytes: Uint8Array, from: number, to: number): void {
    const block = this.#block;
    let at = this.#at;
    if (to - from <= SHORT) for (let i = from; i < to; i++) block[at++] = bytes[i] ?? 0;
    else {
      block.set(from === 0 && to === bytes.length ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset + from, to - from), at);
      at += to - from;
    }
    this.#at = at;
  }

  #bytes(bytes: Uint8Array): void {
    this.#binHead(bytes.length);
    this.#copy(bytes, 0, bytes.length);
  }

  #binHead(length: number): void {
    const block = this.#block;
    let at = this.#at;
    if (length < 0x100) {
      block[at++] = 0xc4;
    } else if (length < 0x1_0000) {
      block[at++] = 0xc5;
      block[at++] = length >>> 8;
    } else {
      block[at++] = 0xc6;
      block[at++] = length >>> 24;
      block[at++] = length >>> 16;
      block[at++] = length >>> 8;
    }
    block[at++] = length;
    this.#at = at;
  }

  #text(text: string): void {
    const block = this.#block;
    const length = text.length;
    const start = this.#at;
    if (length < 32) {
      // Nearly always ASCII: written as such, and again as UTF-8 when it turns out not to be.
      block[start] = 0xa0 | length;
      let i = 0;
      for (; i < length; i++) {
        const char = text.charCodeAt(i);
        if (char > 0x7f) break;
        block[start + 1 + i] = char;
      }
      if (i === length) {
        this.#at = start + 1 + length;
        return;
      }
    }
    const written = block.write(text, start + 5, 'utf8');
    block[start] = 0xdb;
    block.writeUInt32BE(written, start + 1);
    this.#at = start + 5 + written;
  }

  #arrayHead(count: number): void {
    const block = this.#block;
    if (count < 16) block[this.#at++] = 0x90 | count;
    else {
      block[this.#at] = 0xdd;
      block.writeUInt32BE(count, this.#at + 1);
      this.#at += 5;
    }
  }

  #nil(): void {
    this.#block[this.#at++] = 0xc0;
  }

  #optional(value: number | undefined): void {
    if (value === undefined) this.#nil();
    else this.#uint(value);
  }

  #int(value: number): void {
    if (value >= 0) {
      this.#uint(value);
      return;
    }
    const block = this.#block;
    if (value >= -32) block[this.#at++] = value & 0xff;
    else if (value >= -0x8000_0000) {
      block[this.#at] = 0xd2;
      block.writeInt32BE(value, this.#at + 1);
      this.#at += 5;
    } else {
      block[this.#at] = 0xd3;
      block.writeBigInt64BE(BigInt(value), this.#at + 1);
      this.#at += 9;
    }
  }

  #uint(value: number): void {
    const block = this.#block;
    let at = this.#at;
    if (value < 0x80) {
      block[at++] = value;
    } else if (value < 0x100) {
      block[at++] = 0xcc;
      block[at++] = value;
    } else if (value < 0x1_0000) {
      block[at++] = 0xcd;
      block[at++] = value >>> 8;
      block[at++] = value;
    } else if (value < 0x1_0000_0000) {
      block[at++] = 0xce;
      block[at++] = value >>> 24;
      block[at++] = value >>> 16;
      block[at++] = value >>> 8;
      block[at++] = value;
    } else {
      const high = Math.floor(value / 0x1_0000_0000);
      block[at++] = 0xcf;
      block[at++] = high >>> 24;
      block[at++] = high >>> 16;
      block[at++] = high >>> 8;
      block[at++] = high;
      block[at++] = value >>> 24;
      block[at++] = value >>> 16;
      block[at++] = value >>> 8;
      block[at++] = value;
    }
    this.#at = at;
  }
}
