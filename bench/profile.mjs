// Where the time of a figure goes: the recorder (or the replayer) under V8's profiler while the load generator runs
// one step, then the functions that took the most time themselves.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build, load, withServer } from './bridgebench.mjs';
import { figures, plan } from './figures.mjs';
import { bridgetape, replayer } from './middles.mjs';
import { killAll } from './processes.mjs';
import { inFolder, recordOnce } from './replay.mjs';

const counts = { unary: 20_000, calls: 200_000, solves: 60_000, exec64: 1_000_000, exec32k: 40_000 };
const names = figures.map(({ name }) => name).filter((name) => name !== 'unary-p99');
const usage = `usage: node bench/profile.mjs [record|replay] [--figure ${names.join('|')}] [--top N] [--scale X] [--keep FOLDER]

  --keep FOLDER  leave the .cpuprofile files there, for a viewer

Prints the traffic alone, and closing the cassette alone.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    figure: { type: 'string', default: 'calls' },
    top: { type: 'string', default: '30' },
    scale: { type: 'string', default: '1' },
    keep: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const [side = 'record'] = positionals;
const figure = figures.find(({ name }) => name === values.figure);
const scale = Number(values.scale);
if (values.help || !figure || !['record', 'replay'].includes(side) || !(scale > 0 && scale <= 10)) {
  console.error(usage);
  process.exit(values.help ? 0 : 2);
}

const folder = mkdtempSync(join(tmpdir(), 'bridgetape-profile-'));
process.on('exit', () => {
  killAll();
  rmSync(folder, { recursive: true, force: true });
});
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.on(signal, () => process.exit(1));

const profiles = values.keep ?? join(folder, 'profiles');
mkdirSync(profiles, { recursive: true });
const nodeOptions = ['--cpu-prof', '--cpu-prof-dir', profiles, '--cpu-prof-interval', '200'];
const program = build(folder);
const steps = plan([figure], counts, scale);
/** Monotonic microseconds, V8's clock too: when the traffic began, and when the process was told to end. */
const marks = { begin: 0, end: 0 };
const now = () => Number(process.hrtime.bigint() / 1000n);
const result = side === 'record' ? await profileRecord() : await profileReplay();
console.log(`${side}, ${figure.title} under the profiler: ${result ? figure.format(figure.read(result)) : '?'}`);
for (const file of readdirSync(profiles).filter((name) => name.endsWith('.cpuprofile'))) report(join(profiles, file), Number(values.top));

async function profileRecord() {
  const listen = join(folder, 'middle.sock');
  const to = join(folder, 'server.sock');
  return withServer(program, to, async () => {
    const recorder = await bridgetape({ listen, to, folder }, { nodeOptions });
    marks.begin = now();
    const results = await load(program, listen, steps);
    marks.end = now();
    await recorder.end();
    return results.get(figure?.step ?? '');
  });
}

async function profileReplay() {
  return inFolder(folder, async (inside) => {
    const { file } = await recordOnce({ program }, inside, steps);
    const socket = join(inside, 'answers.sock');
    const server = await replayer(file, socket, nodeOptions);
    marks.begin = now();
    const results = await load(program, socket, steps);
    marks.end = now();
    await server.end();
    return results.get(figure?.step ?? '');
  });
}

/**
 * @typedef {object} ProfileNode
 * @property {number} id
 * @property {{ functionName: string, url: string, lineNumber: number }} callFrame
 */

/** @param {string} file @param {number} top */
function report(file, top) {
  /** @type {{ nodes: ProfileNode[], startTime: number, samples: number[], timeDeltas: number[] }} */
  const { nodes, startTime, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8'));
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, place(callFrame)]));
  const phases = { traffic: new Map(), closing: new Map() };
  let time = startTime;
  samples.forEach((id, index) => {
    // A delta is the time since the sample before; the sample stands for what follows it.
    time += timeDeltas[index] ?? 0;
    if (time < marks.begin) return;
    const at = frames.get(id) ?? '?';
    const self = time < marks.end ? phases.traffic : phases.closing;
    self.set(at, (self.get(at) ?? 0) + (timeDeltas[index + 1] ?? 0));
  });
  for (const [phase, self] of Object.entries(phases)) print(`${basename(file)}, ${phase}`, self, top);
}

/** @param {string} title @param {Map<string, number>} self microseconds by function @param {number} top */
function print(title, self, top) {
  const sum = (/** @type {readonly [string, number][]} */ rows) => rows.reduce((total, [, time]) => total + time, 0);
  const busy = [...self].filter(([name]) => name !== '(idle)' && name !== '(root)').sort(([, a], [, b]) => b - a);
  console.log(`\n${title}: ${(sum(busy) / 1e3).toFixed(0)} ms busy of ${(sum([...self]) / 1e3).toFixed(0)} ms`);
  for (const [name, time] of busy.slice(0, top)) {
    console.log(`${((time / sum(busy)) * 100).toFixed(1).padStart(6)} %  ${(time / 1e3).toFixed(0).padStart(7)} ms  ${name}`);
  }
}

/** @param {ProfileNode['callFrame']} frame */
function place({ functionName, url, lineNumber }) {
  const name = functionName || '(anonymous)';
  if (url === '') return name;
  const root = fileURLToPath(new URL('..', import.meta.url));
  const file = url.startsWith('file:') ? relative(root, fileURLToPath(url)) : url;
  return `${name}  ${file}:${lineNumber + 1}`;
}
