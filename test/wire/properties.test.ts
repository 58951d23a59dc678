/** What holds for any bytes, any chunking and any header list. */

import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import type { Side, WireEvent } from '../../src/wire/index.js';
import { HpackDecoder, HpackFailure } from '../../src/wire/hpack-decoder.js';
import { DEFAULT_LIMITS, type Limits } from '../../src/wire/limits.js';
import {
  concat,
  data,
  frame,
  goaway,
  headers,
  hex,
  indexedLiterals,
  literals,
  message,
  type Pair,
  pairs,
  PREFACE,
  pushPromise,
  requestHeader,
  responseHeader,
  rstStream,
  settings,
  trailer,
} from './bytes.js';
import { fixture, FIXTURES, type Run } from './fixture.js';
import { HpackEncoder, type Way } from './hpack-encoder.js';
import { body, line, Tap } from './tap.js';

/** Pushes runs cut into chunks whose lengths `cuts` gives, over and over. */
function decode(runs: readonly Run[], cuts: readonly number[], limits: Partial<Limits> = {}): WireEvent[] {
  const tap = new Tap({ limits });
  let next = 0;
  for (const { side, bytes } of runs) {
    for (let at = 0; at < bytes.length; ) {
      const length = cuts[next++ % cuts.length] ?? 1;
      tap.push(side, [bytes.subarray(at, at + length)]);
      at += length;
    }
  }
  return tap.end('client', 'server').events;
}

const lengths = fc.array(fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 3000 })), { minLength: 1, maxLength: 20 });
const octets = fc.uint8Array({ maxLength: 60 });
const streamId = fc.constantFrom(1, 3, 5, 2, 0, 7);

/** Frames of all kinds, most of them well made, on a few streams. */
const anyFrame: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ stream: streamId, end: fc.boolean(), split: fc.integer({ min: 1, max: 200 }) }).map(({ stream, end, split }) => requestHeader(stream, { end, split })) },
  { weight: 6, arbitrary: fc.record({ stream: streamId, end: fc.boolean(), padding: fc.nat(9) }).map(({ stream, end, padding }) => responseHeader(stream, { end, padding })) },
  { weight: 2, arbitrary: streamId.map(trailer) },
  { weight: 12, arbitrary: fc.record({ stream: streamId, body: octets, padding: fc.option(fc.nat(20), { nil: undefined }), end: fc.boolean() }).map(({ stream, body, padding, end }) => data(stream, message(body), { end, ...(padding === undefined ? {} : { padding }) })) },
  { weight: 4, arbitrary: fc.record({ stream: streamId, content: octets, end: fc.boolean() }).map(({ stream, content, end }) => data(stream, content, { end })) },
  { weight: 2, arbitrary: fc.tuple(streamId, fc.nat(13)).map(([stream, code]) => rstStream(stream, code)) },
  { weight: 1, arbitrary: fc.tuple(streamId, octets).map(([stream, block]) => headers(stream, block)) },
  { weight: 1, arbitrary: fc.constantFrom(0, 100, 4096, 10_000).map((bytes) => settings({ 1: bytes })) },
  { weight: 1, arbitrary: fc.constant(goaway(1, 0, 'bye')) },
  { weight: 1, arbitrary: streamId.map((stream) => pushPromise(stream, 2, indexedLiterals([':path', '/p']))) },
  { weight: 1, arbitrary: streamId.map((stream) => headers(stream, literals([':status', '103']))) },
  { weight: 1, arbitrary: streamId.map((stream) => headers(stream, literals([':status', '200'], ['content-type', 'text/html']))) },
  { weight: 2, arbitrary: fc.record({ type: fc.nat(12), flags: fc.nat(255), stream: streamId, payload: octets }).map(({ type, flags, stream, payload }) => frame(type, flags, stream, payload)) },
  { weight: 1, arbitrary: octets },
);

const anyRuns: fc.Arbitrary<Run[]> = fc
  .array(fc.record({ side: fc.constantFrom<Side>('client', 'server'), bytes: fc.array(anyFrame, { maxLength: 6 }).map((frames) => concat(...frames)) }), { maxLength: 12 })
  .map((runs) => [{ side: 'client', bytes: concat(PREFACE, settings()) }, { side: 'server', bytes: settings() }, { side: 'client', bytes: requestHeader(1) }, ...runs]);

describe('any chunking of the same bytes gives the same events', () => {
  test.prop([anyRuns, lengths], { numRuns: 400 })('of frames of all kinds', (runs, cuts) => {
    expect(decode(runs, cuts).map(line)).toEqual(decode(runs, [Infinity]).map(line));
  });

  test.prop([anyRuns, lengths], { numRuns: 400 })('under bounds that are reached', (runs, cuts) => {
    const tight = { messageBytes: 40, heldBytes: 60, openStreams: 2, headerFields: 5, headerBlockBytes: 150, controlFrameBytes: 12 };
    expect(decode(runs, cuts, tight).map(line)).toEqual(decode(runs, [Infinity], tight).map(line));
  });

  test.prop([fc.constantFrom(...FIXTURES), lengths], { numRuns: 30 })('of what real peers sent', (name, cuts) => {
    const { runs } = fixture(name);
    expect(decode(runs, cuts).map(line)).toEqual(decode(runs, [Infinity]).map(line));
  });

  test.each(FIXTURES)('of %s, octet by octet', (name) => {
    const { runs } = fixture(name);
    expect(decode(runs, [1]).map(line)).toEqual(decode(runs, [Infinity]).map(line));
  });
});

describe('any bytes', () => {
  test.prop([fc.array(fc.tuple(fc.constantFrom<Side>('client', 'server'), fc.uint8Array({ maxLength: 400 })))], { numRuns: 500 })(
    'are survived, from the first octet on',
    (pushes) => {
      decode(pushes.map(([side, bytes]) => ({ side, bytes })), [Infinity]);
    },
  );

  test.prop([anyRuns, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 30 })], { numRuns: 500 })(
    'in place of some of a good connection are survived, and what is held stays in its bounds',
    (runs, strikes) => {
      const limits = { heldBytes: 100, openStreams: 3, messageBytes: 200 };
      const tap = new Tap({ limits });
      for (const [turn, { side, bytes }] of runs.entries()) {
        const struck = Uint8Array.from(bytes);
        for (const [at, octet] of turn === 0 ? [] : strikes) if (struck.length > 0) struck[at % struck.length] = octet;
        tap.push(side, [struck]);
        expect(tap.decoder.load.heldBytes).toBeLessThanOrEqual(limits.heldBytes);
        expect(tap.decoder.load.openStreams).toBeLessThanOrEqual(limits.openStreams);
      }
      tap.end('client', 'server');
      expect(tap.decoder.load).toEqual({ openStreams: 0, heldBytes: 0 });
    },
  );

  test.prop([fc.uint8Array({ maxLength: 200 })], { numRuns: 1000 })('as a header block give a list or a failure', (block) => {
    const fields = new HpackDecoder(DEFAULT_LIMITS).decode(block, 0, block.length);
    expect(fields instanceof HpackFailure || Array.isArray(fields)).toBe(true);
  });
});

describe('gRPC messages', () => {
  const bodies = fc.array(fc.tuple(fc.uint8Array({ maxLength: 300 }), fc.boolean()), { maxLength: 12 });
  const cuts = fc.array(fc.tuple(fc.nat(80), fc.option(fc.nat(255), { nil: undefined })), { minLength: 1, maxLength: 15 });

  test.prop([bodies, cuts, lengths], { numRuns: 300 })('come out whole, whatever DATA frames, padding and chunks they cross in', (sent, frames, chunks) => {
    const bytes = concat(...sent.map(([one, compressed]) => message(one, compressed)));
    const parts: Uint8Array[] = [];
    for (let at = 0, next = 0; at < bytes.length; next += 1) {
      const [length, padding] = frames[next % frames.length] ?? [1, undefined];
      const content = bytes.subarray(at, at + Math.max(length, next % frames.length === 0 ? 1 : 0));
      parts.push(data(1, content, padding === undefined ? {} : { padding }));
      at += content.length;
    }
    const events = decode(
      [{ side: 'client', bytes: concat(PREFACE, settings(), requestHeader(1), ...parts, data(1, hex(''), { end: true })) }],
      chunks,
    );
    const got = events.flatMap((event) => (event.kind === 'client-message' ? [[body(event), event.compressed]] : []));
    expect(got).toEqual(sent);
    expect(events.filter(({ kind }) => kind === 'gap')).toEqual([]);
  });
});

describe('header lists', () => {
  const name = fc.oneof(fc.constantFrom('x-a', 'x-b', ':path', 'grpc-timeout'), fc.string({ unit: 'binary-ascii', maxLength: 40 }));
  const value = fc.oneof(fc.constantFrom('', 'same', '0'), fc.uint8Array({ maxLength: 90 }).map((bytes) => String.fromCharCode(...bytes)));
  const way = fc.constantFrom<Way>('indexed', 'add', 'plain', 'never');
  const field = fc.record({ pair: fc.tuple(name, value), way, huffman: fc.boolean() });
  const list = fc.record({ resize: fc.option(fc.constantFrom(0, 40, 200, 4096), { nil: undefined }), fields: fc.array(field, { maxLength: 12 }) });

  test.prop([fc.array(list, { maxLength: 12 })], { numRuns: 400 })('are read as they were encoded, in any of the ways there are', (lists) => {
    const encoder = new HpackEncoder();
    const decoder = new HpackDecoder(DEFAULT_LIMITS);
    for (const { resize, fields } of lists) {
      const block = concat(
        resize === undefined ? hex('') : encoder.resize(resize),
        ...fields.map(({ pair, way, huffman }) => encoder.field(pair as Pair, way, huffman)),
      );
      const got = decoder.decode(block, 0, block.length);
      expect(got instanceof HpackFailure ? got : pairs(got)).toEqual(fields.map(({ pair }) => pair));
    }
  });
});

