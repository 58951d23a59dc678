/**
 * Header lists for whoever holds all events of a cassette at once: a list or field that comes again is the same object.
 * (100,000 short calls held as they are decoded take some 0.6 GB, nearly all of it in lists, fields and their values.)
 */
import { Memo } from '../../passing.js';
import type { HeaderField } from '../events.js';
import { type HeaderSource, readFields } from './event-cursor.js';
import type { Row } from './row.js';

/** Lists, and fields, that are remembered to be shared. */
const REMEMBERED = 4096;
/** Longer ones are not looked for: a status with its details seldom comes again. */
const LONGEST_SHARED = 1024;

export class SharedHeaders implements HeaderSource {
  private readonly lists = new Memo<string, readonly HeaderField[]>(REMEMBERED);
  /** By its length the list that came last, which most often comes again: to compare bytes is quicker than to look up a text. */
  private readonly last: ({ readonly bytes: Uint8Array; readonly list: readonly HeaderField[] } | undefined)[] = [];
  private readonly fields = new Memo<string, HeaderField>(REMEMBERED);

  read(content: Uint8Array, row: Row, end: number | undefined): readonly HeaderField[] {
    const from = row.offset;
    if (end === undefined || end - from > LONGEST_SHARED) return readFields(row, this.field);
    const bytes = Buffer.from(content.buffer, content.byteOffset + from, end - from);
    const last = this.last[bytes.length];
    if (last !== undefined && bytes.equals(last.bytes)) return last.list;
    const key = bytes.toString('latin1');
    let list = this.lists.get(key);
    if (list === undefined) {
      list = readFields(row, this.field);
      this.lists.set(key, list);
    }
    // A copy, so that no block stays for it.
    this.last[bytes.length] = { bytes: new Uint8Array(bytes), list };
    return list;
  }

  private readonly field = (name: string, value: Uint8Array): HeaderField => {
    if (value.length > LONGEST_SHARED) return { name, value: new Uint8Array(value) };
    const key = `${name}\n${Buffer.from(value.buffer, value.byteOffset, value.length).toString('latin1')}`;
    const known = this.fields.get(key);
    if (known !== undefined) return known;
    const field = { name, value: new Uint8Array(value) };
    this.fields.set(key, field);
    return field;
  };
}
