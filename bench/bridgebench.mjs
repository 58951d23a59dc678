// The Go half of the bench: built into the temp folder, then run as server and as load generator.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, start, stop } from './processes.mjs';

const module_ = fileURLToPath(new URL('go', import.meta.url));

/**
 * @param {string} folder
 * @returns {string} the program
 */
export function build(folder) {
  const program = join(folder, 'bridgebench');
  const { status, error } = spawnSync('go', ['build', '-o', program, '.'], {
    cwd: module_,
    env: { ...process.env, CGO_ENABLED: '0' },
    stdio: ['ignore', 2, 2],
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`bench/go did not build (go ended with ${status})`);
  return program;
}

/**
 * Runs the server for as long as `use` takes.
 * @template T
 * @param {string} program
 * @param {string} socket
 * @param {() => Promise<T>} use
 */
export async function withServer(program, socket, use) {
  const server = await start('the server', [program, 'serve', '--listen', `unix://${socket}`], { ready: /listening on/ });
  try {
    return await use();
  } finally {
    await stop(server);
  }
}

/**
 * Runs a plan against whoever listens on a socket. `whileConnected` is called when all is measured and the
 * connection still stands, so that memory can be read from a proxy which ends with it.
 * @param {string} program
 * @param {string} socket
 * @param {readonly import('./figures.mjs').Step[]} steps
 * @param {() => unknown} [whileConnected]
 * @returns {Promise<Map<string, import('./figures.mjs').StepResult>>} by step
 */
export async function load(program, socket, steps, whileConnected) {
  const argv = [program, 'load', '--to', `unix://${socket}`, '--plan', JSON.stringify(steps), '--hold', '--timeout', '5m'];
  const out = await run('the load generator', argv, { within: 330_000, ...(whileConnected && { onLine: whileConnected }) });
  /** @type {import('./figures.mjs').StepResult[]} */
  const results = JSON.parse(out);
  return new Map(results.map((result) => [result.name, result]));
}

/**
 * @param {string} program
 * @param {string} socket
 * @param {number} runs
 * @param {readonly string[]} bare a command that does nothing
 * @param {readonly string[]} command a command that serves on the socket
 * @returns {Promise<{ bareMs: number[], firstMs: number[] }>}
 */
export async function timeStart(program, socket, runs, bare, command) {
  const argv = [program, 'start', '--listen', `unix://${socket}`, '--runs', String(runs)];
  return JSON.parse(await run('start', [...argv, '--bare', JSON.stringify(bare), '--command', JSON.stringify(command)]));
}
