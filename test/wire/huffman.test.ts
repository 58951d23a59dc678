import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { CODE_LENGTHS, huffmanDecode, huffmanEncode, huffmanLength, huffmanRoom } from '../../src/wire/huffman.js';
import { hex, latin1, text } from './bytes.js';
import { huffmanEncode as encodeAsText } from './hpack-encoder.js';

function decode(bytes: Uint8Array): Uint8Array | undefined {
  const out = new Uint8Array(huffmanRoom(bytes.length));
  const length = huffmanDecode(bytes, 0, bytes.length, out);
  return length < 0 ? undefined : out.subarray(0, length);
}

/** Into a larger array, so that a write past the end shows. */
function encode(bytes: Uint8Array): Uint8Array {
  const length = huffmanLength(bytes);
  const out = new Uint8Array(length + 6).fill(0xaa);
  expect(huffmanEncode(bytes, out, 2)).toBe(2 + length);
  expect([...out.subarray(0, 2), ...out.subarray(2 + length)]).toEqual([0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa]);
  return out.slice(2, 2 + length);
}

const ALL_OCTETS = Uint8Array.from({ length: 256 }, (_, octet) => octet);

test('every octet is read and written as golang.org/x/net/http2/hpack does it', () => {
  const fromGo = hex(`
   ffc7fffd8fffffe2fffffe3fffffe4fffffe5fffffe6fffffe7fffffe8ffffeafffffff3fffffa7fffffabffffffdfffffebfffffecf
   ffffedfffffeefffffefffffff0ffffff1ffffff2fffffffbfffffcffffffd3fffffd7fffffdbfffffdffffffe3fffffe7fffffebfff
   ffed4fe3f9ffaffcabf1febfafefe7fdfd2cbb00089969b71d79fb9f7fff20ffbff3ff50ddbd7f061c58f265cd9f469d5af66dddbf87
   1e5f9cff7ff7fffc3ff9ffe45fff4719242cb34e6e9d68a6a3d7dac426defe3cfaf7fffbfe7ffbffdffffffcfffe6ffff4bfff9ffffa
   3fffd3ffff53fffd5ffffb3fffeb7fffdaffffb7ffff73fffeeffffdeffffebffffbfffffd9ffffdbfffebffffe0ffffeeffffc3ffff
   8bffff1ffffe4fffee7fffb1ffff97fffd9ffffcdffff9fffffbffffdafffeeffff4ffffb7fffee7fffe8ffffd3fffdeffffd5fffeef
   fffbdffffe1fffdfffff7fffff5ffffecffff07fff87fffe0ffff17fffedffff87ffff77fffeffffeaffff8bfffe3ffff93ffff87fff
   cbffff37ffff1fffff83ffffe1fffebfffe3ffff3fffff2ffffa3ffffd9fffff17ffffc7fffff27ffffdefffffbffffff2fffff8ffff
   fb7fff97fff8fffffe6fffffc1fffff87ffffe7fffffc5ffffe5fffe4ffff2fffffd1fffff4ffffffefffffe3fffffc9fffff97fffb3
   ffffcffffb7fffcdffff4ffff9ffffd1ffffcffffeaffffafffffddffffeffffff4fffff5fffffabffffa7ffffd7fffff9bffffecfff
   ffb7fffff3fffffe8fffffd3fffffabfffff5fffffff7ffffecfffffdbfffffbbfffff7ffffff0fffffbbf
  `);
  expect(decode(fromGo)).toEqual(ALL_OCTETS);
  expect(encode(ALL_OCTETS)).toEqual(fromGo);
  expect(encodeAsText(ALL_OCTETS)).toEqual(fromGo); // so that the tests' own encoder can be trusted
});

describe('padding (RFC 7541 §5.2)', () => {
  test('no octets are an empty string', () => {
    expect(decode(hex(''))).toEqual(new Uint8Array(0));
  });

  test('up to seven 1 bits after the last symbol are padding', () => {
    expect(text(decode(hex('1f')) ?? ALL_OCTETS)).toBe('a'); // 00011 111
    expect(text(decode(hex('f8')) ?? ALL_OCTETS)).toBe('&'); // 11111000, none
  });

  test.each([
    ['of eight bits', 'f8ff'],
    ['of eleven bits', '1fff'],
    ['of zeros', '18'],
    ['of a 1 and zeros', '1c'],
  ])('padding %s is refused', (_, digits) => {
    expect(decode(hex(digits))).toBeUndefined();
  });

  test('a symbol that is cut off is refused', () => {
    expect(decode(hex('fe'))).toBeUndefined(); // the start of '!' (1111111000)
  });

  test('EOS in a string is refused, wherever it stands', () => {
    expect(decode(hex('ffffffff'))).toBeUndefined();
    expect(decode(hex('1fffffffff'))).toBeUndefined();
  });
});

describe('encoding', () => {
  test.each([
    ['www.example.com', 'f1e3 c2e5 f23a 6ba0 ab90 f4ff'],
    ['no-cache', 'a8eb 1064 9cbf'],
    ['custom-value', '25a8 49e9 5bb8 e8b4 bf'],
    ['Mon, 21 Oct 2013 20:13:21 GMT', 'd07a be94 1054 d444 a820 0595 040b 8166 e082 a62d 1bff'],
    ['', ''],
  ])('of %j is as in RFC 7541 Appendix C', (string, digits) => {
    expect(encode(latin1(string))).toEqual(hex(digits));
  });

  test('of one octet takes as many octets as its code, and is padded with ones', () => {
    for (const [octet, length] of CODE_LENGTHS.slice(0, 256).entries()) {
      const coded = encode(Uint8Array.of(octet));
      expect(coded).toHaveLength(Math.ceil(length / 8));
      const padding = 0xff >> (8 - (coded.length * 8 - length));
      expect(coded.at(-1)! & padding).toBe(padding);
    }
  });

  // Codes of 5 to 30 bits, behind every number of bits that can wait.
  const octets = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.array(fc.constantFrom(0x30, 0x20, 0x0a, 0x16, 0xff, 0x02), { maxLength: 60 }).map((list) => Uint8Array.from(list)),
  );

  test.prop([octets], { numRuns: 1000 })('of any octets is read back, and is what the tests write', (bytes) => {
    const coded = encode(bytes);
    expect(decode(coded)).toEqual(bytes);
    expect(coded).toEqual(encodeAsText(bytes));
  });

  test.prop([octets], { numRuns: 1000 })('of any octets takes the sum of their codes', (bytes) => {
    const bits = bytes.reduce((sum, octet) => sum + CODE_LENGTHS[octet]!, 0);
    expect(huffmanLength(bytes)).toBe(Math.ceil(bits / 8));
  });

  test.prop([fc.uint8Array({ maxLength: 60 })], { numRuns: 2000 })('of what was read gives the same octets again', (coded) => {
    const bytes = decode(coded);
    if (bytes !== undefined) expect(encode(bytes)).toEqual(coded);
  });
});
