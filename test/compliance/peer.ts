/**
 * A client made of raw bytes, and the application behind the server: both ends of a `ServerConnection`, which is pure,
 * so that what a push leads to is there when it returns.
 */

import { expect } from 'vitest';
import type { HeaderField } from '../../src/wire/index.js';
import { errorCodeName, ServerConnection, type RequestLine, type ServeLimits, type ServerSink, type ServerStream, type StreamHandler } from '../../src/wire/index.js';
import { concat, latin1, type Pair, pairs, PREFACE, settings, text } from '../wire/bytes.js';
import { ping } from './bytes.js';
import { type Frame, Witness } from './frames.js';

export interface PeerOptions {
  readonly limits?: Partial<ServeLimits>;
  /** The client's first SETTINGS; `null` for a client that has not spoken yet. */
  readonly settings?: Readonly<Record<number, number>> | null;
  /** Takes the requests in place of {@link Peer.requests}. */
  readonly request?: ServerSink['request'];
}

/** What the application saw of one request, and its means to answer. */
export class Request {
  private readonly pieces: Uint8Array[] = [];
  /** The client has sent all it will. */
  ended = false;
  /** The application has said all it will. */
  answered = false;
  /** The code of RFC 9113 §7 with which it was cancelled. */
  cancelledWith: string | undefined;
  drains = 0;
  readonly fields: readonly Pair[];

  constructor(
    readonly stream: ServerStream,
    readonly line: RequestLine,
    headers: readonly HeaderField[],
  ) {
    this.fields = pairs(headers);
  }

  /** What the connection tells: nothing after the end, nothing after a cancellation. */
  readonly handler: StreamHandler = {
    data: (bytes, from, to) => {
      this.expectOpen();
      this.pieces.push(bytes.slice(from, to));
    },
    ended: () => {
      this.expectOpen();
      this.ended = true;
    },
    cancelled: (code) => {
      expect(this.cancelledWith).toBeUndefined();
      this.cancelledWith = errorCodeName(code);
    },
    drained: () => {
      expect(this.cancelledWith).toBeUndefined();
      this.drains += 1;
    },
  };

  /** The content so far. */
  get received(): Uint8Array {
    return concat(...this.pieces);
  }

  private expectOpen(): void {
    expect({ ended: this.ended, cancelled: this.cancelledWith }).toEqual({ ended: false, cancelled: undefined });
  }

  header(pairs: readonly Pair[] = [[':status', '200']], end = false): void {
    this.answered ||= end;
    this.stream.sendHeaders(fields(pairs), end);
  }

  write(body: Uint8Array | string): boolean {
    return this.stream.write(new Uint8Array(0), typeof body === 'string' ? latin1(body) : body);
  }

  trailer(pairs: readonly Pair[] = [['grpc-status', '0']]): void {
    this.answered = true;
    this.stream.sendHeaders(fields(pairs), true);
  }

  reset(code: number): void {
    this.answered = true;
    this.stream.reset(code);
  }

  /** A whole answer. */
  answer(body: Uint8Array | string = 'answer'): void {
    this.header();
    this.write(body);
    this.trailer();
  }
}

export const fields = (list: readonly Pair[]): HeaderField[] => list.map(([name, value]) => ({ name, value: latin1(value) }));

export class Peer {
  readonly requests: Request[] = [];
  /** How the connection ended; told once. */
  over: { readonly code: string; readonly reason: string } | undefined;
  /** What the connection takes for the time, in ms. */
  clock = 0;
  readonly connection: ServerConnection;
  readonly witness = new Witness();
  /** Whether `writable` was told since a pull came back empty. */
  private told = false;

  constructor({ limits = {}, settings: first = {}, request: take }: PeerOptions = {}) {
    this.connection = new ServerConnection(
      {
        request: take ?? ((stream, line, headers) => {
          const request = new Request(stream, line, headers);
          this.requests.push(request);
          return request.handler;
        }),
        writable: () => {
          this.told = true;
        },
        over: (code, reason) => {
          expect(this.over).toBeUndefined();
          this.over = { code: errorCodeName(code), reason };
        },
      },
      { limits, now: () => this.clock },
    );
    if (first !== null) this.send(PREFACE, settings(first), settings({}, 1));
  }

  /** The request on a stream. */
  request(id: number): Request {
    const found = this.requests.find(({ stream }) => stream.id === id);
    if (found === undefined) throw new Error(`no request on stream ${id}; there is ${this.requests.map(({ stream }) => stream.id).join(', ')}`);
    return found;
  }

  /** Pushes bytes; @returns what the server sent since the last time. */
  send(...bytes: readonly Uint8Array[]): Frame[] {
    for (const chunk of bytes) {
      this.witness.clientSent(chunk);
      this.connection.push(chunk);
    }
    return this.receive();
  }

  /** Pushes bytes without looking at what comes back: a client that doesn't read. */
  sendUnread(...bytes: readonly Uint8Array[]): void {
    for (const chunk of bytes) {
      this.witness.clientSent(chunk);
      this.connection.push(chunk);
    }
  }

  /** What the server has sent since the last time. */
  receive(): Frame[] {
    const frames: Frame[] = [];
    let chunks = this.connection.pull();
    if (chunks.length > 0) expect(this.told).toBe(true);
    for (; chunks.length > 0; chunks = this.connection.pull()) {
      for (const chunk of chunks) frames.push(...this.witness.serverSent(chunk));
    }
    this.told = false;
    if (this.over !== undefined) this.witness.end();
    return frames;
  }

  /** All that the server has sent so far. */
  get frames(): readonly Frame[] {
    this.receive();
    return this.witness.frames;
  }

  /** The frames of one stream. */
  on(stream: number): readonly Frame[] {
    return this.frames.filter((frame) => 'stream' in frame && frame.stream === stream);
  }

  /** The content of a stream's answer so far. */
  body(stream: number): Uint8Array {
    return concat(...this.on(stream).flatMap((frame) => (frame.type === 'DATA' ? [frame.bytes] : [])));
  }
}

/** The connection goes on: a PING is answered, and nothing else was said. */
export function expectAlive(peer: Peer): void {
  expect(peer.over).toBeUndefined();
  expect(peer.send(ping('alive ? '))).toEqual([{ type: 'PING', ack: true, payload: 'alive ? ' }]);
}

/** RFC 9113 §5.4.1: the last thing that is said is a GOAWAY with this code, and nothing is read after it. */
export function expectConnectionError(peer: Peer, code: string, last?: number): void {
  const goaway = peer.frames.at(-1);
  expect(goaway).toMatchObject({ type: 'GOAWAY', code, ...(last === undefined ? {} : { last }) });
  expect(peer.over).toMatchObject({ code });
  expect(peer.over?.reason).not.toBe('');
  expect(peer.send(ping())).toEqual([]);
  const open = peer.requests.filter(({ answered, cancelledWith }) => !answered && cancelledWith === undefined);
  expect(open.map(({ stream }) => stream.id)).toEqual([]);
}

/** RFC 9113 §5.4.2: the stream is reset with this code, once, and the connection goes on. */
export function expectStreamError(peer: Peer, stream: number, code: string): void {
  expect(peer.on(stream).filter(({ type }) => type === 'RST_STREAM')).toEqual([{ type: 'RST_STREAM', stream, code }]);
  for (const request of peer.requests) if (request.stream.id === stream) expect(request.cancelledWith).toBe(code);
  expectAlive(peer);
}

/** The same octets; of long ones, many times faster than `toEqual`. */
export function expectOctets(got: Uint8Array, expected: Uint8Array): void {
  expect(got).toHaveLength(expected.length);
  const at = got.findIndex((octet, index) => octet !== expected[index]);
  expect(at < 0 ? 'the same octets' : `octet ${at} is ${got[at]}, not ${expected[at]}`).toBe('the same octets');
}

/** Nothing comes back, and the connection goes on. */
export function expectIgnored(peer: Peer, ...bytes: readonly Uint8Array[]): void {
  expect(peer.send(...bytes)).toEqual([]);
  expectAlive(peer);
}

export const bodyText = (peer: Peer, stream: number): string => text(peer.body(stream));
