import { describe, expect, test } from 'vitest';
import type { HeaderField } from '../../src/wire/index.js';
import {
  CALL,
  concat,
  data,
  FLAG,
  frame,
  goaway,
  headers,
  hex,
  hpackInteger,
  indexedLiterals,
  literals,
  message,
  type Pair,
  PREFACE,
  pushPromise,
  requestHeader,
  responseHeader,
  rstStream,
  settings,
  trailer,
  TYPE,
} from './bytes.js';
import { LINE, OPENED_AT, Tap } from './tap.js';

/** A tap on which call 1 has been answered with a header. */
function answered(): Tap {
  const tap = Tap.opened().client(requestHeader(1)).server(responseHeader(1));
  tap.events.length = 0;
  return tap;
}

/** Where the content of the first frame after that stands. */
const CONTENT_AT = {
  client: OPENED_AT.client + requestHeader(1).length + 9,
  server: OPENED_AT.server + responseHeader(1).length + 9,
} as const;

describe('an ordinary call', () => {
  test('is told in the order in which it crossed', () => {
    const tap = Tap.opened()
      .client(requestHeader(1), data(1, message('ask'), { end: true }))
      .server(responseHeader(1), data(1, message('answer')), trailer(1))
      .end('client', 'server');
    expect(tap.lines).toEqual([
      LINE.request(1),
      '1 client-message "ask"',
      '1 client-half-close',
      LINE.response(1),
      '1 server-message "answer"',
      LINE.trailer(1),
      'end of client',
      'end of server',
    ]);
  });

  test('has its events stamped with the time of the push that completed them', () => {
    const sent = message('in three pushes');
    const tap = Tap.opened().client(requestHeader(1));
    const before = tap.events.length;
    const whole = data(1, sent);
    tap.client(whole.subarray(0, 10), whole.subarray(10, 20), whole.subarray(20));
    expect(tap.events.length).toBe(before + 1);
    const [header, completed] = tap.events;
    expect((completed?.time ?? 0n) - (header?.time ?? 0n)).toBe(3n);
  });

  test('the preface, SETTINGS, PING, WINDOW_UPDATE, PRIORITY and frames of unknown types tell nothing', () => {
    const quiet = (stream: number) => [
      frame(TYPE.ping, 0, 0, hex('0102030405060708')),
      frame(TYPE.windowUpdate, 0, stream, hex('00001000')),
      frame(TYPE.priority, 0, stream, hex('0000000010')),
      frame(0xbe, 0xff, stream, hex('deadbeef')),
    ];
    const tap = Tap.opened().client(...quiet(0), ...quiet(1)).server(...quiet(0), ...quiet(1));
    expect(tap.lines).toEqual([]);
  });
});

describe('how a call ends', () => {
  test('the client closes its half on DATA, after the message', () => {
    const tap = answered().client(data(1, message('last'), { end: true }));
    expect(tap.lines).toEqual(['1 client-message "last"', '1 client-half-close']);
  });

  test('the client closes its half on an empty DATA frame', () => {
    expect(answered().client(data(1, hex(''), { end: true })).lines).toEqual(['1 client-half-close']);
  });

  test('the client closes its half with its header', () => {
    expect(Tap.opened().client(requestHeader(1, { end: true })).lines).toEqual([LINE.request(1), '1 client-half-close']);
  });

  test('the client closes its half with trailers, which no event can tell', () => {
    const tap = answered().client(headers(1, literals(['x', 'y']), { end: true }));
    expect(tap.lines).toEqual([
      `1 gap in client at ${CONTENT_AT.client - 9}, 14 bytes: client trailers, which gRPC has no use for`,
      '1 client-half-close',
    ]);
    expect(answered().client(headers(1, hex(''), { end: true })).lines).toEqual(['1 client-half-close']);
  });

  test('a trailers-only response is a trailer without a header', () => {
    const block = literals(...CALL.response, ['grpc-status', '5']);
    const tap = Tap.opened().client(requestHeader(1, { end: true })).server(headers(1, block, { end: true }));
    expect(tap.lines.at(-1)).toBe('1 server-trailer :status=200 content-type=application/grpc grpc-status=5');
    expect(tap.lines.filter((line) => line.includes('server-header'))).toEqual([]);
  });

  test('a server that ends the stream on DATA sent an empty trailer', () => {
    const tap = answered().server(data(1, message('all'), { end: true }));
    expect(tap.lines).toEqual(['1 server-message "all"', '1 server-trailer']);
  });

  test('the server may finish first; what the client still sends is told', () => {
    const tap = answered().server(trailer(1)).client(data(1, message('late'), { end: true }));
    expect(tap.lines).toEqual([LINE.trailer(1), '1 client-message "late"', '1 client-half-close']);
    expect(tap.decoder.load.openStreams).toBe(0);
  });

  test.each(['client', 'server'] as const)('a reset by the %s ends both halves', (side) => {
    const tap = answered().push(side, [rstStream(1, 8)]);
    expect(tap.lines).toEqual([`1 reset by ${side} CANCEL`]);
    expect(tap.decoder.load.openStreams).toBe(0);
  });

  test('after a reset, frames still in flight are ignored, and their headers still go through HPACK', () => {
    const tap = Tap.opened().client(requestHeader(1), requestHeader(3)).server(headers(3, indexedLiterals(...CALL.response)));
    tap.events.length = 0;
    tap.client(rstStream(1, 8));
    tap.server(headers(1, indexedLiterals(['x-added', 'yes'])), data(1, message('late')), data(1, hex('00')), trailer(1), rstStream(1, 0));
    tap.server(headers(3, hex('be'), { end: true }));
    expect(tap.lines).toEqual(['1 reset by client CANCEL', '3 server-trailer x-added=yes']);
  });

  test('a reset in the middle of a message tells of the part that crossed', () => {
    const tap = answered().server(data(1, message('half a message').subarray(0, 9)), rstStream(1, 2));
    expect(tap.lines).toEqual([
      `1 gap in server at ${CONTENT_AT.server}, 9 bytes: a message of 14 bytes, cut off by a reset`,
      '1 reset by server INTERNAL_ERROR',
    ]);
    expect(tap.decoder.load.heldBytes).toBe(0);
  });

  test('END_STREAM in the middle of a message tells of the part that crossed', () => {
    const tap = answered().client(data(1, hex('0000'), { end: true })).server(data(1, message('abc').subarray(0, 6), { end: true }));
    expect(tap.lines).toEqual([
      `1 gap in client at ${CONTENT_AT.client}, 2 bytes: a message's length prefix, cut off by the end of the stream`,
      '1 client-half-close',
      `1 gap in server at ${CONTENT_AT.server}, 6 bytes: a message of 3 bytes, cut off by the end of the stream`,
      '1 server-trailer',
    ]);
  });

  test('frames after END_STREAM are ignored', () => {
    const tap = answered().client(data(1, hex(''), { end: true }), data(1, message('more')), requestHeader(1));
    expect(tap.lines).toEqual(['1 client-half-close']);
    tap.server(trailer(1), data(1, message('more')), trailer(1));
    expect(tap.lines).toEqual(['1 client-half-close', LINE.trailer(1)]);
  });
});

describe('response headers', () => {
  test('1xx responses are not the response', () => {
    const early = headers(1, literals([':status', '103'], ['link', '</a>']));
    const tap = Tap.opened().client(requestHeader(1)).server(early, early, responseHeader(1), data(1, message('x')));
    expect(tap.lines).toEqual([LINE.request(1), LINE.response(1), '1 server-message "x"']);
  });

  test('a second header that does not end the stream is a gap', () => {
    const tap = answered().server(responseHeader(1), data(1, message('x')));
    expect(tap.lines[0]).toMatch(/^1 gap in server at \d+, \d+ bytes: a second header block that does not end the stream$/);
    expect(tap.lines[1]).toBe('1 server-message "x"');
  });

  test('a block over CONTINUATION frames is one header', () => {
    const tap = Tap.opened()
      .client(requestHeader(1, { split: 20, end: true }))
      .server(responseHeader(1, { split: 1 }), headers(1, literals(...CALL.trailer), { end: true, split: 7 }));
    expect(tap.lines).toEqual([LINE.request(1), '1 client-half-close', LINE.response(1), LINE.trailer(1)]);
  });

  test('padding and priority are no part of the block', () => {
    const tap = Tap.opened().client(
      requestHeader(1, { padding: 0 }),
      requestHeader(3, { priority: true }),
      requestHeader(5, { padding: 255, priority: true, end: true }),
      requestHeader(7, { padding: 3, priority: true, split: 30 }),
    );
    expect(tap.lines).toEqual([LINE.request(1), LINE.request(3), LINE.request(5), '5 client-half-close', LINE.request(7)]);
  });

  test('a promised header goes through HPACK and is not told, nor is the pushed stream', () => {
    const tap = answered().server(
      pushPromise(1, 2, indexedLiterals([':path', '/pushed'])),
      headers(2, literals([':status', '200'])),
      data(2, hex('0102'), { end: true }),
      headers(1, hex('be'), { end: true }),
    );
    expect(tap.lines).toEqual(['1 server-trailer :path=/pushed']);
  });
});

describe('the header table', () => {
  const grow = (bytes: number, ...fields: Pair[]) => concat(hpackInteger(bytes, 5, 0x20), literals(...fields));

  test("of the client's headers may grow to what the server's SETTINGS allow, and the other way round", () => {
    const tap = Tap.opened().server(settings({ 1: 8192 })).client(headers(1, grow(8192, ...CALL.request)));
    expect(tap.lines).toEqual([LINE.request(1)]);
    tap.client(settings({ 1: 16_384 })).server(headers(1, grow(16_384, ...CALL.response)));
    expect(tap.lines).toEqual([LINE.request(1), LINE.response(1)]);
  });

  test('may not grow by the SETTINGS of its own side', () => {
    const tap = Tap.opened().client(settings({ 1: 8192 }), headers(1, grow(8192, ...CALL.request)));
    expect(tap.lines).toEqual([expect.stringMatching(/^1 gap in client .* a table size of 8192 bytes, where 4096 were allowed/)]);
  });

  test('an acknowledged SETTINGS frame announces nothing', () => {
    const tap = Tap.opened().server(frame(TYPE.settings, FLAG.ack, 0)).client(requestHeader(1));
    expect(tap.lines).toEqual([LINE.request(1)]);
  });

  test('other settings in the same frame are passed over', () => {
    const tap = Tap.opened().server(settings({ 3: 100, 4: 65_535, 1: 5000, 5: 16_384, 99: 1 })).client(headers(1, grow(5000, ...CALL.request)));
    expect(tap.lines).toEqual([LINE.request(1)]);
  });
});

describe('messages', () => {
  test('are told whatever DATA frames they come in', () => {
    const three = concat(message('one'), message(''), message('three', true));
    const tap = answered().client(data(1, three));
    expect(tap.lines).toEqual(['1 client-message "one"', '1 client-message ""', '1 client-message compressed "three"']);
    const split = answered();
    for (const octet of three) split.client(data(1, Uint8Array.of(octet)), data(1, hex('')));
    expect(split.lines).toEqual(tap.lines);
  });

  test('on padded DATA have no padding in them', () => {
    const bytes = message('padded well');
    const tap = answered().server(
      data(1, bytes.subarray(0, 8), { padding: 200 }),
      data(1, hex(''), { padding: 0 }),
      data(1, bytes.subarray(8), { padding: 3 }),
    );
    expect(tap.lines).toEqual(['1 server-message "padded well"']);
  });

  test('of streams that take turns keep apart', () => {
    const [a, b] = [message('first stream'), message('second stream')];
    const tap = Tap.opened().client(requestHeader(1), requestHeader(3));
    tap.events.length = 0;
    tap.client(data(1, a.subarray(0, 7)), data(3, b.subarray(0, 3)), data(1, a.subarray(7)), data(3, b.subarray(3)));
    expect(tap.lines).toEqual(['1 client-message "first stream"', '3 client-message "second stream"']);
  });

  test('are views of the pushed bytes', () => {
    const chunk = data(1, message('here'));
    const tap = answered().client(chunk);
    const [event] = tap.events;
    const view = event?.kind === 'client-message' ? event.data?.[0] : undefined;
    expect(view?.bytes.buffer).toBe(chunk.buffer);
  });

  test('held over the end of their chunk do not keep a much larger chunk alive', () => {
    const body = 'a message that begins at the end of a chunk';
    const [start, rest] = [message(body).subarray(0, 20), message(body).subarray(20)];
    const chunk = concat(data(1, message(new Uint8Array(10_000))), data(1, start));
    const tap = answered().client(chunk, data(1, rest));
    const event = tap.events[1];
    const buffers = event?.kind === 'client-message' ? event.data?.map(({ bytes }) => bytes.buffer) : [];
    expect(tap.lines[1]).toBe(`1 client-message "${body}"`);
    expect(buffers).not.toContain(chunk.buffer);
  });

  test('after a length prefix that is none, the rest of that half is one gap', () => {
    const tap = answered().client(data(1, message('fine')), data(1, hex('02 00000001 61')), data(1, message('lost')), data(1, hex(''), { end: true }));
    expect(tap.lines).toEqual([
      '1 client-message "fine"',
      `1 gap in client at ${CONTENT_AT.client + 18}, 15 bytes: a message's compressed flag is 0x2, neither 0 nor 1`,
      '1 client-half-close',
    ]);
  });
});

describe('bodies that are not wanted', () => {
  test('are asked about once per stream, at its header, and only counted', () => {
    const asked: [number, readonly HeaderField[]][] = [];
    const tap = Tap.opened({
      wantsBody(stream, fields) {
        asked.push([stream, fields]);
        return stream !== 1;
      },
    });
    for (const stream of [1, 3]) {
      tap.client(requestHeader(stream), data(stream, message('ask'))).server(responseHeader(stream), data(stream, message('answer')));
    }
    expect(tap.lines.filter((line) => line.includes('message'))).toEqual([
      '1 client-message 3 bytes',
      '1 server-message 6 bytes',
      '3 client-message "ask"',
      '3 server-message "answer"',
    ]);
    expect(asked.map(([stream, fields]) => [stream, fields.length])).toEqual([
      [1, CALL.request.length],
      [3, CALL.request.length],
    ]);
  });

  test('are never held, nor bounded', () => {
    const tap = Tap.opened({ wantsBody: () => false, limits: { messageBytes: 10 } }).client(requestHeader(1));
    const bytes = message(new Uint8Array(1000));
    tap.client(data(1, bytes.subarray(0, 600)));
    expect(tap.decoder.load.heldBytes).toBe(0);
    tap.client(data(1, bytes.subarray(600)));
    expect(tap.lines.at(-1)).toBe('1 client-message 1000 bytes');
  });
});

describe('content that is not gRPC', () => {
  const page = (type: string) => headers(1, literals([':status', '503'], ['content-type', type]));

  test('in a response is one gap at its end', () => {
    const tap = Tap.opened().client(requestHeader(1)).server(page('text/html'), data(1, hex('3c70')), data(1, hex('3e'), { end: true }));
    expect(tap.lines.slice(1)).toEqual([
      '1 server-header :status=503 content-type=text/html',
      `1 gap in server at ${OPENED_AT.server + page('text/html').length + 9}, 3 bytes: DATA of a response that is not gRPC: content-type text/html is not gRPC`,
      '1 server-trailer',
    ]);
  });

  test.each(['application/grpc', 'application/grpc+proto', 'application/grpc;charset=x'])('is not %s', (type) => {
    const tap = Tap.opened().client(requestHeader(1)).server(page(type), data(1, message('x')));
    expect(tap.lines.at(-1)).toBe('1 server-message "x"');
  });

  test.each(['application/grpc-web', 'application/grpcx', 'application/grp', ''])('is %j', (type) => {
    const tap = Tap.opened().client(requestHeader(1)).server(page(type), data(1, message('x')), trailer(1));
    expect(tap.lines.at(-2)).toMatch(/^1 gap in server at \d+, 6 bytes: DATA of a response that is not gRPC: content-type .* is not gRPC$/);
  });

  test('in a request is a gap on both sides, and wantsBody is not asked', () => {
    const tap = Tap.opened({
      wantsBody() {
        throw new Error('asked');
      },
    });
    tap.client(headers(1, literals([':method', 'GET'], [':path', '/'])), data(1, hex('01'), { end: true }));
    tap.server(page('text/plain'), data(1, hex('0203'), { end: true }));
    expect(tap.lines).toEqual([
      '1 client-header :method=GET :path=/',
      expect.stringMatching(/^1 gap in client at \d+, 1 bytes: DATA of a stream that is not gRPC: no content-type$/),
      '1 client-half-close',
      '1 server-header :status=503 content-type=text/plain',
      expect.stringMatching(/^1 gap in server at \d+, 2 bytes: DATA of a response to a request that is not gRPC$/),
      '1 server-trailer',
    ]);
  });

  test('DATA before the response header is a gap, the rest of the response too', () => {
    const tap = Tap.opened().client(requestHeader(1)).server(data(1, hex('01')), responseHeader(1), data(1, message('x')), trailer(1));
    expect(tap.lines.slice(1)).toEqual([
      LINE.response(1),
      '1 gap in server at 27, 7 bytes: DATA before the response header',
      LINE.trailer(1),
    ]);
  });
});

describe('GOAWAY', () => {
  test('is told with its last stream, code and debug text', () => {
    const tap = Tap.opened().server(goaway(7, 11, 'too_many_pings')).client(goaway(0, 0));
    expect(tap.lines).toEqual([
      'goaway by server ENHANCE_YOUR_CALM after 7 "too_many_pings"',
      'goaway by client NO_ERROR after 0 ""',
    ]);
  });

  test('does not end the streams that are open', () => {
    const tap = answered().server(goaway(1, 0), data(1, message('still')), trailer(1));
    expect(tap.lines.slice(1)).toEqual(['1 server-message "still"', LINE.trailer(1)]);
  });
});

test('state of streams is freed as they end, over hundreds of thousands of them', () => {
  let events = 0;
  const tap = Tap.opened();
  tap.events.push = () => (events += 1);
  const [ask, answer, over] = [requestHeader(1, { end: true }), responseHeader(1), trailer(1)];
  for (let stream = 1; stream < 400_000; stream += 2) {
    for (const bytes of [ask, answer, over]) new DataView(bytes.buffer).setUint32(5, stream);
    tap.client(ask).server(answer, over);
    if (tap.decoder.load.openStreams !== 0) throw new Error(`stream ${stream} is still open`);
  }
  expect(events).toBe(800_000);
});

test('the preface may come in any pieces', () => {
  const tap = new Tap().client(PREFACE.subarray(0, 3), PREFACE.subarray(3, 23), concat(PREFACE.subarray(23), settings(), requestHeader(1)));
  expect(tap.lines).toEqual([LINE.request(1)]);
});
