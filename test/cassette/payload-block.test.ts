import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countOf, decodePayloads, digestOf, encodePayloadTable, lengthAt, payloadAt, type PayloadBlock } from '../../src/cassette/v1/payload-block.js';

function block(payloads: readonly Uint8Array[]): PayloadBlock {
  const content = Buffer.concat(payloads);
  const table = encodePayloadTable(7, payloads.map(({ length }) => length), Buffer.concat(payloads.map(digestOf)), content.length);
  return decodePayloads(Buffer.concat([table, content]));
}

/** The same block, which counts how often it is asked where a payload stands. */
function counting(of: PayloadBlock): { readonly block: PayloadBlock; readonly looks: () => number } {
  let looks = 0;
  const starts = new Proxy(of.starts, {
    get(target, name): unknown {
      if (typeof name === 'string' && /^[0-9]+$/.test(name)) looks += 1;
      return Reflect.get(target, name, target);
    },
  });
  return { block: { ...of, starts }, looks: () => looks };
}

describe('the payloads of a block', () => {
  it('are what was put in, empty ones too', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 20 }), (payloads) => {
        const read = block(payloads);
        expect([read.first, countOf(read)]).toEqual([7, payloads.length]);
        payloads.forEach((payload, n) => expect([new Uint8Array(payloadAt(read, n)), lengthAt(read, n)]).toEqual([payload, payload.length]));
        expect(lengthAt(read, payloads.length)).toBeUndefined();
        expect(payloadAt(read, payloads.length)).toHaveLength(0);
      }),
    );
  });

  it.each([10, 1000, 100_000])('are each found with two looks, of %d too', (count) => {
    const { block: counted, looks } = counting(block(Array.from({ length: count }, (_, n) => Uint8Array.of(n))));
    for (let n = 0; n < count; n += 1) expect(payloadAt(counted, n)[0]).toBe(n & 0xff);
    expect(looks()).toBe(2 * count);
  });
});
