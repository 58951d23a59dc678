/** Any re-chunking gives the same events; what is written is what is read; any bytes at all end in events, not in an error. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { bytesOf, Http1Tap } from './http1-tap.js';

type Part = readonly ['client' | 'server', string];

const token = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,8}$/).filter((name) => !/^(content-length|transfer-encoding|connection|upgrade)$/i.test(name));
const value = fc.stringMatching(/^[!-~]([ -~]{0,10}[!-~])?$/);
const fields = fc.array(fc.tuple(token, value), { maxLength: 4 });
const content = fc.string({ unit: 'binary-ascii', maxLength: 40 });

/** A message's framing: how it is written, and the field lines that say so. */
const framing = fc.oneof(fc.constant('length' as const), fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }));

function framed(body: string, how: 'length' | readonly number[], mayHaveNone: boolean): { readonly lines: string; readonly bytes: string; readonly told: string } {
  if (how === 'length') {
    const none = body === '' && mayHaveNone;
    return { lines: none ? '' : `Content-Length: ${body.length}\r\n`, bytes: body, told: none ? '' : ` content-length=${body.length}` };
  }
  let bytes = '';
  for (let at = 0, i = 0; at < body.length; i += 1) {
    const part = body.slice(at, at + (how[i % how.length] ?? 1));
    bytes += `${part.length.toString(16)}\r\n${part}\r\n`;
    at += part.length;
  }
  return { lines: 'Transfer-Encoding: chunked\r\n', bytes: `${bytes}0\r\n\r\n`, told: ' transfer-encoding=chunked' };
}

const written = (list: readonly (readonly [string, string])[]): string => list.map(([name, text]) => `${name}: ${text}\r\n`).join('');
const told = (list: readonly (readonly [string, string])[]): string => list.map(([name, text]) => ` ${name.toLowerCase()}=${text}`).join('');

const exchange = fc.record({
  method: fc.constantFrom('GET', 'POST', 'HEAD', 'PUT', 'DELETE'),
  target: fc.webPath().map((path) => `/${path}`),
  asks: fields,
  says: fields,
  sent: content,
  received: content,
  sentAs: framing,
  receivedAs: framing,
  status: fc.constantFrom(200, 201, 204, 304, 404, 500),
  informational: fc.boolean(),
});

interface Conversation {
  readonly parts: readonly Part[];
  readonly lines: readonly string[];
}

/** Requests one after the other, or all of them first; with the lines that a decoder is to tell. */
const conversation = fc.record({ exchanges: fc.array(exchange, { minLength: 1, maxLength: 4 }), pipelined: fc.boolean() }).map(({ exchanges, pipelined }): Conversation => {
  const asked: { part: Part; lines: string[] }[] = [];
  const answered: { part: Part; lines: string[] }[] = [];
  for (const [index, it] of exchanges.entries()) {
    const n = index + 1;
    const request = framed(it.sent, it.sentAs, true);
    const response = framed(it.received, it.receivedAs, false);
    const hasNone = it.method === 'HEAD' || it.status === 204 || it.status === 304;
    asked.push({
      part: ['client', `${it.method} ${it.target} HTTP/1.1\r\n${written(it.asks)}${request.lines}\r\n${request.bytes}`],
      lines: [`${n} ${it.method} ${it.target}${told(it.asks)}${request.told}`, ...(it.sent === '' ? [] : [`${n} client content ${JSON.stringify(it.sent)}`]), `${n} request-end`],
    });
    answered.push({
      part: ['server', `${it.informational ? 'HTTP/1.1 100 Continue\r\n\r\n' : ''}HTTP/1.1 ${it.status} Some Words\r\n${written(it.says)}${response.lines}\r\n${hasNone ? '' : response.bytes}`],
      lines: [`${n} ${it.status}${told(it.says)}${response.told}`, ...(hasNone || it.received === '' ? [] : [`${n} server content ${JSON.stringify(it.received)}`]), `${n} response-end`],
    });
  }
  const all = pipelined ? [...asked, ...answered] : asked.flatMap((one, index) => [one, ...answered.slice(index, index + 1)]);
  return { parts: all.map(({ part }) => part), lines: all.flatMap(({ lines }) => lines) };
});

/** The same parts, each in pieces. */
function cut(parts: readonly Part[], sizes: readonly number[]): readonly Part[] {
  let next = 0;
  return parts.flatMap(([side, text]) => {
    const pieces: Part[] = [];
    for (let at = 0; at < text.length; ) {
      const size = sizes[next++ % sizes.length] ?? 1;
      pieces.push([side, text.slice(at, at + size)]);
      at += size;
    }
    return pieces;
  });
}

function read(parts: readonly Part[], follows = false): Http1Tap {
  const tap = new Http1Tap({ follows });
  for (const [side, text] of parts) tap.push(side, [text]);
  return tap.end('client', 'server');
}

const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 20 });

describe('the HTTP/1.1 decoder', () => {
  test.prop([conversation, sizes])('reads what was written, however it is cut', ({ parts, lines }, pieces) => {
    expect(read(parts).lines).toEqual(lines);
    expect(read(cut(parts, pieces)).lines).toEqual(lines);
  });

  test.prop([conversation, content, content, sizes])('hands on what crosses behind an upgrade to the byte, however it is cut', ({ parts }, sent, received, pieces) => {
    const whole: readonly Part[] = [...parts, ['client', 'POST /grpc HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n'], ['server', `HTTP/1.1 101 S\r\nUpgrade: h2c\r\n\r\n${received}`], ['client', sent]];
    for (const tap of [read(whole, true), read(cut(whole, pieces), true)]) expect(tap.tunnelled).toEqual({ client: sent, server: received });
  });

  const soup = fc.array(
    fc.tuple(
      fc.constantFrom('client' as const, 'server' as const),
      fc.oneof(
        fc.string({ unit: 'binary-ascii', maxLength: 30 }),
        fc.constantFrom('GET / HTTP/1.1\r\n', 'HTTP/1.1 200 OK\r\n', 'HTTP/1.1 101 S\r\n', '\r\n', '\r\n\r\n', '0\r\n', '5\r\nhello\r\n', 'Content-Length: 3\r\n', 'Transfer-Encoding: chunked\r\n', 'Upgrade: tcp\r\nConnection: upgrade\r\n', 'CONNECT / HTTP/1.1\r\n\r\n'),
      ),
    ),
    { maxLength: 30 },
  );

  test.prop([soup])('never throws, and what it tells of a side adds up to no more than crossed', (parts) => {
    const tap = read(parts);
    for (const side of ['client', 'server'] as const) {
      const crossed = parts.reduce((sum, [from, text]) => sum + (from === side ? bytesOf(text).length : 0), 0);
      const gaps = tap.lines.flatMap((line) => {
        const [, offset, length] = new RegExp(`gap ${side} (\\d+)\\+(\\d+):`).exec(line) ?? [];
        return offset === undefined ? [] : [[Number(offset), Number(length)] as const];
      });
      let end = 0;
      for (const [offset, length] of gaps) {
        expect(offset).toBeGreaterThanOrEqual(end);
        end = offset + length;
      }
      expect(end).toBeLessThanOrEqual(crossed);
    }
  });

  test.prop([soup, sizes])('tells of any bytes the same however they are cut, but for the gap that their end makes', (parts, pieces) => {
    const settled = (lines: readonly string[]): readonly string[] => lines.filter((line) => !line.includes('gap '));
    expect(settled(read(cut(parts, pieces)).lines)).toEqual(settled(read(parts).lines));
  });
});
