/**
 * A buildkitd of our own, for one run: in a folder that goes away, as process 1 of a PID namespace, with mounts that nobody
 * else sees. So however it ends, the kernel ends its containers with it, and nothing stays mounted.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { closeSync, copyFileSync, mkdirSync, mkdtempSync, openSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { findProgram, programPath } from '../command/index.js';
import { BridgetapeError } from '../errors.js';
import { findRunc } from '../runtime/index.js';
import type { Address } from '../socket/index.js';
import { IdleClient } from '../wire/index.js';

export interface OwnDaemon {
  readonly address: Address;
  /** Ends it and removes all that it left. */
  stop(): Promise<void>;
}

export interface OwnDaemonOptions {
  /** Its path, or its name on PATH. */
  readonly program: string;
  /** Its buildkitd.toml; it gets none of the machine's. */
  readonly config?: string | undefined;
  /** Where its log is kept when it does not come up: a folder. */
  readonly keepLogs: string;
  /** Ends the wait for it to come up. */
  readonly signal: AbortSignal;
}

/** On a small machine that is busy, the first start takes its time. */
const START_MS = 60_000;
const STOP_MS = 20_000;
const RETRY_MS = 25;
/** A log is told by its end. */
const LAST_LINES = 15;

/**
 * Starts it, and waits until it answers.
 *
 * @throws BridgetapeError `upstream-unreachable` when it ends instead, or stays silent; the last words of its log are in the message
 * @throws the signal's reason
 */
export async function startOwnDaemon({ program, config, keepLogs, signal }: OwnDaemonOptions): Promise<OwnDaemon> {
  signal.throwIfAborted();
  // Short: a unix socket's path may not have more than 107 bytes.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'bridgetape-')));
  const at = (name: string): string => join(folder, name);
  try {
    for (const name of ['root', 'tmp']) mkdirSync(at(name));
    if (config === undefined) writeFileSync(at('buildkitd.toml'), '');
    else copyFileSync(config, at('buildkitd.toml'));
    const path = findProgram(program);
    const log = openSync(at('buildkitd.log'), 'w', 0o600);
    // A group of its own: a terminal's Ctrl-C is for us, and we end it.
    const [first = '', ...rest] = [...dyingWithUs(), 'unshare', ...NAMESPACES, path, ...flags(path, folder)];
    const child = spawn(first, rest, { cwd: folder, detached: true, stdio: ['ignore', log, log], env: environment(at('tmp')) });
    closeSync(log);
    const ended = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, by) => resolve(by === null ? `it ended with status ${code ?? 'unknown'}` : `it was ended by ${by}`));
    });
    const stop = async (): Promise<void> => {
      await end(child, ended);
      remove(folder);
    };
    const why = await untilReady(at('buildkitd.sock'), ended, signal).catch(async (error: unknown) => {
      await stop();
      throw error;
    });
    if (why !== undefined) {
      await end(child, ended);
      const words = readFileSync(at('buildkitd.log'), 'utf8');
      const kept = keepLog(at('buildkitd.log'), keepLogs);
      remove(folder);
      throw new BridgetapeError('upstream-unreachable', `${program} did not come up: ${why}. Its last words:\n${lastLines(words)}`, `Its whole log is ${kept}.`);
    }
    return { address: { kind: 'unix', path: at('buildkitd.sock') }, stop };
  } catch (error) {
    remove(folder);
    throw error;
  }
}

/** A bridgetape that is killed leaves no daemon behind. */
function dyingWithUs(): readonly string[] {
  const setpriv = programPath('setpriv');
  return setpriv === undefined ? [] : [setpriv, '--pdeathsig', 'KILL'];
}

const NAMESPACES = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];

function flags(path: string, folder: string): readonly string[] {
  const snapshotter = overlayWorks(folder) ? 'overlayfs' : 'native';
  return [
    ...['--root', join(folder, 'root'), '--addr', `unix://${join(folder, 'buildkitd.sock')}`, '--config', join(folder, 'buildkitd.toml')],
    ...['--oci-worker=true', '--containerd-worker=false', '--oci-worker-net=host'],
    ...[`--oci-worker-snapshotter=${snapshotter}`, `--oci-worker-binary=${findRunc(undefined)}`],
    // From v0.12 on each daemon wants a socket for traces, at one place for all unless it is told otherwise.
    ...(spawnSync(path, ['--help'], { encoding: 'utf8' }).stdout.includes('--otel-socket-path') ? ['--otel-socket-path', join(folder, 'otel.sock')] : []),
  ];
}

/** What it makes for a while goes where it is removed, and traces go nowhere. */
function environment(scratch: string): NodeJS.ProcessEnv {
  // To a service manager that waits for us it is none of its business.
  return { ...process.env, NOTIFY_SOCKET: undefined, TMPDIR: scratch, OTEL_TRACES_EXPORTER: 'none' };
}

/** Not every file system can be under an overlay: another overlay often can't. Tried where nobody sees the mount. */
function overlayWorks(folder: string): boolean {
  const script = 'cd "$1" && mkdir -p lower upper work merged && mount -n -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged';
  const trial = join(folder, 'overlay');
  mkdirSync(trial);
  const { status } = spawnSync('unshare', ['--mount', 'sh', '-c', script, 'sh', trial], { stdio: 'ignore' });
  rmSync(trial, { recursive: true, force: true });
  return status === 0;
}

/** @returns why it will not be ready any more */
async function untilReady(socket: string, ended: Promise<string>, signal: AbortSignal): Promise<string | undefined> {
  let why: string | undefined;
  void ended.then((reason) => {
    why = reason;
  });
  const deadline = performance.now() + START_MS;
  while (why === undefined) {
    signal.throwIfAborted();
    if (await answers(socket)) return undefined;
    if (performance.now() > deadline) return `it did not answer within ${START_MS / 1000} s`;
    await delay(RETRY_MS);
  }
  return why;
}

/** A buildkitd listens once its workers are there; whether somebody speaks HTTP/2 there is all that is asked. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const over = (answered: boolean) => (): void => {
      socket.destroy();
      resolve(answered);
    };
    const client = new IdleClient(over(true));
    const send = (): void => client.pull().forEach((chunk) => socket.write(chunk));
    socket.once('connect', send);
    socket.on('data', (chunk) => {
      client.push(chunk);
      if (client.isOver) over(false)();
      else if (!socket.destroyed) send();
    });
    socket.once('error', over(false));
    socket.once('close', over(false));
  });
}

/** Its end is its containers' end, and unshare(1) ends when all of them have. */
async function end(child: ChildProcess, ended: Promise<string>): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  // unshare itself heeds no signal, and hands none on.
  kill(daemonIn(child.pid) ?? child.pid, 'SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await ended;
  clearTimeout(late);
}

/** The one child of unshare(1). */
function daemonIn(unshare: number): number | undefined {
  try {
    const [child = ''] = readFileSync(`/proc/${unshare}/task/${unshare}/children`, 'utf8').split(' ');
    return child === '' ? undefined : Number(child);
  } catch {
    return undefined; // it has ended
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it has ended meanwhile
  }
}

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

function keepLog(log: string, folder: string): string {
  const kept = join(folder, `bridgetape-${basename(log, '.log')}-${process.pid}-${Date.now()}.log`);
  copyFileSync(log, kept);
  return kept;
}

function lastLines(text: string): string {
  const lines = text.trimEnd().split('\n').slice(-LAST_LINES);
  return lines.map((line) => `  ${line}`).join('\n');
}
