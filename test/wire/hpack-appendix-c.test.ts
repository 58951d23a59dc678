/** RFC 7541 Appendix C: every example, with the dynamic table's state after each. */

import { describe, expect, test } from 'vitest';
import { HpackDecoder, HpackFailure } from '../../src/wire/hpack-decoder.js';
import { STATIC_COUNT } from '../../src/wire/hpack-table.js';
import { DEFAULT_LIMITS } from '../../src/wire/limits.js';
import { hex, hpackInteger, type Pair, pairs } from './bytes.js';

function decode(decoder: HpackDecoder, digits: string): Pair[] {
  const block = hex(digits);
  const fields = decoder.decode(block, 0, block.length);
  if (fields instanceof HpackFailure) throw new Error(fields.reason);
  return pairs(fields);
}

function dynamicTable(decoder: HpackDecoder): Pair[] {
  const { table } = decoder;
  return Array.from({ length: table.count }, (_, at) => {
    const field = table.field(STATIC_COUNT + 1 + at);
    if (field === undefined) throw new Error(`no entry ${at}`);
    return pairs([field])[0]!;
  });
}

describe('C.1 integers', () => {
  // The decoder reads integers as parts of blocks, so the prefix stands in a field where one of that length does.
  test('the builder that later tests encode with writes them as the RFC does', () => {
    expect(hpackInteger(10, 5)).toEqual(hex('0a'));
    expect(hpackInteger(1337, 5)).toEqual(hex('1f9a0a'));
    expect(hpackInteger(42, 8)).toEqual(hex('2a'));
  });

  test('1337 with a five-bit prefix is read as a table size', () => {
    const decoder = new HpackDecoder(DEFAULT_LIMITS);
    decode(decoder, '3f9a0a' /* size update to 1337 */ + '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572');
    expect(decoder.table.count).toBe(1);
    expect(decoder.table.capacity).toBe(1337);
  });
});

describe('C.2 header fields', () => {
  test('C.2.1 a literal with indexing enters the table', () => {
    const decoder = new HpackDecoder(DEFAULT_LIMITS);
    expect(decode(decoder, '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572')).toEqual([
      ['custom-key', 'custom-header'],
    ]);
    expect(dynamicTable(decoder)).toEqual([['custom-key', 'custom-header']]);
    expect(decoder.table.size).toBe(55);
  });

  test.each([
    ['C.2.2 a literal without indexing', '040c 2f73 616d 706c 652f 7061 7468', [':path', '/sample/path']],
    ['C.2.3 a literal never indexed', '1008 7061 7373 776f 7264 0673 6563 7265 74', ['password', 'secret']],
    ['C.2.4 an indexed field', '82', [':method', 'GET']],
  ])('%s leaves the table as it was', (_, digits, field) => {
    const decoder = new HpackDecoder(DEFAULT_LIMITS);
    expect(decode(decoder, digits)).toEqual([field]);
    expect(decoder.table.count).toBe(0);
  });
});

interface Step {
  readonly block: string;
  readonly list: readonly Pair[];
  readonly table: readonly Pair[];
  readonly size: number;
}

function inOrder(tableBytes: number, steps: readonly Step[]): void {
  const decoder = new HpackDecoder(DEFAULT_LIMITS);
  decoder.table.resize(tableBytes);
  for (const { block, list, table, size } of steps) {
    expect(decode(decoder, block)).toEqual(list);
    expect(dynamicTable(decoder)).toEqual(table);
    expect(decoder.table.size).toBe(size);
  }
}

const GET: Pair = [':method', 'GET'];
const HTTP: Pair = [':scheme', 'http'];
const HTTPS: Pair = [':scheme', 'https'];
const ROOT: Pair = [':path', '/'];
const INDEX: Pair = [':path', '/index.html'];
const AUTHORITY: Pair = [':authority', 'www.example.com'];
const NO_CACHE: Pair = ['cache-control', 'no-cache'];
const CUSTOM: Pair = ['custom-key', 'custom-value'];

const REQUESTS = [
  { list: [GET, HTTP, ROOT, AUTHORITY], table: [AUTHORITY], size: 57 },
  { list: [GET, HTTP, ROOT, AUTHORITY, NO_CACHE], table: [NO_CACHE, AUTHORITY], size: 110 },
  { list: [GET, HTTPS, INDEX, AUTHORITY, CUSTOM], table: [CUSTOM, NO_CACHE, AUTHORITY], size: 164 },
] as const;

const STATUS_302: Pair = [':status', '302'];
const STATUS_307: Pair = [':status', '307'];
const STATUS_200: Pair = [':status', '200'];
const PRIVATE: Pair = ['cache-control', 'private'];
const DATE_21: Pair = ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'];
const DATE_22: Pair = ['date', 'Mon, 21 Oct 2013 20:13:22 GMT'];
const LOCATION: Pair = ['location', 'https://www.example.com'];
const GZIP: Pair = ['content-encoding', 'gzip'];
const COOKIE: Pair = ['set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'];

const RESPONSES = [
  { list: [STATUS_302, PRIVATE, DATE_21, LOCATION], table: [LOCATION, DATE_21, PRIVATE, STATUS_302], size: 222 },
  { list: [STATUS_307, PRIVATE, DATE_21, LOCATION], table: [STATUS_307, LOCATION, DATE_21, PRIVATE], size: 222 },
  {
    list: [STATUS_200, PRIVATE, DATE_22, LOCATION, GZIP, COOKIE],
    table: [COOKIE, GZIP, DATE_22],
    size: 215,
  },
] as const;

function withBlocks(steps: readonly Omit<Step, 'block'>[], blocks: readonly string[]): Step[] {
  return steps.map((step, at) => ({ ...step, block: blocks[at] ?? '' }));
}

test('C.3 requests without Huffman coding', () => {
  inOrder(
    4096,
    withBlocks(REQUESTS, [
      '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
      '8286 84be 5808 6e6f 2d63 6163 6865',
      '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
    ]),
  );
});

test('C.4 requests with Huffman coding', () => {
  inOrder(
    4096,
    withBlocks(REQUESTS, [
      '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
      '8286 84be 5886 a8eb 1064 9cbf',
      '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
    ]),
  );
});

test('C.5 responses without Huffman coding, in a table of 256 bytes that evicts', () => {
  inOrder(
    256,
    withBlocks(RESPONSES, [
      `4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133
       2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
      '4803 3330 37c1 c0bf',
      `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d
       54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049
       5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31`,
    ]),
  );
});

test('C.6 responses with Huffman coding, in a table of 256 bytes that evicts', () => {
  inOrder(
    256,
    withBlocks(RESPONSES, [
      `4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6
       2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3`,
      '4883 640e ffc1 c0bf',
      `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab
       77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0
       03ed 4ee5 b106 3d50 07`,
    ]),
  );
});
