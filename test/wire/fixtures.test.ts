/** What real peers sent is read as what their applications said they sent. */

import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { errorCodeName, type HeaderField, type WireEvent } from '../../src/wire/index.js';
import { text } from './bytes.js';
import { type Fact, fixture, FIXTURES } from './fixture.js';
import { body, Tap } from './tap.js';

function eventsOf(name: (typeof FIXTURES)[number]): WireEvent[] {
  const tap = new Tap();
  for (const { side, bytes } of fixture(name).runs) tap.push(side, [bytes]);
  return tap.end('client', 'server').events;
}

function digest(bytes: Uint8Array): string {
  return `${bytes.length}:${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`;
}

function short(value: string): string {
  return value.length > 100 ? digest(Buffer.from(value)) : value;
}

function valuesOf(headers: readonly HeaderField[], name: string): string[] {
  return headers.filter((field) => field.name === name).map((field) => short(text(field.value)));
}

function headersOf(events: readonly WireEvent[], kind: 'client-header' | 'server-header' | 'server-trailer') {
  for (const event of events) if (event.kind === kind) return event.headers;
  return undefined;
}

/** The bodies as the application had them before compression. */
function bodies(events: readonly WireEvent[], kind: 'client-message' | 'server-message'): string[] {
  const found: string[] = [];
  for (const event of events) {
    if (event.kind !== kind) continue;
    const bytes = body(event) ?? new Uint8Array(0);
    expect(bytes.length).toBe(event.size);
    found.push(digest(event.compressed ? gunzipSync(bytes) : bytes));
  }
  return found;
}

/** The events of each call, in the order of the facts: by `x-call` where a fact has one, else in stream order. */
function callsOf(events: readonly WireEvent[], facts: readonly Fact[]): WireEvent[][] {
  const streams = events.flatMap((event) => (event.kind === 'client-header' ? [event] : []));
  expect(streams).toHaveLength(facts.length);
  return facts.map((fact, at) => {
    const header =
      fact.call === undefined
        ? streams[at]
        : streams.find(({ headers }) => valuesOf(headers, 'x-call').includes(fact.call ?? ''));
    return events.filter((event) => 'stream' in event && event.stream === header?.stream);
  });
}

describe.each(FIXTURES)('%s', (name) => {
  const { what, calls } = fixture(name);
  const events = eventsOf(name);
  const isGrpc = ({ path }: Fact) => path.startsWith('/fixture.Peer/');

  test(`${what}: each call is read as its application made it`, () => {
    const found = callsOf(events, calls);
    for (const [at, fact] of calls.entries()) {
      const own = found[at]!;
      const header = headersOf(own, 'client-header') ?? [];
      expect(valuesOf(header, ':path')).toEqual([fact.path]);
      for (const [field, value] of Object.entries(fact.metadata ?? {})) expect(valuesOf(header, field)).toEqual([value]);

      expect(bodies(own, 'client-message')).toEqual(fact.sent);
      expect(bodies(own, 'server-message')).toEqual(fact.received);
      for (const event of own) {
        // Whether the server compresses its answer is its own affair: grpc-go does, grpc-js doesn't.
        if (event.kind === 'client-message') expect(event.compressed).toBe(fact.compressed ?? false);
      }
      // Without a half-close by the application, libraries differ: grpc-js ends the stream as it cancels.
      if (fact.halfClosed) expect(own.filter(({ kind }) => kind === 'client-half-close')).toHaveLength(1);

      for (const [field, values] of Object.entries(fact.header ?? {})) {
        expect(valuesOf(headersOf(own, 'server-header') ?? [], field)).toEqual(values);
      }
      const trailer = headersOf(own, 'server-trailer');
      for (const [field, values] of Object.entries(fact.trailer ?? {})) expect(valuesOf(trailer ?? [], field)).toEqual(values);
      if (fact.cancelled === true) {
        expect(own.filter(({ kind }) => kind === 'reset')).toMatchObject([{ side: 'client', code: 8 }]);
        expect(trailer).toBeUndefined();
      } else if (fact.reset !== undefined) {
        const reset = own.find((event) => event.kind === 'reset');
        expect([reset?.side, errorCodeName(reset?.code ?? -1)]).toEqual([fact.reset.side, fact.reset.code]);
      } else if (fact.code !== undefined) {
        expect(valuesOf(trailer ?? [], 'grpc-status')).toEqual([String(fact.code)]);
        if (fact.message !== undefined) {
          expect(valuesOf(trailer ?? [], 'grpc-message').map(decodeURIComponent)).toEqual([fact.message]);
        }
      } else {
        expect(trailer).toBeDefined();
      }
    }
  });

  test('there is a gap only where something is not gRPC', () => {
    const known = calls.flatMap((fact) => {
      if (!isGrpc(fact)) return ['client', 'server']; // the request's body and the response's
      return fact.clientTrailers === true ? ['client'] : [];
    });
    const gaps = events.filter((event) => event.kind === 'gap');
    expect(gaps.map(({ side }) => side).sort()).toEqual(known.sort());
  });
});
