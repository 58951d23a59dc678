/** Header blocks as HPACK's encoder writes them, and what they are made of (RFC 7541 §6), read without the decoder. */

import type { HeaderField } from '../../src/wire/index.js';
import { ByteCollector } from '../../src/wire/byte-collector.js';
import type { HpackEncoder } from '../../src/wire/hpack-encoder.js';
import { STATIC_COUNT, type HpackTable } from '../../src/wire/hpack-table.js';
import { latin1, type Pair, pairs } from './bytes.js';

export function fields(list: readonly Pair[]): HeaderField[] {
  return list.map(([name, value]) => ({ name, value: latin1(value) }));
}

export function block(encoder: HpackEncoder, list: readonly Pair[]): Uint8Array {
  return blockOf(encoder, fields(list));
}

export function blockOf(encoder: HpackEncoder, list: readonly HeaderField[]): Uint8Array {
  const out = new ByteCollector();
  encoder.encode(list, out);
  return out.bytes.slice(0, out.length);
}

/** The dynamic table, newest first. */
export function entries(table: HpackTable): Pair[] {
  return Array.from({ length: table.count }, (_, at) => pairs([table.field(STATIC_COUNT + 1 + at)!])[0]!);
}

export type Part =
  | { readonly kind: 'indexed'; readonly index: number }
  | { readonly kind: 'size'; readonly bytes: number }
  | { readonly kind: 'added' | 'plain' | 'never'; readonly index: number; readonly huffman: readonly boolean[] };

export function parts(bytes: Uint8Array): Part[] {
  const found: Part[] = [];
  let at = 0;
  const integer = (prefixBits: number): number => {
    const mask = 2 ** prefixBits - 1;
    let value = bytes[at++]! & mask;
    if (value < mask) return value;
    for (let unit = 1; ; unit *= 128) {
      const octet = bytes[at++]!;
      value += (octet % 128) * unit;
      if (octet < 128) return value;
    }
  };
  const string = (): boolean => {
    const huffman = bytes[at]! >= 0x80;
    const length = integer(7);
    at += length;
    return huffman;
  };
  const literal = (kind: 'added' | 'plain' | 'never', prefixBits: number): Part => {
    const index = integer(prefixBits);
    return { kind, index, huffman: index === 0 ? [string(), string()] : [string()] };
  };
  while (at < bytes.length) {
    const first = bytes[at]!;
    if (first >= 0x80) found.push({ kind: 'indexed', index: integer(7) });
    else if (first >= 0x40) found.push(literal('added', 6));
    else if (first >= 0x20) found.push({ kind: 'size', bytes: integer(5) });
    else found.push(literal(first >= 0x10 ? 'never' : 'plain', 4));
  }
  if (at !== bytes.length) throw new Error('a part is cut off by the end of the block');
  return found;
}

/** A block's parts in few words: `indexed 62`, `added`, `size 4096`. */
export function words(bytes: Uint8Array): string[] {
  return parts(bytes).map((part) => {
    switch (part.kind) {
      case 'indexed':
        return `indexed ${part.index}`;
      case 'size':
        return `size ${part.bytes}`;
      default:
        return part.index === 0 ? part.kind : `${part.kind}, name ${part.index}`;
    }
  });
}
