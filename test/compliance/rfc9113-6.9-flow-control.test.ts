/** RFC 9113 §5.2 Flow Control, §6.9 WINDOW_UPDATE. The witness in frames.ts fails whenever the server goes beyond a window. */

import { describe, expect, it } from 'vitest';
import { concat, data, frame, headers, PREFACE, rstStream, settings, TYPE, uint32 } from '../wire/bytes.js';
import { octets, requestBlock, windowUpdate } from './bytes.js';
import { bodyText, expectAlive, expectConnectionError, expectIgnored, expectOctets, expectStreamError, Peer } from './peer.js';

const request = (stream: number, end = true): Uint8Array => headers(stream, requestBlock(), { end });
const MAX = 2 ** 31 - 1;

describe('RFC 9113 §6.9 WINDOW_UPDATE', () => {
  it('of 0 on a stream is a stream error PROTOCOL_ERROR', () => {
    const peer = new Peer();
    peer.send(request(1), windowUpdate(1, 0));
    expectStreamError(peer, 1, 'PROTOCOL_ERROR');
  });

  it('of 0 on the connection is a connection error PROTOCOL_ERROR', () => {
    const peer = new Peer();
    peer.send(request(1), windowUpdate(0, 0));
    expectConnectionError(peer, 'PROTOCOL_ERROR');
  });

  it('of 0 on a closed stream is ignored, or an error', () => {
    const peer = new Peer();
    peer.send(request(1));
    peer.request(1).answer();
    peer.receive();
    for (const sent of peer.send(windowUpdate(1, 0))) expect(sent).toMatchObject({ code: 'PROTOCOL_ERROR' });
  });

  it.each([0, 3, 5, 8])('of %d octets is a connection error FRAME_SIZE_ERROR', (length) => {
    for (const stream of [0, 1]) {
      const peer = new Peer();
      peer.send(request(1), frame(TYPE.windowUpdate, 0, stream, octets(length).fill(1)));
      expectConnectionError(peer, 'FRAME_SIZE_ERROR');
    }
  });

  it('its reserved bit is ignored', () => {
    const peer = new Peer({ settings: { 4: 0 } });
    peer.send(request(1));
    peer.request(1).answer('answer');
    peer.send(frame(TYPE.windowUpdate, 0, 1, uint32(0x80000003)));
    expect(bodyText(peer, 1)).toBe('ans');
    expect(peer.send(frame(TYPE.windowUpdate, 0, 1, uint32(0x80000000)))).toEqual([{ type: 'RST_STREAM', stream: 1, code: 'PROTOCOL_ERROR' }]);
  });
});

describe('RFC 9113 §6.9.1 the flow-control window', () => {
  it('is as large as ever for a client that cannot know yet that it is small', () => {
    const peer = new Peer({ limits: { streamWindowBytes: 4096 }, settings: null });
    peer.send(PREFACE, settings(), request(1, false), data(1, octets(10_000)));
    expect(peer.over).toBeUndefined();
    // And it opens again in small steps: such a client sends no more than the small window now.
    expect(peer.on(1).reduce((sum, sent) => sum + (sent.type === 'WINDOW_UPDATE' ? sent.increment : 0), 0)).toBe(10_000);
    peer.send(settings({}, 1), request(3, false), data(3, octets(4097)));
    expectStreamError(peer, 3, 'FLOW_CONTROL_ERROR');
  });

  it('a window on a stream that passes 2^31-1 is a stream error FLOW_CONTROL_ERROR', () => {
    const peer = new Peer();
    peer.send(request(1), windowUpdate(1, MAX - 65_535));
    expectAlive(peer);
    peer.send(windowUpdate(1, 1));
    expectStreamError(peer, 1, 'FLOW_CONTROL_ERROR');
  });

  it('a window on the connection that passes 2^31-1 is a connection error FLOW_CONTROL_ERROR', () => {
    const peer = new Peer();
    peer.send(windowUpdate(0, MAX - 65_535));
    expectAlive(peer);
    peer.send(windowUpdate(0, 1));
    expectConnectionError(peer, 'FLOW_CONTROL_ERROR');
  });

  it('one that passes it by far is the same', () => {
    const peer = new Peer();
    peer.send(request(1), windowUpdate(1, MAX));
    expectStreamError(peer, 1, 'FLOW_CONTROL_ERROR');
    peer.send(windowUpdate(0, MAX));
    expectConnectionError(peer, 'FLOW_CONTROL_ERROR');
  });

  it('what was sent makes room below it again', () => {
    const peer = new Peer();
    peer.send(request(1), windowUpdate(1, MAX - 65_535));
    peer.request(1).header();
    peer.request(1).write(octets(100));
    peer.receive();
    expectIgnored(peer, windowUpdate(1, 100));
    peer.send(windowUpdate(1, 1));
    expectStreamError(peer, 1, 'FLOW_CONTROL_ERROR');
  });

  it("the server sends no more than a stream's window, and goes on where it stopped", () => {
    const peer = new Peer({ settings: { 4: 100 } });
    peer.send(request(1));
    peer.request(1).answer(octets(250));
    expect(peer.body(1)).toEqual(octets(100));
    peer.send(windowUpdate(1, 1));
    expect(peer.body(1)).toEqual(octets(101));
    peer.send(windowUpdate(1, 148));
    expect(peer.body(1)).toEqual(octets(249));
    expect(peer.on(1).at(-1)).toMatchObject({ type: 'DATA', end: false });
    peer.send(windowUpdate(1, 1000));
    expect(peer.body(1)).toEqual(octets(250));
    expect(peer.on(1).at(-1)).toMatchObject({ type: 'HEADERS', end: true });
  });

  it("the server sends no more than the connection's window, whatever the streams'", () => {
    const peer = new Peer({ settings: { 4: MAX } });
    peer.send(request(1), request(3));
    peer.request(1).answer(octets(50_000));
    peer.request(3).answer(octets(50_000));
    expect(peer.body(1).length + peer.body(3).length).toBe(65_535);
    peer.send(windowUpdate(0, 30_000));
    expect(peer.body(1).length + peer.body(3).length).toBe(95_535);
    peer.send(windowUpdate(0, 4_465));
    for (const id of [1, 3]) {
      expectOctets(peer.body(id), octets(50_000));
      expect(peer.on(id).at(-1)).toMatchObject({ type: 'HEADERS', end: true });
    }
  });

  it('HEADERS need no window', () => {
    const peer = new Peer({ settings: { 4: 0 } });
    peer.send(request(1));
    peer.request(1).header();
    peer.request(1).trailer();
    expect(peer.on(1).map(({ type }) => type)).toEqual(['HEADERS', 'HEADERS']);
  });

  it("one stream's used-up window holds no other stream up", () => {
    const peer = new Peer({ settings: { 4: 1000 } });
    peer.send(request(1), request(3));
    peer.request(1).answer(octets(5000));
    peer.request(3).answer('past it');
    expect(bodyText(peer, 3)).toBe('past it');
    expect(peer.body(1)).toHaveLength(1000);
  });

  it('the trailers of an answer wait for its content', () => {
    const peer = new Peer({ settings: { 4: 1 } });
    peer.send(request(1));
    peer.request(1).answer('ab');
    expect(peer.on(1).map(({ type }) => type)).toEqual(['HEADERS', 'DATA']);
    peer.send(windowUpdate(1, 1));
    expect(peer.on(1).map(({ type }) => type)).toEqual(['HEADERS', 'DATA', 'DATA', 'HEADERS']);
  });

  it('streams that wait for the connection get turns: none goes without', () => {
    const peer = new Peer({ settings: { 4: MAX } });
    peer.send(request(1), request(3), request(5));
    for (const id of [1, 3, 5]) peer.request(id).answer(octets(400_000));
    for (let round = 0; round < 8; round += 1) peer.send(windowUpdate(0, 65_536 * 2));
    for (const id of [1, 3, 5]) expect(peer.body(id).length).toBeGreaterThan(0);
  });

  it.each([
    ['content', data(1, new Uint8Array(10_001))],
    ['padding', data(1, new Uint8Array(9_990), { padding: 10 })],
  ])("a client's DATA beyond its stream's window, by its %s, is a stream error FLOW_CONTROL_ERROR", (_, bytes) => {
    const peer = new Peer({ limits: { streamWindowBytes: 10_000 } });
    peer.send(request(1, false), request(3, false), bytes);
    expectStreamError(peer, 1, 'FLOW_CONTROL_ERROR');
    expectIgnored(peer, data(3, new Uint8Array(4_000)));
    expect(peer.request(3).received).toHaveLength(4_000);
  });

  it("a client's DATA beyond the window of the connection is a connection error FLOW_CONTROL_ERROR", () => {
    // Smaller than any that can be announced: what is read is given back at once, so that a frame alone has to be too much.
    const peer = new Peer({ limits: { connectionWindowBytes: 10_000 } });
    peer.send(request(1, false), data(1, new Uint8Array(10_001)));
    expectConnectionError(peer, 'FLOW_CONTROL_ERROR');
    expect(peer.request(1).received).toHaveLength(0);
  });

  it('DATA that fills the window to the last octet is accepted, and after what was given back no octet more than the window is', () => {
    const peer = new Peer({ limits: { streamWindowBytes: 10_000 } });
    expect(peer.send(request(1, false), data(1, new Uint8Array(10_000)))).toEqual([{ type: 'WINDOW_UPDATE', stream: 1, increment: 10_000 }]);
    expect(peer.request(1).received).toHaveLength(10_000);
    peer.send(data(1, new Uint8Array(10_001)));
    expectStreamError(peer, 1, 'FLOW_CONTROL_ERROR');
  });

  it('what a client sent is given back to it, padding too, on the stream and on the connection', () => {
    const peer = new Peer({ limits: { streamWindowBytes: 65_535, connectionWindowBytes: 100_000 } });
    const given = new Map<number, number>();
    peer.send(request(1, false));
    let sent = 0;
    for (let round = 0; round < 100; round += 1) {
      // 10,000 octets of content count for 10,256 with their padding.
      for (const back of peer.send(data(1, new Uint8Array(10_000), { padding: 255 }))) {
        if (back.type === 'WINDOW_UPDATE') given.set(back.stream, (given.get(back.stream) ?? 0) + back.increment);
      }
      sent += 10_256;
      expect(sent - (given.get(1) ?? 0)).toBeLessThanOrEqual(65_535);
      expect(sent - (given.get(0) ?? 0)).toBeLessThanOrEqual(100_000);
      expect(given.get(1) ?? 0).toBeLessThanOrEqual(sent);
      expect(given.get(0) ?? 0).toBeLessThanOrEqual(sent);
    }
    expect(peer.request(1).received).toHaveLength(1_000_000);
    expectAlive(peer);
  });

  it("a stream's window is not given back once the client has ended it", () => {
    const peer = new Peer({ limits: { streamWindowBytes: 65_535 } });
    peer.send(request(1, false), data(1, new Uint8Array(16_000)), data(1, new Uint8Array(16_000)));
    const frames = peer.send(data(1, new Uint8Array(16_000), { end: true }));
    expect(frames.filter((sent) => sent.type === 'WINDOW_UPDATE' && sent.stream === 1)).toEqual([]);
  });
});

describe('RFC 9113 §6.9.2 initial flow-control window size', () => {
  it('SETTINGS_INITIAL_WINDOW_SIZE of the client is the window of the streams opened after it', () => {
    const peer = new Peer();
    peer.send(settings({ 4: 7 }), request(1));
    peer.request(1).answer('0123456789');
    expect(bodyText(peer, 1)).toBe('0123456');
  });

  it('a change adjusts the windows of open streams by the difference', () => {
    const peer = new Peer({ settings: { 4: 3 } });
    peer.send(request(1));
    peer.request(1).answer('0123456789');
    peer.send(settings({ 4: 5 }));
    expect(bodyText(peer, 1)).toBe('01234');
    peer.send(settings({ 4: 100 }));
    expect(bodyText(peer, 1)).toBe('0123456789');
  });

  it('a window can become negative: nothing is sent until it is positive again', () => {
    const peer = new Peer({ settings: { 4: 5 } });
    peer.send(request(1));
    peer.request(1).answer('0123456789');
    peer.send(settings({ 4: 0 }));
    // At -5 now.
    peer.send(windowUpdate(1, 5));
    expect(bodyText(peer, 1)).toBe('01234');
    peer.send(windowUpdate(1, 1));
    expect(bodyText(peer, 1)).toBe('012345');
    peer.send(settings({ 4: 2 }));
    expect(bodyText(peer, 1)).toBe('01234567');
    expect(peer.on(1).at(-1)).toMatchObject({ type: 'DATA' });
  });

  it('a stream that is opened after that has the new window whole', () => {
    const peer = new Peer({ settings: { 4: 5 } });
    peer.send(request(1));
    peer.request(1).answer('0123456789');
    peer.receive();
    peer.send(settings({ 4: 4 }), request(3));
    peer.request(3).answer('0123456789');
    expect([bodyText(peer, 1), bodyText(peer, 3)]).toEqual(['01234', '0123']);
  });

  it("does not change the connection's window", () => {
    const peer = new Peer();
    peer.send(settings({ 4: 1_000_000 }), request(1));
    peer.request(1).answer(octets(100_000));
    expect(peer.body(1)).toHaveLength(65_535);
    peer.send(settings({ 4: 2_000_000 }));
    expect(peer.body(1)).toHaveLength(65_535);
    peer.send(windowUpdate(0, 100_000));
    expectOctets(peer.body(1), octets(100_000));
  });

  it("a change that takes a stream's window past 2^31-1 is a connection error FLOW_CONTROL_ERROR", () => {
    const peer = new Peer();
    peer.send(request(1), windowUpdate(1, MAX - 65_535), settings({ 4: 65_536 }));
    expectConnectionError(peer, 'FLOW_CONTROL_ERROR');
  });

  it('a change does not wake streams that are over', () => {
    const peer = new Peer({ settings: { 4: 2 } });
    peer.send(request(1), request(3));
    peer.request(1).answer('0123');
    peer.send(rstStream(1, 8));
    expectIgnored(peer, windowUpdate(0, 10));
    expect(peer.send(settings({ 4: 100 }))).toEqual([{ type: 'SETTINGS', ack: true, values: {} }]);
  });
});

describe('RFC 9113 §5.2 flow control', () => {
  it("the application is told when to wait, and when there is room again", () => {
    const peer = new Peer({ limits: { streamQueueBytes: 1000 }, settings: { 4: 0 } });
    peer.send(request(1));
    const one = peer.request(1);
    one.header();
    expect(one.write(octets(900))).toBe(true);
    expect(one.write(octets(900))).toBe(false);
    expect(one.drains).toBe(0);
    peer.send(windowUpdate(1, 10));
    peer.send(windowUpdate(1, 1790));
    expect(one.drains).toBe(1);
    expect(one.write(octets(10))).toBe(true);
  });

  it('an application that does not wait loses nothing', () => {
    const peer = new Peer({ limits: { streamQueueBytes: 1000 }, settings: { 4: 0 } });
    peer.send(request(1));
    peer.request(1).header();
    for (let at = 0; at < 10; at += 1) peer.request(1).write(octets(5000));
    peer.request(1).trailer();
    peer.send(windowUpdate(1, 60_000));
    expect(peer.body(1)).toEqual(concat(...Array.from({ length: 10 }, () => octets(5000))));
    expect(peer.on(1).at(-1)).toMatchObject({ type: 'HEADERS', end: true });
  });

  it('END_STREAM needs no window: an empty answer ends on a window of 0', () => {
    const peer = new Peer({ settings: { 4: 0 } });
    peer.send(request(1));
    peer.request(1).header([[':status', '200']], true);
    expect(peer.on(1)).toMatchObject([{ type: 'HEADERS', end: true }]);
    expectAlive(peer);
  });

  it('the window that the server announces is what it gives: SETTINGS for streams, WINDOW_UPDATE for the connection', () => {
    const peer = new Peer({ limits: { streamWindowBytes: 123_456, connectionWindowBytes: 1_000_000 }, settings: null });
    const [first, ...rest] = peer.receive();
    expect(first).toMatchObject({ type: 'SETTINGS', values: { 4: 123_456 } });
    expect(rest).toEqual([{ type: 'WINDOW_UPDATE', stream: 0, increment: 1_000_000 - 65_535 }]);
  });
});
