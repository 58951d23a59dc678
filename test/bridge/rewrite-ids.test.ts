import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rewriteHeader, rewriteIds } from '../../src/bridge/index.js';
import { digestOf, encode, FRONTEND, header, id } from './build.js';

/** What rewriteIds must do, in the plainest way: at each byte, the longest name that begins there. */
function plainRewrite(payload: Uint8Array, map: ReadonlyMap<string, string>): Buffer {
  let text = Buffer.from(payload).toString('latin1');
  for (let at = 0; at < text.length; at += 1) {
    const longestFirst = [...map].sort(([one], [other]) => other.length - one.length);
    const [from, to] = longestFirst.find(([name, other]) => name.length >= 16 && name.length === other.length && text.startsWith(name, at)) ?? [];
    if (from === undefined || to === undefined) continue;
    text = text.slice(0, at) + to + text.slice(at + from.length);
    at += from.length - 1;
  }
  return Buffer.from(text, 'latin1');
}

const anyText = (length: number): fc.Arbitrary<string> => fc.string({ minLength: length, maxLength: length, unit: fc.constantFrom('a', 'b') });
const anyId = anyText(25);
const anyDigest = fc.string({ minLength: 64, maxLength: 64, unit: fc.constantFrom('0', 'a') }).map((hex) => `sha256:${hex}`);

describe('rewriting ids', () => {
  it('does what a plain search and replace does', () => {
    const pairs = fc.array(fc.oneof(fc.tuple(anyId, anyId), fc.tuple(anyDigest, anyDigest), fc.tuple(fc.string(), fc.string())), { maxLength: 8 });
    fc.assert(
      fc.property(pairs, fc.array(fc.oneof(fc.uint8Array({ maxLength: 30 }), fc.nat(7)), { maxLength: 12 }), (names, parts) => {
        const map = new Map(names);
        const payload = Buffer.concat(parts.map((part) => (typeof part === 'number' ? Buffer.from(names[part]?.[0] ?? '', 'latin1') : part)));
        const before = Buffer.from(payload);
        const ascii = new Map(names.filter(([from, to]) => /^[ -~]*$/.test(from + to)));
        expect(Buffer.from(rewriteIds(payload, map))).toEqual(plainRewrite(payload, ascii));
        expect(payload).toEqual(before);
      }),
    );
  });

  it('does the same with a map that grows, by names of whatever length', () => {
    const name = fc.integer({ min: 14, max: 300 }).chain((length) => fc.tuple(anyText(length), anyText(length)));
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 8 }), fc.array(fc.tuple(fc.nat(7), fc.uint8Array({ maxLength: 3 })), { maxLength: 12 }), (names, parts) => {
        const map = new Map<string, string>();
        const payload = Buffer.concat(parts.flatMap(([part, between]) => [Buffer.from(names[part]?.[0] ?? ''), between]));
        for (const [from, to] of names) {
          map.set(from, to);
          expect(Buffer.from(rewriteIds(payload, map))).toEqual(plainRewrite(payload, map));
        }
      }),
    );
  });

  it('returns the same bytes when there is nothing to do', () => {
    const payload = Buffer.from(`x${id('a')}x`);
    expect(rewriteIds(payload, new Map())).toBe(payload);
    expect(rewriteIds(payload, new Map([[id('b'), id('c')]]))).toBe(payload);
    expect(rewriteIds(payload, new Map([[id('a'), 'shorter']]))).toBe(payload);
  });

  it('sees what was added to the map, and what was changed in it', () => {
    const map = new Map([[id('a'), id('b')]]);
    const payload = Buffer.from(`${id('a')} ${id('c')}`);
    expect(Buffer.from(rewriteIds(payload, map)).toString()).toBe(`${id('b')} ${id('c')}`);
    map.set(id('c'), id('d'));
    expect(Buffer.from(rewriteIds(payload, map)).toString()).toBe(`${id('b')} ${id('d')}`);
    map.set(id('a'), id('e'));
    expect(Buffer.from(rewriteIds(payload, map)).toString()).toBe(`${id('e')} ${id('d')}`);
  });

  it('swaps two ids without mixing them up', () => {
    const map = new Map([
      [id('a'), id('b')],
      [id('b'), id('a')],
    ]);
    expect(Buffer.from(rewriteIds(Buffer.from(`${id('a')}${id('b')}`), map)).toString()).toBe(`${id('b')}${id('a')}`);
  });

  it('reaches ids and digests inside JSON inside protobuf, and the message stays one', () => {
    const [from, to] = [digestOf(Buffer.from('1')), digestOf(Buffer.from('2'))];
    const detail = (digest: string): Uint8Array =>
      encode('google.rpc.Status', {
        code: 2,
        details: [{ type_url: 'github.com/moby/buildkit/errdefs.Vertex+json', value: Buffer.from(JSON.stringify({ digest })) }],
      });
    expect(Buffer.from(rewriteIds(detail(from), new Map([[from, to]])))).toEqual(Buffer.from(detail(to)));
  });

  it('finds an id that a length byte of its own alphabet precedes', () => {
    // "<container>:<id>" has 51 bytes, and 51 is the character 3.
    const message = (container: string): Uint8Array => encode(`${FRONTEND}.ExecMessage`, { ProcessID: `${container}:${id('p')}`, Done: {} });
    expect(Buffer.from(rewriteIds(message(id('a')), new Map([[id('a'), id('4')]])))).toEqual(Buffer.from(message(id('4'))));
  });

  it('reads and writes base64 in -bin fields', () => {
    const detail = (name: string): string => Buffer.from(encode('google.rpc.Status', { message: name })).toString('base64');
    const map = new Map([[id('a'), id('b')]]);
    expect(rewriteHeader(header('grpc-status-details-bin', detail(id('a'))), map)).toEqual(header('grpc-status-details-bin', detail(id('b'))));
    const unpadded = rewriteHeader(header('x-bin', detail(`${id('a')}z`).replace(/=+$/, '')), map);
    expect(Buffer.from(unpadded.value).toString()).toBe(detail(`${id('b')}z`).replace(/=+$/, ''));
    expect(Buffer.from(rewriteHeader(header('grpc-message', `no ${id('a')}`), map).value).toString()).toBe(`no ${id('b')}`);
    const other = header('grpc-status', '0');
    expect(rewriteHeader(other, map)).toBe(other);
  });
});
