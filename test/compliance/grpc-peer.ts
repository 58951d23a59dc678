/** A client made of raw bytes, in front of a gRPC application that does what a test says. */

import { expect } from 'vitest';
import type { GrpcCall, GrpcHandler } from '../../src/wire/index.js';
import { grpcRequests } from '../../src/wire/index.js';
import { headers, literals, type Pair, pairs } from '../wire/bytes.js';
import { requestFields } from './bytes.js';
import type { Frame } from './frames.js';
import { fields, Peer, type PeerOptions } from './peer.js';

/** What the application saw of one call, and its means to answer. */
export class SeenCall implements GrpcHandler {
  readonly messages: Uint8Array[] = [];
  halfClosed = false;
  wasCancelled = false;

  constructor(readonly call: GrpcCall) {}

  message(payload: Uint8Array): void {
    expect({ halfClosed: this.halfClosed, wasCancelled: this.wasCancelled }).toEqual({ halfClosed: false, wasCancelled: false });
    expect(payload).toBeInstanceOf(Uint8Array);
    this.messages.push(Uint8Array.from(payload));
  }

  halfClose(): void {
    expect({ halfClosed: this.halfClosed, wasCancelled: this.wasCancelled }).toEqual({ halfClosed: false, wasCancelled: false });
    this.halfClosed = true;
  }

  cancelled(): void {
    expect(this.wasCancelled).toBe(false);
    this.wasCancelled = true;
  }

  drained(): void {
    expect(this.wasCancelled).toBe(false);
  }

  get headers(): readonly Pair[] {
    return pairs(this.call.headers);
  }

  sendHeaders(list: readonly Pair[]): void {
    this.call.sendHeaders(fields(list));
  }

  end(list: readonly Pair[] = [['grpc-status', '0']]): boolean {
    return this.call.end(fields(list));
  }
}

export class GrpcPeer extends Peer {
  readonly calls: SeenCall[];

  constructor({ limits = {}, ...options }: PeerOptions = {}) {
    const calls: SeenCall[] = [];
    const request = grpcRequests((call) => {
      const seen = new SeenCall(call);
      calls.push(seen);
      return seen;
    }, limits);
    super({ ...options, limits, request });
    this.calls = calls;
  }

  /** Opens a call, with some fields of an ordinary one changed. */
  open(stream = 1, changes: Readonly<Record<string, string | undefined>> = {}, end = false): SeenCall | undefined {
    const before = this.calls.length;
    this.send(headers(stream, literals(...requestFields({ ...GRPC, ...changes })), { end }));
    return this.calls[before];
  }

  /** The same, of a call that has to be accepted. */
  accepted(stream = 1, changes: Readonly<Record<string, string | undefined>> = {}, end = false): SeenCall {
    const call = this.open(stream, changes, end);
    if (call === undefined) throw new Error(`the call was refused: ${JSON.stringify(this.on(stream))}`);
    return call;
  }
}

const GRPC: Readonly<Record<string, string>> = { 'content-type': 'application/grpc', te: 'trailers' };

export interface Answer {
  readonly status: string | undefined;
  readonly message: string | undefined;
  readonly fields: readonly Pair[];
  readonly frames: readonly Frame['type'][];
}

/** How a call ended, by its last header list. */
export function answerOf(peer: Peer, stream = 1): Answer {
  const frames = peer.on(stream);
  const last = frames.flatMap((frame) => (frame.type === 'HEADERS' ? [frame] : [])).at(-1);
  if (last?.end !== true) throw new Error(`stream ${stream} has no trailers: ${JSON.stringify(frames)}`);
  const value = (name: string): string | undefined => last.fields.find(([own]) => own === name)?.[1];
  return { status: value('grpc-status'), message: value('grpc-message'), fields: last.fields, frames: frames.map(({ type }) => type) };
}

