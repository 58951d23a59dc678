/**
 * gRPC over HTTP/2: the documents PROTOCOL-HTTP2.md, compression.md and statuscodes.md of github.com/grpc/grpc/doc,
 * as far as they bind a server. Titles name the document's heading.
 */

import { deflateSync, gzipSync } from 'node:zlib';
import { duplexPair } from 'node:stream';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { GrpcServer } from '../../src/replayer/grpc-server.js';
import type { CallHandler } from '../../src/replayer/call.js';
import { concat, data, headers, hex, latin1, literals, message, PREFACE, rstStream, settings, text, uint32 } from '../wire/bytes.js';
import { octets, requestFields, windowUpdate } from './bytes.js';
import { Witness } from './frames.js';
import { answerOf, GrpcPeer } from './grpc-peer.js';
import { expectAlive, expectIgnored, expectOctets, fields } from './peer.js';

/** gRPC status codes (statuscodes.md). */
const STATUS = { ok: '0', invalidArgument: '3', deadlineExceeded: '4', resourceExhausted: '8', unimplemented: '12', internal: '13' } as const;

describe('PROTOCOL-HTTP2 Requests: Call-Definition', () => {
  it('a call is accepted with its path and its fields in their order', () => {
    const peer = new GrpcPeer();
    const call = peer.accepted(1, { ':path': '/package.Service/Method', 'user-agent': 'grpc-test/1', 'x-custom': 'value' });
    expect(call.call.path).toBe('/package.Service/Method');
    expect(call.headers.map(([name]) => name)).toEqual([':method', ':scheme', ':path', ':authority', 'content-type', 'te', 'user-agent', 'x-custom']);
    expectAlive(peer);
  });

  it.each(['GET', 'PUT', 'OPTIONS', 'post', 'HEAD'])('a method other than POST is refused with 405: %s', (method) => {
    const peer = new GrpcPeer();
    expect(peer.open(1, { ':method': method })).toBeUndefined();
    expect(answerOf(peer)).toMatchObject({ status: STATUS.internal, frames: ['HEADERS'] });
    expect(answerOf(peer).fields[0]).toEqual([':status', '405']);
    expectAlive(peer);
  });

  it.each(['http', 'https', 'unix'])('the scheme %s is accepted', (scheme) => {
    expect(new GrpcPeer().accepted(1, { ':scheme': scheme }).wasCancelled).toBe(false);
  });

  it('a request without te: trailers came through something that drops trailers: its status says so', () => {
    const peer = new GrpcPeer();
    expect(peer.open(1, { te: undefined })).toBeUndefined();
    expect(answerOf(peer)).toMatchObject({ status: STATUS.internal, frames: ['HEADERS'] });
    expect(answerOf(peer).message).toContain('te');
  });
});

describe('PROTOCOL-HTTP2 Requests: Content-Type', () => {
  it.each(['application/grpc', 'application/grpc+proto', 'application/grpc+json', 'application/grpc+thrift', 'application/grpc;charset=utf-8', 'application/grpc+proto; x=y'])('%s is accepted', (type) => {
    const peer = new GrpcPeer();
    peer.accepted(1, { 'content-type': type });
    expectAlive(peer);
  });

  it.each([undefined, '', 'application/json', 'text/html', 'application/grpc-web', 'application/grpc-web+proto', 'application/grpcx', 'application/gr'])('%s is refused with HTTP status 415', (type) => {
    const peer = new GrpcPeer();
    expect(peer.open(1, { 'content-type': type })).toBeUndefined();
    const { fields: answer, frames } = answerOf(peer);
    expect(answer[0]).toEqual([':status', '415']);
    expect(frames).toEqual(['HEADERS']);
    // What the client was sending is read over.
    expectIgnored(peer, data(1, latin1('not a message'), { end: true }));
  });
});

describe('PROTOCOL-HTTP2 Requests: Timeout', () => {
  it.each([
    ['1H', 3_600_000_000_000n],
    ['1M', 60_000_000_000n],
    ['1S', 1_000_000_000n],
    ['1m', 1_000_000n],
    ['1u', 1000n],
    ['1n', 1n],
    ['0S', 0n],
    ['007S', 7_000_000_000n],
    ['99999999H', 359_999_996_400_000_000_000n],
    ['99999999n', 99_999_999n],
  ])('%s is %d ns', (timeout, ns) => {
    expect(new GrpcPeer().accepted(1, { 'grpc-timeout': timeout }).call.timeout).toBe(ns);
  });

  it('left out there is none', () => {
    expect(new GrpcPeer().accepted().call.timeout).toBeUndefined();
  });

  it.each(['', '1', 'S', '123456789S', '-1S', '+1S', '1.5S', '1 S', '1s', '1h', '1D', '1SS', '0x1S', '\xb2S'])('"%s" is none: INTERNAL', (timeout) => {
    const peer = new GrpcPeer();
    expect(peer.open(1, { 'grpc-timeout': timeout })).toBeUndefined();
    expect(answerOf(peer)).toMatchObject({ status: STATUS.internal, frames: ['HEADERS'] });
    expect(answerOf(peer).message).toContain('grpc-timeout');
  });

  /** A clock that only moves when told to. */
  function stoppedClock() {
    let now = 0n;
    const due = new Map<() => void, bigint>();
    return {
      now: () => now,
      at: (time: bigint, run: () => void) => {
        due.set(run, time);
        return () => void due.delete(run);
      },
      moveTo: (time: bigint) => {
        now = time;
        for (const [run, at] of [...due]) if (at <= now && due.delete(run)) run();
      },
    };
  }

  it('when it has passed, the call ends with DEADLINE_EXCEEDED, and its handler hears of it', async () => {
    const clock = stoppedClock();
    const told: string[] = [];
    const handler: CallHandler = { message: () => told.push('message'), halfClose: () => told.push('half-close'), cancelled: () => told.push('cancelled'), drained: () => undefined };
    const server = new GrpcServer({ accept: () => handler, onUnsendable: () => undefined, onBroken: (reason) => told.push(reason), onCrash: (error) => told.push(String(error)), clock });
    const [near, far] = duplexPair();
    server.serve(far);
    const witness = new Witness();
    const send = (bytes: Uint8Array): void => {
      witness.clientSent(bytes);
      near.write(bytes);
    };
    const trailers = new Promise<readonly (readonly [string, string])[]>((resolve) => {
      near.on('data', (chunk: Buffer) => {
        for (const frame of witness.serverSent(chunk)) {
          // An answer to the PING: the call is there.
          if (frame.type === 'PING') clock.moveTo(5_000_000n);
          if (frame.type === 'HEADERS' && frame.end) resolve(frame.fields);
        }
      });
    });
    send(concat(PREFACE, settings(), headers(1, literals(...requestFields({ 'content-type': 'application/grpc', te: 'trailers', 'grpc-timeout': '5m' }))), hex('000008 06 00 00000000'), octets(8)));
    expect(await trailers).toContainEqual(['grpc-status', STATUS.deadlineExceeded]);
    expect(told).toEqual(['cancelled']);
    const closed = once(near, 'close');
    near.end();
    await server.close(0);
    near.destroy();
    await closed;
  });
});

describe('PROTOCOL-HTTP2 Requests: Custom-Metadata', () => {
  it('binary values pass as they are: padded, not padded, several with commas', () => {
    const call = new GrpcPeer().accepted(1, { 'a-bin': 'AAEC', 'b-bin': 'AA==', 'c-bin': 'AA', 'd-bin': 'AA,AQ==' });
    expect(call.headers.slice(-4)).toEqual([['a-bin', 'AAEC'], ['b-bin', 'AA=='], ['c-bin', 'AA'], ['d-bin', 'AA,AQ==']]);
  });

  it('several fields of one name stay several, in their order', () => {
    const peer = new GrpcPeer();
    peer.send(headers(1, literals(...requestFields({ 'content-type': 'application/grpc', te: 'trailers' }), ['x-a', '2'], ['x-b', ''], ['x-a', '1'])));
    expect(peer.calls[0]?.headers.slice(-3)).toEqual([['x-a', '2'], ['x-b', ''], ['x-a', '1']]);
  });

  it('the answer is sent as it is given: names, order, values of any octets but control characters', () => {
    const peer = new GrpcPeer();
    const call = peer.accepted();
    call.sendHeaders([['x-b', 'é'], ['x-a-bin', 'AA'], ['x-b', 'again']]);
    call.end([['grpc-status', '0'], ['x-z-bin', 'AAEC'], ['x-y', '']]);
    const [header, trailer] = peer.on(1);
    expect(header).toMatchObject({ fields: [[':status', '200'], ['content-type', 'application/grpc'], ['x-b', 'é'], ['x-a-bin', 'AA'], ['x-b', 'again']] });
    expect(trailer).toMatchObject({ fields: [['grpc-status', '0'], ['x-z-bin', 'AAEC'], ['x-y', '']] });
  });
});

describe('PROTOCOL-HTTP2 Requests: Length-Prefixed-Message', () => {
  const bodies = [octets(0), octets(1), octets(4), octets(5), octets(300), octets(0), octets(20_000), octets(3)];
  const stream = concat(...bodies.map((body) => message(body)));

  it.each([1, 2, 3, 4, 5, 6, 7, 100, 4_999, 16_384])('messages come whole out of DATA frames of %d octets', (size) => {
    const peer = new GrpcPeer();
    const call = peer.accepted();
    for (let at = 0; at < stream.length; at += size) peer.send(data(1, stream.subarray(at, at + size), { end: at + size >= stream.length }));
    expect(call.messages).toEqual(bodies);
    expect(call.halfClosed).toBe(true);
    expectAlive(peer);
  });

  it('several messages may come in one DATA frame, with END_STREAM or followed by an empty one', () => {
    for (const last of [[data(1, concat(message('a'), message(''), message('bc')), { end: true })], [data(1, concat(message('a'), message(''), message('bc'))), data(1, new Uint8Array(0), { end: true })]]) {
      const peer = new GrpcPeer();
      const call = peer.accepted();
      peer.send(...last);
      expect(call.messages.map(text)).toEqual(['a', '', 'bc']);
      expect(call.halfClosed).toBe(true);
    }
  });

  it('padding is no part of a message', () => {
    const peer = new GrpcPeer();
    const call = peer.accepted();
    const bytes = message('padded');
    peer.send(data(1, bytes.subarray(0, 3), { padding: 5 }), data(1, bytes.subarray(3), { padding: 0, end: true }));
    expect(call.messages.map(text)).toEqual(['padded']);
  });

  it.each([2, 3, 0x7f, 0x80, 0xff])('a compressed flag of %d is INTERNAL', (flag) => {
    const peer = new GrpcPeer();
    const call = peer.accepted();
    peer.send(data(1, concat(Uint8Array.of(flag), uint32(1), latin1('x'))));
    expect(answerOf(peer)).toMatchObject({ status: STATUS.internal });
    expect(call.wasCancelled).toBe(true);
    expect(call.messages).toEqual([]);
    expectIgnored(peer, data(1, message('more')));
  });

  it.each([
    ['a length prefix', concat(message('whole'), hex('00 00 00'))],
    ['a message', concat(message('whole'), message('cut off').subarray(0, 9))],
    ['a message before its first octet', concat(message('whole'), message('cut off').subarray(0, 5))],
  ])('a request that ends inside %s is INTERNAL, and no half-close is told', (_, bytes) => {
    const peer = new GrpcPeer();
    const call = peer.accepted();
    peer.send(data(1, bytes, { end: true }));
    expect(answerOf(peer)).toMatchObject({ status: STATUS.internal });
    expect(call.messages.map(text)).toEqual(['whole']);
    expect({ halfClosed: call.halfClosed, wasCancelled: call.wasCancelled }).toEqual({ halfClosed: false, wasCancelled: true });
    expectAlive(peer);
  });

  it('a message over the limit is RESOURCE_EXHAUSTED, told by its length alone', () => {
    const peer = new GrpcPeer({ limits: { messageBytes: 1000 } });
    const call = peer.accepted();
    peer.send(data(1, message(octets(1000))), data(1, concat(Uint8Array.of(0), uint32(1001))));
    expect(answerOf(peer)).toMatchObject({ status: STATUS.resourceExhausted });
    expect(call.messages).toEqual([octets(1000)]);
    expect(call.wasCancelled).toBe(true);
    expectIgnored(peer, data(1, octets(900)));
  });

  it('a length of 4 GiB is RESOURCE_EXHAUSTED as well', () => {
    const peer = new GrpcPeer();
    peer.accepted();
    peer.send(data(1, hex('00 ffffffff 00')));
    expect(answerOf(peer)).toMatchObject({ status: STATUS.resourceExhausted });
  });

  it('unfinished messages over the limit of them all are RESOURCE_EXHAUSTED; the others go on, and what ended makes room', () => {
    const peer = new GrpcPeer({ limits: { heldBytes: 100_000 } });
    const [one, two] = [peer.accepted(1), peer.accepted(3)];
    const big = message(octets(60_000));
    peer.send(data(1, big.subarray(0, 10_000)), data(3, big.subarray(0, 10_000)));
    expect(answerOf(peer, 3)).toMatchObject({ status: STATUS.resourceExhausted });
    for (let at = 10_000; at < big.length; at += 10_000) peer.send(data(1, big.subarray(at, at + 10_000)));
    expect(one.messages).toEqual([octets(60_000)]);
    expect(two.wasCancelled).toBe(true);
    const three = peer.accepted(5);
    for (let at = 0; at < big.length; at += 10_000) peer.send(data(5, big.subarray(at, at + 10_000)));
    expect(three.messages).toEqual([octets(60_000)]);
  });

  it("an answer's messages have their prefix, with the flag as given", () => {
    const peer = new GrpcPeer();
    const call = peer.accepted();
    call.call.send(latin1('plain'));
    call.call.send(new Uint8Array(0));
    call.call.send(latin1('zipped'), true);
    call.end();
    expect(peer.body(1)).toEqual(concat(message('plain'), message(''), message('zipped', true)));
  });

  it('a message larger than all windows goes out as they open', () => {
    const peer = new GrpcPeer();
    const call = peer.accepted();
    call.call.send(octets(300_000));
    call.end();
    expect(peer.body(1)).toHaveLength(65_535);
    peer.send(windowUpdate(1, 1_000_000), windowUpdate(0, 1_000_000));
    expectOctets(peer.body(1), message(octets(300_000)));
    expect(answerOf(peer).status).toBe(STATUS.ok);
  });
});

describe('compression.md', () => {
  const body = octets(5000);
  const zips = { gzip: gzipSync(body), deflate: deflateSync(body) } as const;

  it.each(['gzip', 'deflate'] as const)('messages compressed with %s are read', (encoding) => {
    const peer = new GrpcPeer();
    const call = peer.accepted(1, { 'grpc-encoding': encoding });
    peer.send(data(1, concat(message(zips[encoding], true), message('plain'), message(zips[encoding], true)), { end: true }));
    expect(call.messages).toEqual([body, latin1('plain'), body]);
    expect(call.halfClosed).toBe(true);
  });

  it.each([
    ['without grpc-encoding', undefined],
    ['with identity', 'identity'],
  ])('a message that says that it is compressed, %s, is INTERNAL', (_, encoding) => {
    const peer = new GrpcPeer();
    const call = peer.accepted(1, { 'grpc-encoding': encoding });
    peer.send(data(1, message(zips.gzip, true)));
    expect(answerOf(peer)).toMatchObject({ status: STATUS.internal });
    expect(call.messages).toEqual([]);
    expect(call.wasCancelled).toBe(true);
  });

  it.each(['snappy', 'br', 'zstd', 'GZIP', 'gzip,identity', '', 'constructor', '__proto__', 'toString', 'hasOwnProperty'])('the encoding "%s", not supported, is UNIMPLEMENTED, with grpc-accept-encoding', (encoding) => {
    const peer = new GrpcPeer();
    peer.send(headers(1, literals(...requestFields({ 'content-type': 'application/grpc', te: 'trailers' }), ['grpc-encoding', encoding])));
    expect(peer.calls).toEqual([]);
    const answer = answerOf(peer);
    expect(answer).toMatchObject({ status: STATUS.unimplemented, frames: ['HEADERS'] });
    const accepts = answer.fields.find(([name]) => name === 'grpc-accept-encoding')?.[1].split(',');
    expect(accepts).toEqual(expect.arrayContaining(['identity', 'gzip', 'deflate']));
    for (const name of accepts ?? []) expect(new GrpcPeer().open(1, { 'grpc-encoding': name })).toBeDefined();
  });

  it.each([
    ['no gzip at all', latin1('not gzip')],
    ['gzip cut off', zips.gzip.subarray(0, zips.gzip.length - 9)],
    ['gzip with a wrong checksum', concat(zips.gzip.subarray(0, zips.gzip.length - 8), octets(8))],
    ['nothing', new Uint8Array(0)],
  ])('%s, said to be gzip, is INTERNAL', (_, bytes) => {
    const peer = new GrpcPeer();
    const call = peer.accepted(1, { 'grpc-encoding': 'gzip' });
    peer.send(data(1, message(bytes, true)));
    expect(answerOf(peer)).toMatchObject({ status: STATUS.internal });
    expect(call.messages).toEqual([]);
    expectAlive(peer);
  });

  it.each(['gzip', 'deflate'] as const)('a message that is over the limit once it is decompressed is RESOURCE_EXHAUSTED: %s', (encoding) => {
    const peer = new GrpcPeer({ limits: { messageBytes: 100_000 } });
    const call = peer.accepted(1, { 'grpc-encoding': encoding });
    const bomb = encoding === 'gzip' ? gzipSync(new Uint8Array(10_000_000)) : deflateSync(new Uint8Array(10_000_000));
    expect(bomb.length).toBeLessThan(10_000);
    peer.send(data(1, message(bomb, true)));
    expect(answerOf(peer)).toMatchObject({ status: STATUS.resourceExhausted });
    expect(call.messages).toEqual([]);
    expectAlive(peer);
  });

  it('one that just fits is read', () => {
    const peer = new GrpcPeer({ limits: { messageBytes: 5000 } });
    const call = peer.accepted(1, { 'grpc-encoding': 'gzip' });
    peer.send(data(1, message(zips.gzip, true)));
    expect(call.messages).toEqual([body]);
  });

  it('grpc-accept-encoding of the client asks for nothing: answers may stay as they are', () => {
    const peer = new GrpcPeer();
    peer.accepted(1, { 'grpc-accept-encoding': 'gzip' }).call.send(latin1('plain'));
    expect(peer.body(1)).toEqual(message('plain'));
  });
});

describe('PROTOCOL-HTTP2 Responses', () => {
  it('are Response-Headers, messages, Trailers', () => {
    const peer = new GrpcPeer();
    const call = peer.accepted(1, {}, true);
    call.sendHeaders([]);
    call.call.send(latin1('answer'));
    call.end([['grpc-status', '0'], ['grpc-message', '']]);
    expect(peer.on(1)).toMatchObject([
      { type: 'HEADERS', end: false, fields: [[':status', '200'], ['content-type', 'application/grpc']] },
      { type: 'DATA', end: false, bytes: message('answer') },
      { type: 'HEADERS', end: true, fields: [['grpc-status', '0'], ['grpc-message', '']] },
    ]);
  });

  it('Trailers-Only: a call that ends without a message is one HEADERS frame with END_STREAM', () => {
    const peer = new GrpcPeer();
    peer.accepted(1, {}, true).end([['grpc-status', '5'], ['grpc-message', 'not there']]);
    expect(peer.on(1)).toMatchObject([{ type: 'HEADERS', end: true, fields: [[':status', '200'], ['content-type', 'application/grpc'], ['grpc-status', '5'], ['grpc-message', 'not there']] }]);
  });

  it('headers given are not doubled: the recorded content-type stands', () => {
    const peer = new GrpcPeer();
    const call = peer.accepted();
    call.sendHeaders([[':status', '200'], ['content-type', 'application/grpc+proto'], ['x-a', '1']]);
    expect(peer.on(1)).toMatchObject([{ fields: [[':status', '200'], ['content-type', 'application/grpc+proto'], ['x-a', '1']] }]);
  });

  it('an answer that was recorded of something that speaks no gRPC is sent as it was: nothing is put before its :status', () => {
    const peer = new GrpcPeer();
    const recorded = [[':status', '415'], ['accept-post', 'application/grpc'], ['content-length', '0']] as const;
    peer.accepted(1, {}, true).end(recorded);
    expect(peer.on(1)).toMatchObject([{ type: 'HEADERS', end: true, fields: recorded }]);
  });

  it('a message without headers before it gets them', () => {
    const peer = new GrpcPeer();
    peer.accepted().call.send(latin1('first'));
    expect(peer.on(1).map(({ type }) => type)).toEqual(['HEADERS', 'DATA']);
  });

  it('headers are sent once', () => {
    const peer = new GrpcPeer();
    const call = peer.accepted();
    call.sendHeaders([['x-a', '1']]);
    call.sendHeaders([['x-a', '2']]);
    expect(peer.on(1)).toHaveLength(1);
  });

  it(':status comes first, even in trailers-only', () => {
    const peer = new GrpcPeer();
    peer.accepted(1, {}, true).end([['x-a', '1'], ['grpc-status', '0']]);
    expect(answerOf(peer).fields.map(([name]) => name)).toEqual([':status', 'content-type', 'x-a', 'grpc-status']);
  });

  it('an ended call says nothing more, and hears nothing more', () => {
    const peer = new GrpcPeer();
    const call = peer.accepted();
    call.end();
    call.call.send(latin1('late'));
    call.sendHeaders([]);
    call.end();
    peer.receive();
    expectIgnored(peer, data(1, message('late'), { end: true }));
    expect(call.messages).toEqual([]);
    expect({ halfClosed: call.halfClosed, wasCancelled: call.wasCancelled }).toEqual({ halfClosed: false, wasCancelled: false });
  });

  it('a call that ends before its client has half-closed is followed by RST_STREAM NO_ERROR (RFC 9113 §8.1)', () => {
    const peer = new GrpcPeer();
    const call = peer.accepted();
    call.call.send(latin1('answer'));
    call.end();
    expect(peer.on(1).at(-1)).toEqual({ type: 'RST_STREAM', stream: 1, code: 'NO_ERROR' });
    expect(answerOf(peer).frames).toEqual(['HEADERS', 'DATA', 'HEADERS', 'RST_STREAM']);
  });

  it('… but not before its trailers have gone out', () => {
    const peer = new GrpcPeer({ settings: { 4: 8 } });
    const call = peer.accepted();
    call.call.send(latin1('answer'));
    call.end();
    expect(peer.on(1).map(({ type }) => type)).toEqual(['HEADERS', 'DATA']);
    peer.send(windowUpdate(1, 100));
    expect(answerOf(peer).frames).toEqual(['HEADERS', 'DATA', 'DATA', 'HEADERS', 'RST_STREAM']);
    expect(peer.body(1)).toEqual(message('answer'));
  });

  it('a call that its client half-closes while the end waits for a window just ends', () => {
    const peer = new GrpcPeer({ settings: { 4: 8 } });
    const call = peer.accepted();
    call.call.send(latin1('answer'));
    call.end();
    peer.send(data(1, new Uint8Array(0), { end: true }));
    peer.send(windowUpdate(1, 100));
    expect(answerOf(peer).frames).toEqual(['HEADERS', 'DATA', 'DATA', 'HEADERS']);
    expectAlive(peer);
  });

  it('Status-Message: a status of our own is percent-encoded, as UTF-8', () => {
    const peer = new GrpcPeer();
    peer.open(1, { 'content-type': '100%\x80\xffé~ "x"' });
    // What is not ASCII is read as Latin-1, as header octets are.
    expect(answerOf(peer).message).toMatch(/100%25%C2%80%C3%BF%C3%A9~ "x"/);
    expect(answerOf(peer).message).toMatch(/^[\x20-\x24\x26-\x7e]*(?:%[0-9A-F]{2}[\x20-\x24\x26-\x7e]*)*$/);
  });

  it("a status longer than the client's SETTINGS_MAX_HEADER_LIST_SIZE is not sent, and that is told", () => {
    const peer = new GrpcPeer({ settings: { 6: 200 } });
    const call = peer.accepted(1, {}, true);
    expect(call.end([['grpc-status', '2'], ['grpc-message', 'x'.repeat(200)]])).toBe(false);
    expect(peer.on(1)).toEqual([]);
    expect(call.end([['grpc-status', '2'], ['grpc-message', 'x']])).toBe(true);
    expect(answerOf(peer)).toMatchObject({ status: '2', message: 'x' });
  });

  it('a status of a megabyte goes out whole to a client that takes it', () => {
    const peer = new GrpcPeer();
    const call = peer.accepted(1, {}, true);
    const details = 'AbC0'.repeat(250_000);
    expect(call.end([['grpc-status', '2'], ['grpc-status-details-bin', details]])).toBe(true);
    expect(answerOf(peer).fields.at(-1)).toEqual(['grpc-status-details-bin', details]);
  });
});

describe('PROTOCOL-HTTP2 Errors', () => {
  it.each([['CANCEL', 8], ['NO_ERROR', 0], ['INTERNAL_ERROR', 2], ['REFUSED_STREAM', 7]] as const)('RST_STREAM %s of the client cancels the call, and stops what was being sent', (_, code) => {
    const peer = new GrpcPeer({ settings: { 4: 10 } });
    const call = peer.accepted();
    call.call.send(octets(1000));
    peer.receive();
    peer.send(rstStream(1, code));
    expect(call.wasCancelled).toBe(true);
    call.call.send(latin1('more'));
    call.end();
    expectIgnored(peer, windowUpdate(0, 1000));
  });

  it('a call can be reset with a code', () => {
    const peer = new GrpcPeer();
    const call = peer.accepted();
    call.sendHeaders([]);
    call.call.reset(8);
    call.call.reset(2);
    call.end();
    expect(peer.on(1)).toMatchObject([{ type: 'HEADERS', end: false }, { type: 'RST_STREAM', code: 'CANCEL' }]);
    expect(call.wasCancelled).toBe(false);
  });

  it('an error of one call leaves the others of the connection alone', () => {
    const peer = new GrpcPeer();
    const [one, two] = [peer.accepted(1), peer.accepted(3)];
    peer.send(data(1, hex('07 00000000')), data(3, message('fine'), { end: true }));
    two.end();
    expect({ one: one.wasCancelled, two: two.wasCancelled, messages: two.messages.map(text) }).toEqual({ one: true, two: false, messages: ['fine'] });
    expect(answerOf(peer, 3).status).toBe(STATUS.ok);
    expectAlive(peer);
  });

  it('when the connection goes, every call is cancelled, once', () => {
    const peer = new GrpcPeer();
    const calls = [peer.accepted(1), peer.accepted(3, {}, true), peer.accepted(5)];
    calls[2]?.end();
    peer.connection.end();
    expect(calls.map(({ wasCancelled }) => wasCancelled)).toEqual([true, true, false]);
  });

  it('client trailers end the request as END_STREAM on DATA does', () => {
    const peer = new GrpcPeer();
    const call = peer.accepted();
    peer.send(data(1, message('a')), headers(1, literals(['x-trailer', 'of a client']), { end: true }));
    expect({ messages: call.messages.map(text), halfClosed: call.halfClosed }).toEqual({ messages: ['a'], halfClosed: true });
  });

  it('fields that a list has as its own can be sent twice', () => {
    const peer = new GrpcPeer();
    peer.accepted(1).call.sendHeaders(fields([['x-a', '1'], ['x-a', '1']]));
    expect(peer.on(1)).toMatchObject([{ fields: [[':status', '200'], ['content-type', 'application/grpc'], ['x-a', '1'], ['x-a', '1']] }]);
  });
});
