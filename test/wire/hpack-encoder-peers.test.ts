/** Node's own HTTP/2 client (nghttp2) reads our blocks: a decoder that has nothing to do with ours. */

import { fc, test } from '@fast-check/vitest';
import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, sensitiveHeaders } from 'node:http2';
import { Duplex } from 'node:stream';
import { describe, expect } from 'vitest';
import { HpackEncoder } from '../../src/wire/hpack-encoder.js';
import { treatmentOf } from '../../src/wire/hpack-policy.js';
import { FLAG, headers, type Pair, PREFACE, settings, TYPE } from './bytes.js';
import { block } from './hpack-block.js';

/** A server that answers each request with the next two lists, as header and trailers, and takes on each SETTINGS. */
class Server extends Duplex {
  readonly blocks: Uint8Array[] = [];
  private unread = Buffer.alloc(0);
  private greeted = false;
  private readonly answers: (readonly [Pair[], Pair[]])[] = [];

  constructor(private readonly encoder: HpackEncoder) {
    super();
  }

  willAnswer(header: Pair[], trailers: Pair[]): void {
    this.answers.push([header, trailers]);
  }

  override _read(): void {
    // What there is was pushed.
  }

  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.unread = Buffer.concat([this.unread, chunk]);
    if (!this.greeted && this.unread.length >= PREFACE.length) {
      this.unread = this.unread.subarray(PREFACE.length);
      this.greeted = true;
      this.push(settings());
    }
    while (this.greeted && this.unread.length >= 9 && this.unread.length >= 9 + this.unread.readUIntBE(0, 3)) {
      const length = 9 + this.unread.readUIntBE(0, 3);
      this.frame(this.unread.subarray(0, length));
      this.unread = this.unread.subarray(length);
    }
    done();
  }

  private frame(frame: Buffer): void {
    const type = frame[3];
    if (type === TYPE.settings && (frame[4]! & FLAG.ack) === 0) {
      for (let at = 9; at < frame.length; at += 6) {
        if (frame.readUInt16BE(at) === 1) this.encoder.allowTableBytes(frame.readUInt32BE(at + 2));
      }
      this.push(settings({}, FLAG.ack));
    } else if (type === TYPE.headers) {
      const stream = frame.readUInt32BE(5);
      const [header, trailers] = this.answers.shift()!;
      for (const [list, end] of [[header, false], [trailers, true]] as const) {
        const bytes = block(this.encoder, list);
        this.blocks.push(bytes);
        this.push(headers(stream, bytes, { end, split: 16_384 }));
      }
    }
  }
}

interface Answer {
  readonly header: Pair[];
  readonly trailers: Pair[];
  /** Names that came as never indexed (RFC 7541 §6.2.3). */
  readonly sensitive: string[];
}

type Incoming = [fields: { readonly [sensitiveHeaders]?: string[] }, flags: number, raw: string[]];

async function request(client: ClientHttp2Session): Promise<Answer> {
  const stream: ClientHttp2Stream = client.request({ ':path': '/' });
  stream.resume();
  const [[head, , header], [tail, , trailers]] = (await Promise.all([once(stream, 'response'), once(stream, 'trailers'), once(stream, 'end')])) as [Incoming, Incoming, unknown];
  return {
    header: inPairs(header),
    trailers: inPairs(trailers),
    sensitive: [...(head[sensitiveHeaders] ?? []), ...(tail[sensitiveHeaders] ?? [])],
  };
}

function inPairs(raw: readonly string[]): Pair[] {
  return Array.from({ length: raw.length / 2 }, (_, at): Pair => [raw[2 * at]!, raw[2 * at + 1]!]);
}

async function withClient(encoder: HpackEncoder, use: (client: ClientHttp2Session, server: Server) => Promise<void>): Promise<void> {
  const server = new Server(encoder);
  const client = connect('http://localhost', { createConnection: () => server });
  const failed = new Promise<never>((_, reject) => client.on('error', reject).on('goaway', (code) => reject(new Error(`GOAWAY ${code}`))));
  try {
    await Promise.race([use(client, server), failed]);
  } finally {
    client.destroy();
  }
}

async function announce(client: ClientHttp2Session, headerTableSize: number): Promise<void> {
  await new Promise<void>((resolve, reject) => client.settings({ headerTableSize }, (error) => (error === null ? resolve() : reject(error))));
}

const FIXED = ['x-a', 'x-b', 'grpc-status', 'grpc-message', 'server', 'x-registry-auth', 'set-cookie', 'age'];
const anyName = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...FIXED) },
  { weight: 1, arbitrary: fc.stringMatching(/^x-[a-z0-9!#$%&'*+.^_`|~-]{1,20}$/) },
);
const anyValue = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('', '0', 'application/grpc', 'v'.repeat(60), 'w'.repeat(300)) },
  { weight: 2, arbitrary: fc.stringMatching(/^[!-~]([ -~]{0,60}[!-~])?$/) },
  { weight: 1, arbitrary: fc.base64String({ maxLength: 3000 }) },
);
const anyList = fc.array(fc.tuple(anyName, anyValue), { maxLength: 10 });
const anyAnswer = fc.record({
  announced: fc.oneof({ weight: 3, arbitrary: fc.constant<number[]>([]) }, { weight: 1, arbitrary: fc.array(fc.constantFrom(0, 50, 300, 4096, 16_384), { minLength: 1, maxLength: 3 }) }),
  header: anyList.map((list): Pair[] => [[':status', '200'], ...list]),
  trailers: anyList.map((list): Pair[] => [['grpc-status', '0'], ...list]),
});

describe("Node's HTTP/2 client", () => {
  test.prop([fc.array(anyAnswer, { minLength: 1, maxLength: 15 }), fc.constantFrom(0, 200, 4096, 16_384)], { numRuns: 60 })(
    'reads any answers, through changes of its table size, and takes secrets for what they are',
    async (answers, ownBound) => {
      await withClient(new HpackEncoder(ownBound), async (client, server) => {
        for (const { announced, header, trailers } of answers) {
          for (const bytes of announced) await announce(client, bytes);
          server.willAnswer(header, trailers);
          expect(await request(client)).toEqual({
            header,
            trailers,
            sensitive: [...header, ...trailers].map(([name]) => name).filter((name) => treatmentOf(name) === 'never'),
          });
        }
      });
    },
  );

  test('reads a table that shrank and grew between two blocks', async () => {
    await withClient(new HpackEncoder(), async (client, server) => {
      const header: Pair[] = [[':status', '200'], ['x-a', 'v'.repeat(100)]];
      const trailers: Pair[] = [['grpc-status', '0'], ['x-b', '1']];
      for (const sizes of [[], [100, 4096], [], [0, 4096]]) {
        for (const bytes of sizes) await announce(client, bytes);
        server.willAnswer(header, trailers);
        expect(await request(client)).toEqual({ header, trailers, sensitive: [] });
      }
      // Twice, the first of its blocks was told of both sizes; the last is from the table alone.
      expect(server.blocks.map((bytes) => bytes[0] === 0x20)).toEqual([false, false, true, false, false, false, true, false]);
      expect(server.blocks[5]).toHaveLength(2);
    });
  });

  test('reads values as long as it takes them, over several frames', async () => {
    await withClient(new HpackEncoder(), async (client, server) => {
      const header: Pair[] = [[':status', '200'], ['x-long', 'x'.repeat(60_000)]];
      const trailers: Pair[] = [['grpc-status', '2'], ['grpc-status-details-bin', Buffer.alloc(45_000, 'details ').toString('base64')]];
      server.willAnswer(header, trailers);
      expect(await request(client)).toEqual({ header, trailers, sensitive: [] });
    });
  });
});
