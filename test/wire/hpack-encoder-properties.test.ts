/** What holds for any header lists, over any blocks and changes of the table's size between them. */

import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import type { HeaderField } from '../../src/wire/index.js';
import { HpackDecoder, HpackFailure } from '../../src/wire/hpack-decoder.js';
import { HpackEncoder } from '../../src/wire/hpack-encoder.js';
import { treatmentOf } from '../../src/wire/hpack-policy.js';
import { writeInteger } from '../../src/wire/hpack-primitives.js';
import { DEFAULT_LIMITS } from '../../src/wire/limits.js';
import { hpackInteger, latin1, pairs } from './bytes.js';
import { blockOf, entries, type Part, parts } from './hpack-block.js';

const SECRETS = ['authorization', 'cookie', 'set-cookie', 'x-registry-auth', 'x-api-key'];

const anyName = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('x-a', 'x-b', ':status', 'content-type', 'grpc-status', 'grpc-message', 'server', 'etag', 'details-bin') },
  { weight: 1, arbitrary: fc.constantFrom(...SECRETS) },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 20 }).map((octets) => String.fromCharCode(...octets)) },
);
const anyValue = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('', '0', '200', 'application/grpc', 'v'.repeat(60), 'w'.repeat(300)).map(latin1) },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 400 }) },
  { weight: 1, arbitrary: fc.base64String({ maxLength: 1200 }).map(latin1) },
);
const anyField: fc.Arbitrary<HeaderField> = fc.record({ name: anyName, value: anyValue });

const tableBytes = fc.oneof(fc.constantFrom(0, 33, 128, 1000, 4096, 16_384), fc.nat(5000));

/** The same objects come again in many lists, as recorded ones do. */
const anyTraffic = fc.array(anyField, { minLength: 1, maxLength: 25 }).chain((pool) =>
  fc.array(
    fc.record({
      announced: fc.oneof({ weight: 3, arbitrary: fc.constant<number[]>([]) }, { weight: 1, arbitrary: fc.array(tableBytes, { maxLength: 3 }) }),
      list: fc.array(fc.constantFrom(...pool), { maxLength: 12 }),
    }),
    { maxLength: 25 },
  ),
);

function sizes(found: readonly Part[]): number[] {
  return found.flatMap((part) => (part.kind === 'size' ? [part.bytes] : []));
}

describe('blocks of any header lists', () => {
  test.prop([anyTraffic, tableBytes], { numRuns: 1000 })('are read as they were, and leave both tables the same', (traffic, ownBound) => {
    const encoder = new HpackEncoder(ownBound);
    const decoder = new HpackDecoder(DEFAULT_LIMITS);
    for (const { announced, list } of traffic) {
      for (const bytes of announced) {
        encoder.allowTableBytes(bytes);
        decoder.allowTableBytes(bytes);
      }
      const bytes = blockOf(encoder, list);
      const got = decoder.decode(bytes, 0, bytes.length);
      expect(got instanceof HpackFailure ? got : pairs(got)).toEqual(pairs(list));
      expect(entries(encoder.table)).toEqual(entries(decoder.table));
      expect(encoder.table.size).toBe(decoder.table.size);
      expect(encoder.table.capacity).toBe(decoder.table.capacity);
    }
  });

  test.prop([anyTraffic, tableBytes], { numRuns: 500 })('begin with what a decoder has to be told of its table, and no more', (traffic, ownBound) => {
    const encoder = new HpackEncoder(ownBound);
    let inEffect = 4096;
    let allowed = 4096;
    for (const { announced, list } of traffic) {
      for (const bytes of announced) encoder.allowTableBytes(bytes);
      const least = Math.min(allowed, ...announced);
      allowed = announced.at(-1) ?? allowed;
      const found = parts(blockOf(encoder, list));
      const told = sizes(found);
      expect(sizes(found.slice(told.length))).toEqual([]);
      // RFC 9113 §4.3.1: a reduction below what there is has to be told first, whatever came after it.
      if (least < inEffect) expect(told[0]).toBeLessThanOrEqual(least);
      expect(told.length).toBeLessThanOrEqual(2);
      if (told.length === 2) expect(told[0]).toBe(0); // as Go's decoder wants it
      for (const [at, bytes] of told.entries()) expect(bytes).not.toBe(at === 0 ? inEffect : told[at - 1]);
      inEffect = told.at(-1) ?? inEffect;
      expect(inEffect).toBe(Math.min(allowed, ownBound));
      expect(encoder.table.size).toBeLessThanOrEqual(inEffect);
    }
  });

  test.prop([anyTraffic], { numRuns: 500 })('keep secrets out of every table, and say so', (traffic) => {
    const encoder = new HpackEncoder();
    for (const { list } of traffic) {
      const found = parts(blockOf(encoder, list));
      expect(found.map(({ kind }) => kind === 'never')).toEqual(list.map(({ name }) => treatmentOf(name) === 'never'));
      expect(entries(encoder.table).filter(([name]) => SECRETS.includes(name))).toEqual([]);
    }
  });

  test.prop([fc.array(anyField, { maxLength: 12 })], { numRuns: 500 })('say again in one octet a field what is in the table', (list) => {
    const encoder = new HpackEncoder(2 ** 20);
    encoder.allowTableBytes(2 ** 20);
    blockOf(encoder, list);
    const kept = entries(encoder.table).map(([name, value]) => ({ name, value: latin1(value) }));
    expect(parts(blockOf(encoder, kept)).map(({ kind }) => kind)).toEqual(kept.map(() => 'indexed'));
    expect(entries(encoder.table)).toHaveLength(kept.length);
  });
});

const prefixBits = fc.integer({ min: 4, max: 8 });
const anyInteger = fc.oneof(fc.nat(300), fc.integer({ min: 0, max: 2 ** 32 - 1 }));

test.prop([anyInteger, prefixBits], { numRuns: 2000 })('any integer is written as the tests do it', (value, bits) => {
  const out = new Uint8Array(8);
  expect(out.slice(0, writeInteger(0, 2 ** bits - 1, value, out, 0))).toEqual(hpackInteger(value, bits));
});
