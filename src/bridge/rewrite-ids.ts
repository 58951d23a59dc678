/**
 * Recorded bytes with other ids in them. Ids and op digests of one kind are of one length (25 characters; sha256:
 * and 64), so they can be exchanged in place, whatever the bytes are: protobuf, JSON inside of it, output of a
 * process. What is base64 inside JSON is out of reach.
 */

/** Recorded id → the id to stand in its place. */
export type IdRewriter = ReadonlyMap<string, string>;

/** A shorter id would be found where none is meant. identity.NewID() has 25 characters. */
export const SHORTEST_REWRITABLE_ID = 16;

/** Whether an id can be exchanged for another in bytes whose lengths must stay. */
export const isRewritable = (from: string, to: string): boolean =>
  from.length >= SHORTEST_REWRITABLE_ID && from.length === to.length && isAscii(from) && isAscii(to);

const isAscii = (text: string): boolean => !/[^\x20-\x7e]/.test(text);

const MAX_SHIFT = 255;
const pair = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);

/**
 * Wu and Manber's search for many patterns at once: two bytes at the end of a window say how far it can be moved
 * on, mostly by nearly the shortest pattern's length, so that most bytes of a big payload are never looked at. Where it
 * cannot be moved, the map itself is asked for what stands there, in each length that a pattern of these bytes has.
 */
class Search {
  /** Length of the shortest pattern. */
  private window = MAX_SHIFT;
  /** By two bytes: how far on the next window can begin. */
  private readonly shift = new Uint8Array(0x10000).fill(MAX_SHIFT - 1);
  /** By the last two bytes of their window: how long patterns are, the longest first. */
  private readonly lengths = new Map<number, readonly number[]>();
  /** Stands behind the last key that was read: those that are added later come after it. */
  private unread: Iterator<readonly [string, string], unknown>;
  private read = 0;

  constructor(private readonly map: IdRewriter) {
    this.unread = map.entries();
  }

  /** Reads the keys that the map has gained. */
  update(): void {
    for (; this.read < this.map.size; this.read += 1) {
      const next = this.unread.next();
      if (next.done === true) return;
      const [id] = next.value;
      // What stands in its place is looked at when it is found: that can change.
      if (id.length < SHORTEST_REWRITABLE_ID || !isAscii(id)) continue;
      if (id.length < this.window) {
        this.narrow(id.length);
        return;
      }
      this.add(id);
    }
  }

  /** All is read again for a shorter window, which happens a few times: ids are of few lengths. */
  private narrow(window: number): void {
    this.window = window;
    this.shift.fill(window - 1);
    this.lengths.clear();
    this.unread = this.map.entries();
    this.read = 0;
    this.update();
  }

  private add(id: string): void {
    const { window, shift } = this;
    let key = 0;
    for (let at = 0; at + 1 < window; at += 1) {
      key = (id.charCodeAt(at) << 8) | id.charCodeAt(at + 1);
      shift[key] = Math.min(shift[key] ?? 0, window - 2 - at);
    }
    const lengths = this.lengths.get(key);
    if (lengths === undefined) this.lengths.set(key, [id.length]);
    else if (!lengths.includes(id.length)) this.lengths.set(key, [...lengths, id.length].sort((one, other) => other - one));
  }

  /** @returns the bytes themselves when nothing was found, else a changed copy */
  rewrite(payload: Uint8Array): Uint8Array {
    const { window, shift, lengths } = this;
    let copy: Uint8Array | undefined;
    let text: Buffer | undefined;
    const last = payload.length - window;
    for (let at = 0; at <= last; ) {
      const key = pair(payload, at + window - 2);
      const step = shift[key] ?? 1;
      if (step > 0) {
        at += step;
        continue;
      }
      text ??= Buffer.from(payload.buffer, payload.byteOffset, payload.length);
      const wanted = this.wantedAt(text, at, lengths.get(key) ?? []);
      if (wanted === undefined) {
        at += 1;
        continue;
      }
      // Not slice(): a Buffer's shares its bytes.
      copy ??= new Uint8Array(payload);
      copy.set(Buffer.from(wanted, 'latin1'), at);
      at += wanted.length;
    }
    return copy ?? payload;
  }

  /** What is to stand in the place of the id that begins there. */
  private wantedAt(payload: Buffer, at: number, lengths: readonly number[]): string | undefined {
    for (const length of lengths) {
      if (at + length > payload.length) continue;
      const id = payload.toString('latin1', at, at + length);
      const wanted = this.map.get(id);
      if (wanted !== undefined && isRewritable(id, wanted)) return wanted;
    }
    return undefined;
  }
}

const searches = new WeakMap<IdRewriter, Search>();

function searchFor(map: IdRewriter): Search {
  let search = searches.get(map);
  if (search === undefined) {
    search = new Search(map);
    searches.set(map, search);
  }
  search.update();
  return search;
}

/**
 * Replaces recorded ids and digests by others of the same length; where several begin, the longest.
 *
 * @param map recorded → wanted; pairs of unequal lengths or of fewer than 16 characters are left alone. Its keys are
 *   read once: some may be added and values changed, but no key taken away.
 * @returns the payload itself when nothing was found, else a changed copy
 */
export function rewriteIds(payload: Uint8Array, map: IdRewriter): Uint8Array {
  return map.size === 0 ? payload : searchFor(map).rewrite(payload);
}

/** The same for a header or trailer field: one whose name ends in -bin is base64 on the wire. */
export function rewriteHeader<T extends { readonly name: string; readonly value: Uint8Array }>(header: T, map: IdRewriter): T {
  if (!header.name.endsWith('-bin')) {
    const value = rewriteIds(header.value, map);
    return value === header.value ? header : { ...header, value };
  }
  const text = Buffer.from(header.value).toString('latin1');
  const bytes = Buffer.from(text, 'base64');
  const rewritten = rewriteIds(bytes, map);
  if (rewritten === bytes) return header;
  const base64 = Buffer.from(rewritten).toString('base64');
  return { ...header, value: Buffer.from(text.endsWith('=') ? base64 : base64.replace(/=+$/, ''), 'latin1') };
}
