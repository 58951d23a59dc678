/**
 * Header lists → header blocks (RFC 7541 §4, §6), one encoder for a connection.
 * Hot path: the fields of an answer mostly come again and again, and are one octet each then.
 */

import type { ByteCollector } from './byte-collector.js';
import type { HeaderField } from './events.js';
import { DynamicLookup, nameFacts, type NameFacts, staticIndexOf } from './hpack-lookup.js';
import type { Treatment } from './hpack-policy.js';
import { INTEGER_ROOM, writeInteger, writeOctets, writeString } from './hpack-primitives.js';
import { fieldSize, HpackTable } from './hpack-table.js';
import { INITIAL_HEADER_TABLE_BYTES } from './limits.js';
import { copy } from './octets.js';

/** An entry that would take more than this part of the table is left out of it: it would push out too many others. */
const TABLE_SHARE = 1 / 4;

/** How a representation begins: what its first octet says, and the prefix of the integer in it, all ones. */
interface Representation {
  readonly first: number;
  readonly prefix: number;
}

/** RFC 7541 §6.1 */
const INDEXED: Representation = { first: 0x80, prefix: 0x7f };
/** §6.3 */
const SIZE_UPDATE: Representation = { first: 0x20, prefix: 0x1f };
/** §6.2 */
const LITERAL: Readonly<Record<Treatment, Representation>> = {
  indexed: { first: 0x40, prefix: 0x3f },
  plain: { first: 0x00, prefix: 0x0f },
  never: { first: 0x10, prefix: 0x0f },
};

export class HpackEncoder {
  /** What the peer's decoder has as well, after each block. */
  readonly table = new HpackTable(INITIAL_HEADER_TABLE_BYTES);
  private readonly lookup = new DynamicLookup();
  /** What the table's capacity is to be from the next block on, and the least that it was to be since the last one. */
  private wanted: number;
  private least: number;

  /** @param maxTableBytes what the dynamic table may count for (RFC 7541 §4.1), however much the peer allows */
  constructor(private readonly maxTableBytes: number = INITIAL_HEADER_TABLE_BYTES) {
    this.wanted = Math.min(maxTableBytes, INITIAL_HEADER_TABLE_BYTES);
    this.least = this.wanted;
  }

  /** The peer announced SETTINGS_HEADER_TABLE_SIZE. The next block tells it what became of that. */
  allowTableBytes(bytes: number): void {
    this.wanted = Math.min(bytes, this.maxTableBytes);
    this.least = Math.min(this.least, this.wanted);
  }

  /** Appends the block of these fields. Values are copied where they have to be kept. */
  encode(fields: readonly HeaderField[], out: ByteCollector): void {
    if (this.wanted !== this.table.capacity || this.least < this.wanted) this.updateSize(out);
    for (const field of fields) this.encodeField(field, out);
  }

  private encodeField(field: HeaderField, out: ByteCollector): void {
    const { name, value } = field;
    const named = this.lookup.named(name);
    const entry = this.lookup.withValue(value, named);
    if (entry !== undefined) {
      write(INDEXED, this.lookup.index(entry), out);
      return;
    }
    const facts = nameFacts(name);
    const treatment = this.treatment(field, facts);
    const staticIndex = treatment === 'never' ? 0 : staticIndexOf(value, facts);
    if (staticIndex > 0) {
      write(INDEXED, staticIndex, out);
      return;
    }
    const bytes = out.reserve(2 * INTEGER_ROOM + facts.spelled.length + value.length);
    const { first, prefix } = LITERAL[treatment];
    const nameIndex = facts.staticIndex > 0 || named === undefined ? facts.staticIndex : this.lookup.index(named);
    let at = writeInteger(first, prefix, nameIndex, bytes, out.length);
    if (nameIndex === 0) at = writeOctets(facts.spelled, bytes, at);
    out.claim(writeString(value, bytes, at));
    if (treatment === 'indexed') this.add(field);
  }

  private treatment(field: HeaderField, facts: NameFacts): Treatment {
    if (facts.treatment === 'never') return 'never';
    if (fieldSize(field) > this.table.capacity * TABLE_SHARE) return 'plain';
    // What is different each time is the same when it is nothing: grpc-message, as long as all goes well.
    return field.value.length === 0 ? 'indexed' : facts.treatment;
  }

  private add({ name, value }: HeaderField): void {
    const field = { name, value: copy(value, 0, value.length) };
    this.table.add(field);
    this.lookup.add(field);
    this.lookup.keep(this.table.count);
  }

  /**
   * RFC 7541 §4.2: the least size first, then the one that counts. Where both have to be said, the table is emptied,
   * because golang.org/x/net's decoder refuses a second update while it has entries (golang/go#29187, as of v0.60).
   */
  private updateSize(out: ByteCollector): void {
    if (this.least < this.wanted && this.least < this.table.capacity) this.resize(0, out);
    if (this.wanted !== this.table.capacity) this.resize(this.wanted, out);
    this.least = this.wanted;
  }

  private resize(capacity: number, out: ByteCollector): void {
    this.table.resize(capacity);
    this.lookup.keep(this.table.count);
    write(SIZE_UPDATE, capacity, out);
  }
}

function write({ first, prefix }: Representation, value: number, out: ByteCollector): void {
  const bytes = out.reserve(INTEGER_ROOM);
  out.claim(writeInteger(first, prefix, value, bytes, out.length));
}
