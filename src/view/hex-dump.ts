/** Bytes that nothing else can be said about: offsets, hex, and the printable ones as text. */
import { plural } from '../quantity.js';

const PER_LINE = 16;

/**
 * @param limit so many bytes are shown; the rest is counted
 * @example hexDump(Buffer.from('ping'), 256) // ['0000  70 69 6e 67                                       ping']
 */
export function hexDump(bytes: Uint8Array, limit: number): string[] {
  const shown = bytes.subarray(0, limit);
  const lines: string[] = [];
  for (let at = 0; at < shown.length; at += PER_LINE) {
    const row = shown.subarray(at, at + PER_LINE);
    const hex = Array.from(row, (byte, index) => `${index === 8 ? ' ' : ''}${byte.toString(16).padStart(2, '0')}`).join(' ');
    const text = Array.from(row, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${at.toString(16).padStart(4, '0')}  ${hex.padEnd(PER_LINE * 3)}  ${text}`);
  }
  if (bytes.length > shown.length) lines.push(`… ${plural(bytes.length - shown.length, 'byte')} more`);
  return lines;
}
