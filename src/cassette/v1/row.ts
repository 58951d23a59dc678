/**
 * Reads the elements of one event's row where they lie, in msgpack that {@link decodeLongList} has walked: so every
 * length is inside the content, and only what an element is has to be checked. Hot path (bench: replay, loading): an
 * event costs no list of its elements and no call of a general decoder.
 */
import { Malformed } from './msgpack.js';

const NIL = 0xc0;
const FALSE = 0xc2;
const TRUE = 0xc3;
/** High halves of a 64-bit number below this leave the whole exact as a double. */
const EXACT_HIGH = 2 ** 21;

export class Row {
  private readonly view: DataView;
  private readonly content: Buffer;
  private at = 0;
  private left = 0;

  /** @param content a whole content, not written to any more */
  constructor(content: Uint8Array) {
    const { buffer, byteOffset, length } = content;
    this.view = new DataView(buffer, byteOffset, length);
    this.content = Buffer.from(buffer, byteOffset, length);
  }

  /** Where the next element begins. */
  get offset(): number {
    return this.at;
  }

  /** How many elements are to come. */
  get rest(): number {
    return this.left;
  }

  /** Begins with the list that stands at `at`. */
  open(at: number, what: string): this {
    this.at = at;
    this.left = 1;
    this.left = this.list(what);
    return this;
  }

  /** Goes into a list: its elements are read like the row's own. @returns how many they are */
  list(what: string): number {
    const head = this.take();
    if (head >= 0x90 && head < 0xa0) return this.enter(head & 0x0f);
    if (head === 0xdc) return this.enter(this.unsigned(2));
    if (head === 0xdd) return this.enter(this.unsigned(4));
    throw new Malformed(`${what} is not a list`);
  }

  /** A whole number from 0 to 2^53 - 1. */
  count(what: string): number {
    const number = this.number();
    if (typeof number === 'number' && number >= 0) return number;
    throw new Malformed(`${what} is not a count`);
  }

  /** As a bigint only when a number does not hold it. */
  integer(what: string): number | bigint {
    const number = this.number();
    if (number === undefined) throw new Malformed(`${what} is not an integer`);
    return number;
  }

  boolean(what: string): boolean {
    const head = this.take();
    if (head !== TRUE && head !== FALSE) throw new Malformed(`${what} is not a boolean`);
    return head === TRUE;
  }

  text(what: string): string {
    const head = this.take();
    const length = head >= 0xa0 && head < 0xc0 ? head & 0x1f : head >= 0xd9 && head <= 0xdb ? this.unsigned(1 << (head - 0xd9)) : undefined;
    if (length === undefined) throw new Malformed(`${what} is not a text`);
    const from = this.at;
    this.at += length;
    return this.content.toString('utf8', from, this.at);
  }

  /** A view of the content. */
  bytes(what: string): Uint8Array {
    const length = this.binaryLength();
    if (length === undefined) throw new Malformed(`${what} is not bytes`);
    const from = this.at;
    this.at += length;
    return new Uint8Array(this.content.buffer, this.content.byteOffset + from, length);
  }

  /** Whether the next element is nil, or there is none; a nil is read past. */
  isNone(): boolean {
    if (this.left > 0 && this.content[this.at] !== NIL) return false;
    this.take();
    return true;
  }

  get isBytes(): boolean {
    const head = this.content[this.at] ?? NIL;
    return this.left > 0 && head >= 0xc4 && head <= 0xc6;
  }

  private enter(count: number): number {
    this.left += count;
    return count;
  }

  /** The head of the next element; of one that is not there, nil. */
  private take(): number {
    if (this.left === 0) return NIL;
    this.left -= 1;
    const head = this.content[this.at] ?? NIL;
    this.at += 1;
    return head;
  }

  private binaryLength(): number | undefined {
    const head = this.take();
    return head >= 0xc4 && head <= 0xc6 ? this.unsigned(1 << (head - 0xc4)) : undefined;
  }

  /** As a bigint only when a number does not hold it; undefined when it is none. */
  private number(): number | bigint | undefined {
    const head = this.take();
    if (head < 0x80) return head;
    if (head >= 0xe0) return head - 0x100;
    switch (head) {
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.unsigned(1 << (head - 0xcc));
      case 0xd0:
        return this.view.getInt8(this.skip(1));
      case 0xd1:
        return this.view.getInt16(this.skip(2));
      case 0xd2:
        return this.view.getInt32(this.skip(4));
      case 0xcf:
        return this.wide(this.view.getUint32(this.at));
      case 0xd3:
        return this.wide(this.view.getInt32(this.at));
      default:
        return undefined;
    }
  }

  private wide(high: number): number | bigint {
    const low = this.view.getUint32(this.at + 4);
    this.at += 8;
    if (high >= -EXACT_HIGH && high < EXACT_HIGH) return high * 2 ** 32 + low;
    return (BigInt(high) << 32n) + BigInt(low);
  }

  private unsigned(width: number): number {
    let value = 0;
    for (let i = 0; i < width; i += 1) value = value * 256 + (this.content[this.at + i] ?? 0);
    this.at += width;
    return value;
  }

  private skip(width: number): number {
    const { at } = this;
    this.at += width;
    return at;
  }
}
