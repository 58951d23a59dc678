/** RFC 9113 §3 Starting HTTP/2, §4 HTTP Frames. */

import { describe, expect, it } from 'vitest';
import { concat, data, FLAG, frame, headers, latin1, PREFACE, settings, TYPE, uint32 } from '../wire/bytes.js';
import { frameHeader, octets, ping, priority, requestBlock, requestFields } from './bytes.js';
import { bodyText, expectAlive, expectConnectionError, expectIgnored, expectOctets, expectStreamError, Peer } from './peer.js';
import { HpackEncoder } from '../wire/hpack-encoder.js';

describe('RFC 9113 §3.4 connection preface', () => {
  it("the server's is a SETTINGS frame, sent without waiting for the client's", () => {
    const [first] = new Peer({ settings: null }).receive();
    expect(first).toMatchObject({ type: 'SETTINGS', ack: false });
  });

  it("the client's is accepted octet by octet", () => {
    const peer = new Peer({ settings: null });
    const bytes = concat(PREFACE, settings(), headers(1, requestBlock(), { end: true }));
    for (const octet of bytes) peer.send(Uint8Array.of(octet));
    expect(peer.request(1).ended).toBe(true);
    expectAlive(peer);
  });

  it('frames may follow it before the server has said anything', () => {
    const peer = new Peer({ settings: null });
    const frames = peer.send(concat(PREFACE, settings(), headers(1, requestBlock(), { end: true }), ping('at once.')));
    expect(frames.map(({ type }) => type)).toContain('PING');
    expect(peer.requests).toHaveLength(1);
  });

  it.each([
    ['an HTTP/1 request', 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['an HTTP/1 upgrade', 'POST /grpc HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n'],
    ['a TLS handshake', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['a preface with one wrong octet', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\rX'],
    ['noise', '\x00\x00\x00\x04\x00\x00\x00\x00\x00'],
  ])('%s in its place is a connection error PROTOCOL_ERROR', (_, bytes) => {
    const peer = new Peer({ settings: null });
    peer.send(latin1(bytes));
    expect(peer.over).toMatchObject({ code: 'PROTOCOL_ERROR' });
    expect(peer.send(PREFACE, settings(), ping())).toEqual([]);
  });

  it('a wrong octet is told as soon as it comes', () => {
    const peer = new Peer({ settings: null });
    peer.send(latin1('PRI * HTTP/2'));
    expect(peer.over).toBeUndefined();
    peer.send(latin1('/'));
    expect(peer.over).toMatchObject({ code: 'PROTOCOL_ERROR' });
  });

  it.each([
    ['PING', ping()],
    ['HEADERS', headers(1, requestBlock(), { end: true })],
    ["the acknowledgement of the server's SETTINGS", settings({}, FLAG.ack)],
    ['a frame of unknown type', frame(0xbb, 0, 0)],
  ])('a first frame that is %s, not SETTINGS, is a connection error PROTOCOL_ERROR', (_, bytes) => {
    const peer = new Peer({ settings: null });
    peer.send(PREFACE, bytes);
    expectConnectionError(peer, 'PROTOCOL_ERROR', 0);
    expect(peer.requests).toEqual([]);
  });

  it('the connection ends without a word of ours after the client closed it before its preface', () => {
    const peer = new Peer({ settings: null });
    peer.receive();
    peer.sendUnread(PREFACE.subarray(0, 5));
    peer.connection.end();
    expect(peer.receive()).toEqual([]);
    expect(peer.over).toMatchObject({ code: 'NO_ERROR' });
  });
});

describe('RFC 9113 §4.1 frame format', () => {
  it('the reserved bit of the stream id is ignored', () => {
    const peer = new Peer();
    const request = headers(1, requestBlock(), { end: true });
    request[5] = 0x80;
    peer.send(request);
    peer.request(1).answer();
    expect(bodyText(peer, 1)).toBe('answer');
    expectAlive(peer);
  });

  it('flags that a type does not define are ignored', () => {
    const peer = new Peer();
    peer.send(headers(1, requestBlock()));
    peer.send(frame(TYPE.data, 0xf6, 1, latin1('all but END_STREAM and PADDED')));
    expect(peer.request(1).ended).toBe(false);
    peer.send(frame(TYPE.rstStream, 0xff, 1, uint32(8)), frame(TYPE.windowUpdate, 0xff, 0, uint32(1)));
    expect(peer.request(1).cancelledWith).toBe('CANCEL');
    expect(peer.send(frame(TYPE.settings, 0xfe, 0))).toMatchObject([{ type: 'SETTINGS', ack: true }]);
    expect(peer.send(frame(TYPE.ping, 0xfe, 0, latin1('12345678')))).toMatchObject([{ type: 'PING', ack: true }]);
    expectAlive(peer);
  });

  it('a frame comes whole over any chunks', () => {
    const peer = new Peer();
    const bytes = concat(headers(1, requestBlock()), data(1, octets(300), { padding: 7 }), data(1, latin1('last'), { end: true }));
    for (let at = 0; at < bytes.length; at += 5) peer.send(bytes.subarray(at, at + 5));
    expect(peer.request(1).received).toEqual(concat(octets(300), latin1('last')));
    expect(peer.request(1).ended).toBe(true);
  });
});

describe('RFC 9113 §4.1, §5.5 frames of unknown types', () => {
  it.each([
    ['on the connection', 0],
    ['on an open stream', 1],
    ['on an idle stream', 7],
    ['on an even stream', 4],
  ])('are ignored %s, with any flags and payload', (_, stream) => {
    const peer = new Peer();
    peer.send(headers(1, requestBlock()));
    for (const type of [0x0a, 0x10, 0x77, 0xff]) expectIgnored(peer, frame(type, 0xff, stream, octets(100)), frame(type, 0, stream));
    peer.send(data(1, latin1('whole'), { end: true }));
    expect(peer.request(1).received).toEqual(latin1('whole'));
  });

  it('are a connection error PROTOCOL_ERROR inside a header block', () => {
    const peer = new Peer();
    peer.send(frame(TYPE.headers, FLAG.endStream, 1, requestBlock()), frame(0x77, 0, 1), frame(TYPE.continuation, FLAG.endHeaders, 1));
    expectConnectionError(peer, 'PROTOCOL_ERROR');
    expect(peer.requests).toEqual([]);
  });

  it('are a connection error FRAME_SIZE_ERROR when they are larger than SETTINGS_MAX_FRAME_SIZE', () => {
    const peer = new Peer();
    peer.send(frameHeader(16_385, 0x77, 0, 0));
    expectConnectionError(peer, 'FRAME_SIZE_ERROR');
  });
});

describe('RFC 9113 §4.2 frame size', () => {
  it('DATA of 16,384 octets, the initial SETTINGS_MAX_FRAME_SIZE, is accepted', () => {
    const peer = new Peer();
    peer.send(headers(1, requestBlock()), data(1, octets(16_384), { end: true }));
    expectOctets(peer.request(1).received, octets(16_384));
    expectAlive(peer);
  });

  it('HEADERS and CONTINUATION of 16,384 octets are accepted', () => {
    const peer = new Peer();
    const block = requestBlock({ 'x-long': 'v'.repeat(40_000) });
    peer.send(headers(1, block, { end: true, split: 16_384 }));
    expect(peer.request(1).fields).toEqual(requestFields({ 'x-long': 'v'.repeat(40_000) }));
  });

  it.each([
    ['DATA', TYPE.data, 1],
    ['HEADERS', TYPE.headers, 3],
    ['PRIORITY', TYPE.priority, 1],
    ['RST_STREAM', TYPE.rstStream, 1],
    ['SETTINGS', TYPE.settings, 0],
    ['PING', TYPE.ping, 0],
    ['GOAWAY', TYPE.goaway, 0],
    ['WINDOW_UPDATE', TYPE.windowUpdate, 0],
  ])('%s of 16,385 octets is a connection error FRAME_SIZE_ERROR, told before its payload comes', (_, type, stream) => {
    const peer = new Peer();
    peer.send(headers(1, requestBlock()));
    peer.send(frameHeader(16_385, type, 0, stream));
    expectConnectionError(peer, 'FRAME_SIZE_ERROR', 1);
  });

  it('CONTINUATION of 16,385 octets is a connection error FRAME_SIZE_ERROR', () => {
    const peer = new Peer();
    peer.send(frame(TYPE.headers, 0, 1, requestBlock()), frameHeader(16_385, TYPE.continuation, FLAG.endHeaders, 1));
    expectConnectionError(peer, 'FRAME_SIZE_ERROR');
  });

  it('a frame of 2^24-1 octets is not waited for', () => {
    const peer = new Peer();
    peer.send(Uint8Array.of(0xff, 0xff, 0xff, TYPE.headers, 0, 0, 0, 0, 1));
    expectConnectionError(peer, 'FRAME_SIZE_ERROR', 0);
  });

  it("the server's DATA frames have 16,384 octets at most, when the client allows no more", () => {
    const peer = new Peer();
    peer.send(headers(1, requestBlock(), { end: true }));
    peer.request(1).answer(octets(60_000));
    const sizes = peer.on(1).flatMap((sent) => (sent.type === 'DATA' ? [sent.bytes.length] : []));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(16_384);
    expectOctets(peer.body(1), octets(60_000));
  });

  it("the server's DATA frames can be as large as the client allows", () => {
    const peer = new Peer({ settings: { 4: 2 ** 20, 5: 2 ** 20 } });
    peer.send(frame(TYPE.windowUpdate, 0, 0, uint32(2 ** 21)), headers(1, requestBlock(), { end: true }));
    peer.request(1).answer(octets(900_000));
    expectOctets(peer.body(1), octets(900_000));
  });

  it("a lower SETTINGS_MAX_FRAME_SIZE holds for what the server sends after its acknowledgement", () => {
    const peer = new Peer({ settings: { 5: 65_536 } });
    peer.send(headers(1, requestBlock(), { end: true }), settings({ 5: 16_384 }));
    peer.request(1).answer(octets(50_000));
    const sizes = peer.on(1).flatMap((sent) => (sent.type === 'DATA' ? [sent.bytes.length] : []));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(16_384);
  });

  it('an answer whose header block is longer than a frame goes out as HEADERS and CONTINUATIONs', () => {
    const peer = new Peer();
    peer.send(headers(1, requestBlock(), { end: true }));
    const value = Buffer.from(octets(50_000)).toString('base64');
    peer.request(1).header();
    peer.request(1).trailer([['grpc-status', '0'], ['grpc-status-details-bin', value]]);
    const trailer = peer.on(1).at(-1);
    expect(trailer).toMatchObject({ type: 'HEADERS', end: true, fields: [['grpc-status', '0'], ['grpc-status-details-bin', value]] });
    expect(trailer).toHaveProperty('frames', Math.ceil((trailer?.type === 'HEADERS' ? trailer.block.length : 0) / 16_384));
  });
});

describe('RFC 9113 §4.3 header compression', () => {
  it('a block that can not be decoded is a connection error COMPRESSION_ERROR', () => {
    const peer = new Peer();
    peer.send(headers(1, Uint8Array.of(0x80), { end: true }));
    expectConnectionError(peer, 'COMPRESSION_ERROR');
    expect(peer.requests).toEqual([]);
  });

  it('trailers that can not be decoded are a connection error COMPRESSION_ERROR', () => {
    const peer = new Peer();
    peer.send(headers(1, requestBlock()), headers(1, Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff), { end: true }));
    expectConnectionError(peer, 'COMPRESSION_ERROR');
    expect(peer.request(1).cancelledWith).toBe('COMPRESSION_ERROR');
  });

  it.each([
    ['of a stream that the client reset', (peer: Peer) => peer.send(headers(1, requestBlock()), frame(TYPE.rstStream, 0, 1, uint32(8)))],
    ['of a stream that the server reset', (peer: Peer) => (peer.send(headers(1, requestBlock())), peer.request(1).reset(8), peer.receive())],
  ])("a block %s is decoded all the same: the table is the connection's", (_, close) => {
    const peer = new Peer();
    const encoder = new HpackEncoder();
    close(peer);
    // Trailers that were on their way; the next request is made of what they put into the table.
    peer.send(headers(1, concat(encoder.field(['x-late', 'trailer'], 'add', false), encoder.field(['x-more', 'of it'], 'add', true)), { end: true }));
    if (peer.over !== undefined) return;
    peer.send(headers(3, concat(requestBlock(), encoder.field(['x-late', 'trailer'], 'indexed', false), encoder.field(['x-more', 'of it'], 'indexed', false)), { end: true }));
    expect(peer.request(3).fields).toEqual([...requestFields(), ['x-late', 'trailer'], ['x-more', 'of it']]);
  });

  it('a malformed request is decoded to its end all the same', () => {
    const peer = new Peer();
    const encoder = new HpackEncoder();
    peer.send(headers(1, concat(requestBlock({ ':method': undefined }), encoder.field(['x-late', 'field'], 'add', false)), { end: true }));
    expectStreamError(peer, 1, 'PROTOCOL_ERROR');
    peer.send(headers(3, concat(requestBlock(), encoder.field(['x-late', 'field'], 'indexed', false)), { end: true }));
    expect(peer.request(3).fields).toEqual([...requestFields(), ['x-late', 'field']]);
  });

  it('a block can be cut anywhere, even into frames of one octet or none', () => {
    const peer = new Peer();
    const block = requestBlock({ 'x-cut': 'anywhere' });
    peer.send(headers(1, block, { end: true, split: 1 }));
    const half = block.length >> 1;
    peer.send(
      frame(TYPE.headers, FLAG.endStream, 3),
      frame(TYPE.continuation, 0, 3, block.subarray(0, half)),
      frame(TYPE.continuation, 0, 3),
      frame(TYPE.continuation, 0, 3, block.subarray(half)),
      frame(TYPE.continuation, FLAG.endHeaders, 3),
    );
    for (const id of [1, 3]) expect(peer.request(id).fields).toEqual(requestFields({ 'x-cut': 'anywhere' }));
    expect(peer.request(3).ended).toBe(true);
    peer.send(priority(3));
    expectAlive(peer);
  });
});
