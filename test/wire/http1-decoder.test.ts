import { describe, expect, test } from 'vitest';
import { Http1Tap } from './http1-tap.js';

const PING = 'GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n';
const PONG = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK';

const linesOf = (request: string, response: string): readonly string[] => new Http1Tap().client(request).server(response).end('client', 'server').lines;

describe('an exchange', () => {
  test('is told in the order in which it crossed, with names in lower case', () => {
    expect(linesOf(PING, PONG)).toEqual(['1 GET /_ping host=d', '1 request-end', '1 200 content-length=2', '1 server content "OK"', '1 response-end']);
  });

  test('has the content of its request told at its end', () => {
    const tap = new Http1Tap().client('POST /x HTTP/1.1\r\nContent-Length: 5\r\n\r\nhe').client('llo');
    expect(tap.lines).toEqual(['1 POST /x content-length=5', '1 client content "hello"', '1 request-end']);
  });

  test('takes the framing of chunks out of its content, extensions and trailers with it', () => {
    const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n5;a="b"\r\nhello\r\n0B \r\n, my friend\r\n000\r\nSum: 16\r\n\r\n';
    expect(linesOf(PING, chunked).slice(3)).toEqual(['1 server content "hello, my friend"', '1 response-end sum=16']);
  });

  test('counts what is longer than is kept, and what is not wanted', () => {
    expect(new Http1Tap({ limits: { contentBytes: 1 } }).client(PING).server(PONG).lines[3]).toBe('1 server content 2');
    expect(new Http1Tap({ wantsContent: () => false }).client(PING).server(PONG).lines[3]).toBe('1 server content 2');
  });

  test.each([
    ['to HEAD', 'HEAD / HTTP/1.1\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n'],
    ['of 204', PING, 'HTTP/1.1 204 No Content\r\nContent-Length: 12\r\n\r\n'],
    ['of 304', PING, 'HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['of no bytes', PING, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ])('a response %s has no content, and the next one follows it', (_name, request, response) => {
    const lines = linesOf(request + PING, response + PONG);
    expect(lines.filter((line) => line.includes('content "'))).toEqual(['2 server content "OK"']);
    expect(lines.at(-1)).toBe('2 response-end');
  });

  test('has a response without a length end with its connection', () => {
    const tap = new Http1Tap().client(PING).server('HTTP/1.1 200\r\n\r\nall ', 'the rest');
    expect(tap.lines).not.toContain('1 response-end');
    expect(tap.end('server').lines.slice(-2)).toEqual(['1 server content "all the rest"', '1 response-end']);
  });

  test('does not tell of 1xx responses but 101', () => {
    const tap = new Http1Tap().client('POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n');
    tap.server('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n').client('a').server(PONG);
    expect(tap.lines).toEqual(['1 POST / expect=100-continue content-length=1', '1 client content "a"', '1 request-end', '1 200 content-length=2', '1 server content "OK"', '1 response-end']);
  });

  test('can be answered before its request is complete', () => {
    const tap = new Http1Tap().client('POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nab').server('HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n').client(`cd${PING}`).server(PONG);
    expect(tap.lines.slice(1, 5)).toEqual(['1 413 content-length=0', '1 response-end', '1 client content "abcd"', '1 request-end']);
    expect(tap.lines.at(-1)).toBe('2 response-end');
  });

  test('follows another on the same connection, and pipelined ones are answered in order', () => {
    const lines = linesOf(`${PING}\r\nHEAD /a HTTP/1.0\n\n${PING}`, `${PONG}HTTP/1.0 404 \nContent-Length: 9\n\n${PONG}`);
    expect(lines.filter((line) => /\d (200|404|GET|HEAD)/.test(line))).toEqual(['1 GET /_ping host=d', '2 HEAD /a', '3 GET /_ping host=d', '1 200 content-length=2', '2 404 content-length=9', '3 200 content-length=2']);
  });

  test('is cut by the side that ended first', () => {
    const tap = new Http1Tap().client(PING).server('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal').end('server', 'client');
    expect(tap.lines.slice(-3)).toEqual(['1 server content "hal"', '1 gap server 41+0: content that is cut off by the end of the connection', '1 cut by server']);
  });
});

describe('fields', () => {
  test('keep their order, their repetition and every octet of their values', () => {
    expect(linesOf('GET / HTTP/1.1\r\nB: \t1 \r\na:\xff\r\nB:\r\n\r\n', PONG)[0]).toBe('1 GET / b=1 a=\xff b=');
  });

  test('that are folded are one value', () => {
    expect(linesOf(PING, 'HTTP/1.1 200 OK\r\nA: 1\r\n\t 2\r\nContent-Length: 0\r\n\r\n')[2]).toBe('1 200 a=1 2 content-length=0');
  });
});

describe('an upgrade', () => {
  const ASK = 'POST /grpc HTTP/1.1\r\nHost: \r\nConnection: keep-alive, Upgrade\r\nUpgrade: h2c\r\n\r\n';
  const YES = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n';

  test('hands on every byte behind it, and its exchange is over', () => {
    const tap = new Http1Tap({ follows: true }).client(ASK).server(`${YES}from the server`).client('from the client').end('client', 'server');
    expect(tap.lines).toEqual(['1 POST /grpc host= connection=keep-alive, Upgrade upgrade=h2c', '1 request-end', '1 101 connection=Upgrade upgrade=h2c', '1 tunnel for /grpc', '1 response-end', 'tunnel ended by client', 'tunnel ended by server']);
    expect(tap.tunnelled).toEqual({ client: 'from the client', server: 'from the server' });
  });

  test('that nobody follows is counted', () => {
    const tap = new Http1Tap().client(ASK).server(`${YES}12345`).client('123').end('client');
    expect(tap.lines).toHaveLength(3);
    expect(tap.server('6').end('server').lines.slice(3)).toEqual(['1 client content 3', '1 server content 6', '1 response-end']);
  });

  test('that a client goes ahead with has its first bytes all the same', () => {
    const tap = new Http1Tap({ follows: true }).client(`${ASK}PRI * HTTP/2.0\r\n\r\n`).server(YES);
    expect(tap.tunnelled.client).toBe('PRI * HTTP/2.0\r\n\r\n');
  });

  test('that is refused leaves the connection as it was, with what came ahead as requests', () => {
    const tap = new Http1Tap({ follows: true }).client(ASK + PING).server(`HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n${PONG}`);
    expect(tap.lines.slice(3)).toEqual(['1 response-end', '2 GET /_ping host=d', '2 request-end', '2 200 content-length=2', '2 server content "OK"', '2 response-end']);
  });

  test('waits for the content of its request', () => {
    const tap = new Http1Tap({ follows: true }).client('POST /exec HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 2\r\n\r\n{').server(YES).client('}stdin');
    expect(tap.lines).toContain('1 client content "{}"');
    expect(tap.tunnelled.client).toBe('stdin');
  });

  test('by CONNECT begins with any 2xx', () => {
    const tap = new Http1Tap({ follows: true }).client('CONNECT a:1 HTTP/1.1\r\n\r\n').server('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nbytes');
    expect(tap.tunnelled.server).toBe('bytes');
  });

  test('of the old kind, a response without an end, has what the client sends behind its request counted', () => {
    const tap = new Http1Tap().client('POST /attach HTTP/1.1\r\nContent-Length: 0\r\n\r\n').server('HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\nout').client('GET me').end('client', 'server');
    expect(tap.lines.slice(2)).toEqual(['1 200 content-type=application/vnd.docker.raw-stream', '1 client content 6', '1 server content "out"', '1 response-end']);
  });
});

describe('what cannot be read', () => {
  test.each([
    ['a request line that is none', 'client', 'hello\r\n\r\n', 'a head without a request line'],
    ['HTTP/2', 'client', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'a head without a request line'],
    ['a field without a name', 'client', 'GET / HTTP/1.1\r\n: a\r\n\r\n', 'a header line that is no field'],
    ['a blank in front of a colon', 'client', 'GET / HTTP/1.1\r\na : a\r\n\r\n', 'a header line that is no field'],
    ['a folded line in the first place', 'client', 'GET / HTTP/1.1\r\n a: a\r\n\r\n', 'white space in front of the first header field'],
    ['a NUL in a value', 'client', 'GET / HTTP/1.1\r\na: \0\r\n\r\n', 'a header field with a character that none may have'],
    ['two lengths', 'client', 'POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 'a content-length that is no length'],
    ['a length beyond all numbers', 'client', 'POST / HTTP/1.1\r\nContent-Length: 9999999999999999\r\n\r\n', 'a content-length that is no length'],
    ['a request with a coding of no end', 'client', 'POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n', 'a request with a transfer coding that has no end'],
    ['a response to nothing', 'server', PONG, 'a response that no request was seen for'],
  ] as const)('%s is a gap from the first byte of its head on', (_name, side, text, reason) => {
    const tap = new Http1Tap().push(side, [text.slice(0, 3), text.slice(3)]);
    expect(tap.lines).toEqual([`gap ${side} 0+${text.length}: ${reason}`]);
  });

  test.each([
    ['no size', 'z\r\n', 'a chunk without a size'],
    ['a size beyond all numbers', '100000000000000\r\n', 'a chunk without a size'],
    ['more than it says', '1\r\nab\r\n', 'a chunk that is longer than it says'],
    ['a line without an end', 'a'.repeat(5000), "a chunk's line of more than 4096 bytes"],
  ])('a chunk of %s is one', (_name, chunk, reason) => {
    const tap = new Http1Tap().client(PING).server('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', chunk);
    expect(tap.lines.at(-1)).toMatch(new RegExp(`^gap server \\d+\\+\\d+: ${reason}$`));
  });

  test.each([
    ['a head', { headBytes: 100 }, `GET /${'a'.repeat(200)} HTTP/1.1\r\n\r\n`, 'a head of more than 100 bytes'],
    ['the fields of one', { fields: 2 }, 'GET / HTTP/1.1\r\na: 1\r\na: 2\r\na: 3\r\n\r\n', 'more than 2 header fields'],
    ['requests ahead of their responses', { pipelined: 1 }, PING + PING, 'more than 1 requests ahead of their responses'],
    ['bytes ahead of an upgrade', { aheadBytes: 2 }, 'GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nabc', 'more than 2 bytes ahead of an upgrade'],
  ])('%s are bounded', (_name, limits, text, reason) => {
    expect(new Http1Tap({ limits }).client(text).lines.at(-1)).toMatch(new RegExp(`^gap client \\d+\\+\\d+: ${reason}$`));
  });

  test('takes both sides with it, and every byte of them is in a gap', () => {
    const tap = new Http1Tap().client(PING, 'nonsense\r\n\r\n', 'more').server(PONG, 'x').end('client', 'server');
    expect(tap.lines.slice(2)).toEqual([
      'gap client 32+12: a head without a request line',
      'gap client 44+4: behind what could not be read',
      `gap server 0+${PONG.length + 1}: behind what could not be read`,
    ]);
  });

  test('is a head that has no end', () => {
    expect(new Http1Tap().client('GET / HT').end('client', 'server').lines).toEqual(['gap client 0+8: a head that has no end']);
  });

  test('is a 101 that nobody asked for', () => {
    expect(new Http1Tap().client(PING).server('HTTP/1.1 101 Yes\r\n\r\n').lines.at(-1)).toBe('gap server 0+20: an upgrade that was not asked for');
  });
});
