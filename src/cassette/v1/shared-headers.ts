/**
 * Header lists for whoever holds all events of a cassette at once: a list or field that comes again is the same object.
 * (100,000 short calls held as they are decoded take some 0.6 GB, nearly all of it in lists, fields and their values.)
 */
import type { HeaderField } from '../events.js';
import { type HeaderSource, readFields } from './batch-decoder.js';
import type { Row } from './row.js';

/** Lists, and fields, that are remembered to be shared; past so many all are forgotten, and what comes again is remembered anew. */
const REMEMBERED = 4096;
/** Longer ones are not looked for: a status with its details seldom comes again. */
const LONGEST_SHARED = 1024;

export class SharedHeaders implements HeaderSource {
  private readonly lists = new Map<string, readonly HeaderField[]>();
  private readonly fields = new Map<string, HeaderField>();

  read(content: Uint8Array, row: Row, end: number | undefined): readonly HeaderField[] {
    const from = row.offset;
    if (end === undefined || end - from > LONGEST_SHARED) return readFields(row, this.field);
    const key = latin1(content, from, end);
    const known = this.lists.get(key);
    if (known !== undefined) return known;
    const list = readFields(row, this.field);
    remember(this.lists, key, list);
    return list;
  }

  private readonly field = (name: string, value: Uint8Array): HeaderField => {
    if (value.length > LONGEST_SHARED) return { name, value: new Uint8Array(value) };
    const key = `${name}\n${latin1(value, 0, value.length)}`;
    const known = this.fields.get(key);
    if (known !== undefined) return known;
    const field = { name, value: new Uint8Array(value) };
    remember(this.fields, key, field);
    return field;
  };
}

function remember<T>(known: Map<string, T>, key: string, value: T): void {
  if (known.size >= REMEMBERED) known.clear();
  known.set(key, value);
}

const latin1 = (bytes: Uint8Array, from: number, to: number): string => Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1');
