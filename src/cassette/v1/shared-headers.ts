/**
 * Header lists for whoever holds all events of a cassette at once: a list or field that comes again is the same object.
 * (100,000 short calls held as they are decoded take some 0.6 GB, nearly all of it in lists, fields and their values.)
 */
import { Memo } from '../../passing.js';
import type { HeaderField } from '../events.js';
import { type HeaderSource, readFields } from './batch-decoder.js';
import type { Row } from './row.js';

/** Lists, and fields, that are remembered to be shared. */
const REMEMBERED = 4096;
/** Longer ones are not looked for: a status with its details seldom comes again. */
const LONGEST_SHARED = 1024;

export class SharedHeaders implements HeaderSource {
  private readonly lists = new Memo<string, readonly HeaderField[]>(REMEMBERED);
  private readonly fields = new Memo<string, HeaderField>(REMEMBERED);

  read(content: Uint8Array, row: Row, end: number | undefined): readonly HeaderField[] {
    const from = row.offset;
    if (end === undefined || end - from > LONGEST_SHARED) return readFields(row, this.field);
    const key = latin1(content, from, end);
    const known = this.lists.get(key);
    if (known !== undefined) return known;
    const list = readFields(row, this.field);
    this.lists.set(key, list);
    return list;
  }

  private readonly field = (name: string, value: Uint8Array): HeaderField => {
    if (value.length > LONGEST_SHARED) return { name, value: new Uint8Array(value) };
    const key = `${name}\n${latin1(value, 0, value.length)}`;
    const known = this.fields.get(key);
    if (known !== undefined) return known;
    const field = { name, value: new Uint8Array(value) };
    this.fields.set(key, field);
    return field;
  };
}

const latin1 = (bytes: Uint8Array, from: number, to: number): string => Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1');
