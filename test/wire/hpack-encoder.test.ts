import { describe, expect, test } from 'vitest';
import { ByteCollector } from '../../src/wire/byte-collector.js';
import { HpackDecoder, HpackFailure } from '../../src/wire/hpack-decoder.js';
import { HpackEncoder } from '../../src/wire/hpack-encoder.js';
import { treatmentOf } from '../../src/wire/hpack-policy.js';
import { writeInteger } from '../../src/wire/hpack-primitives.js';
import { DEFAULT_LIMITS } from '../../src/wire/limits.js';
import { concat, hex, latin1, type Pair, pairs, text } from './bytes.js';
import { block, blockOf, entries, fields, parts, words } from './hpack-block.js';

function decode(decoder: HpackDecoder, bytes: Uint8Array): Pair[] {
  const list = decoder.decode(bytes, 0, bytes.length);
  if (list instanceof HpackFailure) throw new Error(list.reason);
  return pairs(list);
}

/** Encodes the lists in order, and has the decoder read them back; the tables are compared after each. */
function roundTrip(lists: readonly (readonly Pair[])[], encoder = new HpackEncoder()): Uint8Array[] {
  const decoder = new HpackDecoder(DEFAULT_LIMITS);
  decoder.allowTableBytes(2 ** 20);
  return lists.map((list) => {
    const bytes = block(encoder, list);
    expect(decode(decoder, bytes)).toEqual(list);
    expect(entries(encoder.table)).toEqual(entries(decoder.table));
    expect(encoder.table.capacity).toBe(decoder.table.capacity);
    return bytes;
  });
}

function limitedTo(tableBytes: number): HpackEncoder {
  const encoder = new HpackEncoder();
  encoder.allowTableBytes(tableBytes);
  return encoder;
}

describe('integers (RFC 7541 §5.1)', () => {
  function integer(value: number, prefix: number): Uint8Array {
    const out = new Uint8Array(8);
    return out.slice(0, writeInteger(0, prefix, value, out, 0));
  }

  test('are written as in C.1', () => {
    expect(integer(10, 0x1f)).toEqual(hex('0a'));
    expect(integer(1337, 0x1f)).toEqual(hex('1f9a0a'));
    expect(integer(42, 0xff)).toEqual(hex('2a'));
  });

  test('take as many octets as they need, up to 32 bits', () => {
    expect(integer(126, 0x7f)).toEqual(hex('7e'));
    expect(integer(127, 0x7f)).toEqual(hex('7f00'));
    expect(integer(127 + 127, 0x7f)).toEqual(hex('7f7f'));
    expect(integer(127 + 128, 0x7f)).toEqual(hex('7f8001'));
    expect(integer(2 ** 31, 0x0f)).toEqual(hex('0ff1ffffff07'));
    expect(integer(2 ** 32 - 1, 0x0f)).toEqual(hex('0ff0ffffff0f'));
  });
});

const GET: Pair = [':method', 'GET'];
const HTTP: Pair = [':scheme', 'http'];
const AUTHORITY: Pair = [':authority', 'www.example.com'];
const NO_CACHE: Pair = ['cache-control', 'no-cache'];
const CUSTOM: Pair = ['custom-key', 'custom-value'];

describe('RFC 7541 Appendix C', () => {
  const requests: readonly Pair[][] = [
    [GET, HTTP, [':path', '/'], AUTHORITY],
    [GET, HTTP, [':path', '/'], AUTHORITY, NO_CACHE],
    [GET, [':scheme', 'https'], [':path', '/index.html'], AUTHORITY, CUSTOM],
  ];

  test('C.2.1 and C.2.2: a field that is in no table enters it, its name by index where there is one', () => {
    const encoder = new HpackEncoder();
    expect(words(block(encoder, [['custom-key', 'custom-header'], [':path', '/sample/path']]))).toEqual(['added', 'added, name 4']);
    expect(entries(encoder.table)).toEqual([[':path', '/sample/path'], ['custom-key', 'custom-header']]);
  });

  test('C.2.3: a password is never indexed', () => {
    const [bytes] = roundTrip([[['password', 'secret']]]);
    expect(words(bytes!)).toEqual(['never']);
  });

  test('C.2.4: a field of the static table is its index', () => {
    expect(block(new HpackEncoder(), [GET])).toEqual(hex('82'));
  });

  test('C.3 and C.4: requests, to the octet as with Huffman coding', () => {
    expect(roundTrip(requests)).toEqual([
      hex('8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff'),
      hex('8286 84be 5886 a8eb 1064 9cbf'),
      hex('8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf'),
    ]);
  });

  test('C.5 and C.6: responses in a table of 256 bytes, apart from what changes each time or is secret', () => {
    const location: Pair = ['location', 'https://www.example.com'];
    const cacheControl: Pair = ['cache-control', 'private'];
    const date: Pair = ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'];
    const encoder = limitedTo(256);
    const [first, second, third] = roundTrip(
      [
        [[':status', '302'], cacheControl, date, location],
        [[':status', '307'], cacheControl, date, location],
        [
          [':status', '200'],
          cacheControl,
          ['date', 'Mon, 21 Oct 2013 20:13:22 GMT'],
          location,
          ['content-encoding', 'gzip'],
          ['set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'],
        ],
      ],
      encoder,
    );
    const dateValue = 'd07a be94 1054 d444 a820 0595 040b 8166 e082 a62d 1bff';
    expect(first).toEqual(hex(`3fe101 4882 6402 5885 aec3 771a 4b 0f12 96 ${dateValue} 6e 91 9d29 ad17 1863 c78f 0b97 c8e9 ae82 ae43 d3`));
    // The RFC's example has 307 in Huffman code, which is as long.
    expect(second).toEqual(hex(`4803 3330 37 c0 0f12 96 ${dateValue} bf`));
    expect(words(third!)).toEqual(['indexed 8', 'indexed 64', 'plain, name 33', 'indexed 63', 'added, name 26', 'never, name 55']);
    expect(entries(encoder.table)).toEqual([['content-encoding', 'gzip'], [':status', '307'], location, cacheControl, [':status', '302']]);
  });
});

describe('what is indexed', () => {
  const answer: readonly Pair[] = [[':status', '200'], ['content-type', 'application/grpc']];
  const trailers: readonly Pair[] = [['grpc-status', '0'], ['grpc-message', '']];

  test('an answer that comes again takes one octet a field', () => {
    const blocks = roundTrip([answer, trailers, answer, trailers]);
    expect(words(blocks[1]!)).toEqual(['added', 'added']);
    expect(blocks.slice(2)).toEqual([hex('88 c0'), hex('bf be')]);
  });

  test('it is the octets that count, whichever objects hold them', () => {
    const encoder = new HpackEncoder();
    const backing = latin1('--application/grpc--');
    blockOf(encoder, fields(answer));
    expect(blockOf(encoder, [{ name: ['content', 'type'].join('-'), value: backing.subarray(2, 18) }])).toEqual(hex('be'));
    expect(blockOf(encoder, [{ name: 'content-type', value: Buffer.from('application/grpc') }])).toEqual(hex('be'));
  });

  test('writing over a value afterwards changes nothing', () => {
    const encoder = new HpackEncoder();
    const value = latin1('first');
    blockOf(encoder, [{ name: 'x-a', value }]);
    value.set(latin1('other'));
    expect(entries(encoder.table)).toEqual([['x-a', 'first']]);
    expect(words(blockOf(encoder, [{ name: 'x-a', value }]))).toEqual(['added, name 62']);
  });

  test('an older value of a name is found behind newer ones, long and short', () => {
    const long = (end: string): string => 'v'.repeat(100) + end;
    const values = ['1', '2', '', long('a'), long('b'), `a${long('')}`, `b${long('')}`];
    const encoder = new HpackEncoder();
    block(encoder, values.map((value) => ['x-a', value]));
    expect(words(block(encoder, values.map((value) => ['x-a', value])))).toEqual([68, 67, 66, 65, 64, 63, 62].map((index) => `indexed ${index}`));
  });

  test('every field of the static table with a value is its index', () => {
    const list: Pair[] = [[':method', 'POST'], [':path', '/index.html'], [':scheme', 'https'], ...['200', '204', '206', '304', '400', '404', '500'].map((code): Pair => [':status', code]), ['accept-encoding', 'gzip, deflate']];
    expect(words(block(new HpackEncoder(), list))).toEqual([3, 5, 7, 8, 9, 10, 11, 12, 13, 14, 16].map((index) => `indexed ${index}`));
  });

  test('what is evicted is no longer found, by field or by name', () => {
    const encoder = limitedTo(160); // four entries of up to 40 bytes
    const lists = ['a', 'b', 'c', 'd', 'e'].map((name): Pair[] => [[name, 'value']]);
    const blocks = roundTrip([...lists, [['b', 'value']], [['a', 'value']], [['c', 'other']]], encoder);
    expect(blocks.slice(5).map(words)).toEqual([['indexed 65'], ['added'], ['added, name 65']]);
    expect(entries(encoder.table).map(([name]) => name)).toEqual(['c', 'a', 'e', 'd']);
  });

  test('an entry may take its name from the one that it evicts', () => {
    const encoder = limitedTo(160);
    const blocks = roundTrip([['a', 'b', 'c', 'd'].map((name): Pair => [name, 'value']), [['a', 'other']], [['a', 'value']]], encoder);
    expect(blocks.slice(1).map(words)).toEqual([['added, name 65'], ['added, name 62']]);
  });

  test('a large table keeps thousands of entries findable', () => {
    const encoder = new HpackEncoder(2 ** 18);
    encoder.allowTableBytes(2 ** 20);
    const list = Array.from({ length: 5000 }, (_, at): Pair => [`x-${at}`, String(at)]);
    const [, again] = roundTrip([list, list], encoder);
    expect(parts(again!).every(({ kind }) => kind === 'indexed')).toBe(true);
  });
});

describe('what is not indexed', () => {
  const never: readonly string[] = [
    'authorization',
    'proxy-authorization',
    'cookie',
    'set-cookie',
    'x-registry-auth',
    'x-auth-token',
    'private-token',
    'x-api-key',
    'x-amz-security-token',
    'client_secret',
    'x-auth-bin',
  ];

  test.each(never)('%s is never indexed, be it long, short or empty', (name) => {
    const encoder = new HpackEncoder();
    const list: readonly Pair[] = [[name, 'hunter2'], [name, ''], [name, 'x'.repeat(3000)]];
    for (const bytes of roundTrip([list, list], encoder)) expect(parts(bytes).map(({ kind }) => kind)).toEqual(['never', 'never', 'never']);
    expect(encoder.table.count).toBe(0);
  });

  test.each(['grpc-message', 'grpc-status-details-bin', 'trace-bin', 'content-length', 'date', 'etag'])(
    '%s is different each time and stays out of the table',
    (name) => {
      const encoder = new HpackEncoder();
      for (const bytes of roundTrip([[[name, '17']], [[name, '17']]], encoder)) expect(parts(bytes).map(({ kind }) => kind)).toEqual(['plain']);
      expect(encoder.table.count).toBe(0);
    },
  );

  test.each([':authority', 'www-authenticate', 'grpc-status', 'x-author', 'x-tokenizer', 'x-bin-count', 'updated'])(
    '%s only sounds like one of these',
    (name) => {
      expect(treatmentOf(name)).toBe('indexed');
    },
  );

  test('the empty grpc-message of a call that went well is the same each time, and lends its name to others', () => {
    const [, again, failed] = roundTrip([[['grpc-message', '']], [['grpc-message', '']], [['grpc-message', 'no']]]);
    expect(words(again!)).toEqual(['indexed 62']);
    expect(words(failed!)).toEqual(['plain, name 62']);
  });

  test('a field larger than a quarter of the table', () => {
    const encoder = new HpackEncoder();
    const value = (bytes: number): string => 'v'.repeat(bytes - 32 - 'x-a'.length);
    const blocks = roundTrip([[['x-a', value(1024)]], [['x-a', value(1025)]]], encoder);
    expect(blocks.map(words)).toEqual([['added'], ['plain, name 62']]);
    expect(encoder.table.count).toBe(1);
  });

  test('nothing, where the peer allows no table', () => {
    const encoder = limitedTo(0);
    const blocks = roundTrip([[['x-a', ''], GET], [['x-a', ''], GET]], encoder);
    expect(blocks.map(words)).toEqual([['size 0', 'plain', 'indexed 2'], ['plain', 'indexed 2']]);
  });
});

describe('table size updates (RFC 7541 §4.2)', () => {
  const A: readonly Pair[] = [['x-a', '1']];

  test('a block begins with one when the peer allows less than there is', () => {
    const encoder = new HpackEncoder();
    encoder.allowTableBytes(10);
    expect(block(encoder, [])).toEqual(hex('2a'));
    encoder.allowTableBytes(1337);
    expect(block(encoder, [])).toEqual(hex('3f9a0a'));
  });

  test('there is none before any SETTINGS, nor for a size that there is already, nor again in the next block', () => {
    const encoder = new HpackEncoder();
    expect(words(block(encoder, A))).toEqual(['added']);
    encoder.allowTableBytes(4096);
    expect(words(block(encoder, A))).toEqual(['indexed 62']);
    encoder.allowTableBytes(1000);
    expect(words(block(encoder, A))).toEqual(['size 1000', 'indexed 62']);
    expect(words(block(encoder, A))).toEqual(['indexed 62']);
  });

  test('more than the own bound is not used', () => {
    const encoder = new HpackEncoder();
    encoder.allowTableBytes(65_536);
    expect(words(block(encoder, A))).toEqual(['added']);
    encoder.allowTableBytes(8192);
    expect(words(block(encoder, A))).toEqual(['indexed 62']);
  });

  test('an own bound below the initial size is told in the first block', () => {
    const encoder = new HpackEncoder(100);
    expect(words(block(encoder, A))).toEqual(['size 100', 'plain']);
    encoder.allowTableBytes(65_536);
    expect(words(block(encoder, A))).toEqual(['plain']);
  });

  test('an own bound above it is used as far as the peer allows', () => {
    const encoder = new HpackEncoder(16_384);
    expect(words(block(encoder, []))).toEqual([]);
    encoder.allowTableBytes(8192);
    expect(words(block(encoder, []))).toEqual(['size 8192']);
    encoder.allowTableBytes(2 ** 32 - 1);
    expect(words(block(encoder, []))).toEqual(['size 16384']);
  });

  test('shrinking evicts', () => {
    const encoder = new HpackEncoder();
    const [, shrunk, regrown] = [
      block(encoder, [['x-a', '1'], ['x-b', '2']]),
      (encoder.allowTableBytes(40), block(encoder, [['x-b', '2'], ['x-a', '1']])),
      (encoder.allowTableBytes(4096), block(encoder, [['x-b', '2'], ['x-a', '1']])),
    ];
    expect(words(shrunk)).toEqual(['size 40', 'indexed 62', 'plain']);
    expect(words(regrown)).toEqual(['size 4096', 'indexed 62', 'added']);
  });

  // golang.org/x/net/http2/hpack takes the second of two updates for one that is out of place unless its table is
  // empty (golang/go#29187); an encoder may go below what it has to, and 0 is below anything.
  test('shrinking and growing between two blocks empties the table, for the sake of Go', () => {
    const encoder = new HpackEncoder();
    block(encoder, A);
    encoder.allowTableBytes(100);
    encoder.allowTableBytes(4096);
    expect(words(block(encoder, A))).toEqual(['size 0', 'size 4096', 'added']);
    expect(encoder.table.count).toBe(1);
    expect(words(block(encoder, A))).toEqual(['indexed 62']);
  });

  test('growing and shrinking back between two blocks is nothing', () => {
    const encoder = new HpackEncoder(16_384);
    block(encoder, A);
    encoder.allowTableBytes(16_384);
    encoder.allowTableBytes(4096);
    expect(words(block(encoder, A))).toEqual(['indexed 62']);
  });
});

describe('strings (RFC 7541 §5.2)', () => {
  function coded(...list: readonly Pair[]): (readonly boolean[])[] {
    return parts(roundTrip([list])[0]!).map((part) => ('huffman' in part ? part.huffman : []));
  }

  test('are Huffman-coded where that is shorter', () => {
    expect(coded(['x-name', 'value'], ['~~~~', '\xff\xfe'])).toEqual([[true, true], [false, false]]);
  });

  test('that Huffman coding leaves as long as they are are sent as they are', () => {
    expect(coded(['x-a', '307'], ['&', ''])).toEqual([[false, false], [false, false]]);
  });

  test('that are long are sent as they are', () => {
    expect(coded(['x'.repeat(256), 'a'.repeat(256)], ['x'.repeat(257), 'a'.repeat(257)])).toEqual([[true, true], [false, false]]);
  });

  test('that nghttp2 takes only when they are Huffman-coded are', () => {
    const [fits, tooLong, neverFits] = [65_536, 65_537, 104_858].map((length) => 'a'.repeat(length));
    expect(coded(['fits', fits!], ['long', tooLong!], ['never', neverFits!])).toEqual([[true, false], [true, true], [true, false]]);
  });

  test('hold any octet, in names and values', () => {
    const octets = String.fromCharCode(...Array.from({ length: 256 }, (_, octet) => octet));
    roundTrip([[[octets, octets], [octets, octets], [octets.slice(128), octets.slice(0, 32)]]]);
  });

  test('a name that is not latin-1 is a bug of the caller', () => {
    expect(() => block(new HpackEncoder(), [['x-š', '']])).toThrow('the header name "x-š" is not latin-1');
  });
});

describe('large lists', () => {
  test('trailers of a MiB', () => {
    const details = Buffer.alloc(786_432, 'status details ').toString('base64');
    const trailers: readonly Pair[] = [['grpc-status', '2'], ['grpc-message', 'm'.repeat(60_000)], ['grpc-status-details-bin', details]];
    const [first] = roundTrip([trailers, trailers]);
    expect(first!.length).toBeGreaterThan(details.length);
    expect(first!.length).toBeLessThan(details.length + 60_100);
  });

  test('thousands of fields that are all different', () => {
    const list = Array.from({ length: 6000 }, (_, at): Pair => [`x-name-${at}`, `value ${at}`]);
    roundTrip([list, list]);
  });

  test('thousands of values of one name', () => {
    const encoder = new HpackEncoder(65_536);
    encoder.allowTableBytes(65_536);
    const list = Array.from({ length: 6000 }, (_, at): Pair => ['x-name', `value ${at}`]);
    roundTrip([list, list], encoder);
  });
});

test('a block is appended to what is there', () => {
  const out = new ByteCollector();
  out.add(hex('0102'), 0, 2);
  new HpackEncoder().encode(fields([GET]), out);
  new HpackEncoder().encode(fields([['x-a', 'v'.repeat(1000)]]), out);
  const bytes = out.bytes.slice(0, out.length);
  expect(bytes.subarray(0, 3)).toEqual(hex('010282'));
  expect(decode(new HpackDecoder(DEFAULT_LIMITS), bytes.slice(3))).toEqual([['x-a', 'v'.repeat(1000)]]);
  expect(text(concat(bytes.subarray(-3)))).toBe('vvv');
});
