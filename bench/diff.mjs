// Section "diff": two long recordings of one build held against each other.
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { count, median } from './figures.mjs';
import { cli } from './middles.mjs';
import { peakMemory, start } from './processes.mjs';
import { inFolder } from './replay.mjs';

const CALLS = 100_000;
const LIMIT_S = 5;
const LIMIT_MB = 500;
/** What twice as many calls may take, of time and of memory. */
const LIMIT_TWICE = 2.2;
/** After each Solve so many reads of its result, every fourth a StatFile. */
const READS = 19;
const BRIDGE = '/moby.buildkit.v1.frontend.LLBBridge/';
/** The true differences of the second recording: a command, a path, an answer, an end, a call. */
const DIFFERENCES = 5;

/**
 * One build that solves a step, reads in it, and solves the next one.
 * @param {string} file
 * @param {number} calls
 * @param {'first' | 'second'} which the second has other ids and times, and the differences
 */
async function writeBuild(file, calls, which) {
  // Not known before the build.
  const { CassetteWriter } = await import(new URL('../dist/cassette/index.js', import.meta.url).href);
  const { bytesField, concat, varintField } = await import(new URL('../dist/bridge/index.js', import.meta.url).href);
  const writer = await CassetteWriter.create(file, { tool: 'bench', startedAt: new Date(), listen: [], upstream: 'unix:///nobody', bodiesLeftOut: [] });
  /** @param {number} number @param {string} value */
  const text = (number, value) => bytesField(number, Buffer.from(value));
  /** @param {number} number @param {Uint8Array[]} parts */
  const message = (number, ...parts) => bytesField(number, concat(parts));
  /** @param {string} value */
  const digest = (value) => createHash('sha256').update(`${which} ${value}`).digest();
  /** As BuildKit makes them up. @param {string} name */
  const id = (name) => Array.from(digest(name).subarray(0, 25), (byte) => (byte % 36).toString(36)).join('');
  /** @param {Record<string, string>} fields */
  const headers = (fields) => Object.entries(fields).map(([name, value]) => ({ name, value: Buffer.from(value) }));
  const build = id('build');
  const answers = headers({ ':status': '200', 'content-type': 'application/grpc' });
  const ok = headers({ 'grpc-status': '0' });
  let time = 0n;
  /** @param {object} event */
  const append = (event) => {
    time += 25_000n;
    writer.append({ connection: 1, time, ...event });
  };
  /** @param {Uint8Array} bytes */
  const body = (bytes) => ({ compressed: false, size: bytes.length, data: [{ bytes: Buffer.from(bytes), from: 0, to: bytes.length }] });
  let call = 0;
  /** @param {string} path @param {Uint8Array} request @param {Uint8Array} [answer] none: it is not found */
  const crosses = (path, request, answer) => {
    call += 1;
    const of = path.startsWith(BRIDGE) ? { 'buildkit-controlapi-buildid': build } : {};
    append({ kind: 'client-header', call, headers: headers({ ':method': 'POST', ':scheme': 'http', ':path': path, ':authority': 'localhost', 'content-type': 'application/grpc', te: 'trailers', ...of }) });
    append({ kind: 'client-message', call, ...body(request) });
    append({ kind: 'client-half-close', call });
    append({ kind: 'server-header', call, headers: answers });
    if (answer !== undefined) append({ kind: 'server-message', call, ...body(answer) });
    append({ kind: 'server-trailer', call, headers: answer === undefined ? headers({ 'grpc-status': '5', 'grpc-message': 'no such file' }) : ok });
  };

  const source = concat([message(3, text(1, 'local://context'), message(2, text(1, 'local.session'), text(2, id('session'))))]);
  /** @param {Uint8Array} op */
  const named = (op) => `sha256:${createHash('sha256').update(op).digest('hex')}`;
  /** @param {number} step @param {string} script */
  const graph = (step, script) => {
    const run = concat([
      message(1, text(1, named(source))),
      message(2, message(1, text(1, '/bin/sh'), text(1, '-c'), text(1, script), text(2, 'PATH=/bin'), text(2, `STEP=${step}`), text(3, '/src')), message(2, text(3, '/'))),
    ]);
    const said = message(2, text(1, named(run)), message(2, message(2, text(1, 'llb.customname'), text(2, `[${step}] ${script}`))));
    return concat([message(1, source), message(1, run), message(1, message(1, text(1, named(run)))), said]);
  };

  append({ kind: 'connection-open', address: 'unix:///nobody' });
  crosses('/moby.buildkit.v1.Control/Solve', text(1, build), Buffer.alloc(0));
  // Each at a place of its own in the middle of the build.
  const [other, otherPath, otherAnswer, notFound, more] = [0.3, 0.4, 0.5, 0.6, 0.7].map((part) => (which === 'second' ? Math.round((calls / (READS + 1)) * part) : -1));
  const last = which === 'second' ? calls + 1 : calls;
  for (let step = 0; call < last; step++) {
    const ref = id(`ref ${step}`);
    const definition = graph(step, step === other ? `make all of ${step}` : `make part${step}`);
    crosses(`${BRIDGE}Solve`, concat([bytesField(1, definition), varintField(5, 1), varintField(6, 1)]), message(3, message(3, text(1, ref), bytesField(2, definition))));
    for (let read = 0; read < READS && call < last; read++) {
      const name = `/src/part${step % 500}/file${read}.go`;
      if (read % 4 === 3) {
        const stat = concat([text(1, `file${read}.go`), varintField(2, 0o644), varintField(5, 1000 + read), varintField(6, which === 'first' ? 1_700_000_000 : 1_800_000_000)]);
        crosses(`${BRIDGE}StatFile`, concat([text(1, ref), text(2, name)]), step === notFound && read === 3 ? undefined : bytesField(1, stat));
        continue;
      }
      const data = `package part${step}\n\n// File ${read} ${'of a part '.repeat(1 + (read % 7) * 6)}\n${step === otherAnswer && read === 0 ? 'var more int\n' : ''}`;
      crosses(`${BRIDGE}ReadFile`, concat([text(1, ref), text(2, step === otherPath && read === 0 ? '/src/elsewhere.go' : name)]), text(1, data));
      if (step === more && read === 0) crosses(`${BRIDGE}ReadFile`, concat([text(1, ref), text(2, '/src/go.mod')]), text(1, 'module example\n'));
    }
    await writer.drained();
  }
  crosses(`${BRIDGE}Return`, Buffer.alloc(0), Buffer.alloc(0));
  append({ kind: 'connection-close', side: 'client' });
  await writer.close();
}

/**
 * One `bridgetape diff`, from the start of its process to its end.
 * @param {string} before
 * @param {string} after
 */
async function timeDiff(before, after) {
  const began = performance.now();
  const process_ = await start('bridgetape diff', [process.execPath, cli, 'diff', before, after]);
  let [out, peak, over] = ['', 0, false];
  process_.child.stdout?.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
    out += text;
  });
  const ended = process_.ended.finally(() => {
    over = true;
  });
  while (!over) {
    peak = Math.max(peak, peakMemory(process_.pid));
    await Promise.race([ended, pause(50)]);
  }
  const seconds = (performance.now() - began) / 1e3;
  const { code, signal } = await ended;
  // A figure counts only when the differences were found, and nothing else.
  if (code !== 1 || !out.includes(`\n${DIFFERENCES} differences: `)) throw new Error(`bridgetape diff ended with ${signal ?? code}, and did not find ${DIFFERENCES} differences\n${out.slice(-2000)}${process_.stderr()}`);
  return { seconds, peak };
}

/** @param {import('./forward.mjs').Bench} bench @returns {Promise<import('./forward.mjs').Section>} */
export async function diff(bench) {
  const once = Math.round(CALLS * bench.scale);
  const sizes = [once, 2 * once];
  return inFolder(bench.folder, async (folder) => {
    /** @type {{ calls: number, rounds: { seconds: number, peak: number }[] }[]} */
    const measured = [];
    for (const calls of sizes) {
      bench.say(`diff: writing two recordings of ${count(calls)} calls`);
      for (const which of /** @type {const} */ (['first', 'second'])) await writeBuild(join(folder, `${which}-${calls}.cassette`), calls, which);
      measured.push({ calls, rounds: [] });
    }
    for (let round = 0; round < bench.rounds; round++) {
      for (const { calls, rounds } of measured) {
        bench.say(`diff: round ${round + 1} of ${bench.rounds}, ${count(calls)} calls`);
        rounds.push(await timeDiff(join(folder, `first-${calls}.cassette`), join(folder, `second-${calls}.cassette`)));
      }
    }
    const medians = measured.map(({ calls, rounds }) => ({ calls, seconds: median(rounds.map(({ seconds }) => seconds)), mb: median(rounds.map(({ peak }) => peak)) / 1e6 }));
    const [{ seconds = NaN, mb = NaN } = {}, twice] = medians;
    const what = `${count(once)} calls compared with as many`;
    /** @param {number} value */
    const ratio = (value) => value.toFixed(2);
    /** @param {number} value */
    const whole = (value) => value.toFixed(0);
    return {
      title: 'Two long recordings compared',
      method: [
        `\`bridgetape diff\` of two recordings of one build (Solve, then ${READS} times ReadFile or StatFile in its result, and again), as a process from start to end. Ids, the session and the times of files are other ones in the second, and there are ${DIFFERENCES} true differences, which each run has to find. Medians.`,
      ],
      header: ['calls in each', 'whole run (s)', 'peak memory (MB)'],
      rows: medians.map((entry) => [count(entry.calls), ratio(entry.seconds), whole(entry.mb)]),
      goals: [
        { what: `${what} (s)`, measured: seconds, limit: LIMIT_S, better: 'lower', format: ratio },
        { what: `${what}, peak memory (MB)`, measured: mb, limit: LIMIT_MB, better: 'lower', format: whole },
        { what: 'twice as many calls compared, as a ratio of time', measured: (twice?.seconds ?? NaN) / seconds, limit: LIMIT_TWICE, better: 'lower', format: ratio },
        { what: 'twice as many calls compared, as a ratio of memory', measured: (twice?.mb ?? NaN) / mb, limit: LIMIT_TWICE, better: 'lower', format: ratio },
      ],
      data: measured,
    };
  });
}
