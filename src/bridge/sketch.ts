/**
 * What a message is made of, roughly and cheaply, by its bytes alone: which of many large messages come closest to one is
 * found at some 5 % of what their canonical forms take. Two that mean the same can have different sketches.
 */

/** Hashes of the message's plain values, in ascending order. */
export type Sketch = Uint32Array;

/** Messages stand in each other at most so deep; what is deeper counts as one value. An argument of an op stands at 6. */
const MAX_DEPTH = 12;
/** Further values are left out. */
const MAX_VALUES = 1_000_000;
/** `sha256:` and 64 digits. */
const DIGEST_LENGTH = 71;
const DIGEST_START = Buffer.from('sha256:');

export function sketch(message: Uint8Array): Sketch {
  const values: number[] = [];
  if (!addMessage(message, 0, message.length, FNV_OFFSET, 0, values)) values.push(hashed(message, 0, message.length, FNV_OFFSET));
  return Uint32Array.from(values).sort();
}

/** How many values only one of them has. */
export function sketchDistance(one: Sketch, other: Sketch): number {
  let common = 0;
  for (let a = 0, b = 0; a < one.length && b < other.length; ) {
    const [left = 0, right = 0] = [one[a], other[b]];
    if (left === right) common += 1;
    if (left <= right) a += 1;
    if (right <= left) b += 1;
  }
  return one.length + other.length - 2 * common;
}

/** Adds the values between two offsets; none of them, and false, when the bytes are no message. */
function addMessage(bytes: Uint8Array, start: number, end: number, place: number, depth: number, values: number[]): boolean {
  const before = values.length;
  let at = start;
  while (at < end) {
    const valueAt = behindVarint(bytes, at, end);
    // Field 0 is none.
    if (valueAt === UNREADABLE || (bytes[at] ?? 0) < 8) break;
    const wire = (bytes[at] ?? 0) & 7;
    const field = hashed(bytes, at, valueAt, place);
    if (wire === 2) {
      const from = behindVarint(bytes, valueAt, end);
      if (from === UNREADABLE) break;
      const length = lengthAt(bytes, valueAt, from);
      if (length > end - from) break;
      at = from + length;
      addValue(bytes, from, at, field, depth, values);
    } else {
      at = wire === 0 ? behindVarint(bytes, valueAt, end) : wire === 1 ? valueAt + 8 : wire === 5 ? valueAt + 4 : UNREADABLE;
      if (at === UNREADABLE || at > end) break;
      if (values.length < MAX_VALUES) values.push(hashed(bytes, valueAt, at, field));
    }
  }
  if (at === end) return true;
  values.length = before;
  return false;
}

function addValue(bytes: Uint8Array, start: number, end: number, field: number, depth: number, values: number[]): void {
  // The digest of an op says only what that op says.
  if (end - start === DIGEST_LENGTH && DIGEST_START.compare(bytes, start, start + DIGEST_START.length) === 0) return;
  if (depth < MAX_DEPTH && start < end && addMessage(bytes, start, end, field, depth + 1, values)) return;
  if (values.length < MAX_VALUES) values.push(hashed(bytes, start, end, field));
}

const UNREADABLE = -1;

function behindVarint(bytes: Uint8Array, start: number, end: number): number {
  const most = Math.min(end, start + 10);
  for (let at = start; at < most; at += 1) if ((bytes[at] ?? 0) < 0x80) return at + 1;
  return UNREADABLE;
}

function lengthAt(bytes: Uint8Array, start: number, end: number): number {
  let length = 0;
  for (let at = end - 1; at >= start; at -= 1) length = length * 128 + ((bytes[at] ?? 0) & 0x7f);
  return length;
}

// FNV-1a.
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

function hashed(bytes: Uint8Array, start: number, end: number, from: number): number {
  let hash = from;
  for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ (bytes[at] ?? 0), FNV_PRIME);
  return hash >>> 0;
}
