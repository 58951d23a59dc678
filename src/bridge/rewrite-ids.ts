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

/**
 * Wu and Manber's search for many patterns at once: two bytes at the end of a window say how far it can be moved
 * on, mostly by nearly the shortest pattern's length, so that most bytes of a big payload are never looked at.
 */
interface Search {
  readonly size: number;
  /** Length of the shortest pattern: the window's. */
  readonly window: number;
  /** By two bytes: how far on the next window can begin. */
  readonly shift: Uint8Array;
  /** By the last two bytes of their window: the patterns. */
  readonly candidates: ReadonlyMap<number, readonly Pattern[]>;
}

interface Pattern {
  readonly id: string;
  readonly bytes: Uint8Array;
}

const MAX_SHIFT = 255;
const pair = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);

function compile(map: IdRewriter): Search {
  const patterns: Pattern[] = [];
  for (const [from, to] of map) if (isRewritable(from, to)) patterns.push({ id: from, bytes: Buffer.from(from, 'latin1') });
  const window = patterns.reduce((shortest, { bytes }) => Math.min(shortest, bytes.length), MAX_SHIFT);
  const shift = new Uint8Array(0x10000).fill(window - 1);
  const candidates = new Map<number, Pattern[]>();
  for (const pattern of patterns) {
    for (let at = 0; at + 1 < window; at += 1) {
      const key = pair(pattern.bytes, at);
      shift[key] = Math.min(shift[key] ?? 0, window - 2 - at);
    }
    const key = pair(pattern.bytes, window - 2);
    const others = candidates.get(key);
    if (others) others.push(pattern);
    else candidates.set(key, [pattern]);
  }
  return { size: patterns.length, window, shift, candidates };
}

const compiled = new WeakMap<IdRewriter, { readonly entries: number; readonly search: Search }>();

function searchFor(map: IdRewriter): Search {
  const known = compiled.get(map);
  if (known?.entries === map.size) return known.search;
  const search = compile(map);
  compiled.set(map, { entries: map.size, search });
  return search;
}

function startsAt(payload: Uint8Array, at: number, { bytes }: Pattern): boolean {
  if (at + bytes.length > payload.length) return false;
  for (let index = 0; index < bytes.length; index += 1) if (payload[at + index] !== bytes[index]) return false;
  return true;
}

/**
 * Replaces recorded ids and digests by others of the same length.
 *
 * @param map recorded → wanted; pairs of unequal lengths or of fewer than 16 characters are left alone. It is
 *   indexed once and again whenever it has grown: keys may be added and values changed, but no key taken away.
 * @returns the payload itself when nothing was found, else a changed copy
 */
export function rewriteIds(payload: Uint8Array, map: IdRewriter): Uint8Array {
  if (map.size === 0) return payload;
  const { size, window, shift, candidates } = searchFor(map);
  if (size === 0) return payload;
  let copy: Uint8Array | undefined;
  // Hot path: every recorded answer passes here (bench/rewrite-ids).
  let at = 0;
  const last = payload.length - window;
  while (at <= last) {
    const key = pair(payload, at + window - 2);
    const step = shift[key] ?? 1;
    if (step > 0) {
      at += step;
      continue;
    }
    const found = candidates.get(key)?.find((pattern) => startsAt(payload, at, pattern));
    const wanted = found && map.get(found.id);
    if (!found || wanted?.length !== found.id.length) {
      at += 1;
      continue;
    }
    // Not slice(): a Buffer's shares its bytes.
    copy ??= new Uint8Array(payload);
    copy.set(Buffer.from(wanted, 'latin1'), at);
    at += found.bytes.length;
  }
  return copy ?? payload;
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
