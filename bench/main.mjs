// `npm run bench`: bridgetape beside what people would put in its place, all in one run on one machine.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from './bridgebench.mjs';
import { diff } from './diff.mjs';
import { figures } from './figures.mjs';
import { forward } from './forward.mjs';
import { frontend } from './frontend.mjs';
import { idle } from './idle.mjs';
import { machine, programs } from './machine.mjs';
import { many } from './many.mjs';
import { memory } from './memory.mjs';
import { cli, middles, usualMiddles } from './middles.mjs';
import { pace } from './pace.mjs';
import { killAll } from './processes.mjs';
import { replay, start } from './replay.mjs';
import { markdown, terminal } from './report.mjs';
import { runtime } from './runtime.mjs';
import { size } from './size.mjs';

const sections = { forward, memory, replay, many, pace, idle, start, runtime, frontend, diff, size };
/** The sections that are made of figures, so that one figure alone can be asked for. */
const figured = ['forward', 'replay'];

const usage = `usage: npm run bench -- [options]

  --only NAME[,NAME]     sections (${Object.keys(sections).join(', ')})
                         and figures (${figures.map(({ name }) => name).join(', ')});
                         a figure alone is measured in the section forward
  --middles NAME[,NAME]  what stands in the middle (${middles.map(({ name }) => name).join(', ')})
                         default: ${usualMiddles.join(',')}
  --rounds N             rounds of each comparison (default 5)
  --quick                one round of a tenth of the traffic: does it run?
  --json FILE            write all that was measured
  --write                update docs/benchmarks.md (whole runs only)
`;

/** @param {string} text @returns {never} */
function refuse(text) {
  console.error(`bench: ${text}\n\n${usage}`);
  process.exit(2);
}

function parse() {
  try {
    return parseArgs({
      options: {
        only: { type: 'string' },
        middles: { type: 'string' },
        rounds: { type: 'string' },
        quick: { type: 'boolean', default: false },
        json: { type: 'string' },
        write: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

/** @param {string | undefined} text @param {readonly string[]} known @param {string} option */
function names(text, known, option) {
  const list = text?.split(',') ?? [];
  const unknown = list.find((name) => !known.includes(name));
  if (unknown !== undefined) refuse(`${option} ${unknown}: known are ${known.join(', ')}`);
  return list;
}

const options = parse();
if (options.help) {
  console.log(usage);
  process.exit(0);
}
const rounds = Number(options.rounds ?? (options.quick ? 1 : 5));
if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100) refuse(`--rounds ${options.rounds}: a number from 1 to 100`);
const figureNames = figures.map(({ name }) => name);
const only = names(options.only, [...Object.keys(sections), ...figureNames], '--only');
const onlyFigures = only.filter((name) => figureNames.includes(name));
const onlySections = only.filter((name) => !figureNames.includes(name));
if (onlyFigures.length > 0 && !onlySections.some((name) => figured.includes(name))) onlySections.push('forward');
const chosen = Object.entries(sections).filter(([name]) => onlySections.length === 0 || onlySections.includes(name));
const chosenMiddles = options.middles === undefined ? usualMiddles : names(options.middles, middles.map(({ name }) => name), '--middles');
const whole = only.length === 0 && options.middles === undefined && !options.quick && options.rounds === undefined;
if (options.write && !whole) refuse('--write goes with a whole run: without --only, --middles, --rounds and --quick');

const forwards = chosen.some(([name]) => name === 'forward');
const proxies = ['socat', 'haproxy'].filter((name) => forwards && chosenMiddles.some((middle) => middle.startsWith(name)));
const { versions, missing } = programs(['go', ...proxies, ...(chosen.some(([name]) => name === 'runtime') ? ['runc'] : [])]);
const records = chosen.some(([name]) => name !== 'forward') || chosenMiddles.includes('bridgetape');
if (records && !existsSync(cli)) missing.push('bridgetape is not built: node scripts/setup.mjs --build');
if (missing.length > 0) {
  console.error(`bench: something is missing\n${missing.map((line) => `  ${line}`).join('\n')}`);
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), 'bridgetape-bench-'));
process.on('exit', () => {
  killAll();
  rmSync(folder, { recursive: true, force: true });
});
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(signal, () => process.exit(1));

/** @type {import('./forward.mjs').Bench} */
const bench = {
  folder,
  program: build(folder),
  rounds,
  scale: options.quick ? 0.1 : 1,
  wants: ({ name }) => onlyFigures.length === 0 || onlyFigures.includes(name),
  middles: chosenMiddles,
  say: (text) => console.error(text),
};
const facts = machine(versions);
if ((loadavg()[0] ?? 0) > facts.cores / 2) console.error(`The machine is busy (load ${facts.loadAtStart.toFixed(1)}): expect noise.`);

/** @type {Record<string, import('./forward.mjs').Section>} */
const results = {};
for (const [name, section] of chosen) {
  results[name] = await section(bench);
  console.log(terminal(results[name]));
}

if (options.json !== undefined) {
  writeFileSync(options.json, `${JSON.stringify({ machine: facts, rounds, sections: results }, null, 2)}\n`);
}
if (options.write) {
  const file = fileURLToPath(new URL('../docs/benchmarks.md', import.meta.url));
  writeFileSync(file, markdown({ command: 'npm run bench -- --write', machine: facts, rounds, sections: Object.values(results) }));
  console.error(`Wrote ${file}`);
}
