/**
 * A small HPACK encoder for tests. It can write a field in each of the ways that RFC 7541 §6 has; which one is the
 * caller's choice. It keeps its table by the letter of §2.3.2 and §4, not by the means of the decoder under test.
 */

import { CODE_LENGTHS } from '../../src/wire/huffman.js';
import { concat, hpackInteger, latin1, type Pair } from './bytes.js';

export type Way = 'indexed' | 'add' | 'plain' | 'never';

export class HpackEncoder {
  private table: Pair[] = [];
  private capacity = 4096;

  resize(capacity: number): Uint8Array {
    this.capacity = capacity;
    this.evict();
    return hpackInteger(capacity, 5, 0x20);
  }

  /** `indexed` falls back to `add` where the table doesn't have the field. */
  field(field: Pair, way: Way, huffman: boolean): Uint8Array {
    const [name, value] = field;
    const whole = this.table.findIndex(([n, v]) => n === name && v === value);
    if (way === 'indexed' && whole >= 0) return hpackInteger(62 + whole, 7, 0x80);
    const named = this.table.findIndex(([n]) => n === name);
    const index = named < 0 ? 0 : 62 + named;
    const first =
      way === 'plain' ? hpackInteger(index, 4) : way === 'never' ? hpackInteger(index, 4, 0x10) : hpackInteger(index, 6, 0x40);
    if (way === 'add' || way === 'indexed') {
      this.table.unshift(field);
      this.evict();
    }
    const strings = named < 0 ? [name, value] : [value];
    return concat(first, ...strings.map((text) => hpackText(text, huffman)));
  }

  private evict(): void {
    const size = () => this.table.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0);
    while (size() > this.capacity) this.table.pop();
  }
}

export function hpackText(text: string, huffman: boolean): Uint8Array {
  const bytes = huffman ? huffmanEncode(latin1(text)) : latin1(text);
  return concat(hpackInteger(bytes.length, 7, huffman ? 0x80 : 0), bytes);
}

export function huffmanEncode(bytes: Uint8Array): Uint8Array {
  const bits = Array.from(bytes, (octet) => CODES[octet] ?? '').join('');
  const padded = bits + '1'.repeat((8 - (bits.length % 8)) % 8);
  return Uint8Array.from(padded.match(/.{8}/g) ?? [], (octet) => parseInt(octet, 2));
}

/** The canonical code, written out as text. */
const CODES = ((): string[] => {
  const codes: string[] = [];
  let next = 0n;
  for (let length = 1; length <= 30; length += 1) {
    next <<= 1n;
    for (const [symbol, own] of CODE_LENGTHS.entries()) {
      if (own !== length) continue;
      codes[symbol] = next.toString(2).padStart(length, '0');
      next += 1n;
    }
  }
  return codes;
})();
