import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import type { HeaderField } from '../../src/wire/index.js';
import { HpackDecoder, HpackFailure } from '../../src/wire/hpack-decoder.js';
import { DEFAULT_LIMITS, type Limits } from '../../src/wire/limits.js';
import { concat, hex, hpackInteger, hpackString, indexedLiterals, latin1, literals, pairs } from './bytes.js';
import { hpackText } from './hpack-encoder.js';

function decoder(limits: Partial<Limits> = {}): HpackDecoder {
  return new HpackDecoder({ ...DEFAULT_LIMITS, ...limits });
}

function read(from: HpackDecoder, block: Uint8Array): readonly HeaderField[] {
  const fields = from.decode(block, 0, block.length);
  if (fields instanceof HpackFailure) throw new Error(fields.reason);
  return fields;
}

function failure(from: HpackDecoder, block: Uint8Array): HpackFailure {
  const fields = from.decode(block, 0, block.length);
  if (fields instanceof HpackFailure) return fields;
  throw new Error('the block was read');
}

describe('fields', () => {
  test('an indexed field is the same object each time, so that it costs nothing', () => {
    const hpack = decoder();
    const [added] = read(hpack, indexedLiterals(['x-a', '1']));
    expect(read(hpack, hex('be'))[0]).toBe(added);
    expect(read(hpack, hex('82'))[0]).toBe(read(decoder(), hex('82'))[0]);
  });

  test('values are copies: writing over the chunk afterwards changes nothing', () => {
    const chunk = indexedLiterals(['x-a', 'kept']);
    const hpack = decoder();
    const fields = read(hpack, chunk);
    chunk.fill(0);
    expect(pairs(fields)).toEqual([['x-a', 'kept']]);
    expect(pairs(read(hpack, hex('be')))).toEqual([['x-a', 'kept']]);
  });

  test('values are copies of Buffers too, whose slice is a view', () => {
    const chunk = Buffer.from(literals(['x-a', 'a value that is longer than thirty-two octets']));
    const fields = read(decoder(), chunk);
    chunk.fill(0);
    expect(pairs(fields)).toEqual([['x-a', 'a value that is longer than thirty-two octets']]);
  });

  test('a block is read where it lies in a larger chunk', () => {
    const block = literals(['x-a', '1']);
    const fields = decoder().decode(concat(hex('ffff'), block, hex('ffff')), 2, 2 + block.length);
    expect(pairs(fields instanceof HpackFailure ? [] : fields)).toEqual([['x-a', '1']]);
  });

  test('names and values may hold any octet', () => {
    const octets = String.fromCharCode(...Array.from({ length: 256 }, (_, octet) => octet));
    expect(pairs(read(decoder(), literals([octets, octets])))).toEqual([[octets, octets]]);
    expect(pairs(read(decoder(), concat(hex('00'), hpackText(octets, true), hpackText(octets, true))))).toEqual([[octets, octets]]);
  });

  test('empty names and values are fields', () => {
    expect(pairs(read(decoder(), literals(['', ''])))).toEqual([['', '']]);
  });

  test('an empty block is an empty list', () => {
    expect(read(decoder(), hex(''))).toEqual([]);
  });
});

describe('a block that comes again', () => {
  test('is the same list, so that it costs nothing', () => {
    const hpack = decoder();
    read(hpack, indexedLiterals(['x-a', '1']));
    const list = read(hpack, hex('82be'));
    expect(read(hpack, concat(hex('82be')))).toBe(list);
    expect(read(hpack, hex('83be'))).not.toBe(list);
  });

  test('is read anew when what its indices stand for has changed', () => {
    const hpack = decoder();
    read(hpack, indexedLiterals(['x-a', '1']));
    expect(pairs(read(hpack, hex('be')))).toEqual([['x-a', '1']]);
    read(hpack, indexedLiterals(['x-b', '2']));
    expect(pairs(read(hpack, hex('be')))).toEqual([['x-b', '2']]);
    read(hpack, hex('20'));
    expect(failure(hpack, hex('be')).poisons).toBe(true);
  });

  test('and adds to the table does so each time', () => {
    const hpack = decoder();
    for (const count of [1, 2, 3]) {
      expect(pairs(read(hpack, indexedLiterals(['x-a', '1'])))).toEqual([['x-a', '1']]);
      expect(hpack.table.count).toBe(count);
    }
  });

  test('is read over a limit as often as it comes', () => {
    const hpack = decoder({ headerFields: 1 });
    for (const block of [hex('8286'), hex('8286'), hex('82'), hex('8286')]) expect(hpack.decode(block, 0, block.length) instanceof HpackFailure).toBe(block.length > 1);
  });

  // Each block made another one by a field that no table takes up: then none comes again.
  const part = fc.oneof(
    fc.constantFrom('82', '86', 'be', 'bf', 'c0').map(hex),
    fc.constantFrom('1', '2').map((value) => indexedLiterals(['x-a', value])),
    fc.constantFrom('1', '2').map((value) => literals(['x-b', value])),
  );
  const blocks = fc.array(fc.tuple(fc.option(fc.constantFrom('20', '3f0a', '3fe11f').map(hex), { freq: 9 }), fc.array(part, { maxLength: 4 })), { maxLength: 40 });

  property.prop([blocks])('is what it would be if it came for the first time', (made) => {
    const [hpack, other] = [decoder(), decoder()];
    for (const [number, [resize, fields]] of made.entries()) {
      const block = concat(resize ?? hex(''), ...fields);
      const differing = concat(block, literals(['x-number', String(number)]));
      const [got, wanted] = [hpack.decode(block, 0, block.length), other.decode(differing, 0, differing.length)];
      if (got instanceof HpackFailure || wanted instanceof HpackFailure) {
        expect(got).toEqual(wanted);
        return;
      }
      expect(pairs(got)).toEqual(pairs(wanted).slice(0, -1));
    }
  });
});

describe('the dynamic table (RFC 7541 §4)', () => {
  test('an entry larger than the table empties it and is still a field of its list', () => {
    const hpack = decoder();
    read(hpack, indexedLiterals(['x-a', '1']));
    const value = 'v'.repeat(5000);
    expect(pairs(read(hpack, indexedLiterals(['x-b', value])))).toEqual([['x-b', value]]);
    expect(hpack.table.count).toBe(0);
    expect(hpack.table.size).toBe(0);
  });

  test('a new entry may take its name from the entry that it evicts', () => {
    const hpack = decoder();
    hpack.table.resize(64);
    read(hpack, indexedLiterals(['x-name', 'first']));
    const fields = read(hpack, concat(hex('7e'), hpackString('second'))); // literal with indexing, name of entry 62
    expect(pairs(fields)).toEqual([['x-name', 'second']]);
    expect(hpack.table.count).toBe(1);
  });

  test('hundreds of entries keep their indexes as the ring grows and turns', () => {
    const hpack = decoder();
    hpack.allowTableBytes(65_536);
    read(hpack, hpackInteger(65_536, 5, 0x20));
    for (let at = 0; at < 3000; at += 1) read(hpack, indexedLiterals(['x-n', String(at)]));
    expect(hpack.table.count).toBeGreaterThan(1500);
    const oldest = 61 + hpack.table.count;
    expect(pairs(read(hpack, concat(hex('be'), hpackInteger(oldest, 7, 0x80))))).toEqual([
      ['x-n', '2999'],
      ['x-n', String(3000 - hpack.table.count)],
    ]);
    expect(failure(hpack, hpackInteger(oldest + 1, 7, 0x80)).reason).toMatch(/no header field at index/);
  });
});

describe('table size updates (RFC 7541 §4.2, §6.3)', () => {
  test('evict at once', () => {
    const hpack = decoder();
    read(hpack, indexedLiterals(['x-a', '1'], ['x-b', '2']));
    expect(pairs(read(hpack, concat(hpackInteger(40, 5, 0x20), hex('be'))))).toEqual([['x-b', '2']]);
    expect(hpack.table.count).toBe(1);
  });

  test('two at the start of a block, down to nothing and up again, empty the table', () => {
    const hpack = decoder();
    read(hpack, indexedLiterals(['x-a', '1']));
    read(hpack, concat(hex('20'), hpackInteger(4096, 5, 0x20), hex('82')));
    expect(hpack.table.count).toBe(0);
    expect(hpack.table.capacity).toBe(4096);
  });

  test('may go up to 4096 before any SETTINGS', () => {
    expect(read(decoder(), hpackInteger(4096, 5, 0x20))).toEqual([]);
    const refused = failure(decoder(), hpackInteger(4097, 5, 0x20));
    expect(refused).toMatchObject({ poisons: true, reason: 'a table size of 4097 bytes, where 4096 were allowed' });
  });

  test('may go up to the largest size announced so far, for an encoder may not have seen the latest', () => {
    const hpack = decoder();
    hpack.allowTableBytes(10_000);
    hpack.allowTableBytes(100);
    expect(read(hpack, hpackInteger(10_000, 5, 0x20))).toEqual([]);
    expect(failure(hpack, hpackInteger(10_001, 5, 0x20)).poisons).toBe(true);
  });

  test('never past the bound, whatever was announced', () => {
    const hpack = decoder();
    hpack.allowTableBytes(2 ** 32 - 1);
    expect(failure(hpack, hpackInteger(DEFAULT_LIMITS.headerTableBytes + 1, 5, 0x20)).reason).toMatch(/over the limit/);
  });

  test('after a field are refused', () => {
    expect(failure(decoder(), concat(hex('82'), hex('20'))).reason).toBe('a table size update after a header field');
  });
});

describe('malformed blocks poison the table', () => {
  test.each([
    ['index 0 (§6.1)', '80', /no header field at index 0/],
    ['an index past the static table, the dynamic one being empty', 'be', /no header field at index 62/],
    ['a literal whose name has an index that is not there', '7f00 0161', /no header field at index 63/],
    ['an integer without its end (§5.1)', 'ff', /an integer cut off/],
    ['an integer without its end, after octets', 'ff8080', /an integer cut off/],
    ['an integer padded with zeros past 28 bits', 'ff8080808000', /an integer that is too long/],
    ['an integer over 28 bits', 'ffffffffff7f', /an integer that is too long/],
    ['a string longer than the block', '000561', /a string cut off/],
    ['a value that is missing', '000161', /a header field cut off/],
    ['a name that is missing', '00', /a header field cut off/],
    ['Huffman padding that is too long (§5.2)', '00 82 1fff 0161', /not valid Huffman/],
    ['Huffman padding that is not ones', '00 81 18 0161', /not valid Huffman/],
    ['EOS in a Huffman string', '00 84 ffffffff 0161', /not valid Huffman/],
  ])('%s', (_, digits, reason) => {
    const refused = failure(decoder(), hex(digits));
    expect(refused.reason).toMatch(reason);
    expect(refused.poisons).toBe(true);
  });
});

describe('bounds', () => {
  test('a list with too many fields is not given, but the table is kept in step', () => {
    const hpack = decoder({ headerFields: 2 });
    const refused = failure(hpack, indexedLiterals(['a', '1'], ['b', '2'], ['c', '3']));
    expect(refused).toMatchObject({ poisons: false, reason: 'a header list of 3 fields and 102 bytes, over the limit' });
    expect(pairs(read(hpack, hex('be bf')))).toEqual([
      ['c', '3'],
      ['b', '2'],
    ]);
  });

  test('a small block that names a large entry again and again is cut by the list size', () => {
    const hpack = decoder({ headerListBytes: 100_000 });
    read(hpack, indexedLiterals(['bomb', 'x'.repeat(4000)]));
    const refused = failure(hpack, new Uint8Array(10_000).fill(0xbe));
    expect(refused.poisons).toBe(false);
    expect(refused.reason).toMatch(/10000 fields and 40360000 bytes/);
  });

  test('a long Huffman string is decoded whole', () => {
    const value = 'abcdefghij'.repeat(20_000);
    const hpack = decoder();
    expect(pairs(read(hpack, concat(hex('00'), hpackText('x-long', true), hpackText(value, true))))).toEqual([['x-long', value]]);
    expect(pairs(read(hpack, concat(hex('00'), hpackText('x', true), hpackText('y', true))))).toEqual([['x', 'y']]);
  });
});

test('latin-1 is what the tests and the decoder both mean by a name', () => {
  expect(read(decoder(), literals(['ÿ', '']))[0]?.name).toBe('ÿ');
  expect(latin1('ÿ')).toEqual(Uint8Array.of(255));
});
