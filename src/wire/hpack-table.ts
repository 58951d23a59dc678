/** HPACK's two tables under one index space (RFC 7541 §2.3): the static one first, then the dynamic one, newest first. */

import type { HeaderField } from './events.js';

/** RFC 7541 Appendix A, from index 1. */
const STATIC_ENTRIES: readonly (readonly [name: string, value?: string])[] = [
  [':authority'],
  [':method', 'GET'],
  [':method', 'POST'],
  [':path', '/'],
  [':path', '/index.html'],
  [':scheme', 'http'],
  [':scheme', 'https'],
  [':status', '200'],
  [':status', '204'],
  [':status', '206'],
  [':status', '304'],
  [':status', '400'],
  [':status', '404'],
  [':status', '500'],
  ['accept-charset'],
  ['accept-encoding', 'gzip, deflate'],
  ['accept-language'],
  ['accept-ranges'],
  ['accept'],
  ['access-control-allow-origin'],
  ['age'],
  ['allow'],
  ['authorization'],
  ['cache-control'],
  ['content-disposition'],
  ['content-encoding'],
  ['content-language'],
  ['content-length'],
  ['content-location'],
  ['content-range'],
  ['content-type'],
  ['cookie'],
  ['date'],
  ['etag'],
  ['expect'],
  ['expires'],
  ['from'],
  ['host'],
  ['if-match'],
  ['if-modified-since'],
  ['if-none-match'],
  ['if-range'],
  ['if-unmodified-since'],
  ['last-modified'],
  ['link'],
  ['location'],
  ['max-forwards'],
  ['proxy-authenticate'],
  ['proxy-authorization'],
  ['range'],
  ['referer'],
  ['refresh'],
  ['retry-after'],
  ['server'],
  ['set-cookie'],
  ['strict-transport-security'],
  ['transfer-encoding'],
  ['user-agent'],
  ['vary'],
  ['via'],
  ['www-authenticate'],
];

/** The fields themselves, shared by every list they appear in; an indexed field costs no allocation. */
export const STATIC_TABLE: readonly HeaderField[] = STATIC_ENTRIES.map(([name, value = '']) => ({
  name,
  value: Uint8Array.from(value, (char) => char.charCodeAt(0)),
}));

export const STATIC_COUNT = STATIC_TABLE.length;

/** RFC 7541 §4.1: what an entry counts for beyond its name and value. The header list's size counts the same. */
export const ENTRY_OVERHEAD = 32;

export function fieldSize(field: HeaderField): number {
  return field.name.length + field.value.length + ENTRY_OVERHEAD;
}

const FIRST_SLOTS = 64;

export class HpackTable {
  /** A ring, its length a power of two: entry 0, the newest, is at `newest`, older ones follow. */
  private ring: (HeaderField | undefined)[] = new Array<HeaderField | undefined>(FIRST_SLOTS).fill(undefined);
  private newest = 0;
  private entries = 0;
  private used = 0;
  private changes = 0;

  /** @param limit the most that the entries may count for (RFC 7541 §4.2) */
  constructor(private limit: number) {}

  get capacity(): number {
    return this.limit;
  }

  /** Entries in the dynamic table. */
  get count(): number {
    return this.entries;
  }

  /** What they count for. */
  get size(): number {
    return this.used;
  }

  /** As long as it is the same, so is what every index stands for. */
  get revision(): number {
    return this.changes;
  }

  /** The field at an index of RFC 7541 §2.3.3; undefined where there is none. */
  field(index: number): HeaderField | undefined {
    if (index <= STATIC_COUNT) return STATIC_TABLE[index - 1];
    const at = index - STATIC_COUNT - 1;
    return at < this.entries ? this.ring[(this.newest + at) & (this.ring.length - 1)] : undefined;
  }

  /** RFC 7541 §4.4: room is made first; an entry larger than the table empties it and is not kept. */
  add(field: HeaderField): void {
    const size = fieldSize(field);
    this.changes += 1;
    this.evictDownTo(this.limit - size);
    if (size > this.limit) return;
    if (this.entries === this.ring.length) this.grow();
    this.newest = (this.newest - 1) & (this.ring.length - 1);
    this.ring[this.newest] = field;
    this.entries += 1;
    this.used += size;
  }

  /** RFC 7541 §4.3 */
  resize(capacity: number): void {
    this.limit = capacity;
    this.changes += 1;
    this.evictDownTo(capacity);
  }

  private evictDownTo(size: number): void {
    while (this.used > size && this.entries > 0) {
      const oldest = (this.newest + this.entries - 1) & (this.ring.length - 1);
      const field = this.ring[oldest];
      if (field !== undefined) this.used -= fieldSize(field);
      this.ring[oldest] = undefined;
      this.entries -= 1;
    }
  }

  private grow(): void {
    const { length } = this.ring;
    const larger = new Array<HeaderField | undefined>(length * 2).fill(undefined);
    for (let at = 0; at < length; at += 1) larger[at] = this.ring[(this.newest + at) & (length - 1)];
    this.ring = larger;
    this.newest = 0;
  }
}
