/** What holds for any sequence of answers, and for any cutting of requests. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { ConnectionDecoder, type GrpcCall, grpcRequests, ServerConnection, type WireEvent } from '../../src/wire/index.js';
import { concat, data, frame, message, PREFACE, requestHeader, settings, TYPE, uint32 } from './bytes.js';

const STREAMS = [1, 3, 5] as const;
const INITIAL_WINDOW_SIZE = 4;
const WINDOW_UPDATE = 8;
const MAX_FRAME_SIZE = 5;

type Step =
  | { readonly kind: 'send'; readonly stream: number; readonly bytes: number }
  | { readonly kind: 'pull' }
  | { readonly kind: 'window'; readonly stream: number; readonly increment: number }
  | { readonly kind: 'initial-window'; readonly bytes: number }
  | { readonly kind: 'end'; readonly stream: number };

const stream = fc.constantFrom(...STREAMS);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('send' as const), stream, bytes: fc.oneof(fc.nat(100), fc.constantFrom(0, 4095, 4096, 4097, 16_379, 16_380, 70_000)) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('pull' as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('window' as const), stream: fc.constantFrom(0, ...STREAMS), increment: fc.integer({ min: 1, max: 100_000 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('initial-window' as const), bytes: fc.nat(100_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('end' as const), stream }) },
);

/** A server connection, and what its client makes of all that it pulls. */
class Wire {
  readonly calls = new Map<number, GrpcCall>();
  readonly events: WireEvent[] = [];
  readonly connection: ServerConnection;
  private readonly decoder = new ConnectionDecoder((event) => this.events.push(event));
  private next = 0;

  constructor() {
    const request = grpcRequests((call) => {
      this.calls.set(STREAMS[this.next++] ?? 0, call);
      return { message: () => undefined, halfClose: () => undefined, cancelled: () => undefined, drained: () => undefined };
    });
    this.connection = new ServerConnection({ request, writable: () => undefined, over: () => undefined });
    this.push(concat(PREFACE, settings({ [MAX_FRAME_SIZE]: 16_384 }), ...STREAMS.map((id) => requestHeader(id, { end: true }))));
  }

  push(bytes: Uint8Array): void {
    this.decoder.push('client', bytes, 0n);
    this.connection.push(bytes);
  }

  pull(): void {
    for (let chunks = this.connection.pull(); chunks.length > 0; chunks = this.connection.pull()) {
      // A copy: what was pulled must not be changed by what comes after it.
      for (const chunk of chunks) this.decoder.push('server', Uint8Array.from(chunk), 0n);
    }
  }

  messages(id: number): string[] {
    return this.events.flatMap((event) =>
      event.kind === 'server-message' && event.stream === id ? [(event.data ?? []).map(({ bytes, from, to }) => Buffer.from(bytes.subarray(from, to)).toString('hex')).join('')] : [],
    );
  }
}

describe('answers', () => {
  test.prop([fc.array(step, { maxLength: 80 })], { numRuns: 300 })('arrive whole and in order, whatever the windows and whenever they are pulled', (steps) => {
    const wire = new Wire();
    const sent = new Map<number, string[]>(STREAMS.map((id) => [id, []]));
    const ended = new Set<number>();
    let count = 0;
    for (const one of steps) {
      switch (one.kind) {
        case 'send': {
          if (ended.has(one.stream)) break;
          count += 1;
          const payload = Buffer.alloc(one.bytes, count);
          sent.get(one.stream)?.push(payload.toString('hex'));
          wire.calls.get(one.stream)?.send(payload);
          break;
        }
        case 'pull':
          wire.pull();
          break;
        case 'window':
          wire.push(frame(WINDOW_UPDATE, 0, one.stream, uint32(one.increment)));
          break;
        case 'initial-window':
          wire.push(settings({ [INITIAL_WINDOW_SIZE]: one.bytes }));
          break;
        case 'end':
          ended.add(one.stream);
          wire.calls.get(one.stream)?.end([{ name: 'grpc-status', value: Buffer.from('0') }]);
      }
    }
    // Every window is opened wide.
    wire.push(concat(settings({ [INITIAL_WINDOW_SIZE]: 2 ** 30 }), frame(WINDOW_UPDATE, 0, 0, uint32(2 ** 30))));
    wire.pull();
    for (const id of STREAMS) {
      expect(wire.messages(id)).toEqual(sent.get(id));
      expect(wire.events.some((event) => event.kind === 'server-trailer' && event.stream === id)).toBe(ended.has(id));
    }
    expect(wire.events.filter(({ kind }) => kind === 'gap')).toEqual([]);
    expect(wire.connection.pendingBytes).toBe(0);
    expect(wire.connection.openStreams).toBe(STREAMS.length - ended.size);
  });
});

describe('requests', () => {
  const cuts = fc.array(fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 40_000 })), { minLength: 1, maxLength: 20 });
  const bodies = fc.array(fc.oneof(fc.nat(100), fc.constantFrom(0, 16_379, 16_384, 66_000, 140_000)), { maxLength: 8 });

  test.prop([bodies, fc.integer({ min: 30, max: 16_384 }), cuts], { numRuns: 200 })('come as the messages that they are, however they are cut into frames and reads', (lengths, frameBytes, lengthsOfReads) => {
    const messages: string[] = [];
    let halfClosed = 0;
    const request = grpcRequests(() => ({
      message: (payload) => messages.push(Buffer.from(payload).toString('hex')),
      halfClose: () => {
        halfClosed += 1;
      },
      cancelled: () => undefined,
      drained: () => undefined,
    }));
    const connection = new ServerConnection({ request, writable: () => undefined, over: () => undefined });
    const payloads = lengths.map((length, at) => Buffer.alloc(length, at + 1));
    const content = concat(...payloads.map((payload) => message(payload)));
    const frames = Array.from({ length: Math.ceil(content.length / frameBytes) }, (_, at) => data(1, content.subarray(at * frameBytes, (at + 1) * frameBytes)));
    const bytes = concat(PREFACE, settings(), requestHeader(1), ...frames, frame(TYPE.data, 1, 1));
    for (let at = 0, read = 0; at < bytes.length; read += 1) {
      const length = lengthsOfReads[read % lengthsOfReads.length] ?? 1;
      connection.push(bytes.subarray(at, at + length));
      at += length;
    }
    expect(messages).toEqual(payloads.map((payload) => payload.toString('hex')));
    expect(halfClosed).toBe(1);
  });
});
