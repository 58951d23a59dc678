// The processes of the bench: each is started here, known by its pid, and ended here, whatever happens.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * @typedef {object} Running
 * @property {string} name for messages
 * @property {number} pid
 * @property {import('node:child_process').ChildProcess} child
 * @property {Promise<{ code: number | null, signal: string | null }>} ended
 * @property {() => string} stderr the last of what it said
 */

/** @type {Set<Running>} */
const running = new Set();

const STDERR_KEPT = 8192;

/**
 * Starts a program and waits until it says that it is ready.
 * @param {string} name
 * @param {readonly string[]} argv
 * @param {{ ready?: RegExp | (() => Promise<boolean>), env?: NodeJS.ProcessEnv, readyWithin?: number }} [options]
 *   `ready`: a line on stderr to wait for, or a question to ask until it is answered with yes
 * @returns {Promise<Running>}
 */
export async function start(name, argv, { ready, env = process.env, readyWithin = 20_000 } = {}) {
  const [program = '', ...args] = argv;
  const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
    said = (said + text).slice(-STDERR_KEPT);
  });
  child.stdin.on('error', () => undefined);
  const ended = new Promise((resolve) => {
    child.once('error', (error) => {
      said += error.message;
      resolve({ code: null, signal: null });
    });
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  /** @type {Running} */
  const process_ = { name, pid: child.pid ?? 0, child, ended, stderr: () => said };
  running.add(process_);
  let over = false;
  void ended.then(() => {
    over = true;
    running.delete(process_);
  });

  const isReady = ready instanceof RegExp ? async () => ready.test(said) : ready;
  const deadline = Date.now() + readyWithin;
  while (isReady && !(await isReady())) {
    if (over) throw new Error(`${name} ended before it was ready: ${argv.join(' ')}\n${said}`);
    if (Date.now() > deadline) {
      await stop(process_);
      throw new Error(`${name} was not ready within ${readyWithin / 1000} s: ${argv.join(' ')}\n${said}`);
    }
    await pause(5);
  }
  return process_;
}

/**
 * Whether somebody listens on a unix socket.
 * @param {string} path
 * @returns {Promise<boolean>}
 */
export function listens(path) {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** A timer that keeps nobody waiting. @param {number} ms */
const late = (ms) => pause(ms, 'late', { ref: false });

/**
 * Ends a process with SIGTERM, and with SIGKILL when that isn't heard.
 * @param {Running} process_
 * @param {number} [within] milliseconds
 */
export async function stop(process_, within = 60_000) {
  process_.child.kill('SIGTERM');
  if ((await Promise.race([process_.ended, late(within)])) === 'late') {
    process_.child.kill('SIGKILL');
    await process_.ended;
    throw new Error(`${process_.name} did not end within ${within / 1000} s of SIGTERM\n${process_.stderr()}`);
  }
  return process_.ended;
}

/** Ends, at once, all that is still running. */
export function killAll() {
  for (const { child } of running) child.kill('SIGKILL');
}

/**
 * Runs a program to its end and gives its stdout; a failure is an error with its stderr.
 * @param {string} name
 * @param {readonly string[]} argv
 * @param {{ within?: number, env?: NodeJS.ProcessEnv, onLine?: () => unknown }} [options]
 *   `onLine` is called when the first line has come; the program's stdin ends when it is done
 * @returns {Promise<string>}
 */
export async function run(name, argv, { within = 600_000, env, onLine } = {}) {
  const process_ = await start(name, argv, { ...(env && { env }) });
  let out = '';
  process_.child.stdout?.setEncoding('utf8');
  const firstLine = new Promise((resolve) => {
    process_.child.stdout?.on('data', (/** @type {string} */ text) => {
      out += text;
      if (out.includes('\n')) resolve(true);
    });
  });
  const deadline = late(within);
  if ((await Promise.race([firstLine, process_.ended, deadline])) === true) await onLine?.();
  process_.child.stdin?.end();
  if ((await Promise.race([process_.ended, deadline])) === 'late') {
    process_.child.kill('SIGKILL');
    throw new Error(`${name} took more than ${within / 1000} s: ${argv.join(' ')}\n${process_.stderr()}`);
  }
  const { code, signal } = await process_.ended;
  if (code !== 0) {
    throw new Error(`${name} ended with ${signal ?? code ?? 'an error'}: ${argv.join(' ')}\n${process_.stderr()}`);
  }
  return out;
}

/**
 * Peak resident memory in bytes of a process and its descendants, summed (pages that they share count for each),
 * or 0 when it is gone.
 * @param {number} pid
 * @returns {number}
 */
export function peakMemory(pid) {
  const children = childrenByParent();
  let sum = 0;
  const left = [pid];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    sum += highWater(next);
    left.push(...(children.get(next) ?? []));
  }
  return sum;
}

/** @param {number} pid */
function highWater(pid) {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(procFile(pid, 'status'))?.[1];
  return Number(kib ?? 0) * 1024;
}

function childrenByParent() {
  /** @type {Map<number, number[]>} */
  const children = new Map();
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    // The name, in brackets, may hold anything; state and parent follow its last bracket.
    const parent = Number(/.*\) \S (\d+)/s.exec(procFile(pid, 'stat'))?.[1] ?? 0);
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  return children;
}

/** @param {number} pid @param {string} name */
function procFile(pid, name) {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return ''; // it has just ended
  }
}

/**
 * Stops a process and watches its memory until it is gone.
 * @param {Running} process_
 * @returns {Promise<{ peak: number, ms: number, code: number | null, signal: string | null }>} `ms`: from SIGTERM to its end
 */
export async function stopWatched(process_) {
  let peak = peakMemory(process_.pid);
  let over = false;
  const began = performance.now();
  const stopping = stop(process_, 300_000).finally(() => {
    over = true;
  });
  while (!over) {
    peak = Math.max(peak, peakMemory(process_.pid));
    await Promise.race([stopping, pause(20)]);
  }
  return { peak, ms: performance.now() - began, ...(await stopping) };
}
