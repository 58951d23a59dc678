import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { integer64, Malformed } from '../../src/cassette/v1/msgpack.js';
import { encode } from '../../src/cassette/v1/msgpack-encoder.js';
import { Row } from '../../src/cassette/v1/row.js';
import { bytes } from './recording.js';

const opened = (...elements: Parameters<typeof encode>[0][]): Row => new Row(encode(elements)).open(0, 'row');

describe('a row', () => {
  test('gives every 64-bit integer as it was written', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n })), (numbers) => {
        const row = opened(...numbers.map(integer64), ...numbers);
        expect([...numbers, ...numbers].map(() => BigInt(row.integer('number')))).toEqual([...numbers, ...numbers]);
        expect(row.rest).toBe(0);
      }),
    );
  });

  test('counts to 2^53 - 1, and no further', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(1n << 56n), max: 1n << 56n }), (number) => {
        const row = opened(number);
        if (number >= 0n && number <= BigInt(Number.MAX_SAFE_INTEGER)) expect(row.count('it')).toBe(Number(number));
        else expect(() => row.count('it')).toThrow(Malformed);
      }),
    );
  });

  test('gives texts, bytes, flags and lists within it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 400 }), fc.uint8Array({ maxLength: 70_000 }), fc.boolean(), (text, octets, flag) => {
        const row = opened(text, octets, null, [flag, 7], text);
        expect(row.text('text')).toBe(text);
        expect(row.isBytes).toBe(true);
        expect(Buffer.compare(row.bytes('bytes'), octets)).toBe(0);
        expect([row.isNone(), row.isNone()]).toEqual([true, false]);
        expect([row.list('list'), row.boolean('flag'), row.count('count')]).toEqual([2, flag, 7]);
        expect(row.text('text')).toBe(text);
        expect([row.rest, row.isNone()]).toEqual([0, true]);
      }),
    );
  });

  test.each([
    ['a count', (row: Row) => row.count('it')],
    ['an integer', (row: Row) => row.integer('it')],
    ['a boolean', (row: Row) => row.boolean('it')],
    ['a text', (row: Row) => row.text('it')],
    ['bytes', (row: Row) => row.bytes('it')],
    ['a list', (row: Row) => row.list('it')],
  ] as const)('says that something is not %s, whether it is something else or nothing at all', (what, read) => {
    const others = [null, true, 1, -1, 1n << 60n, 'text', bytes('bytes'), [1], { a: 1 }];
    const refused = others.filter((other) => {
      try {
        read(opened(other));
        return false;
      } catch (error) {
        expect(error).toBeInstanceOf(Malformed);
        expect(error).toMatchObject({ message: `it is not ${what}` });
        return true;
      }
    });
    expect(refused.length).toBeGreaterThanOrEqual(others.length - 3);
    expect(() => read(opened())).toThrow(`it is not ${what}`);
  });
});
