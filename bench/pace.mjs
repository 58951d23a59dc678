// Section "pace": how far from its recorded time a message comes when a replay keeps the recorded pace.
import { Buffer } from 'node:buffer';
import { join } from 'node:path';
import { count } from './figures.mjs';
import { replayer } from './middles.mjs';
import { run } from './processes.mjs';
import { inFolder } from './replay.mjs';

const LIMIT_MS = 1;
const PER_SECOND = 1000;
const SECONDS = 60;
/** One stream that talks a thousand times a second, and twenty that do so together. */
const TALKS = [1, 20];

/**
 * A cassette of streams that begin together and say in each message when that is due, in ns after the request.
 * @param {string} file
 * @param {number} streams
 * @param {number} seconds
 */
async function writeTalk(file, streams, seconds) {
  // Not known before the build.
  const { CassetteWriter } = await import(new URL('../dist/cassette/index.js', import.meta.url).href);
  const writer = await CassetteWriter.create(file, { tool: 'bench', startedAt: new Date(), listen: [], upstream: 'unix:///nobody', bodiesLeftOut: [] });
  /** @param {Record<string, string>} fields */
  const headers = (fields) => Object.entries(fields).map(([name, value]) => ({ name, value: Buffer.from(value) }));
  /** @param {object} event @param {bigint} time */
  const append = (event, time = 0n) => writer.append({ connection: 1, time, ...event });
  /** @param {number} value */
  const uint64 = (value) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(BigInt(value));
    return bytes;
  };
  /** @param {number} call @param {string} path @param {Buffer} request */
  const asks = (call, path, request) => {
    append({ kind: 'client-header', call, headers: headers({ ':method': 'POST', ':scheme': 'http', ':path': path, ':authority': 'localhost', 'content-type': 'application/grpc', te: 'trailers' }) });
    append({ kind: 'client-message', call, ...message(request) });
  };
  /** @param {number} call @param {bigint} time */
  const ends = (call, time) => append({ kind: 'server-trailer', call, headers: headers({ 'grpc-status': '0' }) }, time);
  /** @param {Buffer} bytes */
  const message = (bytes) => ({ compressed: false, size: bytes.length, data: [{ bytes, from: 0, to: bytes.length }] });
  const answers = headers({ ':status': '200', 'content-type': 'application/grpc' });

  append({ kind: 'connection-open', address: 'unix:///nobody' });
  asks(1, '/bench.Clock/Ready', Buffer.alloc(0));
  append({ kind: 'client-half-close', call: 1 });
  append({ kind: 'server-header', call: 1, headers: answers });
  append({ kind: 'server-message', call: 1, ...message(Buffer.alloc(0)) });
  ends(1, 0n);
  for (let stream = 0; stream < streams; stream++) {
    asks(stream + 2, '/bench.Clock/Talk', uint64(stream));
    append({ kind: 'server-header', call: stream + 2, headers: answers });
  }
  const messages = PER_SECOND * seconds;
  // As irregular as a program's output is, and the same in each run.
  let seed = 1;
  const jitter = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed % 1_000_000;
  };
  for (let at = 0; at < messages; at++) {
    const due = 5_000_000 + at * (1e9 / PER_SECOND) + jitter();
    append({ kind: 'server-message', call: (at % streams) + 2, ...message(uint64(due)) }, BigInt(due));
    if (at % 1000 === 0) await writer.drained();
  }
  for (let stream = 0; stream < streams; stream++) ends(stream + 2, BigInt((seconds + 1) * 1e9));
  append({ kind: 'connection-close', side: 'client' }, BigInt((seconds + 1) * 1e9));
  await writer.close();
}

/** @param {import('./forward.mjs').Bench} bench @returns {Promise<import('./forward.mjs').Section>} */
export async function pace(bench) {
  const seconds = Math.max(1, Math.round(SECONDS * bench.scale));
  return inFolder(bench.folder, async (folder) => {
    const measured = [];
    for (const streams of TALKS) {
      bench.say(`pace: ${streams} streams for ${seconds} s`);
      const file = join(folder, `${streams}.cassette`);
      const socket = join(folder, 'talk.sock');
      await writeTalk(file, streams, seconds);
      const server = await replayer(file, socket, [], ['--pace', '1']);
      try {
        /** @type {{ messages: number, p50Ms: number, p99Ms: number, maxMs: number }} */
        const result = JSON.parse(await run('the client', [bench.program, 'timed', '--to', `unix://${socket}`, '--streams', String(streams)], { within: 330_000 }));
        if (result.messages !== PER_SECOND * seconds) throw new Error(`${result.messages} messages came, not ${PER_SECOND * seconds}`);
        measured.push({ streams, ...result });
      } finally {
        await server.end();
      }
    }
    /** @param {number} value */
    const format = (value) => value.toFixed(2);
    return {
      title: 'Error of a message’s time at the recorded pace',
      method: [
        `A cassette holds ${count(PER_SECOND)} messages a second for ${seconds} s at irregular times, on one stream and spread over several. A replay with --pace 1 plays it; a Go client takes how far from its recorded time each message comes, too early or too late, counted from its own request.`,
      ],
      header: ['streams', 'messages', 'p50 (ms)', 'p99 (ms)', 'max (ms)'],
      rows: measured.map(({ streams, messages, p50Ms, p99Ms, maxMs }) => [String(streams), count(messages), format(p50Ms), format(p99Ms), format(maxMs)]),
      goals: measured.map(({ streams, p99Ms }) => ({ what: `error of a message’s time, ${streams} at once, p99 (ms)`, measured: p99Ms, limit: LIMIT_MS, better: 'lower', format })),
      data: measured,
    };
  });
}
