/** RFC 9113 §8 Expressing HTTP Semantics in HTTP/2, and §10.5 about what is too much of it. */

import { describe, expect, it } from 'vitest';
import { concat, data, frame, headers, hex, hpackString, latin1, literals, type Pair, settings, TYPE } from '../wire/bytes.js';
import { continuation, requestBlock, requestFields } from './bytes.js';
import { bodyText, expectAlive, expectConnectionError, expectIgnored, expectStreamError, Peer } from './peer.js';

const request = (stream: number, end = false): Uint8Array => headers(stream, requestBlock(), { end });

/** What comes of a request with these fields. */
function accepted(fields: readonly Pair[]): Peer {
  const peer = new Peer();
  peer.send(headers(1, literals(...fields), { end: true }));
  expect(peer.frames.filter(({ type }) => type === 'RST_STREAM' || type === 'GOAWAY')).toEqual([]);
  expect(peer.request(1).fields).toEqual(fields);
  expectAlive(peer);
  return peer;
}

function malformed(block: Uint8Array): void {
  const peer = new Peer();
  peer.send(headers(1, block, { end: true }));
  expectStreamError(peer, 1, 'PROTOCOL_ERROR');
  expect(peer.requests).toEqual([]);
}

describe('RFC 9113 §8.1 HTTP message framing', () => {
  it('a second HEADERS without END_STREAM is malformed: a stream error PROTOCOL_ERROR', () => {
    const peer = new Peer();
    peer.send(request(1), data(1, latin1('x')), headers(1, literals(['x-trailer', 'but no end'])));
    expectStreamError(peer, 1, 'PROTOCOL_ERROR');
    expect(peer.request(1).ended).toBe(false);
  });

  it('trailers with END_STREAM end the request', () => {
    const peer = new Peer();
    peer.send(request(1), data(1, latin1('x')), headers(1, literals(['x-trailer', 'end']), { end: true }));
    expect(peer.request(1).ended).toBe(true);
    expectAlive(peer);
  });

  it('trailers may be empty', () => {
    const peer = new Peer();
    peer.send(request(1), headers(1, new Uint8Array(0), { end: true }));
    expect(peer.request(1).ended).toBe(true);
    expectAlive(peer);
  });

  it.each([
    ['a pseudo-header field', literals([':path', '/'])],
    ['a response pseudo-header field', literals([':status', '200'])],
    ['upper case', literals(['X-Trailer', 'x'])],
    ['a connection-specific field', literals(['connection', 'close'])],
    ['a line feed in a value', literals(['x-trailer', 'a\nb'])],
  ])('trailers with %s are malformed: a stream error PROTOCOL_ERROR', (_, block) => {
    const peer = new Peer();
    peer.send(request(1), headers(1, block, { end: true }));
    expectStreamError(peer, 1, 'PROTOCOL_ERROR');
    expect(peer.request(1).ended).toBe(false);
  });

  it('an answer is HEADERS, DATA, and trailers that end the stream', () => {
    const peer = new Peer();
    peer.send(request(1, true));
    peer.request(1).answer('content');
    expect(peer.on(1)).toMatchObject([
      { type: 'HEADERS', end: false, fields: [[':status', '200']] },
      { type: 'DATA', end: false, bytes: latin1('content') },
      { type: 'HEADERS', end: true, fields: [['grpc-status', '0']] },
    ]);
  });

  it('an answer of nothing but HEADERS ends the stream', () => {
    const peer = new Peer();
    peer.send(request(1, true));
    peer.request(1).header([[':status', '404']], true);
    expect(peer.on(1)).toMatchObject([{ type: 'HEADERS', end: true, fields: [[':status', '404']] }]);
  });

  it('what an application sends after the end of its answer is dropped', () => {
    const peer = new Peer();
    peer.send(request(1, true));
    peer.request(1).answer();
    peer.request(1).answer();
    expect(peer.on(1)).toHaveLength(3);
    expectAlive(peer);
  });

  it('what an application sends after its request was cancelled is dropped', () => {
    const peer = new Peer();
    peer.send(request(1), frame(TYPE.rstStream, 0, 1, Uint8Array.of(0, 0, 0, 8)));
    peer.request(1).answer();
    peer.request(1).reset(2);
    expect(peer.on(1)).toEqual([]);
    expectAlive(peer);
  });

  it('an application can reset a stream, once', () => {
    const peer = new Peer();
    peer.send(request(1, true));
    peer.request(1).header();
    peer.request(1).reset(8);
    peer.request(1).reset(2);
    peer.request(1).answer();
    expect(peer.on(1)).toMatchObject([{ type: 'HEADERS' }, { type: 'RST_STREAM', code: 'CANCEL' }]);
    expectAlive(peer);
  });
});

describe('RFC 9113 §8.1.1 malformed messages: content-length', () => {
  const withLength = (length: string): Uint8Array => requestBlock({ 'content-length': length });

  it.each([
    ['in one frame', [data(1, latin1('12345'), { end: true })]],
    ['in several, with padding', [data(1, latin1('12'), { padding: 9 }), data(1, latin1('345'), { padding: 0, end: true })]],
    ['before an empty last frame', [data(1, latin1('12345')), data(1, new Uint8Array(0), { end: true })]],
    ['before trailers', [data(1, latin1('12345')), headers(1, literals(['x-trailer', 'x']), { end: true })]],
  ])('content of its length %s is accepted', (_, frames) => {
    const peer = new Peer();
    peer.send(headers(1, withLength('5')), ...frames);
    expect(peer.request(1).received).toEqual(latin1('12345'));
    expect(peer.request(1).ended).toBe(true);
    expectAlive(peer);
  });

  it.each([
    ['less content', [data(1, latin1('1234'), { end: true })]],
    ['less content in several frames', [data(1, latin1('1')), data(1, latin1('234'), { end: true })]],
    ['less content before trailers', [data(1, latin1('1234')), headers(1, literals(['x-trailer', 'x']), { end: true })]],
    ['more content', [data(1, latin1('123456'), { end: true })]],
    ['more content that has not ended', [data(1, latin1('12345')), data(1, latin1('6'))]],
  ])('%s than it says is a stream error PROTOCOL_ERROR', (_, frames) => {
    const peer = new Peer();
    peer.send(headers(1, withLength('5')), ...frames);
    expectStreamError(peer, 1, 'PROTOCOL_ERROR');
    expect(peer.request(1).ended).toBe(false);
  });

  it.each([[1], [2], [100]])('of content that goes on past it, as much as it says is given: in chunks of %d', (size) => {
    const peer = new Peer();
    const bytes = concat(headers(1, withLength('5')), data(1, latin1('1234')), data(1, latin1('56789'), { padding: 0 }));
    for (let at = 0; at < bytes.length; at += size) peer.send(bytes.subarray(at, at + size));
    expect(peer.request(1).received).toEqual(latin1('12345'));
    expectStreamError(peer, 1, 'PROTOCOL_ERROR');
  });

  it('a length with no content at all is a stream error PROTOCOL_ERROR', () => {
    malformed(withLength('5'));
  });

  it('a length of 0 with no content is accepted', () => {
    accepted(requestFields({ 'content-length': '0' }));
  });

  it.each(['', 'five', '-1', '+5', '5.0', '0x5', '5 ', '5,6', '99999999999999999999999999'])('the length "%s" is malformed', (length) => {
    malformed(withLength(length));
  });

  it('two lengths that differ are malformed', () => {
    malformed(concat(withLength('5'), literals(['content-length', '6'])));
  });
});

describe('RFC 9113 §8.2 HTTP fields', () => {
  it('names in upper case are malformed', () => {
    malformed(requestBlock({ 'X-Upper': 'x' }));
    malformed(requestBlock({ 'x-uppeR': 'x' }));
  });

  it('§8.2.1 a name with an octet up to 0x20, of upper case, from 0x7f on, or with a colon is malformed; any other is accepted', () => {
    for (let octet = 0; octet < 256; octet += 1) {
      const name = `x-${String.fromCharCode(octet)}y`;
      const wrong = octet <= 0x20 || (octet >= 0x41 && octet <= 0x5a) || octet >= 0x7f || octet === 0x3a;
      if (wrong) malformed(requestBlock({ [name]: 'x' }));
      else accepted(requestFields({ [name]: 'x' }));
    }
  });

  it('§8.2.1 an empty name is malformed', () => {
    malformed(concat(requestBlock(), hex('00'), hpackString(''), hpackString('x')));
  });

  it.each([
    ['NUL', 'a\0b'],
    ['LF', 'a\nb'],
    ['CR', 'a\rb'],
    ['NUL at its start', '\0'],
    ['CR LF at its end', 'a\r\n'],
  ])('§8.2.1 a value with %s is malformed', (_, value) => {
    malformed(requestBlock({ 'x-value': value }));
    malformed(requestBlock({ ':authority': value }));
  });

  it.each([' a', 'a ', '\ta', 'a\t', ' ', '\t'])('§8.2.1 a value with white space at an end is malformed: "%s"', (value) => {
    malformed(requestBlock({ 'x-value': value }));
  });

  it.each(['', 'a b', 'a\tb', '\x01\x7f', '\x80\xff', 'ä'])('§8.2.1 other values are accepted: "%s"', (value) => {
    accepted(requestFields({ 'x-value': value }));
  });

  it('§8.2.1 each character that a token may have is accepted in a name', () => {
    accepted(requestFields({ "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz": 'x' }));
  });

  it.each(['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade'])('§8.2.2 the connection-specific field %s is malformed', (name) => {
    malformed(requestBlock({ [name]: 'close' }));
  });

  it.each(['gzip', 'trailers, deflate', 'Trailers', ''])('§8.2.2 te other than "trailers" is malformed: "%s"', (te) => {
    malformed(requestBlock({ te }));
  });

  it('§8.2.2 te: trailers is accepted', () => {
    accepted(requestFields({ te: 'trailers' }));
  });

  it('§8.2.3 cookies may come in several fields, and so may any other', () => {
    const fields: Pair[] = [...requestFields(), ['cookie', 'a=b'], ['cookie', 'c=d'], ['x-twice', '1'], ['x-twice', '1']];
    accepted(fields);
  });
});

describe('RFC 9113 §8.3 HTTP control data', () => {
  it('pseudo-header fields may come in any order', () => {
    accepted([[':path', '/a/b'], [':authority', 'x'], [':scheme', 'https'], [':method', 'POST'], ['te', 'trailers']]);
  });

  it('a pseudo-header field after a regular one is malformed', () => {
    malformed(literals([':method', 'POST'], [':scheme', 'http'], ['te', 'trailers'], [':path', '/']));
    malformed(concat(requestBlock({ ':authority': undefined, te: 'trailers' }), literals([':authority', 'late'])));
  });

  it.each([':status', ':protocol', ':unknown', ':', ':Path', ':PATH'])('the pseudo-header field %s, none of a request, is malformed', (name) => {
    malformed(concat(literals([name, '200']), requestBlock()));
  });

  it.each([':method', ':scheme', ':path', ':authority'])('%s twice is malformed', (name) => {
    malformed(concat(literals([name, name === ':path' ? '/' : 'POST']), requestBlock()));
  });

  it.each([':method', ':scheme', ':path'])('§8.3.1 a request without %s is malformed', (name) => {
    malformed(requestBlock({ [name]: undefined }));
  });

  it.each([':method', ':scheme', ':path'])('§8.3.1 an empty %s is malformed', (name) => {
    malformed(requestBlock({ [name]: '' }));
  });

  it('§8.3.1 a :path that does not begin with / is malformed', () => {
    malformed(requestBlock({ ':path': 'service/Method' }));
  });

  it('§8.3.1 :authority may be left out, be empty, or be what buildctl v0.8 makes of a socket', () => {
    accepted(requestFields({ ':authority': undefined }));
    accepted(requestFields({ ':authority': undefined, host: 'localhost' }));
    accepted(requestFields({ ':authority': '' }));
    accepted(requestFields({ ':authority': '/run/buildkit/buildkitd.sock' }));
    accepted(requestFields({ ':authority': '%2Frun%2Fbuildkit%2Fbuildkitd.sock' }));
  });

  it('§8.3.1 OPTIONS may have the path *', () => {
    accepted(requestFields({ ':method': 'OPTIONS', ':path': '*' }));
    malformed(requestBlock({ ':path': '*' }));
  });

  it('§8.5 CONNECT has :authority, and neither :scheme nor :path', () => {
    accepted([[':method', 'CONNECT'], [':authority', 'example.org:80']]);
    malformed(requestBlock({ ':method': 'CONNECT' }));
    malformed(literals([':method', 'CONNECT'], [':authority', 'x:1'], [':path', '/']));
    malformed(literals([':method', 'CONNECT'], [':authority', 'x:1'], [':scheme', 'http']));
  });

  it('an empty header list is malformed', () => {
    malformed(new Uint8Array(0));
  });
});

describe('RFC 9113 §8.1.1 a malformed request', () => {
  it('is not handed to the application, and what was on its way with it is ignored', () => {
    const peer = new Peer();
    peer.send(headers(1, requestBlock({ ':path': undefined })));
    expectStreamError(peer, 1, 'PROTOCOL_ERROR');
    expectIgnored(peer, data(1, latin1('content'), { end: true }));
    peer.send(request(3, true));
    expect(peer.requests.map(({ stream }) => stream.id)).toEqual([3]);
  });
});

describe('RFC 9113 §10.5.1 limits on field block size', () => {
  const limits = { headerListBytes: 1000, headerFields: 20, headerBlockBytes: 2000, continuations: 10 };

  it('SETTINGS_MAX_HEADER_LIST_SIZE is announced', () => {
    const [first] = new Peer({ limits, settings: null }).receive();
    expect(first).toMatchObject({ type: 'SETTINGS', values: { 6: 1000 } });
  });

  it.each([
    ['a header list over its size', requestBlock({ 'x-long': 'v'.repeat(900) })],
    ['a header list of too many fields', concat(requestBlock(), ...Array.from({ length: 20 }, () => literals(['a', ''])))],
  ])('%s does not reach the application, and ends nothing but its stream', (_, block) => {
    const peer = new Peer({ limits });
    const frames = peer.send(headers(1, block, { end: true }));
    expect(peer.requests).toEqual([]);
    expect(frames.length).toBeGreaterThan(0);
    for (const sent of frames) {
      // Answered with 431 (Request Header Fields Too Large), or reset.
      if (sent.type === 'HEADERS') expect(sent).toMatchObject({ stream: 1, end: true, fields: expect.arrayContaining([[':status', '431']]) as unknown });
      else expect(sent).toMatchObject({ type: 'RST_STREAM', stream: 1 });
    }
    expectAlive(peer);
    peer.send(request(3, true));
    expect(peer.requests).toHaveLength(1);
  });

  it('trailers over the size end nothing but their stream either', () => {
    const peer = new Peer({ limits });
    peer.send(request(1), headers(1, literals(['x-long', 'v'.repeat(1000)]), { end: true }));
    expect(peer.request(1).ended).toBe(false);
    expect(peer.request(1).cancelledWith).toBeDefined();
    expectAlive(peer);
  });

  it('a header block over its bound is a connection error ENHANCE_YOUR_CALM, before it has come whole', () => {
    const peer = new Peer({ limits });
    peer.send(frame(TYPE.headers, 0, 1, new Uint8Array(1500)), continuation(1, new Uint8Array(1500)));
    expectConnectionError(peer, 'ENHANCE_YOUR_CALM');
  });

  it('so is a block in more frames than its bound', () => {
    const peer = new Peer({ limits });
    peer.send(frame(TYPE.headers, 0, 1, requestBlock()));
    for (let i = 0; i < 11; i += 1) peer.send(continuation(1, new Uint8Array(0)));
    expectConnectionError(peer, 'ENHANCE_YOUR_CALM');
  });

  it("an answer over the client's SETTINGS_MAX_HEADER_LIST_SIZE can be seen to be one by the application", () => {
    const peer = new Peer({ settings: { 6: 100 } });
    peer.send(request(1, true));
    const { stream } = peer.request(1);
    expect(stream.takesHeaders([{ name: ':status', value: latin1('200') }])).toBe(true);
    expect(stream.takesHeaders([{ name: 'grpc-message', value: latin1('x'.repeat(60)) }])).toBe(false);
    peer.send(settings({ 6: 200 }));
    expect(stream.takesHeaders([{ name: 'grpc-message', value: latin1('x'.repeat(60)) }])).toBe(true);
  });

  it('a client that says nothing about it takes any', () => {
    const peer = new Peer();
    peer.send(request(1, true));
    expect(peer.request(1).stream.takesHeaders([{ name: 'grpc-message', value: new Uint8Array(10_000_000) }])).toBe(true);
  });
});

describe('RFC 9113 §8.1 interleaving', () => {
  it('requests and answers of many streams cross as they come', () => {
    const peer = new Peer();
    const ids = Array.from({ length: 50 }, (_, at) => at * 2 + 1);
    for (const id of ids) peer.send(request(id));
    for (const id of ids.toReversed()) peer.send(data(id, latin1(`from ${id}`), { end: true }));
    for (const id of ids) {
      expect(peer.request(id).received).toEqual(latin1(`from ${id}`));
      peer.request(id).header();
    }
    for (const id of ids.toReversed()) peer.request(id).write(`to ${id}`);
    for (const id of ids) peer.request(id).trailer();
    for (const id of ids) expect(bodyText(peer, id)).toBe(`to ${id}`);
    expect(peer.frames.filter((sent) => sent.type === 'HEADERS' && sent.end)).toHaveLength(50);
    expectAlive(peer);
  });
});
