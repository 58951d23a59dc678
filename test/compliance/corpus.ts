/** What real clients sent, cut into frames: the fixtures of test/wire, and the client's side of the shipped cassettes. */

import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Cassette } from '../../src/cassette/index.js';
import { concat, data, FLAG, frame, headers, latin1, message, PREFACE, rstStream, settings, TYPE } from '../wire/bytes.js';
import { fixture, FIXTURES } from '../wire/fixture.js';
import { HpackEncoder } from '../wire/hpack-encoder.js';
import { windowUpdate } from './bytes.js';

export interface RealClient {
  readonly name: string;
  /** What follows the preface. */
  readonly frames: readonly Uint8Array[];
}

/** Content that is longer says nothing new to a server, and takes its time. */
const MAX_FRAME = 700;

export function splitFrames(bytes: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let at = 0; at + 9 <= bytes.length; ) {
    const length = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    frames.push(bytes.subarray(at, at + 9 + length));
    at += 9 + length;
  }
  return frames;
}

export function realClients(): readonly RealClient[] {
  return [...fixtures(), ...cassettes()].map(({ name, frames }) => ({ name, frames: frames.filter((one) => one[3] !== TYPE.data || one.length <= MAX_FRAME) }));
}

function fixtures(): RealClient[] {
  return FIXTURES.map((name) => {
    const sent = concat(...fixture(name).runs.filter(({ side }) => side === 'client').map(({ bytes }) => bytes));
    return { name, frames: splitFrames(sent.subarray(PREFACE.length)) };
  });
}

/** A cassette has no frames: they are made anew, one for each event, all on one connection. */
function cassettes(): RealClient[] {
  const folder = fileURLToPath(new URL('../../cassettes/', import.meta.url));
  return readdirSync(folder)
    .filter((name) => name.endsWith('.cassette'))
    .map((name) => {
      using cassette = Cassette.open(`${folder}${name}`);
      const encoder = new HpackEncoder();
      const events = cassette.calls.flatMap(({ id }) => cassette.call(id)).sort((a, b) => a.seq - b.seq);
      const frames = [settings({ 4: 1_000_000 }), windowUpdate(0, 1_000_000)];
      for (const event of events) {
        if (!('call' in event) || typeof event.call !== 'number') continue;
        const stream = 2 * event.call - 1;
        if (event.kind === 'client-header') {
          const fields = event.headers.map(({ name: field, value }) => [field, Buffer.from(value).toString('latin1')] as const);
          frames.push(headers(stream, concat(...fields.map((field, at) => encoder.field(field, at % 4 === 3 ? 'plain' : 'indexed', at % 2 === 0)))));
        } else if (event.kind === 'client-message') {
          const body = event.data ?? latin1('left out');
          const bytes = message(body, event.compressed);
          for (let at = 0; at < bytes.length; at += 16_384) frames.push(data(stream, bytes.subarray(at, at + 16_384)));
        } else if (event.kind === 'client-half-close') {
          frames.push(frame(TYPE.data, FLAG.endStream, stream));
        } else if (event.kind === 'reset' && event.side === 'client') {
          frames.push(rstStream(stream, event.code));
        }
      }
      return { name, frames };
    });
}
