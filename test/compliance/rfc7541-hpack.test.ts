/** RFC 7541 HPACK, on a serving connection: both what it reads and what it writes. The codec alone: test/wire. */

import { describe, expect, it } from 'vitest';
import { concat, frame, headers, hex, hpackInteger, hpackString, latin1, literals, type Pair, settings, TYPE } from '../wire/bytes.js';
import { HpackEncoder, hpackText } from '../wire/hpack-encoder.js';
import { requestBlock, requestFields } from './bytes.js';
import { expectAlive, expectConnectionError, Peer } from './peer.js';

const request = (stream: number, block: Uint8Array = requestBlock()): Uint8Array => headers(stream, block, { end: true });

function compressionError(...blocks: readonly Uint8Array[]): void {
  const peer = new Peer();
  for (const [at, block] of blocks.entries()) peer.send(request(2 * at + 1, block));
  expectConnectionError(peer, 'COMPRESSION_ERROR');
  expect(peer.requests).toHaveLength(blocks.length - 1);
}

function accepted(block: Uint8Array, fields: readonly Pair[]): void {
  const peer = new Peer();
  peer.send(request(1, block));
  expect(peer.request(1).fields).toEqual(fields);
  expectAlive(peer);
}

/** A literal that stays out of the table, its strings given as they are encoded. */
const literal = (name: Uint8Array, value: Uint8Array): Uint8Array => concat(hex('00'), name, value);

describe('RFC 7541 §2.3.3 index address space', () => {
  it('index 0 is a connection error COMPRESSION_ERROR', () => {
    compressionError(hex('80'));
  });

  it.each([62, 63, 100, 1_000_000])('index %d, beyond both tables, is a connection error COMPRESSION_ERROR', (index) => {
    compressionError(concat(requestBlock(), hpackInteger(index, 7, 0x80)));
  });

  it.each([
    ['with indexing', 6, 0x40],
    ['without indexing', 4, 0x00],
    ['never indexed', 4, 0x10],
  ])('a literal %s whose name is beyond both tables is a connection error COMPRESSION_ERROR', (_, bits, high) => {
    compressionError(concat(requestBlock(), hpackInteger(62, bits, high), hpackString('value')));
  });

  it('the dynamic table begins at 62 with its newest entry', () => {
    const peer = new Peer();
    const encoder = new HpackEncoder();
    peer.send(request(1, concat(requestBlock(), encoder.field(['x-old', '1'], 'add', false), encoder.field(['x-new', '2'], 'add', true))));
    peer.send(request(3, concat(requestBlock(), hex('be bf'))));
    expect(peer.request(3).fields).toEqual([...requestFields(), ['x-new', '2'], ['x-old', '1']]);
  });

  it('an index is of the table as it is when the field is read, not at the start of the block', () => {
    accepted(concat(requestBlock(), hex('40'), hpackString('x-a'), hpackString('1'), hex('be')), [...requestFields(), ['x-a', '1'], ['x-a', '1']]);
  });

  it('static entries come out as Appendix A has them', () => {
    accepted(hex('83 86 84 41 00 50 83 9bd9ab'), [[':method', 'POST'], [':scheme', 'http'], [':path', '/'], [':authority', ''], ['accept-encoding', 'gzip']]);
  });
});

describe('RFC 7541 §4.2, §6.3 dynamic table size updates', () => {
  it('at the start of a block they are accepted, two of them as well', () => {
    const peer = new Peer();
    peer.send(request(1, concat(hex('20'), requestBlock())), request(3, concat(hex('20'), hpackInteger(4096, 5, 0x20), requestBlock())));
    expect(peer.requests).toHaveLength(2);
    expectAlive(peer);
  });

  it.each([
    ['after a field', requestBlock(), new Uint8Array(0)],
    ['between fields', requestBlock(), hex('84')],
  ])('%s they are a connection error COMPRESSION_ERROR', (_, before, after) => {
    compressionError(concat(before, hex('20'), after));
  });

  it('to more than SETTINGS_HEADER_TABLE_SIZE, of which we announce no other than 4,096, they are a connection error COMPRESSION_ERROR', () => {
    accepted(concat(hpackInteger(4096, 5, 0x20), requestBlock()), requestFields());
    compressionError(concat(hpackInteger(4097, 5, 0x20), requestBlock()));
  });

  it("the client's own SETTINGS_HEADER_TABLE_SIZE does not allow it more", () => {
    const peer = new Peer({ settings: { 1: 1_000_000 } });
    peer.send(request(1, concat(hpackInteger(4097, 5, 0x20), requestBlock())));
    expectConnectionError(peer, 'COMPRESSION_ERROR');
  });

  it('a smaller table loses its oldest entries', () => {
    const add = concat(hex('40'), hpackString('x-a'), hpackString('1'));
    compressionError(concat(requestBlock(), add), concat(hex('20'), requestBlock(), hex('be')));
  });

  it('a block may be nothing but a size update', () => {
    const peer = new Peer();
    peer.send(headers(1, requestBlock()), headers(1, hex('20'), { end: true }));
    expect(peer.request(1).ended).toBe(true);
    expectAlive(peer);
  });
});

describe('RFC 7541 §4.4 entries', () => {
  it('one larger than the table empties it', () => {
    const add = concat(hex('40'), hpackString('x-a'), hpackString('1'));
    const huge = concat(hex('40'), hpackString('x-huge'), hpackString('v'.repeat(4096)));
    compressionError(concat(requestBlock(), add), concat(requestBlock(), huge, hex('be')));
  });

  it('the oldest go when there is no room: entries count for their octets and 32', () => {
    const entry = (name: string): Uint8Array => concat(hex('40'), hpackString(name), hpackString('v'.repeat(2016 - name.length)));
    // Two of 2,048 fill the table of 4,096; a third puts the first out.
    const peer = new Peer();
    peer.send(request(1, concat(requestBlock(), entry('x-1'), entry('x-2'))), request(3, concat(requestBlock(), hex('be bf'))));
    expect(peer.request(3).fields.map(([name]) => name).slice(-2)).toEqual(['x-2', 'x-1']);
    peer.send(request(5, concat(requestBlock(), entry('x-3'), hex('bf'))));
    expect(peer.request(5).fields.map(([name]) => name).slice(-2)).toEqual(['x-3', 'x-2']);
    peer.send(request(7, concat(requestBlock(), hex('c0'))));
    expectConnectionError(peer, 'COMPRESSION_ERROR');
  });
});

describe('RFC 7541 §5.1 integers', () => {
  it.each([
    ['of ten octets', 'ff ff ff ff ff ff ff ff ff 7f'],
    ['past 32 bits', 'ff 80 80 80 80 10'],
    ['of leading zeros without end', 'ff 80 80 80 80 80 80 80 80 00'],
    ['cut off by the end of the block', 'ff 80'],
    ['cut off after its prefix', 'ff'],
  ])('%s are a connection error COMPRESSION_ERROR', (_, octets) => {
    compressionError(concat(requestBlock(), hex(octets)));
  });

  it('a long form of a small number is the number', () => {
    // 0x0f + 0 in two octets, as an index without indexing: 15 is accept-charset.
    accepted(concat(requestBlock(), hex('0f 80 00'), hpackString('x')), [...requestFields(), ['accept-charset', 'x']]);
  });
});

describe('RFC 7541 §5.2 strings', () => {
  it.each([
    ['longer than the block', concat(hex('00'), hpackString('x-a'), hex('05'), latin1('1234'))],
    ['of a length that no block has', concat(hex('00'), hpackString('x-a'), hex('7f ff ff ff 07'))],
    ['left out', concat(hex('00'), hpackString('x-a'))],
    ['with its name left out', hex('00')],
  ])('%s are a connection error COMPRESSION_ERROR', (_, block) => {
    compressionError(concat(requestBlock(), block));
  });

  it('Huffman code is read, in names and values, with any octet', () => {
    const every = String.fromCharCode(...Array.from({ length: 256 }, (_, octet) => octet)).replace(/[\0\r\n]/g, '');
    accepted(concat(requestBlock(), literal(hpackText('x-huffman', true), hpackText(`<${every}>`, true))), [...requestFields(), ['x-huffman', `<${every}>`]]);
  });

  it.each([
    ['padded with more than 7 bits', hex('82 1f ff')],
    ['padded with a whole octet of ones', hex('83 1c 64 ff')],
    ['padded with zeros', hex('81 18')],
    ['padded with ones and a zero', hex('81 1e')],
    ['that holds EOS', hex('84 ff ff ff ff')],
    ['that holds EOS after a letter', hex('85 1f ff ff ff ff')],
  ])('Huffman code %s is a connection error COMPRESSION_ERROR', (_, value) => {
    compressionError(concat(requestBlock(), literal(hpackString('x-a'), value)));
  });

  it('an empty Huffman string is empty', () => {
    accepted(concat(requestBlock(), literal(hpackString('x-a'), hex('80'))), [...requestFields(), ['x-a', '']]);
  });
});

describe('RFC 7541 §6 field representations', () => {
  it.each(['add', 'plain', 'never'] as const)('a literal of the kind %s is read, with and without Huffman code', (way) => {
    for (const huffman of [false, true]) accepted(concat(requestBlock(), new HpackEncoder().field(['x-kind', way], way, huffman)), [...requestFields(), ['x-kind', way]]);
  });

  it('§6.2.2, §6.2.3 what is not to be indexed is not', () => {
    compressionError(concat(requestBlock(), literals(['x-a', '1'])), concat(requestBlock(), hex('be')));
    compressionError(concat(requestBlock(), hex('10'), hpackString('x-a'), hpackString('1')), concat(requestBlock(), hex('be')));
  });
});

describe("RFC 7541 §4.2 the server's own table", () => {
  const answer: readonly Pair[] = [[':status', '200'], ['content-type', 'application/grpc'], ['x-once', 'said']];
  const trailer: readonly Pair[] = [['grpc-status', '0'], ['grpc-message', ''], ['x-twice', 'told']];

  function blocks(peer: Peer, stream: number): Uint8Array[] {
    peer.send(request(stream));
    peer.request(stream).header(answer);
    peer.request(stream).trailer(trailer);
    const sent = peer.on(stream).flatMap((frame) => (frame.type === 'HEADERS' ? [frame] : []));
    expect(sent.map(({ fields }) => fields)).toEqual([answer, trailer]);
    return sent.map(({ block }) => block);
  }

  it('is used: what was said once is short the second time', () => {
    const peer = new Peer();
    const [first, second] = [blocks(peer, 1), blocks(peer, 3)].map((pair) => pair.reduce((sum, { length }) => sum + length, 0));
    expect(second).toBeLessThan(first! / 2);
  });

  it('of size 0, when the client allows none, is said to be of size 0 and then not used', () => {
    const peer = new Peer({ settings: { 1: 0 } });
    const [first] = blocks(peer, 1);
    expect(first?.[0]).toBe(0x20);
    const again = blocks(peer, 3).concat(blocks(peer, 5));
    for (const block of again) {
      expect(block[0]).not.toBe(0x20);
      // No index beyond the static table (61), no literal that is to be indexed.
      expect([...block].filter((octet, at) => at === 0 && (octet >= 0x80 + 62 || (octet & 0xc0) === 0x40))).toEqual([]);
    }
  });

  it('is emptied when the client lowers the size between two answers, and said to be', () => {
    const peer = new Peer();
    blocks(peer, 1);
    peer.send(settings({ 1: 0 }));
    const [first] = blocks(peer, 3);
    expect(first?.[0]).toBe(0x20);
  });

  it.each([
    ['in two frames', [settings({ 1: 0 }), settings({ 1: 4096 })]],
    ['in one', [frame(TYPE.settings, 0, 0, hex('0001 00000000 0001 00001000'))]],
  ])('says the smallest size when the client lowers and raises it between two blocks, %s', (_, frames) => {
    const peer = new Peer();
    blocks(peer, 1);
    peer.send(...frames);
    const [first] = blocks(peer, 3);
    // The smallest size comes first (§4.2); naming the last one is only needed when it is to be used.
    expect(first?.[0]).toBe(0x20);
  });

  it('is used no further than the client allows: a size between', () => {
    const peer = new Peer();
    blocks(peer, 1);
    peer.send(settings({ 1: 100 }));
    const [first] = blocks(peer, 3);
    expect(first?.subarray(0, 2)).toEqual(hpackInteger(100, 5, 0x20));
    blocks(peer, 5);
  });

  it('may stay as it is when the client allows more', () => {
    const peer = new Peer({ settings: { 1: 65_536 } });
    peer.witness.allowTable(65_536);
    blocks(peer, 1);
    blocks(peer, 3);
  });
});
