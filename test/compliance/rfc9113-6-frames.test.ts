/** RFC 9113 §6 Frame Definitions, flow control aside (rfc9113-6.9-flow-control.test.ts); §7 Error Codes. */

import { describe, expect, it } from 'vitest';
import { concat, data, FLAG, frame, goaway, headers, hex, latin1, rstStream, settings, TYPE, uint32 } from '../wire/bytes.js';
import { continuation, octets, ping, priority, requestBlock, requestFields, windowUpdate } from './bytes.js';
import { bodyText, expectAlive, expectConnectionError, expectIgnored, expectStreamError, Peer } from './peer.js';

const request = (stream: number, end = false): Uint8Array => headers(stream, requestBlock(), { end });
const none = new Uint8Array(0);

describe('RFC 9113 §6.1 DATA', () => {
  it('its content goes to the request, its padding does not', () => {
    const peer = new Peer();
    peer.send(request(1), data(1, latin1('a')), data(1, latin1('b'), { padding: 0 }), data(1, latin1('c'), { padding: 255 }), data(1, none, { padding: 3 }), data(1, latin1('d'), { end: true, padding: 1 }));
    expect(peer.request(1).received).toEqual(latin1('abcd'));
    expect(peer.request(1).ended).toBe(true);
    expectAlive(peer);
  });

  it.each([
    ['as long as the payload', frame(TYPE.data, FLAG.padded, 1, concat(Uint8Array.of(5), latin1('1234')))],
    ['longer than the payload', frame(TYPE.data, FLAG.padded, 1, concat(Uint8Array.of(255), latin1('1234')))],
    ['in a payload of one octet', frame(TYPE.data, FLAG.padded, 1, Uint8Array.of(1))],
  ])('padding %s is a connection error PROTOCOL_ERROR', (_, bytes) => {
    const peer = new Peer();
    peer.send(request(1), bytes);
    expectConnectionError(peer, 'PROTOCOL_ERROR');
    expect(peer.request(1).received).toEqual(none);
  });

  it('the PADDED flag on an empty payload is a connection error FRAME_SIZE_ERROR (§4.2)', () => {
    const peer = new Peer();
    peer.send(request(1), frame(TYPE.data, FLAG.padded, 1));
    expectConnectionError(peer, 'FRAME_SIZE_ERROR');
  });

  it('padding of octets that are not zero may be taken', () => {
    const peer = new Peer();
    peer.send(request(1), frame(TYPE.data, FLAG.padded | FLAG.endStream, 1, concat(Uint8Array.of(3), latin1('x'), hex('ff00ff'))));
    expect(peer.request(1).received).toEqual(latin1('x'));
    expectAlive(peer);
  });
});

describe('RFC 9113 §6.2 HEADERS', () => {
  it('padding is no part of the header block', () => {
    const peer = new Peer();
    peer.send(headers(1, requestBlock(), { padding: 0 }), headers(3, requestBlock(), { padding: 255, end: true }));
    expect(peer.requests.map(({ fields }) => fields)).toEqual([requestFields(), requestFields()]);
    expectAlive(peer);
  });

  it.each([
    ['padding as long as the payload', frame(TYPE.headers, FLAG.padded | FLAG.endHeaders, 1, concat(Uint8Array.of(200), octets(199)))],
    ['padding that leaves no room for the priority fields', frame(TYPE.headers, FLAG.padded | FLAG.priority | FLAG.endHeaders, 1, concat(Uint8Array.of(3), octets(7)))],
  ])('%s is a connection error PROTOCOL_ERROR', (_, bytes) => {
    const peer = new Peer();
    peer.send(bytes);
    expectConnectionError(peer, 'PROTOCOL_ERROR', 0);
  });

  it.each([
    ['the PADDED flag', frame(TYPE.headers, FLAG.padded | FLAG.endHeaders, 1)],
    ['the PRIORITY flag', frame(TYPE.headers, FLAG.priority | FLAG.endHeaders, 1, octets(4))],
    ['both flags', frame(TYPE.headers, FLAG.priority | FLAG.padded | FLAG.endHeaders, 1, octets(5).fill(0))],
  ])('a payload too short for %s is a connection error FRAME_SIZE_ERROR (§4.2)', (_, bytes) => {
    const peer = new Peer();
    peer.send(bytes);
    expectConnectionError(peer, 'FRAME_SIZE_ERROR');
  });

  it('the padding of a HEADERS frame whose block goes on is no part of the block either', () => {
    const peer = new Peer();
    const block = requestBlock();
    peer.send(frame(TYPE.headers, FLAG.padded, 1, concat(Uint8Array.of(4), block.subarray(0, 20), octets(4))), continuation(1, block.subarray(20), FLAG.endHeaders));
    expect(peer.request(1).fields).toEqual(requestFields());
  });
});

describe('RFC 9113 §6.3 PRIORITY', () => {
  it.each([0, 4, 6])('%d octets are a stream error FRAME_SIZE_ERROR', (length) => {
    const peer = new Peer();
    peer.send(request(1), frame(TYPE.priority, 0, 1, octets(length)));
    expectStreamError(peer, 1, 'FRAME_SIZE_ERROR');
  });

  it.each([
    ['idle', () => undefined],
    [
      'over',
      (peer: Peer) => {
        peer.send(request(9, true));
        peer.request(9).answer();
      },
    ],
  ])('a wrong size on a stream that is %s, and so can not be reset, is a connection error FRAME_SIZE_ERROR', (_, enter) => {
    const peer = new Peer();
    enter(peer);
    peer.send(frame(TYPE.priority, 0, 9, octets(4)));
    expectConnectionError(peer, 'FRAME_SIZE_ERROR');
  });

  it('opens no stream', () => {
    const peer = new Peer({ limits: { concurrentStreams: 1 } });
    peer.send(priority(1), priority(3), request(5, true));
    expect(peer.requests).toHaveLength(1);
    expectConnectionErrorOnLower(peer);
  });

  /** 3 was named by PRIORITY only: it is below 5, so it can't be opened any more. */
  function expectConnectionErrorOnLower(peer: Peer): void {
    peer.send(request(3, true));
    expectConnectionError(peer, 'PROTOCOL_ERROR', 5);
  }
});

describe('RFC 9113 §6.4 RST_STREAM', () => {
  it('cancels the request with its code', () => {
    const peer = new Peer();
    peer.send(request(1), rstStream(1, 8), request(3), rstStream(3, 0), request(5, true), rstStream(5, 2));
    expect(peer.requests.map(({ cancelledWith }) => cancelledWith)).toEqual(['CANCEL', 'NO_ERROR', 'INTERNAL_ERROR']);
    expectAlive(peer);
  });

  it('drops what was still to be sent', () => {
    const peer = new Peer({ settings: { 4: 10 } });
    peer.send(request(1, true));
    peer.request(1).answer('more than ten octets');
    peer.receive();
    expectIgnored(peer, rstStream(1, 8));
    expectIgnored(peer, windowUpdate(1, 100));
    expect(bodyText(peer, 1)).toBe('more than ');
  });

  it.each([0, 3, 5, 8])('%d octets are a connection error FRAME_SIZE_ERROR', (length) => {
    const peer = new Peer();
    peer.send(request(1), frame(TYPE.rstStream, 0, 1, octets(length)));
    expectConnectionError(peer, 'FRAME_SIZE_ERROR');
  });
});

describe('RFC 9113 §6.5 SETTINGS', () => {
  it('each is acknowledged, in order and after it was applied', () => {
    const peer = new Peer();
    const frames = peer.send(settings({ 4: 1 }), ping('between.'), settings({}));
    expect(frames).toEqual([
      { type: 'SETTINGS', ack: true, values: {} },
      { type: 'PING', ack: true, payload: 'between.' },
      { type: 'SETTINGS', ack: true, values: {} },
    ]);
  });

  it('an acknowledgement is not acknowledged, even one of nothing', () => {
    expectIgnored(new Peer(), settings({}, FLAG.ack), settings({}, FLAG.ack));
  });

  it('an acknowledgement with a payload is a connection error FRAME_SIZE_ERROR', () => {
    const peer = new Peer();
    peer.send(settings({ 4: 65_535 }, FLAG.ack));
    expectConnectionError(peer, 'FRAME_SIZE_ERROR');
  });

  it.each([
    ['SETTINGS', settings({ 4: 1 })],
    ['an acknowledgement', settings({}, FLAG.ack)],
  ])('%s on a stream is a connection error PROTOCOL_ERROR', (_, bytes) => {
    const peer = new Peer();
    const moved = Uint8Array.from(bytes);
    moved[8] = 1;
    peer.send(request(1), moved);
    expectConnectionError(peer, 'PROTOCOL_ERROR');
  });

  it.each([1, 5, 7, 13])('%d octets, no multiple of 6, are a connection error FRAME_SIZE_ERROR', (length) => {
    const peer = new Peer();
    peer.send(frame(TYPE.settings, 0, 0, new Uint8Array(length)));
    expectConnectionError(peer, 'FRAME_SIZE_ERROR');
  });

  it('§6.5.2 unknown settings are ignored', () => {
    const peer = new Peer();
    expect(peer.send(frame(TYPE.settings, 0, 0, hex('0000 ffffffff 0007 ffffffff 0008 00000001 ffff 12345678')))).toEqual([{ type: 'SETTINGS', ack: true, values: {} }]);
    expectAlive(peer);
  });

  it.each([
    ['HEADER_TABLE_SIZE 0', { 1: 0 }],
    ['HEADER_TABLE_SIZE 2^32-1', { 1: 2 ** 32 - 1 }],
    ['ENABLE_PUSH 0', { 2: 0 }],
    ['ENABLE_PUSH 1', { 2: 1 }],
    ['MAX_CONCURRENT_STREAMS 0', { 3: 0 }],
    ['MAX_CONCURRENT_STREAMS 2^32-1', { 3: 2 ** 32 - 1 }],
    ['INITIAL_WINDOW_SIZE 0', { 4: 0 }],
    ['INITIAL_WINDOW_SIZE 2^31-1', { 4: 2 ** 31 - 1 }],
    ['MAX_FRAME_SIZE 16,384', { 5: 16_384 }],
    ['MAX_FRAME_SIZE 2^24-1', { 5: 2 ** 24 - 1 }],
    ['MAX_HEADER_LIST_SIZE 0', { 6: 0 }],
    ['MAX_HEADER_LIST_SIZE 2^32-1', { 6: 2 ** 32 - 1 }],
  ])('§6.5.2 %s is accepted', (_, values) => {
    const peer = new Peer();
    peer.send(settings(values));
    expectAlive(peer);
    peer.send(request(1, true));
    expect(peer.requests).toHaveLength(1);
  });

  it.each([
    ['ENABLE_PUSH 2', { 2: 2 }, 'PROTOCOL_ERROR'],
    ['INITIAL_WINDOW_SIZE 2^31', { 4: 2 ** 31 }, 'FLOW_CONTROL_ERROR'],
    ['INITIAL_WINDOW_SIZE 2^32-1', { 4: 2 ** 32 - 1 }, 'FLOW_CONTROL_ERROR'],
    ['MAX_FRAME_SIZE 0', { 5: 0 }, 'PROTOCOL_ERROR'],
    ['MAX_FRAME_SIZE 16,383', { 5: 16_383 }, 'PROTOCOL_ERROR'],
    ['MAX_FRAME_SIZE 2^24', { 5: 2 ** 24 }, 'PROTOCOL_ERROR'],
  ])('§6.5.2 %s is a connection error %s', (_, values, code) => {
    const peer = new Peer();
    peer.send(request(1), settings(values));
    expectConnectionError(peer, code);
  });

  it('§6.5.3 values are taken in their order: the last of one setting holds', () => {
    const peer = new Peer();
    const twice = concat(hex('0004'), uint32(3), hex('0004'), uint32(5));
    peer.send(frame(TYPE.settings, 0, 0, twice), request(1, true));
    peer.request(1).answer('answer');
    expect(bodyText(peer, 1)).toBe('answe');
  });

  it('§6.5.3 a bad value among good ones is an error all the same', () => {
    const peer = new Peer();
    peer.send(settings({ 1: 4096, 2: 7, 4: 65_535 }));
    expectConnectionError(peer, 'PROTOCOL_ERROR');
  });

  it('a long SETTINGS frame is read', () => {
    const peer = new Peer();
    const many = concat(...Array.from({ length: 2730 }, () => hex('0004 00000007')));
    expect(peer.send(frame(TYPE.settings, 0, 0, many))).toHaveLength(1);
    expectAlive(peer);
  });
});

describe('RFC 9113 §6.6, §8.4 PUSH_PROMISE', () => {
  it.each([
    ['on an open stream', 1],
    ['on an idle one', 9],
    ['on stream 0', 0],
  ])('of a client is a connection error PROTOCOL_ERROR %s', (_, stream) => {
    const peer = new Peer();
    peer.send(request(1), frame(TYPE.pushPromise, FLAG.endHeaders, stream, concat(uint32(2), requestBlock())));
    expectConnectionError(peer, 'PROTOCOL_ERROR');
    expect(peer.requests).toHaveLength(1);
  });
});

describe('RFC 9113 §6.7 PING', () => {
  it('is answered with the same payload', () => {
    expect(new Peer().send(frame(TYPE.ping, 0, 0, hex('00ff01fe02fd03fc')))).toEqual([{ type: 'PING', ack: true, payload: '\x00\xff\x01\xfe\x02\xfd\x03\xfc' }]);
  });

  it('each is answered, in order', () => {
    const frames = new Peer().send(ping('11111111'), ping('22222222'), ping('33333333'));
    expect(frames.map((frame) => frame.type === 'PING' && frame.payload)).toEqual(['11111111', '22222222', '33333333']);
  });

  it('an answer to one is not answered, even one that nobody asked for', () => {
    expectIgnored(new Peer(), ping('unasked.', FLAG.ack));
  });

  it('is answered while an answer waits for its window', () => {
    const peer = new Peer({ settings: { 4: 0 } });
    peer.send(request(1, true));
    peer.request(1).answer();
    peer.receive();
    expectAlive(peer);
  });

  it.each([0, 7, 9, 16])('%d octets are a connection error FRAME_SIZE_ERROR', (length) => {
    const peer = new Peer();
    peer.send(frame(TYPE.ping, 0, 0, octets(length)));
    expectConnectionError(peer, 'FRAME_SIZE_ERROR');
  });

  it.each([
    ['PING', 0],
    ['its answer', FLAG.ack],
  ])('%s on a stream is a connection error PROTOCOL_ERROR', (_, flags) => {
    const peer = new Peer();
    peer.send(request(1), frame(TYPE.ping, flags, 1, octets(8)));
    expectConnectionError(peer, 'PROTOCOL_ERROR');
  });
});

describe('RFC 9113 §6.8 GOAWAY', () => {
  it('on a stream is a connection error PROTOCOL_ERROR', () => {
    const peer = new Peer();
    const moved = goaway(0, 0);
    moved[8] = 1;
    peer.send(request(1), moved);
    expectConnectionError(peer, 'PROTOCOL_ERROR');
  });

  it.each([0, 4, 7])('%d octets are a connection error FRAME_SIZE_ERROR', (length) => {
    const peer = new Peer();
    peer.send(frame(TYPE.goaway, 0, 0, octets(length)));
    expectConnectionError(peer, 'FRAME_SIZE_ERROR');
  });
});

describe('RFC 9113 §6.10 CONTINUATION', () => {
  const block = requestBlock();
  const begun = frame(TYPE.headers, FLAG.endStream, 1, block.subarray(0, 10));

  it.each([
    ['DATA of the same stream', data(1, latin1('x'))],
    ['HEADERS of the same stream', request(1)],
    ['HEADERS of another stream', request(3)],
    ['CONTINUATION of another stream', continuation(3, block.subarray(10), FLAG.endHeaders)],
    ['CONTINUATION of stream 0', continuation(0, block.subarray(10), FLAG.endHeaders)],
    ['PRIORITY', priority(1)],
    ['RST_STREAM of the same stream', rstStream(1, 8)],
    ['SETTINGS', settings()],
    ['PING', ping()],
    ['GOAWAY', goaway(0, 0)],
    ['WINDOW_UPDATE', windowUpdate(0, 1)],
    ['a frame of unknown type', frame(0x42, 0, 1)],
  ])('%s in its place is a connection error PROTOCOL_ERROR', (_, bytes) => {
    const peer = new Peer();
    peer.send(begun, bytes);
    expectConnectionError(peer, 'PROTOCOL_ERROR');
    expect(peer.requests).toEqual([]);
  });

  it.each([
    ['nothing', [] as const],
    ['a whole HEADERS', [request(1)]],
    ['HEADERS and the last CONTINUATION', [frame(TYPE.headers, 0, 1, block.subarray(0, 9)), continuation(1, block.subarray(9), FLAG.endHeaders)]],
    ['DATA', [request(1), data(1, latin1('x'))]],
  ])('after %s it is a connection error PROTOCOL_ERROR', (_, before) => {
    const peer = new Peer();
    peer.send(...before, continuation(1, new Uint8Array(0), FLAG.endHeaders));
    expectConnectionError(peer, 'PROTOCOL_ERROR');
  });

  it('trailers may be continued as well', () => {
    const peer = new Peer();
    peer.send(request(1), data(1, latin1('x')), headers(1, concat(hex('00 03'), latin1('x-t'), hex('01'), latin1('y')), { end: true, split: 3 }));
    expect(peer.request(1).ended).toBe(true);
    expectAlive(peer);
  });

  it('END_STREAM is of the HEADERS frame; on a CONTINUATION the flag means nothing', () => {
    const peer = new Peer();
    peer.send(frame(TYPE.headers, 0, 1, block.subarray(0, 10)), continuation(1, block.subarray(10), FLAG.endHeaders | FLAG.endStream));
    expect(peer.request(1).ended).toBe(false);
    expectAlive(peer);
  });
});

describe('RFC 9113 §7 error codes', () => {
  it('that are unknown mean nothing special', () => {
    const peer = new Peer();
    peer.send(request(1), rstStream(1, 0xdead));
    expect(peer.request(1).cancelledWith).toBe('unknown error code 0xdead');
    expectAlive(peer);
  });
});
