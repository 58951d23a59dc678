/**
 * Big-endian integers straight out of a chunk. On the hot path (the tap's decoder): no DataView, no bounds check
 * beyond the typed array's own. Callers have made sure that the bytes are there; `?? 0` is what the type asks for.
 */

export function uint8(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}

export function uint24(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
}

/** 31 bits: the reserved high bit of stream ids is ignored (RFC 9113 §4.1). */
export function uint31(bytes: Uint8Array, at: number): number {
  return (((bytes[at] ?? 0) & 0x7f) << 24) | uint24(bytes, at + 1);
}

export function uint32(bytes: Uint8Array, at: number): number {
  return (((bytes[at] ?? 0) << 24) | uint24(bytes, at + 1)) >>> 0;
}

/** A plain view, even of a Buffer (whose own methods would spread with `subarray`); measured no dearer than that. */
export function view(bytes: Uint8Array, from: number, to: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + from, to - from);
}

/** A copy that keeps nothing of `bytes` alive. Not `slice`, which gives a view when the chunk is a Buffer. */
export function copy(bytes: Uint8Array, from: number, to: number): Uint8Array {
  const length = to - from;
  const out = new Uint8Array(length);
  if (length > 32) {
    out.set(view(bytes, from, to));
  } else {
    for (let at = 0; at < length; at += 1) out[at] = bytes[from + at] ?? 0;
  }
  return out;
}

/** Latin-1 text: each octet is the character of that number, as header names have it (RFC 9113 §8.2.1). */
export function latin1(bytes: Uint8Array, from: number, to: number): string {
  if (to - from > 32) return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1');
  let text = '';
  for (let at = from; at < to; at += 1) text += String.fromCharCode(bytes[at] ?? 0);
  return text;
}
