/** Bytes as people can compare them, around the place where they begin to differ. */
import { quoted } from '../bridge/index.js';

/** So many bytes that are equal are shown before that place. */
const LEAD = 24;
/** So many are shown from there on. */
export const SHOWN = 48;
/** A UTF-8 character has three more bytes at most. */
const MAX_CONTINUATION = 3;

/**
 * One excerpt for each stream; all of them as text when all are, else byte by byte.
 *
 * @param streams equal up to `at`
 * @param isCut more that is equal comes before them
 * @example bytesAround([Buffer.from('hello world'), Buffer.from('hello mars')], 6) // ['"hello world"', '"hello mars"']
 */
export function bytesAround(streams: readonly Uint8Array[], at: number, isCut = false): readonly string[] {
  const from = startOfCharacter(streams[0] ?? new Uint8Array(0), Math.max(0, at - LEAD));
  const rests = streams.map((bytes) => bytes.subarray(from));
  const length = at - from + SHOWN;
  const isText = rests.every((bytes) => isUtf8(bytes.subarray(0, length), bytes.length > length));
  const lead = isCut || from > 0 ? '…' : '';
  return rests.map((bytes) => lead + (isText ? quoted(bytes, length) : escaped(bytes, length)));
}

/** A cut does not begin within a character. */
function startOfCharacter(bytes: Uint8Array, at: number): number {
  for (let back = 0; back <= Math.min(MAX_CONTINUATION, at); back += 1) {
    if (((bytes[at - back] ?? 0) & 0xc0) !== 0x80) return at - back;
  }
  return at;
}

function isUtf8(bytes: Uint8Array, isCut: boolean): boolean {
  // With `stream`, a character that the cut has halved is no error.
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: isCut });
    return true;
  } catch {
    return false;
  }
}

function escaped(bytes: Uint8Array, limit: number): string {
  const shown = Array.from(bytes.subarray(0, limit), (byte) => (byte === 0x22 || byte === 0x5c || byte < 0x20 || byte > 0x7e ? `\\x${byte.toString(16).padStart(2, '0')}` : String.fromCharCode(byte)));
  return `"${shown.join('')}"${bytes.length > limit ? '…' : ''}`;
}
