/** RFC 9113 §5 Streams and Multiplexing. */

import { describe, expect, it } from 'vitest';
import { concat, data, FLAG, frame, goaway, headers, latin1, literals, rstStream, settings, TYPE } from '../wire/bytes.js';
import { continuation, ping, priority, requestBlock, windowUpdate } from './bytes.js';
import { expectAlive, expectConnectionError, expectIgnored, expectStreamError, Peer } from './peer.js';

const request = (stream: number, end = false): Uint8Array => headers(stream, requestBlock(), { end });
const trailers = (stream: number): Uint8Array => headers(stream, literals(['x-trailer', 'of a client']), { end: true });

/** Every frame that has a stream, on that stream. */
const FRAMES = {
  DATA: (stream: number) => data(stream, latin1('content')),
  HEADERS: (stream: number) => trailers(stream),
  PRIORITY: (stream: number) => priority(stream),
  RST_STREAM: (stream: number) => rstStream(stream, 8),
  PUSH_PROMISE: (stream: number) => frame(TYPE.pushPromise, FLAG.endHeaders, stream, concat(Uint8Array.of(0, 0, 0, 2), requestBlock())),
  WINDOW_UPDATE: (stream: number) => windowUpdate(stream, 1),
  CONTINUATION: (stream: number) => continuation(stream, new Uint8Array(0), FLAG.endHeaders),
};
type FrameName = keyof typeof FRAMES;

/** How a stream gets into a state, and what each frame leads to there. */
interface State {
  readonly name: string;
  readonly enter: (peer: Peer) => void;
  readonly answers: Readonly<Record<FrameName, 'accepted' | 'ignored' | `stream ${string}` | `connection ${string}`>>;
}

const STATES: readonly State[] = [
  {
    name: 'idle',
    enter: () => undefined,
    answers: {
      DATA: 'connection PROTOCOL_ERROR',
      // Trailers as the first header list: a malformed request.
      HEADERS: 'stream PROTOCOL_ERROR',
      PRIORITY: 'ignored',
      RST_STREAM: 'connection PROTOCOL_ERROR',
      PUSH_PROMISE: 'connection PROTOCOL_ERROR',
      WINDOW_UPDATE: 'connection PROTOCOL_ERROR',
      CONTINUATION: 'connection PROTOCOL_ERROR',
    },
  },
  {
    name: 'open',
    enter: (peer) => peer.send(request(1)),
    answers: {
      DATA: 'accepted',
      HEADERS: 'accepted',
      PRIORITY: 'ignored',
      RST_STREAM: 'accepted',
      PUSH_PROMISE: 'connection PROTOCOL_ERROR',
      WINDOW_UPDATE: 'ignored',
      CONTINUATION: 'connection PROTOCOL_ERROR',
    },
  },
  {
    name: 'half-closed (remote): the client has sent END_STREAM',
    enter: (peer) => peer.send(request(1, true)),
    answers: {
      DATA: 'stream STREAM_CLOSED',
      HEADERS: 'stream STREAM_CLOSED',
      PRIORITY: 'ignored',
      RST_STREAM: 'accepted',
      PUSH_PROMISE: 'connection PROTOCOL_ERROR',
      WINDOW_UPDATE: 'ignored',
      CONTINUATION: 'connection PROTOCOL_ERROR',
    },
  },
  {
    name: 'closed: both sides have sent END_STREAM',
    enter: (peer) => {
      peer.send(request(1, true));
      peer.request(1).answer();
      peer.receive();
    },
    answers: {
      DATA: 'connection STREAM_CLOSED',
      HEADERS: 'connection STREAM_CLOSED',
      PRIORITY: 'ignored',
      RST_STREAM: 'ignored',
      PUSH_PROMISE: 'connection PROTOCOL_ERROR',
      WINDOW_UPDATE: 'ignored',
      CONTINUATION: 'connection PROTOCOL_ERROR',
    },
  },
  {
    name: 'closed: the client has reset it',
    enter: (peer) => peer.send(request(1), rstStream(1, 8)),
    answers: {
      DATA: 'stream STREAM_CLOSED',
      HEADERS: 'stream STREAM_CLOSED',
      PRIORITY: 'ignored',
      RST_STREAM: 'ignored',
      PUSH_PROMISE: 'connection PROTOCOL_ERROR',
      WINDOW_UPDATE: 'ignored',
      CONTINUATION: 'connection PROTOCOL_ERROR',
    },
  },
  {
    name: 'closed: the server has reset it, and the client may not know yet',
    enter: (peer) => {
      peer.send(request(1));
      peer.request(1).reset(8);
      peer.receive();
    },
    answers: {
      DATA: 'ignored',
      HEADERS: 'ignored',
      PRIORITY: 'ignored',
      RST_STREAM: 'ignored',
      PUSH_PROMISE: 'connection PROTOCOL_ERROR',
      WINDOW_UPDATE: 'ignored',
      CONTINUATION: 'connection PROTOCOL_ERROR',
    },
  },
  {
    name: 'closed: the client went past it',
    enter: (peer) => peer.send(request(3)),
    answers: {
      // Streams below the highest one used are closed (§5.1.1), like those that are over for so long that they are forgotten.
      DATA: 'stream STREAM_CLOSED',
      HEADERS: 'connection PROTOCOL_ERROR',
      PRIORITY: 'ignored',
      RST_STREAM: 'ignored',
      PUSH_PROMISE: 'connection PROTOCOL_ERROR',
      WINDOW_UPDATE: 'ignored',
      CONTINUATION: 'connection PROTOCOL_ERROR',
    },
  },
];

describe.each(STATES)('RFC 9113 §5.1 a stream that is $name', ({ enter, answers }) => {
  it.each(Object.entries(answers))('%s: %s', (name, answer) => {
    const peer = new Peer();
    enter(peer);
    peer.receive();
    const [kind = '', code = ''] = answer.split(' ');
    const bytes = FRAMES[name as FrameName](1);
    if (kind === 'ignored') {
      expectIgnored(peer, bytes);
      return;
    }
    const frames = peer.send(bytes);
    if (kind === 'connection') {
      expectConnectionError(peer, code);
    } else if (kind === 'accepted') {
      expect(frames).toEqual([]);
      expectAlive(peer);
      const { received, ended, cancelledWith } = peer.request(1);
      expect({ received: received.length, ended, cancelledWith }).toEqual({
        received: name === 'DATA' ? 'content'.length : 0,
        ended: name === 'HEADERS' || answers.DATA === 'stream STREAM_CLOSED',
        cancelledWith: name === 'RST_STREAM' ? 'CANCEL' : undefined,
      });
    } else {
      expect(frames).toEqual([{ type: 'RST_STREAM', stream: 1, code }]);
      expectAlive(peer);
    }
  });
});

describe('RFC 9113 §5.1 stream states', () => {
  it('a frame on a half-closed stream cancels what was being answered', () => {
    const peer = new Peer();
    peer.send(request(1, true), data(1, latin1('more')));
    expectStreamError(peer, 1, 'STREAM_CLOSED');
    peer.request(1).answer();
    expect(peer.receive()).toEqual([]);
  });

  it("DATA on a stream that the server reset still counts against the connection's window, and is given back to it", () => {
    const peer = new Peer({ limits: { connectionWindowBytes: 100_000, streamWindowBytes: 90_000 } });
    peer.send(request(1));
    peer.request(1).reset(8);
    peer.receive();
    const given: number[] = [];
    for (let sent = 0; sent < 10 * 16_384; sent += 16_384) {
      for (const answer of peer.send(data(1, new Uint8Array(16_384)))) if (answer.type === 'WINDOW_UPDATE' && answer.stream === 0) given.push(answer.increment);
    }
    expect(given.length).toBeGreaterThan(0);
    expect(given.reduce((sum, increment) => sum + increment, 0)).toBeGreaterThanOrEqual(160_000 - 100_000);
    expectAlive(peer);
  });

  it('HEADERS with END_STREAM, DATA with END_STREAM and trailers each end a request', () => {
    const peer = new Peer();
    peer.send(request(1, true), request(3), data(3, latin1('x'), { end: true }), request(5), data(5, latin1('x')), trailers(5), request(7), data(7, new Uint8Array(0), { end: true }));
    expect(peer.requests.map(({ ended }) => ended)).toEqual([true, true, true, true]);
    expectAlive(peer);
  });

  it('a request can be answered to the end before the client has sent all: END_STREAM, then RST_STREAM NO_ERROR (§8.1)', () => {
    const peer = new Peer();
    peer.send(request(1));
    peer.request(1).answer('early');
    expect(peer.on(1).map((sent) => (sent.type === 'RST_STREAM' ? sent.code : sent.type))).toEqual(['HEADERS', 'DATA', 'HEADERS', 'NO_ERROR']);
    expect(peer.request(1).cancelledWith).toBeUndefined();
    expectIgnored(peer, data(1, latin1('still coming')), trailers(1));
  });
});

describe('RFC 9113 §5.1.1 stream identifiers', () => {
  it.each([2, 4, 2 ** 31 - 2])('a request on the even stream %d is a connection error PROTOCOL_ERROR', (id) => {
    const peer = new Peer();
    peer.send(request(id, true));
    expectConnectionError(peer, 'PROTOCOL_ERROR', 0);
    expect(peer.requests).toEqual([]);
  });

  it('a client stream id that is lower than one before is a connection error PROTOCOL_ERROR', () => {
    const peer = new Peer();
    peer.send(request(5, true), request(3, true));
    expectConnectionError(peer, 'PROTOCOL_ERROR', 5);
    expect(peer.requests).toHaveLength(1);
  });

  it('ids may be left out', () => {
    const peer = new Peer();
    peer.send(request(1, true), request(101, true), request(2 ** 31 - 1, true));
    expect(peer.requests.map(({ stream }) => stream.id)).toEqual([1, 101, 2 ** 31 - 1]);
    expectAlive(peer);
  });

  it.each(['DATA', 'HEADERS', 'PRIORITY', 'RST_STREAM', 'PUSH_PROMISE', 'CONTINUATION'] as const)('%s on stream 0 is a connection error PROTOCOL_ERROR', (name) => {
    const peer = new Peer();
    peer.send(FRAMES[name](0));
    expectConnectionError(peer, 'PROTOCOL_ERROR');
  });

  it.each(['DATA', 'RST_STREAM', 'WINDOW_UPDATE'] as const)("%s on an even stream, which only the server could open, is a connection error PROTOCOL_ERROR", (name) => {
    const peer = new Peer();
    peer.send(request(5), FRAMES[name](2));
    expectConnectionError(peer, 'PROTOCOL_ERROR');
  });
});

describe('RFC 9113 §5.1.2 stream concurrency', () => {
  it('SETTINGS_MAX_CONCURRENT_STREAMS is announced', () => {
    const [first] = new Peer({ limits: { concurrentStreams: 77 }, settings: null }).receive();
    expect(first).toMatchObject({ type: 'SETTINGS', values: { 3: 77 } });
  });

  it('a stream beyond it is refused with REFUSED_STREAM, and never reaches the application', () => {
    const peer = new Peer({ limits: { concurrentStreams: 2 } });
    peer.send(request(1), request(3, true));
    expect(peer.send(request(5))).toEqual([{ type: 'RST_STREAM', stream: 5, code: 'REFUSED_STREAM' }]);
    expect(peer.requests).toHaveLength(2);
    expectIgnored(peer, data(5, latin1('on its way'), { end: true }));
  });

  it.each([
    ['answered to its end', (peer: Peer) => peer.request(3).answer()],
    ['reset by the client', (peer: Peer) => peer.send(rstStream(3, 8))],
    ['reset by the server', (peer: Peer) => peer.request(3).reset(8)],
  ])('a stream that was %s counts no more', (_, close) => {
    const peer = new Peer({ limits: { concurrentStreams: 2 } });
    peer.send(request(1), request(3, true));
    close(peer);
    peer.send(request(5, true));
    expect(peer.request(5).ended).toBe(true);
    expectAlive(peer);
  });

  it('a stream that the client has ended and that was not answered yet counts', () => {
    const peer = new Peer({ limits: { concurrentStreams: 1 } });
    peer.send(request(1, true), request(3, true));
    expectStreamError(peer, 3, 'REFUSED_STREAM');
  });

  it("a refused stream's header block still is decoded (§4.3)", () => {
    const peer = new Peer({ limits: { concurrentStreams: 1 } });
    const added = Uint8Array.of(0x40, 3, ...latin1('x-a'), 1, ...latin1('b'));
    peer.send(request(1, true), headers(3, concat(requestBlock(), added), { end: true }));
    peer.request(1).answer();
    peer.send(headers(5, concat(requestBlock(), Uint8Array.of(0x80 | 62)), { end: true }));
    expect(peer.request(5).fields.at(-1)).toEqual(['x-a', 'b']);
  });
});

describe('RFC 9113 §5.3 prioritization', () => {
  it('PRIORITY is ignored, even before its stream is opened', () => {
    const peer = new Peer();
    expectIgnored(peer, priority(1), priority(7, 3), priority(2));
    peer.send(request(1, true));
    expect(peer.requests).toHaveLength(1);
  });

  it('the priority fields of HEADERS are skipped', () => {
    const peer = new Peer();
    peer.send(headers(1, requestBlock(), { priority: true, end: true }), headers(5, requestBlock(), { priority: true, padding: 9, end: true }));
    expect(peer.requests.map(({ ended }) => ended)).toEqual([true, true]);
    expectAlive(peer);
  });
});

describe('RFC 9113 §5.4 errors', () => {
  it('§5.4.1 a connection error names the last stream that may have been acted on, and says why', () => {
    const peer = new Peer();
    peer.send(request(1, true), request(7), frame(TYPE.ping, 0, 0, latin1('short')));
    expectConnectionError(peer, 'FRAME_SIZE_ERROR', 7);
    const goaway = peer.frames.at(-1);
    expect(goaway?.type === 'GOAWAY' && goaway.debug).toMatch(/PING/);
  });

  it('§5.4.1 nothing that follows it is read, in the same chunk or after it', () => {
    const peer = new Peer();
    peer.send(request(1), concat(settings({ 2: 5 }), ping(), request(3, true), data(1, latin1('x'), { end: true }), windowUpdate(0, 0)));
    expectConnectionError(peer, 'PROTOCOL_ERROR', 1);
    expect(peer.requests).toHaveLength(1);
    expect(peer.request(1).received).toHaveLength(0);
  });

  it('§5.4.1 what was open is cancelled with the same code', () => {
    const peer = new Peer();
    peer.send(request(1), request(3, true));
    peer.request(3).answer();
    peer.send(request(5, true), settings({ 2: 5 }));
    expect(peer.requests.map(({ cancelledWith }) => cancelledWith)).toEqual(['PROTOCOL_ERROR', undefined, 'PROTOCOL_ERROR']);
    peer.request(1).answer();
    expect(peer.receive()).toEqual([]);
    expectConnectionError(peer, 'PROTOCOL_ERROR');
  });

  it('§5.4.2 RST_STREAM is never answered with RST_STREAM', () => {
    const peer = new Peer();
    peer.send(request(1), request(3, true));
    expectIgnored(peer, rstStream(1, 2), rstStream(1, 2), rstStream(3, 0), rstStream(3, 0x1234));
    expect(peer.requests.map(({ cancelledWith }) => cancelledWith)).toEqual(['INTERNAL_ERROR', 'NO_ERROR']);
  });

  it('§5.4.2 an error on one stream leaves the others alone', () => {
    const peer = new Peer();
    peer.send(request(1), request(3), windowUpdate(1, 0), data(3, latin1('unharmed'), { end: true }));
    expectStreamError(peer, 1, 'PROTOCOL_ERROR');
    peer.request(3).answer('fine');
    expect(peer.on(3).map(({ type }) => type)).toEqual(['HEADERS', 'DATA', 'HEADERS']);
  });

  it("§5.4.3 when the client closes the connection, what was open is cancelled and nothing more is sent", () => {
    const peer = new Peer();
    peer.send(request(1), request(3, true));
    peer.connection.end();
    expect(peer.requests.map(({ cancelledWith }) => cancelledWith)).not.toContain(undefined);
    peer.request(3).answer();
    expect(peer.over).toBeDefined();
    expect(peer.receive().filter(({ type }) => type !== 'GOAWAY')).toEqual([]);
  });
});

describe('RFC 9113 §6.8 what goes on after a GOAWAY', () => {
  it("the client's, without an error, leaves open streams to be answered, and the connection ends after the last one", () => {
    const peer = new Peer();
    peer.send(request(1, true), request(3));
    peer.send(goaway(0, 0, 'shutting down'));
    expectAlive(peer);
    peer.send(data(3, latin1('rest'), { end: true }));
    peer.request(1).answer('one');
    peer.receive();
    expectAlive(peer);
    peer.request(3).answer('three');
    for (const id of [1, 3]) expect(peer.on(id).map(({ type }) => type)).toEqual(['HEADERS', 'DATA', 'HEADERS']);
    expect(peer.over).toMatchObject({ code: 'NO_ERROR' });
  });

  it("the client's, without an error and with no stream open, ends the connection", () => {
    const peer = new Peer();
    peer.send(request(1, true));
    peer.request(1).answer();
    peer.receive();
    expect(peer.send(goaway(0, 0))).toEqual([]);
    expect(peer.over).toMatchObject({ code: 'NO_ERROR' });
  });

  it("the client's with CANCEL ends the connection without an error, and cancels what was open", () => {
    const peer = new Peer();
    peer.send(request(1, true), request(3));
    expect(peer.send(goaway(0, 8))).toEqual([]);
    expect(peer.over).toMatchObject({ code: 'NO_ERROR' });
    expect(peer.requests.map(({ cancelledWith }) => cancelledWith)).toEqual(['CANCEL', 'CANCEL']);
  });

  it.each([
    ['PROTOCOL_ERROR', 1],
    ['INTERNAL_ERROR', 2],
    ['ENHANCE_YOUR_CALM', 11],
    ['unknown error code 0xffffffff', 0xffffffff],
  ])("the client's with %s ends the connection, and cancels what was open", (name, code) => {
    const peer = new Peer();
    peer.send(request(1, true), request(3));
    expect(peer.send(goaway(0, code, 'met an error'))).toEqual([]);
    expect(peer.over).toMatchObject({ code: name });
    expect(peer.requests.map(({ cancelledWith }) => cancelledWith)).toEqual([name, name]);
    peer.request(1).answer();
    expect(peer.send(ping())).toEqual([]);
  });

  it('draining announces the end first, then says which streams were still taken, and ends when those are over', () => {
    const peer = new Peer();
    peer.send(request(1, true));
    peer.connection.drain();
    const announced = peer.receive();
    expect(announced[0]).toMatchObject({ type: 'GOAWAY', last: 2 ** 31 - 1, code: 'NO_ERROR' });
    const probe = announced.find(({ type }) => type === 'PING');
    if (probe?.type !== 'PING') throw new Error('no PING to know by when the client has the GOAWAY');
    // On its way when the GOAWAY came: still served.
    peer.send(request(3, true));
    expect(peer.requests).toHaveLength(2);
    expect(peer.send(ping(probe.payload, FLAG.ack))).toMatchObject([{ type: 'GOAWAY', last: 3, code: 'NO_ERROR' }]);
    peer.request(1).answer();
    expect(peer.over).toBeUndefined();
    peer.request(3).answer();
    peer.receive();
    expect(peer.over).toMatchObject({ code: 'NO_ERROR' });
    expect(peer.on(3)).toHaveLength(3);
  });

  it('draining a connection without streams ends it at once, or when the client has answered', () => {
    const peer = new Peer();
    peer.connection.drain();
    const probe = peer.receive().find(({ type }) => type === 'PING');
    if (probe?.type === 'PING') peer.send(ping(probe.payload, FLAG.ack));
    expect(peer.over).toMatchObject({ code: 'NO_ERROR' });
    expect(peer.frames.at(-1)).toMatchObject({ type: 'GOAWAY', last: 0, code: 'NO_ERROR' });
  });

  /** One that has said that stream 1 is its last, and then got another. */
  const refusesThree = (): Peer => {
    const peer = new Peer();
    peer.send(request(1, true));
    peer.connection.drain();
    const probe = peer.receive().find(({ type }) => type === 'PING');
    if (probe?.type === 'PING') peer.send(ping(probe.payload, FLAG.ack));
    peer.send(request(3, true));
    return peer;
  };

  it('a stream that comes after the last one was named is not served', () => {
    const peer = refusesThree();
    expect(peer.requests).toHaveLength(1);
    // Its answer is silence, or a refusal: either way the client can try it elsewhere.
    for (const sent of peer.on(3)) expect(sent).toEqual({ type: 'RST_STREAM', stream: 3, code: 'REFUSED_STREAM' });
    peer.request(1).answer();
    expect(peer.on(1)).toHaveLength(3);
  });

  it('an error after the last stream was named names none beyond it, though one was refused since', () => {
    const peer = refusesThree();
    peer.send(frame(TYPE.ping, 0, 0, new Uint8Array(3)));
    expect(peer.frames.at(-1)).toMatchObject({ type: 'GOAWAY', last: 1, code: 'FRAME_SIZE_ERROR' });
  });

  it('an abort says why in its last frame, and sends no answer after it', () => {
    const peer = new Peer();
    peer.send(request(1, true));
    peer.connection.abort(2, 'something is broken');
    expect(peer.receive()).toMatchObject([{ type: 'GOAWAY', last: 1, code: 'INTERNAL_ERROR' }]);
    expect(peer.over).toMatchObject({ code: 'INTERNAL_ERROR' });
    peer.request(1).answer();
    expect(peer.receive()).toEqual([]);
  });
});
