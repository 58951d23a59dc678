/** Builders for the tests of the cassette: events, folders, recordings. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { Cassette, type CassetteEvent, CassetteWriter, type Closed, type HeaderField, type NewEvent, type NewHeader, type Piece, whole, type WriterOptions } from '../../src/cassette/index.js';

export const header: NewHeader = {
  tool: 'bridgetape 0.1.0',
  startedAt: new Date('2026-01-02T03:04:05.678Z'),
  listen: ['unix:///run/user/tape.sock'],
  upstream: 'unix:///run/buildkit/buildkitd.sock',
  command: ['buildctl', 'build'],
  bodiesLeftOut: ['/moby.buildkit.v1.Control/Session'],
};

export const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
export const fields = (...pairs: readonly (readonly [string, string])[]): HeaderField[] => pairs.map(([name, value]) => ({ name, value: bytes(value) }));

/** A folder that is gone after the test. */
export class Folder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'cassette-test-'));
  readonly file = join(this.path, 'a.cassette');

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** A unary call, as the recorder would append it. */
export function unary(call: number, time: bigint, request: Uint8Array, response: Uint8Array, path = '/moby.buildkit.v1.frontend.LLBBridge/Ping'): NewEvent[] {
  const at = { connection: 1, call };
  return [
    { kind: 'client-header', time, ...at, headers: fields([':method', 'POST'], [':path', path], ['te', 'trailers']) },
    { kind: 'client-message', time: time + 10n, ...at, compressed: false, size: request.length, data: [whole(request)] },
    { kind: 'client-half-close', time: time + 20n, ...at },
    { kind: 'server-header', time: time + 1000n, ...at, headers: fields([':status', '200'], ['content-type', 'application/grpc']) },
    { kind: 'server-message', time: time + 1000n, ...at, compressed: false, size: response.length, data: [whole(response)] },
    { kind: 'server-trailer', time: time + 1001n, ...at, headers: fields(['grpc-status', '0'], ['grpc-message', '']) },
  ];
}

/** One of every kind of event, and every variant of its optional parts. */
export const everyKind: readonly NewEvent[] = [
  { kind: 'connection-open', time: 0n, connection: 1, address: 'unix:///run/user/tape.sock' },
  ...unary(1, 5n, bytes('request'), bytes('response')),
  { kind: 'client-header', time: 2000n, connection: 1, call: 2, headers: [] },
  { kind: 'client-message', time: 2001n, connection: 1, call: 2, compressed: true, size: 123_456_789_012, data: undefined },
  { kind: 'server-message', time: 2001n, connection: 1, call: 2, compressed: false, size: 0, data: [] },
  { kind: 'server-message', time: 1999n, connection: 1, call: 2, compressed: false, size: 6, data: [{ bytes: bytes('xaby'), from: 1, to: 3 }, whole(bytes('')), whole(bytes('cdef'))] },
  { kind: 'server-message', time: 2002n, connection: 1, call: 2, compressed: false, size: 1030, data: [whole(new Uint8Array(1030).fill(7))] },
  { kind: 'reset', time: 2003n, connection: 1, call: 2, side: 'client', code: 8 },
  { kind: 'client-header', time: 2004n, connection: 1, call: 3, headers: fields([':path', '/x'], ['grpc-trace-bin', '\0\x01']) },
  { kind: 'server-trailer', time: 2005n, connection: 1, call: 3, headers: fields(['grpc-status', '9'], ['grpc-message', 'a%20b %E2%82%AC']) },
  { kind: 'client-header', time: 2006n, connection: 2, call: 4, headers: fields([':path', '/open']) },
  { kind: 'gap', time: 2007n, connection: 1, side: 'server', offset: 9_000_000_000, bytes: 17, reason: 'an unknown frame' },
  { kind: 'gap', time: 2008n, connection: 2, call: 4, side: 'client', offset: 0, bytes: 0, reason: '' },
  { kind: 'goaway', time: 2009n, connection: 1, side: 'server', code: 2, debug: bytes('too_many_pings') },
  { kind: 'connection-close', time: 1n << 60n, connection: 1, side: 'client' },
  { kind: 'connection-close', time: (1n << 60n) + 1n, connection: 2, side: undefined, error: 'connection reset (ECONNRESET) – peer' },
];

export function joined(pieces: readonly Piece[]): Uint8Array {
  return new Uint8Array(Buffer.concat(pieces.map(({ bytes: chunk, from, to }) => chunk.subarray(from, to))));
}

/** What a reader should give for appended events. */
export function asRead(events: readonly NewEvent[]): CassetteEvent[] {
  return events.map((event, seq): CassetteEvent => {
    if ('compressed' in event) return { ...event, seq, data: event.data === undefined ? undefined : joined(event.data) };
    return { ...event, seq };
  });
}

/** Deep equality that is quick on long byte arrays, which expect() is not. */
export function expectSame(actual: readonly CassetteEvent[], expected: readonly CassetteEvent[]): void {
  assert.equal(actual.length, expected.length);
  actual.forEach((event, i) => {
    if (!isDeepStrictEqual(event, expected[i])) assert.deepStrictEqual(shortened(event), shortened(expected[i]));
  });
}

function shortened(event: CassetteEvent | undefined): unknown {
  if (event === undefined || !('data' in event) || event.data === undefined || event.data.length < 1000) return event;
  return { ...event, data: createHash('sha256').update(event.data).digest('hex') };
}

export async function record(path: string, events: readonly NewEvent[], options?: WriterOptions, about = header): Promise<Closed> {
  const writer = await CassetteWriter.create(path, about, options);
  for (const event of events) if (!writer.append(event)) await writer.drained();
  return writer.close();
}

export function readAll(path: string): CassetteEvent[] {
  using cassette = Cassette.open(path);
  return [...cassette.events()];
}

/** Like fc.record, but always ordinary objects, as a reader makes them. */
function plain<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true });
}

const side = fc.constantFrom('client' as const, 'server' as const);
const small = fc.nat({ max: 40 }).map((n) => n + 1);
const count = fc.oneof(fc.nat({ max: 300 }), fc.nat(), fc.maxSafeNat());
const time = fc.oneof(fc.bigInt(0n, 5000n), fc.bigInt(0n, (1n << 62n) - 1n), fc.bigInt(-(1n << 62n), 1n << 53n));
const text = fc.oneof(fc.string(), fc.string({ unit: 'binary', maxLength: 80 }));
const name = fc.oneof(fc.constantFrom(':path', ':method', ':status', 'grpc-status', 'grpc-message'), fc.array(fc.nat({ max: 255 }), { maxLength: 60 }).map((codes) => String.fromCharCode(...codes)));
const blob = fc.oneof(fc.uint8Array({ maxLength: 80 }), fc.tuple(fc.nat({ max: 9000 }), fc.nat({ max: 3 })).map(([length, fill]) => new Uint8Array(length).fill(fill)));
/** Some of a longer chunk, as the decoder gives it. */
const piece = fc.tuple(blob, fc.nat({ max: 9 }), fc.nat({ max: 9 })).map(([chunk, before, after]): Piece => {
  const from = Math.min(before, chunk.length);
  return { bytes: chunk, from, to: Math.max(from, chunk.length - after) };
});
const headers = fc.array(plain({ name, value: fc.uint8Array({ maxLength: 70 }) }), { maxLength: 20 });

export const anyEvent: fc.Arbitrary<NewEvent> = fc.oneof(
  plain({ kind: fc.constant('connection-open' as const), time, connection: small, address: text }),
  plain({ kind: fc.constant('connection-open' as const), time, connection: small, address: text, protocol: fc.oneof(fc.constant('http/1.1'), text) }),
  plain({ kind: fc.constant('connection-open' as const), time, connection: small, address: text, upgradeOf: small }),
  plain({ kind: fc.constant('connection-close' as const), time, connection: small, side: fc.option(side, { nil: undefined }) }),
  plain({ kind: fc.constant('connection-close' as const), time, connection: small, side: fc.option(side, { nil: undefined }), error: text }),
  plain({ kind: fc.constantFrom('client-header' as const, 'server-header' as const, 'server-trailer' as const), time, connection: small, call: small, headers }),
  plain({ kind: fc.constantFrom('client-message' as const, 'server-message' as const), time, connection: small, call: small, compressed: fc.boolean(), data: fc.array(piece, { maxLength: 4 }) })
    .map((event) => ({ ...event, size: event.data.reduce((sum, { from, to }) => sum + to - from, 0) })),
  plain({ kind: fc.constantFrom('client-message' as const, 'server-message' as const), time, connection: small, call: small, compressed: fc.boolean(), size: count, data: fc.constant(undefined) }),
  plain({ kind: fc.constant('client-half-close' as const), time, connection: small, call: small }),
  plain({ kind: fc.constant('reset' as const), time, connection: small, call: small, side, code: count }),
  plain({ kind: fc.constant('goaway' as const), time, connection: small, side, code: count, debug: fc.uint8Array() }),
  plain({ kind: fc.constant('gap' as const), time, connection: small, side, offset: count, bytes: count, reason: text }),
  plain({ kind: fc.constant('gap' as const), time, connection: small, call: small, side, offset: count, bytes: count, reason: text }),
);

export const anyEvents = fc.array(anyEvent, { maxLength: 60 });
