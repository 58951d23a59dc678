// Section "frontend": a whole run of a real frontend against its cassette, Node's start and the frontend's own work included.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { median } from './figures.mjs';
import { cli } from './middles.mjs';
import { shipped } from './replay.mjs';

const RUNS = 21;
const LIMIT_MS = 250;

/** @param {string} program @param {readonly string[]} args */
function time(program, args) {
  const started = performance.now();
  const { status, stderr, error } = spawnSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
  const took = performance.now() - started;
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}: ${error?.message ?? stderr}`);
  return took;
}

/** @param {import('./forward.mjs').Bench} bench @returns {Promise<import('./forward.mjs').Section>} */
export async function frontend(bench) {
  const runs = bench.scale < 1 ? 3 : RUNS;
  const measured = shipped().flatMap((cassette) => {
    const [, version] = /^container-(v[\d.]+)\.cassette$/.exec(basename(cassette)) ?? [];
    if (version === undefined) return [];
    const program = fileURLToPath(new URL(`../test/interop/.cache/${version}/dockerfile-frontend`, import.meta.url));
    if (!existsSync(program)) {
      bench.say(`frontend: the dockerfile-frontend of BuildKit ${version} is not built: npm run test:interop -- test/interop/offline-frontend.test.ts`);
      return [];
    }
    bench.say(`frontend: ${version}`);
    const once = () => ({ whole: time(process.execPath, [cli, 'run', cassette, '--', program]), node: time(process.execPath, ['-e', '0']) });
    once();
    // In turns, so that both see the same machine.
    const pairs = Array.from({ length: runs }, once);
    return [{ version, whole: pairs.map(({ whole }) => whole), node: pairs.map(({ node }) => node), ours: pairs.map(({ whole, node }) => whole - node) }];
  });
  /** @param {number} value */
  const format = (value) => value.toFixed(0);
  return {
    title: 'A real frontend, offline',
    method: [
      `\`bridgetape run\` of a shipped cassette with the dockerfile-frontend of the BuildKit version that it was recorded on, from start to end, and \`node -e 0\` in turns with it; medians of ${runs} runs, of the differences too. What lies between the two is the frontend's own time and ours.`,
    ],
    header: ['frontend', 'whole run (ms)', 'node -e 0 (ms)', 'between (ms)'],
    rows: measured.map(({ version, whole, node, ours }) => [`dockerfile-frontend ${version}`, format(median(whole)), format(median(node)), format(median(ours))]),
    goals: measured.map(({ version, whole }) => ({ what: `a whole run of dockerfile-frontend ${version} (ms)`, measured: median(whole), limit: LIMIT_MS, better: 'lower', format })),
    data: measured,
  };
}
