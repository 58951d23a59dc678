/**
 * Header blocks → header lists (RFC 7541 §3, §6), one decoder for each direction of a connection.
 * Hot path: a block is read where it lies; an indexed field is the table's own object. Values are copied, because
 * table entries outlive the chunk they came in by far.
 */

import type { HeaderField } from './events.js';
import { fieldSize, HpackTable } from './hpack-table.js';
import { huffmanDecode, huffmanRoom } from './huffman.js';
import { HPACK_INTEGER_OCTETS, INITIAL_HEADER_TABLE_BYTES, type Limits } from './limits.js';
import { copy, latin1 } from './octets.js';

/** Why a block gave no header list. */
export class HpackFailure {
  /**
   * @param reason in words
   * @param poisons the table may no longer be the encoder's: no later block of this direction can be read either
   */
  constructor(
    readonly reason: string,
    readonly poisons: boolean,
  ) {}
}

/** Ends a block early; never leaves this file. */
class MalformedBlock extends Error {}

/** Where Huffman strings are decoded; grows with them, and goes back to its first size after a very long one. */
const FIRST_SCRATCH_BYTES = 1024;
const KEPT_SCRATCH_BYTES = 64 * 1024;

const EMPTY = new Uint8Array(0);

/** No more octets than this are compared: blocks of nothing but indexed fields have one or two for each. */
const REPEATED_OCTETS = 64;

/** The last block that left the table as it was, and its list: the requests of a client are alike, and so are the answers. */
class RepeatedBlock {
  private readonly octets = new Uint8Array(REPEATED_OCTETS);
  private length = 0;
  private revision = -1;
  private fields: readonly HeaderField[] = [];

  /** @returns its list, if that block has come again */
  find(bytes: Uint8Array, from: number, to: number, revision: number): readonly HeaderField[] | undefined {
    const { octets, length } = this;
    if (revision !== this.revision || to - from !== length) return undefined;
    for (let at = 0; at < length; at += 1) if (bytes[from + at] !== octets[at]) return undefined;
    return this.fields;
  }

  keep(bytes: Uint8Array, from: number, to: number, revision: number, fields: readonly HeaderField[]): void {
    if (to - from > REPEATED_OCTETS) return;
    for (let at = from; at < to; at += 1) this.octets[at - from] = bytes[at] ?? 0;
    this.length = to - from;
    this.revision = revision;
    this.fields = fields;
  }
}

type HpackLimits = Pick<Limits, 'headerFields' | 'headerListBytes' | 'headerTableBytes'>;

export class HpackDecoder {
  readonly table = new HpackTable(INITIAL_HEADER_TABLE_BYTES);
  private allowedTableBytes = INITIAL_HEADER_TABLE_BYTES;
  private readonly repeated = new RepeatedBlock();
  private scratch = new Uint8Array(FIRST_SCRATCH_BYTES);
  private bytes: Uint8Array = EMPTY;
  private at = 0;
  private end = 0;
  private string: Uint8Array = EMPTY;
  private stringFrom = 0;
  private stringTo = 0;

  constructor(private readonly limits: HpackLimits) {}

  /**
   * The other side announced SETTINGS_HEADER_TABLE_SIZE. The largest value so far is what a size update may name:
   * a tap sees a SETTINGS before its receiver does, so an encoder may still be going by an earlier one.
   */
  allowTableBytes(bytes: number): void {
    this.allowedTableBytes = Math.max(this.allowedTableBytes, bytes);
  }

  /** Reads the block in `bytes` from `from` to `to`. A list that comes again can be the same object. */
  decode(bytes: Uint8Array, from: number, to: number): readonly HeaderField[] | HpackFailure {
    const { revision } = this.table;
    const known = this.repeated.find(bytes, from, to, revision);
    if (known !== undefined) return known;
    this.bytes = bytes;
    this.at = from;
    this.end = to;
    try {
      const fields = this.readBlock();
      if (this.table.revision === revision && !(fields instanceof HpackFailure)) this.repeated.keep(bytes, from, to, revision, fields);
      return fields;
    } catch (error) {
      if (error instanceof MalformedBlock) return new HpackFailure(error.message, true);
      throw error;
    } finally {
      this.bytes = EMPTY;
      this.string = EMPTY;
      if (this.scratch.length > KEPT_SCRATCH_BYTES) this.scratch = new Uint8Array(FIRST_SCRATCH_BYTES);
    }
  }

  private readBlock(): readonly HeaderField[] | HpackFailure {
    const fields: HeaderField[] = [];
    let listBytes = 0;
    let count = 0;
    while (this.at < this.end) {
      const first = this.bytes[this.at] ?? 0;
      let field: HeaderField;
      if (first >= 0x80) {
        // §6.1 indexed
        field = this.fieldAt(this.readInteger(0x7f));
      } else if (first >= 0x40) {
        // §6.2.1 literal with incremental indexing
        field = this.readLiteral(this.readInteger(0x3f));
        this.table.add(field);
      } else if (first >= 0x20) {
        // §6.3 size update
        if (count > 0) throw new MalformedBlock('a table size update after a header field');
        this.resizeTable(this.readInteger(0x1f));
        continue;
      } else {
        // §6.2.2 literal without indexing, §6.2.3 never indexed
        field = this.readLiteral(this.readInteger(0x0f));
      }
      count += 1;
      listBytes += fieldSize(field);
      // Past a limit the block is still read through, to keep the table what the encoder's is.
      if (count <= this.limits.headerFields && listBytes <= this.limits.headerListBytes) fields.push(field);
    }
    if (fields.length === count) return fields;
    return new HpackFailure(`a header list of ${count} fields and ${listBytes} bytes, over the limit`, false);
  }

  private fieldAt(index: number): HeaderField {
    const field = this.table.field(index);
    if (field === undefined) throw new MalformedBlock(`no header field at index ${index}`);
    return field;
  }

  private readLiteral(nameIndex: number): HeaderField {
    const name = nameIndex === 0 ? this.readName() : this.fieldAt(nameIndex).name;
    return { name, value: this.readValue() };
  }

  private resizeTable(bytes: number): void {
    if (bytes > this.allowedTableBytes) {
      throw new MalformedBlock(`a table size of ${bytes} bytes, where ${this.allowedTableBytes} were allowed`);
    }
    if (bytes > this.limits.headerTableBytes) {
      throw new MalformedBlock(`a table size of ${bytes} bytes, over the limit of ${this.limits.headerTableBytes}`);
    }
    this.table.resize(bytes);
  }

  /** §5.1; `mask` is the prefix, all ones. */
  private readInteger(mask: number): number {
    let value = (this.bytes[this.at] ?? 0) & mask;
    this.at += 1;
    if (value < mask) return value;
    for (let shift = 0; shift < 7 * HPACK_INTEGER_OCTETS; shift += 7) {
      if (this.at >= this.end) throw new MalformedBlock('an integer cut off by the end of the block');
      const octet = this.bytes[this.at] ?? 0;
      this.at += 1;
      value += (octet & 0x7f) << shift;
      if (octet < 0x80) return value;
    }
    throw new MalformedBlock('an integer that is too long');
  }

  private readName(): string {
    this.readString();
    return latin1(this.string, this.stringFrom, this.stringTo);
  }

  private readValue(): Uint8Array {
    this.readString();
    return copy(this.string, this.stringFrom, this.stringTo);
  }

  /** §5.2; leaves the string in `string` from `stringFrom` to `stringTo`, which is the block or the scratch. */
  private readString(): void {
    if (this.at >= this.end) throw new MalformedBlock('a header field cut off by the end of the block');
    const huffman = (this.bytes[this.at] ?? 0) >= 0x80;
    const length = this.readInteger(0x7f);
    const from = this.at;
    const to = from + length;
    if (to > this.end) throw new MalformedBlock('a string cut off by the end of the block');
    this.at = to;
    if (!huffman) {
      this.string = this.bytes;
      this.stringFrom = from;
      this.stringTo = to;
      return;
    }
    // Bounded by the block's own bound: no code is shorter than five bits.
    const room = huffmanRoom(length);
    if (room > this.scratch.length) this.scratch = new Uint8Array(room);
    const decoded = huffmanDecode(this.bytes, from, to, this.scratch);
    if (decoded < 0) throw new MalformedBlock('a string that is not valid Huffman code');
    this.string = this.scratch;
    this.stringFrom = 0;
    this.stringTo = decoded;
  }
}
