/** Recordings of real peers (fixtures/make.mjs), and what their applications said happened. */

import { readFileSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';
import type { Side } from '../../src/wire/index.js';

/** What the applications know of one call. */
export interface Fact {
  readonly path: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Messages as `size:sha256[:16]`; other values longer than 100 characters likewise. */
  readonly sent: readonly string[];
  readonly received: readonly string[];
  readonly compressed?: boolean;
  readonly halfClosed: boolean;
  readonly cancelled?: boolean;
  readonly clientTrailers?: boolean;
  /** `code` is the name RFC 9113 §7 gives it. */
  readonly reset?: { readonly side: Side; readonly code: string };
  /** gRPC status; absent where the server sent none. */
  readonly code?: number;
  readonly message?: string;
  readonly header?: Readonly<Record<string, readonly string[]>>;
  readonly trailer?: Readonly<Record<string, readonly string[]>>;
  /** The value of `x-call`, by which a call is found. */
  readonly call?: string;
}

export interface Run {
  readonly side: Side;
  readonly bytes: Uint8Array;
}

export interface Fixture {
  readonly what: string;
  readonly calls: readonly Fact[];
  /** What crossed, in order. */
  readonly runs: readonly Run[];
}

export const FIXTURES = [
  'go-go',
  'go-go-table-256',
  'js-go-table-0',
  'go-js',
  'js-js',
  'go-nghttpx',
  'node-node-table-changes',
  'node-node-padded',
  'nghttp-node',
  'node-nghttpd',
] as const;

export function fixture(name: (typeof FIXTURES)[number]): Fixture {
  const text = readFileSync(new URL(`fixtures/${name}.json`, import.meta.url), 'utf8');
  const { what, calls, bytes } = JSON.parse(text) as { what: string; calls: Fact[]; bytes: string };
  const packed = inflateRawSync(Buffer.from(bytes, 'base64'));
  const runs: Run[] = [];
  for (let at = 0; at < packed.length; ) {
    const length = packed.readUInt32BE(at + 1);
    runs.push({ side: packed[at] === 0 ? 'client' : 'server', bytes: packed.subarray(at + 5, at + 5 + length) });
    at += 5 + length;
  }
  return { what, calls, runs };
}
