// Section "runtime": what the OCI runtime that records frontends adds to calls that are none.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { median } from './figures.mjs';
import { cli } from './middles.mjs';
import { inFolder } from './replay.mjs';

const CALLS = 100;
const LIMIT_MS = 10;

/** What BuildKit calls besides `run`; of a container that is not there, `state` says so at once. */
const commands = [
  { name: 'runc --version', args: ['--version'], status: 0 },
  { name: 'runc state', args: ['state', 'bridgetape-bench-none'], status: 1 },
];

/** @param {string} program @param {{ args: readonly string[], status: number }} command */
function time(program, { args, status }) {
  const started = performance.now();
  const ended = spawnSync(program, args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
  const took = performance.now() - started;
  if (ended.status !== status) throw new Error(`${program} ${args.join(' ')} ended with ${ended.status}: ${ended.error?.message ?? ended.stderr}`);
  return took;
}

/** @param {import('./forward.mjs').Bench} bench @returns {Promise<import('./forward.mjs').Section>} */
export async function runtime(bench) {
  const calls = Math.max(10, Math.round(CALLS * bench.scale));
  return inFolder(bench.folder, async (folder) => {
    const wrapper = join(folder, 'runtime');
    const { status, stderr } = spawnSync(process.execPath, [cli, 'runtime', '--dir', join(folder, 'tapes'), '--install', wrapper], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`bridgetape runtime failed: ${stderr}`);
    const measured = commands.map((command) => {
      bench.say(`runtime: ${command.name}`);
      // In turns, so that both see the same machine.
      const pairs = Array.from({ length: calls }, () => ({ alone: time('runc', command), behind: time(wrapper, command) }));
      return { name: command.name, alone: pairs.map(({ alone }) => alone), behind: pairs.map(({ behind }) => behind), more: pairs.map(({ alone, behind }) => behind - alone) };
    });
    /** @param {number} value */
    const format = (value) => value.toFixed(1);
    return {
      title: 'Calls of runc that are no frontend’s',
      method: [`${calls} calls of runc and of the executable that \`bridgetape runtime\` makes, in turns, each from start to end; medians, of the differences too.`],
      header: ['call', 'runc (ms)', 'behind the runtime (ms)', 'more (ms)'],
      rows: measured.map(({ name, alone, behind, more }) => [name, format(median(alone)), format(median(behind)), format(median(more))]),
      goals: measured.map(({ name, more }) => ({ what: `the runtime’s share of ${name} (ms)`, measured: median(more), limit: LIMIT_MS, better: 'lower', format })),
      data: measured,
    };
  });
}
