/**
 * What a client can do that wants a server's memory or its time (RFC 9113 §10.5): each ends with ENHANCE_YOUR_CALM or
 * costs no more than its bound in src/wire/serve-limits.ts, which are the default ones here unless a test says otherwise.
 */

import { describe, expect, it } from 'vitest';
import { DEFAULT_SERVE_LIMITS } from '../../src/wire/index.js';
import { concat, data, FLAG, frame, headers, hpackInteger, latin1, literals, message, rstStream, settings, TYPE } from '../wire/bytes.js';
import { HpackEncoder } from '../wire/hpack-encoder.js';
import { continuation, octets, ping, priority, requestBlock, windowUpdate } from './bytes.js';
import { GrpcPeer } from './grpc-peer.js';
import { expectAlive, expectConnectionError, expectOctets, Peer } from './peer.js';

const request = (stream: number, end = false): Uint8Array => headers(stream, requestBlock(), { end });

/** Pushes what `turn` makes, over and over, until the connection is over or it was done `times` times. @returns how often it was */
function flood(peer: Peer, times: number, turn: (at: number) => Uint8Array, read: boolean): number {
  let at = 0;
  for (; at < times && peer.over === undefined; at += 1) {
    if (read) peer.send(turn(at));
    else peer.sendUnread(turn(at));
  }
  return at;
}

describe('rapid reset: streams opened and reset at once (CVE-2023-44487)', () => {
  const turn = (at: number): Uint8Array => concat(request(2 * at + 1, true), rstStream(2 * at + 1, 8));
  const { burst, perSecond } = DEFAULT_SERVE_LIMITS.resets;

  it('ends with ENHANCE_YOUR_CALM when it is more than every stream that may be open at once', () => {
    const peer = new Peer();
    expect(flood(peer, 2 * burst, turn, true)).toBe(burst + 1);
    expectConnectionError(peer, 'ENHANCE_YOUR_CALM');
    expect(peer.connection.openStreams).toBe(0);
  });

  it('costs nothing when it is slow enough', () => {
    const peer = new Peer({ limits: { resets: { burst: 10, perSecond } } });
    const done = flood(peer, 5000, (at) => {
      peer.clock += 1000 / perSecond;
      return turn(at);
    }, true);
    expect(done).toBe(5000);
    expectAlive(peer);
  });

  it('what was saved up in a long time is once more the burst at most', () => {
    const peer = new Peer({ limits: { resets: { burst: 10, perSecond: 1000 } } });
    peer.clock += 1_000_000;
    expect(flood(peer, 100, turn, true)).toBeLessThanOrEqual(2 * 10 + 1);
    expectConnectionError(peer, 'ENHANCE_YOUR_CALM');
  });

  it.each([
    ['a WINDOW_UPDATE of 0', (stream: number) => windowUpdate(stream, 0)],
    ['a window that overflows', (stream: number) => windowUpdate(stream, 2 ** 31 - 1)],
    ['DATA after the end', (stream: number) => data(stream, latin1('x'))],
    ['HEADERS after the end', (stream: number) => headers(stream, literals(['x-a', 'x']), { end: true })],
    ['PRIORITY of a wrong size', (stream: number) => frame(TYPE.priority, 0, stream, octets(4))],
  ])('is the same when the client makes the server reset the stream, by %s (CVE-2025-8671)', (_, provoke) => {
    const peer = new Peer({ limits: { resets: { burst: 100, perSecond: 1 } } });
    const done = flood(peer, 1000, (at) => concat(request(2 * at + 1, true), provoke(2 * at + 1)), true);
    expect(done).toBe(101);
    expectConnectionError(peer, 'ENHANCE_YOUR_CALM');
  });

  it('streams that were answered before they are reset are no abuse', () => {
    const peer = new Peer({ limits: { resets: { burst: 10, perSecond: 0 } } });
    for (let id = 1; id < 400; id += 2) {
      peer.send(request(id));
      peer.request(id).answer();
      peer.send(rstStream(id, 8));
    }
    expectAlive(peer);
  });
});

describe('header blocks without end (CVE-2024-27316 and others)', () => {
  it.each([
    ['of nothing', new Uint8Array(0)],
    ['of one octet', Uint8Array.of(0x88)],
  ])('CONTINUATION frames %s end with ENHANCE_YOUR_CALM at their bound', (_, fragment) => {
    const peer = new Peer();
    peer.send(frame(TYPE.headers, FLAG.endStream, 1, requestBlock()));
    expect(flood(peer, 1_000_000, () => continuation(1, fragment), true)).toBe(DEFAULT_SERVE_LIMITS.continuations + 1);
    expectConnectionError(peer, 'ENHANCE_YOUR_CALM');
    expect(peer.requests).toEqual([]);
  });

  it('large CONTINUATION frames end with ENHANCE_YOUR_CALM at the bound of the block', () => {
    const peer = new Peer();
    const fragment = new Uint8Array(16_384);
    peer.send(frame(TYPE.headers, 0, 1, fragment));
    const sent = (1 + flood(peer, 1000, () => continuation(1, fragment), true)) * fragment.length;
    expect(sent).toBeLessThanOrEqual(DEFAULT_SERVE_LIMITS.headerBlockBytes + fragment.length);
    expectConnectionError(peer, 'ENHANCE_YOUR_CALM');
  });
});

describe('header bombs', () => {
  it('a long field that is indexed over and over does not reach the application: 16,000 octets that stand for 48 MB', () => {
    const peer = new Peer();
    const encoder = new HpackEncoder();
    const once = encoder.field(['x-bomb', 'v'.repeat(3000)], 'add', false);
    peer.send(headers(1, concat(requestBlock(), once), { end: true }));
    peer.request(1).answer();
    const bomb = concat(requestBlock(), new Uint8Array(16_000).fill(0x80 | 62));
    peer.send(headers(3, bomb, { end: true, split: 16_384 }));
    expect(peer.requests).toHaveLength(1);
    expect(peer.on(3)).toMatchObject([{ type: 'HEADERS', end: true, fields: [[':status', '431']] }]);
    expectAlive(peer);
  });

  it('a million fields of nothing are stopped by the bound of the block, and fewer by the number of fields', () => {
    const peer = new Peer();
    const fields = concat(requestBlock(), new Uint8Array(DEFAULT_SERVE_LIMITS.headerFields + 1).fill(0x80 | 15));
    peer.send(headers(1, fields, { end: true, split: 16_384 }));
    expect(peer.requests).toEqual([]);
    expect(peer.on(1)).toMatchObject([{ type: 'HEADERS', fields: [[':status', '431']] }]);
    const many = new Uint8Array(1_048_577).fill(0x80 | 15);
    peer.send(headers(3, many, { end: true, split: 16_384 }));
    expectConnectionError(peer, 'ENHANCE_YOUR_CALM');
  });

  it('a value whose length alone was sent is not made room for', () => {
    const peer = new Peer();
    peer.send(headers(1, concat(requestBlock(), Uint8Array.of(0x40, 1, 0x61), hpackInteger(200_000_000, 7)), { end: true }));
    expectConnectionError(peer, 'COMPRESSION_ERROR');
  });
});

describe('frames that have to be answered, by a client that reads no answer', () => {
  const { queuedControlFrames } = DEFAULT_SERVE_LIMITS;

  it.each([
    ['PING', () => ping()],
    ['a request that is malformed', (at: number) => headers(2 * at + 1, requestBlock({ ':path': undefined }), { end: true })],
  ])('%s: ends with ENHANCE_YOUR_CALM at the bound, and the bytes that wait are few', (_, turn) => {
    const peer = new Peer();
    const done = flood(peer, 100_000, turn, false);
    expect(done).toBeLessThanOrEqual(queuedControlFrames + 1);
    expect(peer.connection.pendingBytes).toBeLessThanOrEqual(queuedControlFrames * 17 + 2000);
    expectConnectionError(peer, 'ENHANCE_YOUR_CALM');
  });

  it('SETTINGS: likewise, and sooner', () => {
    const peer = new Peer();
    const done = flood(peer, 100_000, () => settings({ 4: 1000 }), false);
    expect(done).toBeLessThanOrEqual(DEFAULT_SERVE_LIMITS.settings.burst + 1);
    expectConnectionError(peer, 'ENHANCE_YOUR_CALM');
  });

  it('SETTINGS end with ENHANCE_YOUR_CALM even when every answer is read: each may cost a turn over all streams', () => {
    const peer = new Peer();
    for (let id = 1; id < 2000; id += 2) peer.send(request(id));
    const done = flood(peer, 100_000, (at) => settings({ 4: at % 2 === 0 ? 2 ** 30 : 0 }), true);
    expect(done).toBeLessThanOrEqual(DEFAULT_SERVE_LIMITS.settings.burst + 1);
    expectConnectionError(peer, 'ENHANCE_YOUR_CALM');
  });

  it('PING whose answers are read may go on', () => {
    const peer = new Peer();
    expect(flood(peer, 3 * queuedControlFrames, () => ping(), true)).toBe(3 * queuedControlFrames);
    expectAlive(peer);
  });

  it('refused streams count as well', () => {
    const peer = new Peer({ limits: { concurrentStreams: 1, queuedControlFrames: 100 } });
    expect(flood(peer, 10_000, (at) => request(2 * at + 1), false)).toBeLessThanOrEqual(103);
    expectConnectionError(peer, 'ENHANCE_YOUR_CALM');
  });
});

describe('frames that do nothing', () => {
  const { burst } = DEFAULT_SERVE_LIMITS.idleFrames;

  it.each([
    ['empty DATA', () => data(1, new Uint8Array(0))],
    ['PRIORITY', () => priority(1)],
    ['PRIORITY of idle streams', (at: number) => priority(2 * at + 5)],
    ['unknown types', () => frame(0x99, 0, 0)],
    ['long unknown types', () => frame(0x99, 0, 0, octets(1000))],
  ])('%s end with ENHANCE_YOUR_CALM', (_, turn) => {
    const peer = new Peer();
    peer.send(request(1));
    expect(flood(peer, 2 * burst, turn, true)).toBe(burst + 1);
    expectConnectionError(peer, 'ENHANCE_YOUR_CALM');
    expect(peer.request(1).received).toHaveLength(0);
  });

  it('DATA of nothing but padding is paid for with window, and given back', () => {
    const peer = new Peer();
    peer.send(request(1));
    expect(flood(peer, 20_000, () => data(1, new Uint8Array(0), { padding: 255 }), true)).toBe(20_000);
    expectAlive(peer);
  });
});

describe('windows that do not open', () => {
  const limits = { streamQueueBytes: 10_000, connectionQueueBytes: 100_000 };

  /** An application that writes until it is told to wait. @returns what it wrote */
  function fill(peer: Peer, id: number, chunk: number): number {
    const one = peer.request(id);
    one.header();
    let written = 0;
    let room = true;
    for (; room && written < 10_000_000; written += chunk) room = one.write(new Uint8Array(chunk));
    return written;
  }

  it('a stream whose window is 0 takes no more than its queue', () => {
    const peer = new Peer({ limits, settings: { 4: 0 } });
    peer.send(request(1, true));
    expect(fill(peer, 1, 1000)).toBe(11_000);
    expect(peer.connection.pendingBytes).toBeLessThan(12_000);
  });

  it('all streams together take no more than the queue of the connection, and one message each', () => {
    const peer = new Peer({ limits, settings: { 4: 0 } });
    const streams = 200;
    for (let at = 0; at < streams; at += 1) {
      peer.send(request(2 * at + 1, true));
      fill(peer, 2 * at + 1, 100);
    }
    peer.receive();
    expect(peer.connection.pendingBytes).toBeLessThanOrEqual(limits.connectionQueueBytes + limits.streamQueueBytes + streams * 100);
    expectAlive(peer);
  });

  it('a client that does not read at all is written no more than the output takes', () => {
    const peer = new Peer({ limits: { ...limits, outputBytes: 20_000 }, settings: { 4: 2 ** 31 - 1 } });
    peer.send(windowUpdate(0, 2 ** 31 - 1 - 65_535), request(1, true));
    const written = fill(peer, 1, 1000);
    expect(written).toBeLessThanOrEqual(20_000 + 10_000 + 2000);
    expect(peer.connection.pendingBytes).toBeLessThanOrEqual(32_000);
  });

  it('a pull gives no more at once than the output takes, and one turn of a stream', () => {
    const peer = new Peer({ settings: { 4: 2 ** 31 - 1 } });
    peer.send(windowUpdate(0, 2 ** 31 - 1 - 65_535), request(1, true));
    peer.request(1).header();
    for (let at = 0; at < 200; at += 1) peer.request(1).write(octets(50_000));
    const sizes: number[] = [];
    for (let chunks = peer.connection.pull(); chunks.length > 0; chunks = peer.connection.pull()) {
      sizes.push(chunks.reduce((sum, { length }) => sum + length, 0));
    }
    expect(Math.max(...sizes)).toBeLessThanOrEqual(DEFAULT_SERVE_LIMITS.outputBytes + 128 * 1024);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeGreaterThan(200 * 50_000);
  });

  it('streams that wait are forgotten when the client resets them: their bytes with them', () => {
    const peer = new Peer({ limits, settings: { 4: 0 } });
    for (let id = 1; id < 20; id += 2) {
      peer.send(request(id, true));
      fill(peer, id, 1000);
    }
    for (let id = 1; id < 20; id += 2) peer.send(rstStream(id, 8));
    expect(peer.connection.pendingBytes).toBe(0);
    expect(peer.connection.openStreams).toBe(0);
    peer.send(request(21, true));
    expect(fill(peer, 21, 1000)).toBe(11_000);
  });

  it('windows that open octet by octet are followed, and nothing piles up', () => {
    const peer = new Peer({ settings: { 4: 1 } });
    peer.send(request(1, true));
    peer.request(1).answer(octets(2000));
    peer.receive();
    for (let at = 1; at < 2000; at += 1) {
      const frames = peer.send(windowUpdate(1, 1));
      expect(frames[0]).toMatchObject({ type: 'DATA', bytes: octets(2000).subarray(at, at + 1) });
    }
    expectOctets(peer.body(1), octets(2000));
    expect(peer.on(1).at(-1)).toMatchObject({ type: 'HEADERS', end: true });
  });

  it('windows that open octet by octet, unread, make no more than the output takes', () => {
    const peer = new Peer({ limits: { outputBytes: 5000 }, settings: { 4: 0 } });
    peer.send(request(1, true));
    peer.request(1).answer(octets(30_000));
    for (let at = 0; at < 30_000; at += 1) peer.sendUnread(windowUpdate(1, 1));
    expect(peer.connection.pendingBytes).toBeLessThanOrEqual(30_000 + 6000);
    expectOctets(peer.body(1), octets(30_000));
  });
});

describe('memory that is held for what has not come yet', () => {
  it('streams that are left open are as many as announced', () => {
    const peer = new Peer({ limits: { concurrentStreams: 50, queuedControlFrames: 100_000 } });
    for (let at = 0; at < 1000; at += 1) peer.sendUnread(request(2 * at + 1));
    expect(peer.connection.openStreams).toBe(50);
    expect(peer.requests).toHaveLength(50);
  });

  it('messages that are only announced take no more than the bound of them all', () => {
    const peer = new GrpcPeer({ limits: { heldBytes: 1_000_000 } });
    const ended: number[] = [];
    const announced = message(octets(500_000)).subarray(0, 6);
    for (let id = 1; id < 200; id += 2) {
      const call = peer.accepted(id);
      peer.send(data(id, announced));
      if (call.wasCancelled) ended.push(id);
    }
    // Each begins with 64 KiB of room: 15 of them fit.
    expect(ended.length).toBeGreaterThanOrEqual(100 - 16);
    expectAlive(peer);
  });

  it('how streams ended is remembered of so many, and one that is forgotten is no reason to end the connection', () => {
    const peer = new Peer({ limits: { rememberedStreams: 10 } });
    for (let at = 0; at < 100; at += 1) {
      peer.send(request(2 * at + 1));
      peer.request(2 * at + 1).reset(8);
    }
    peer.receive();
    expect(peer.send(data(1, latin1('very late')))).toEqual([{ type: 'RST_STREAM', stream: 1, code: 'STREAM_CLOSED' }]);
    expect(peer.send(data(199, latin1('in flight')))).toEqual([]);
    expectAlive(peer);
  });
});
