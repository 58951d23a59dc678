import { describe, expect, test } from 'vitest';
import { huffmanDecode, huffmanRoom } from '../../src/wire/huffman.js';
import { hex, text } from './bytes.js';
import { huffmanEncode } from './hpack-encoder.js';

function decode(bytes: Uint8Array): Uint8Array | undefined {
  const out = new Uint8Array(huffmanRoom(bytes.length));
  const length = huffmanDecode(bytes, 0, bytes.length, out);
  return length < 0 ? undefined : out.subarray(0, length);
}

const ALL_OCTETS = Uint8Array.from({ length: 256 }, (_, octet) => octet);

test('every octet is read as golang.org/x/net/http2/hpack writes it', () => {
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
  expect(huffmanEncode(ALL_OCTETS)).toEqual(fromGo); // so that the tests' own encoder can be trusted
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
