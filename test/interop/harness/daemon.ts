// A real buildkitd in a folder of its own: started, ready when it answers, stopped without a trace.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { buildKit, type BuildKit } from './binaries.js';
import { dyingWithUs, runCommand, startCommand, tail, type CommandOptions, type CommandResult, type RunningCommand } from './command.js';
import { temporaryFolder } from './temporary-folder.js';

export interface DaemonOptions {
  /** Where the daemon keeps its state. A folder given here is not removed; the default is a temporary one. */
  readonly root?: string;
  /** buildkitd.toml, a loopback registry's part for one (`Registry.daemonConfig`). */
  readonly config?: string;
  /** More flags for buildkitd. */
  readonly flags?: readonly string[];
  /**
   * Leaves `--root` and `--addr` at BuildKit's own defaults, and has it found on PATH, so that no path of this machine
   * is in what it says. Only for a process that has /run and /var/lib for itself (cassettes.ts).
   */
  readonly ownMachine?: boolean;
}

export interface Daemon {
  readonly version: string;
  readonly programs: BuildKit;
  /** `unix://…`, what BUILDKIT_HOST wants. */
  readonly address: string;
  readonly pid: number;
  logs(): string;
  /** Runs this version's buildctl against this daemon; a time-out tells the daemon's last words. */
  buildctl(args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** Stops the daemon and starts it again on the same root and address. */
  restart(): Promise<void>;
  /** Ends the daemon and its containers as a power cut would. Its folder stays until `stop`. */
  kill(): Promise<void>;
  /** Ends the daemon and removes everything it left: processes, mounts, folders. */
  stop(): Promise<void>;
}

/** How long a daemon may take to answer or to end, on a small and busy machine. */
const START_TIMEOUT = 60_000;
const STOP_TIMEOUT = 20_000;
const READY_RETRY = 25;

/** A daemon runs as long as its test file does; this only bounds a forgotten one. */
const DAEMON_TIMEOUT = 3_600_000;

export async function startDaemon(version: string, options: DaemonOptions = {}): Promise<Daemon> {
  const programs = await buildKit(version);
  const folder = temporaryFolder('bt-daemon-');
  const { ownMachine = false } = options;
  const root = ownMachine ? '/var/lib/buildkit' : (options.root ?? join(folder.path, 'root'));
  const socket = ownMachine ? '/run/buildkit/buildkitd.sock' : join(folder.path, 'buildkitd.sock');
  const scratch = join(folder.path, 'tmp');
  const address = `unix://${socket}`;
  mkdirSync(root, { recursive: true });
  mkdirSync(scratch);
  writeFileSync(join(folder.path, 'buildkitd.toml'), options.config ?? '');
  const argv = inNamespaces([
    ...(ownMachine ? ['buildkitd'] : [programs.buildkitd, '--root', root, '--addr', address]),
    ...['--config', 'buildkitd.toml'],
    ...['--oci-worker=true', '--containerd-worker=false', '--oci-worker-net=host', '--oci-worker-binary=runc'],
    `--oci-worker-snapshotter=${(await overlayWorks(folder.path)) ? 'overlayfs' : 'native'}`,
    ...(ownMachine ? [] : await ownTraceSocket(programs, folder.path)),
    ...(options.flags ?? []),
  ]);

  let log = '';
  let running: RunningCommand | undefined;
  const logs = (): string => log + (running?.stderr() ?? '') + (running?.stdout() ?? '');
  const context = (): string => `last words of buildkitd ${version}:\n${tail(logs())}`;
  // Temporary folders go where `stop` finds them; traces go nowhere.
  const env = {
    TMPDIR: ownMachine ? undefined : scratch,
    PATH: [dirname(programs.buildkitd), process.env['PATH']].join(':'),
    OTEL_TRACES_EXPORTER: 'none',
    NOTIFY_SOCKET: undefined,
  };

  const start = async (): Promise<void> => {
    const current = startCommand(argv, { env, cwd: folder.path, timeout: DAEMON_TIMEOUT });
    running = current;
    const state = { ended: false };
    const watch = (): void => {
      state.ended = true;
    };
    current.result.then(watch, watch);
    const deadline = performance.now() + START_TIMEOUT;
    for (;;) {
      const { status } = await runCommand([programs.buildctl, '--addr', address, 'debug', 'workers'], { timeout: START_TIMEOUT, context });
      if (status === 0) return;
      if (state.ended) throw new Error(`buildkitd ${version} ended while it started\n${tail(logs())}`);
      if (performance.now() > deadline) throw new Error(`buildkitd ${version} did not answer within ${START_TIMEOUT} ms\n${tail(logs())}`);
      await delay(READY_RETRY);
    }
  };

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const current = running;
    if (current === undefined) return;
    // The daemon's end is its containers' end, and unshare(1) ends when all of them have.
    signalDaemon(current.pid, signal);
    const late = setTimeout(() => {
      log += `\n(killed: it had not ended ${STOP_TIMEOUT} ms after ${signal})\n`;
      current.kill('SIGKILL', { group: true });
    }, STOP_TIMEOUT);
    await current.result.catch(() => undefined);
    clearTimeout(late);
    log = logs();
    running = undefined;
  };

  const stop = async (): Promise<void> => {
    await end('SIGTERM');
    if (ownMachine) rmSync(root, { recursive: true, force: true });
    await folder.remove();
  };

  try {
    await start();
  } catch (error) {
    await stop();
    throw error;
  }

  return {
    version,
    programs,
    address,
    get pid() {
      return (running === undefined ? undefined : daemonIn(running.pid)) ?? -1;
    },
    logs,
    buildctl: (args, more = {}) => runCommand([programs.buildctl, '--addr', address, ...args], { context, ...more }),
    restart: async () => {
      await end('SIGTERM');
      rmSync(socket, { force: true });
      await start();
    },
    kill: () => end('SIGKILL'),
    stop,
  };
}

/**
 * The daemon as process 1 of a PID namespace, with mounts that nobody else sees: however it ends, or we do, the kernel
 * ends its containers with it and nothing stays mounted. Containers of a daemon that was killed would run on otherwise.
 */
export function inNamespaces(argv: readonly string[]): readonly string[] {
  return dyingWithUs(['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', ...argv], 'KILL');
}

/** The daemon itself, the one child of unshare(1), which waits for it and heeds no signal. */
function daemonIn(unshare: number): number | undefined {
  try {
    const [child = ''] = readFileSync(`/proc/${unshare}/task/${unshare}/children`, 'utf8').split(' ');
    return child === '' ? undefined : Number(child);
  } catch {
    return undefined; // it has ended
  }
}

export function signalDaemon(unshare: number, signal: NodeJS.Signals): void {
  try {
    process.kill(daemonIn(unshare) ?? unshare, signal);
  } catch {
    // it has ended meanwhile
  }
}

/** From some version on each daemon wants a trace socket, at one place for all unless it is told otherwise. */
async function ownTraceSocket(programs: BuildKit, folder: string): Promise<readonly string[]> {
  const { stdout } = await runCommand([programs.buildkitd, '--help']);
  return stdout.includes('--otel-socket-path') ? ['--otel-socket-path', join(folder, 'otel.sock')] : [];
}

let overlay: Promise<boolean> | undefined;

/** Not every file system can be under an overlay: another overlay often can't. */
function overlayWorks(folder: string): Promise<boolean> {
  overlay ??= (async () => {
    const at = (name: string): string => join(folder, 'overlay', name);
    for (const name of ['lower', 'upper', 'work', 'merged']) mkdirSync(at(name), { recursive: true });
    const layers = `lowerdir=${at('lower')},upperdir=${at('upper')},workdir=${at('work')}`;
    const { status } = await runCommand(['mount', '-t', 'overlay', 'overlay', '-o', layers, at('merged')]);
    if (status === 0) await runCommand(['umount', at('merged')]);
    if (existsSync(join(folder, 'overlay'))) rmSync(join(folder, 'overlay'), { recursive: true, force: true });
    return status === 0;
  })();
  return overlay;
}
