/** What can't be read, where it is told of, and how reading goes on after it. */

import { describe, expect, test } from 'vitest';
import {
  CALL,
  concat,
  data,
  FLAG,
  frame,
  headers,
  hex,
  indexedLiterals,
  latin1,
  literals,
  message,
  PREFACE,
  requestHeader,
  responseHeader,
  rstStream,
  settings,
  trailer,
  TYPE,
  uint32,
} from './bytes.js';
import { LINE, OPENED_AT, Tap } from './tap.js';

describe('a connection that is not HTTP/2', () => {
  test('HTTP/1 is told when it is seen, and the rest of it once, at the end', () => {
    const tap = new Tap().client(latin1('GET / HTTP/1.1\r\n'), latin1('Host: x\r\n\r\n'));
    expect(tap.lines).toEqual(['- gap in client at 0, 1 bytes: not an HTTP/2 connection: no preface, it looks like HTTP/1']);
    tap.server(latin1('HTTP/1.1 200 OK\r\n'), latin1('\r\nbody'));
    tap.end('client', 'server');
    const server = 'not an HTTP/2 connection: the server did not begin with a SETTINGS frame';
    expect(tap.lines.slice(1)).toEqual([
      `- gap in server at 0, 9 bytes: ${server}`,
      '- gap in client at 1, 26 bytes: not an HTTP/2 connection: no preface, it looks like HTTP/1',
      'end of client',
      `- gap in server at 9, 14 bytes: ${server}`,
      'end of server',
    ]);
  });

  test.each([
    ['TLS', '16030100c8010000c4', 1, 'it looks like TLS'],
    ['a binary protocol', '00ff', 1, 'its first byte is 0x00'],
    ['a method that begins as the preface does', '5055 54', 2, 'it looks like HTTP/1'],
  ])('%s is named by its first byte', (_, digits, bytes, guess) => {
    const tap = new Tap().client(hex(digits));
    expect(tap.lines).toEqual([`- gap in client at 0, ${bytes} bytes: not an HTTP/2 connection: no preface, ${guess}`]);
  });

  test('a preface that stops half-way is told at the end', () => {
    expect(new Tap().client(PREFACE.subarray(0, 10)).end('client').lines).toEqual([
      '- gap in client at 0, 10 bytes: the connection preface, cut off by the end of the connection',
      'end of client',
    ]);
  });

  test('a connection without a byte has nothing to tell but its end', () => {
    expect(new Tap().end('server', 'client').lines).toEqual(['end of server', 'end of client']);
  });
});

describe('a header block that can not be read', () => {
  const broken = hex('ff ff ff ff ff ff');

  test('poisons the later headers of its side, which say why, and nothing else', () => {
    const tap = Tap.opened().client(requestHeader(1), requestHeader(3));
    tap.client(headers(5, broken), requestHeader(7, { end: true }), data(1, message('still read')), data(3, hex(''), { end: true }));
    tap.server(responseHeader(1), data(1, message('and answered')), trailer(1));
    const at = OPENED_AT.client + 2 * requestHeader(1).length;
    const why = `a header block after one that couldn't be read (at byte ${at}: an integer that is too long)`;
    expect(tap.lines.slice(2)).toEqual([
      `5 gap in client at ${at}, 15 bytes: a header block that can't be read: an integer that is too long`,
      `7 gap in client at ${at + 15}, ${requestHeader(7).length} bytes: ${why}`,
      '7 client-half-close',
      '1 client-message "still read"',
      '3 client-half-close',
      LINE.response(1),
      '1 server-message "and answered"',
      LINE.trailer(1),
    ]);
  });

  test('leaves DATA of its stream uncounted as messages: nobody knows what it is', () => {
    const tap = Tap.opened().client(headers(1, broken), data(1, message('what is this')), data(1, hex(''), { end: true }));
    expect(tap.lines.slice(1)).toEqual([
      '1 gap in client at 66, 17 bytes: DATA of a stream that is not gRPC: its request header could not be read',
      '1 client-half-close',
    ]);
  });

  test('in a response to a gRPC request leaves its messages readable', () => {
    const tap = Tap.opened().client(requestHeader(1)).server(headers(1, broken), data(1, message('an answer')), trailer(1));
    expect(tap.lines.slice(1)).toEqual([
      expect.stringMatching(/^1 gap in server at 18, 15 bytes: a header block that can't be read/),
      '1 server-message "an answer"',
      expect.stringMatching(/^1 gap in server at \d+, \d+ bytes: a header block after one that couldn't be read/),
    ]);
  });

  test('in a trailer ends the stream all the same', () => {
    const tap = Tap.opened().client(requestHeader(1, { end: true })).server(responseHeader(1), headers(1, broken, { end: true }));
    expect(tap.lines.at(-1)).toMatch(/^1 gap in server/);
    expect(tap.decoder.load.openStreams).toBe(0);
  });

  test.each([
    ['interrupted by DATA', [frame(TYPE.headers, 0, 3, hex('82')), data(1, message('read'))], /interrupted by a DATA frame of stream 1/],
    ['interrupted by a PING', [frame(TYPE.headers, 0, 3, hex('82')), frame(TYPE.ping, 0, 0, new Uint8Array(8))], /interrupted by a PING frame/],
    ['continued on another stream', [frame(TYPE.headers, 0, 3, hex('82')), frame(TYPE.continuation, 4, 1, hex('82'))], /interrupted by a CONTINUATION frame of stream 1/],
    ['continued from nothing', [frame(TYPE.continuation, FLAG.endHeaders, 1, hex('82'))], /a CONTINUATION frame that continues no header block/],
    ['with more padding than payload', [frame(TYPE.headers, FLAG.endHeaders | FLAG.padded, 3, hex('05 82'))], /a HEADERS frame shorter than what its flags announce/],
    ['with a priority that is cut', [frame(TYPE.headers, FLAG.endHeaders | FLAG.priority, 3, hex('82'))], /a HEADERS frame shorter than what its flags announce/],
    ['padded without a pad length', [frame(TYPE.headers, FLAG.endHeaders | FLAG.padded, 3)], /a HEADERS frame shorter/],
    ['promised without a stream', [frame(TYPE.pushPromise, FLAG.endHeaders, 1, hex('0000'))], /a PUSH_PROMISE frame shorter/],
  ])('%s is a gap and poisons its side', (_, frames, reason) => {
    const tap = Tap.opened().client(requestHeader(1));
    tap.events.length = 0;
    tap.client(...frames);
    expect(tap.lines[0]).toMatch(reason);
    const told = tap.lines.length;
    tap.client(requestHeader(9));
    expect(tap.lines[told]).toMatch(/^9 gap in client .*a header block after one that couldn't be read/);
    expect(tap.lines.filter((line) => line.includes('client-header'))).toEqual([]);
  });

  test('DATA that interrupts a header block is read', () => {
    const tap = Tap.opened().client(requestHeader(1), frame(TYPE.headers, 0, 3, hex('82')), data(1, message('read')));
    expect(tap.lines.at(-1)).toBe('1 client-message "read"');
  });
});

describe('frames where they must not be', () => {
  test.each([
    ['DATA on stream 0', data(0, hex('01')), /^0 gap in client at 42, 10 bytes: a DATA frame on stream 0, which is the connection$/],
    ['DATA on a stream that was never opened', data(9, hex('01')), /^9 gap .* a DATA frame on stream 9, which was never opened$/],
    ['HEADERS on stream 0', requestHeader(0), /^0 gap .* a request header on stream 0/],
    ['a request on an even stream', requestHeader(2), /^2 gap .* a request header on stream 2, which was never opened$/],
    ['RST_STREAM on stream 0', rstStream(0, 1), /^0 gap .* a RST_STREAM frame on stream 0/],
    ['RST_STREAM on a stream that was never opened', rstStream(5, 1), /^5 gap .* a RST_STREAM frame on stream 5/],
    ['RST_STREAM of another length', frame(TYPE.rstStream, 0, 1, hex('00')), /^1 gap .* a RST_STREAM frame of 1 bytes, where it has 4$/],
    ['SETTINGS on a stream', frame(TYPE.settings, 0, 1), /^1 gap .* a SETTINGS frame on a stream$/],
    ['SETTINGS of a length that is no list', frame(TYPE.settings, 0, 0, hex('0001')), /^- gap .* a SETTINGS frame of 2 bytes$/],
    ['GOAWAY on a stream', frame(TYPE.goaway, 0, 1, new Uint8Array(8)), /^1 gap .* a GOAWAY frame on a stream$/],
    ['GOAWAY too short', frame(TYPE.goaway, 0, 0, uint32(1)), /^- gap .* a GOAWAY frame of 4 bytes$/],
  ])('%s is a gap, and reading goes on', (_, bytes, reason) => {
    const tap = Tap.opened().client(bytes, requestHeader(11));
    expect(tap.lines).toEqual([expect.stringMatching(reason), LINE.request(11)]);
  });

  test('a response to nothing is a gap', () => {
    expect(Tap.opened().server(responseHeader(1)).lines).toEqual([
      expect.stringMatching(/^1 gap in server at 18, \d+ bytes: a response header on stream 1, which was never opened$/),
    ]);
  });

  test('the high bit of a stream id is not part of it', () => {
    const bytes = requestHeader(1);
    bytes[5] = 0x80;
    expect(Tap.opened().client(bytes).lines).toEqual([LINE.request(1)]);
  });

  test.each([
    ['more padding than content', frame(TYPE.data, FLAG.padded, 1, hex('03 0000')), 12],
    ['no pad length', frame(TYPE.data, FLAG.padded, 1), 9],
  ])('DATA with %s loses the rest of its half, which is counted', (_, bytes, size) => {
    const tap = Tap.opened().client(requestHeader(1), bytes, data(1, message('lost')), data(1, hex(''), { end: true }));
    expect(tap.lines.slice(1)).toEqual([
      expect.stringMatching(new RegExp(`^1 gap in client at \\d+, ${size} bytes: a.* DATA frame with`)),
      expect.stringMatching(/^1 gap in client at \d+, 9 bytes: no message boundaries after a.* DATA frame with/),
      '1 client-half-close',
    ]);
  });
});

describe('the end of a connection', () => {
  const opened = () => Tap.opened().client(requestHeader(1)).server(responseHeader(1));
  const clientAt = OPENED_AT.client + requestHeader(1).length;
  const serverAt = OPENED_AT.server + responseHeader(1).length;
  const over = 'cut off by the end of the connection';

  test.each([
    ['a frame header', data(1, hex('')).subarray(0, 5), `- gap in client at ${clientAt}, 5 bytes: a frame header, ${over}`],
    ['a HEADERS frame', requestHeader(3).subarray(0, 40), `3 gap in client at ${clientAt}, 40 bytes: a HEADERS frame, ${over}`],
    ['a header block', requestHeader(3, { split: 10 }).subarray(0, 30), `3 gap in client at ${clientAt}, 30 bytes: a header block, ${over}`],
    ['a message', data(1, message('half').subarray(0, 7)), `1 gap in client at ${clientAt + 9}, 7 bytes: a message of 4 bytes, ${over}`],
    ['a DATA frame in a message', data(1, message('half')).subarray(0, 16), `1 gap in client at ${clientAt + 9}, 7 bytes: a message of 4 bytes, ${over}`],
    ['a length prefix', data(1, hex('000000')), `1 gap in client at ${clientAt + 9}, 3 bytes: a message's length prefix, ${over}`],
    ['a DATA frame that had begun', data(1, message('none')).subarray(0, 9), `1 gap in client at ${clientAt + 9}, 0 bytes: a DATA frame, ${over}`],
    ['an unknown frame', frame(0x77, 0, 1, hex('0102')).subarray(0, 10), `1 gap in client at ${clientAt}, 10 bytes: a type 0x77 frame, ${over}`],
  ])('in the middle of %s is a gap', (_, bytes, gap) => {
    expect(opened().client(bytes).end('client').lines.slice(2)).toEqual([gap, 'end of client']);
  });

  test('between frames is no gap, though calls are open', () => {
    expect(opened().end('server', 'client').lines.slice(2)).toEqual(['end of server', 'end of client']);
  });

  test('of one side leaves the other readable', () => {
    const tap = opened().client(data(1, hex(''), { end: true })).end('client').server(data(1, message('later')), trailer(1)).end('server');
    expect(tap.lines.slice(2)).toEqual(['1 client-half-close', 'end of client', '1 server-message "later"', LINE.trailer(1), 'end of server']);
  });

  test('with a message unfinished on several streams tells of each, and holds nothing', () => {
    const tap = opened().client(requestHeader(3));
    tap.server(responseHeader(3), data(3, message('three').subarray(0, 6)), data(1, message('one').subarray(0, 7))).end('server');
    expect(tap.lines.slice(-3)).toEqual([
      expect.stringMatching(new RegExp(`^1 gap in server at \\d+, 7 bytes: a message of 3 bytes, ${over}$`)),
      expect.stringMatching(new RegExp(`^3 gap in server at ${serverAt + responseHeader(3).length + 9}, 6 bytes`)),
      'end of server',
    ]);
    expect(tap.decoder.load.heldBytes).toBe(0);
  });

  test('told twice is told once, and bytes after it are not read', () => {
    const tap = opened().end('client').client(requestHeader(3)).end('client');
    expect(tap.lines.slice(2)).toEqual(['end of client']);
  });
});

describe('bounds', () => {
  test('a message over its bound is counted, and the next one is read', () => {
    const tap = Tap.opened({ limits: { messageBytes: 10 } }).client(requestHeader(1));
    const at = OPENED_AT.client + requestHeader(1).length + 9;
    tap.client(data(1, message('eleven byte')), data(1, message('ten bytes!')));
    expect(tap.lines.slice(1)).toEqual([
      `1 gap in client at ${at}, 16 bytes: a message of 11 bytes, over the limit of 10`,
      '1 client-message "ten bytes!"',
    ]);
  });

  test('unfinished messages hold no more than their bound together', () => {
    const tap = Tap.opened({ limits: { heldBytes: 100 } }).client(requestHeader(1), requestHeader(3));
    tap.events.length = 0;
    const [a, b] = [message(new Uint8Array(70)), message(new Uint8Array(60))];
    tap.client(data(1, a.subarray(0, 60)));
    expect(tap.decoder.load.heldBytes).toBe(55);
    tap.client(data(3, b.subarray(0, 60)));
    expect(tap.decoder.load.heldBytes).toBe(55);
    tap.client(data(3, b.subarray(60)), data(1, a.subarray(60)), data(3, message('small')));
    expect(tap.lines).toEqual([
      expect.stringMatching(/^3 gap in client at \d+, 65 bytes: a message of 60 bytes, when unfinished messages held over 100 bytes$/),
      expect.stringMatching(/^1 client-message/),
      '3 client-message "small"',
    ]);
    expect(tap.decoder.load.heldBytes).toBe(0);
  });

  test('streams over their bound are told of, not followed, and their headers still go through HPACK', () => {
    const tap = Tap.opened({ limits: { openStreams: 1 } }).client(requestHeader(1), headers(3, indexedLiterals(...CALL.request)), data(3, message('x')));
    tap.client(data(1, hex(''), { end: true })).server(trailer(1)).client(headers(5, hex('c3 c2 c1 c0 bf be')));
    expect(tap.lines).toEqual([
      LINE.request(1),
      expect.stringMatching(/^3 gap in client at \d+, \d+ bytes: a stream that is not followed: 1 are open$/),
      '1 client-half-close',
      LINE.trailer(1),
      LINE.request(5),
    ]);
  });

  test.each([
    ['in one frame', requestHeader(1)],
    ['over CONTINUATIONs', requestHeader(1, { split: 40 })],
    ['in a frame that is continued', requestHeader(1, { split: 110 })],
  ])('a header block over its bound, %s, is one gap, and poisons its side', (_, bytes) => {
    const tap = Tap.opened({ limits: { headerBlockBytes: 100 } }).client(bytes, headers(3, hex('82')));
    expect(tap.lines).toEqual([
      expect.stringMatching(new RegExp(`^1 gap in client at ${OPENED_AT.client}, ${bytes.length} bytes: a .* over the limit of 100`)),
      expect.stringMatching(/^3 gap in client .* a header block after one that couldn't be read/),
    ]);
  });

  test('a header list over its bound is a gap and poisons nothing', () => {
    const tap = Tap.opened({ limits: { headerFields: 6 } }).client(headers(1, literals(...CALL.request, ['x', 'y'])), requestHeader(3));
    expect(tap.lines).toEqual([expect.stringMatching(/^1 gap in client .* a header list of 7 fields/), LINE.request(3)]);
  });

  test('a control frame over its bound is a gap', () => {
    const tap = Tap.opened({ limits: { controlFrameBytes: 20 } }).server(frame(TYPE.goaway, 0, 0, new Uint8Array(21)), settings({ 1: 1, 2: 0, 3: 1 }), settings({ 1: 1, 2: 0, 3: 1, 4: 1 }));
    expect(tap.lines).toEqual([
      '0 gap in server at 18, 30 bytes: a GOAWAY frame of 21 bytes, over the limit of 20',
      expect.stringMatching(/^0 gap in server at \d+, 33 bytes: a SETTINGS frame of 24 bytes, over the limit of 20$/),
    ]);
  });

  test('frames as long as HTTP/2 allows are passed over or read without being collected', () => {
    const longest = new Uint8Array(2 ** 24 - 1);
    const bytes = concat(frame(0x99, 0, 0, longest), requestHeader(1), data(1, concat(message(longest.subarray(0, 2 ** 24 - 6)))));
    const tap = Tap.opened();
    for (let at = 0; at < bytes.length; at += 65_536) tap.client(bytes.subarray(at, at + 65_536));
    expect(tap.events.map(({ kind }) => kind)).toEqual(['client-header', 'client-message']);
    const [, event] = tap.events;
    expect(event?.kind === 'client-message' ? event.size : 0).toBe(2 ** 24 - 6);
  });
});
