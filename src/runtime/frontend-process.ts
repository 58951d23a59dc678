/**
 * The life of a frontend's runtime: started with the arguments that we got, its stdio joined to ours, signals handed on,
 * and its end made our own. What records is made meanwhile, and whatever happens to it, the traffic goes on.
 */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { Socket } from 'node:net';

import { joinStdio, type ConnectionTap } from '../proxy/index.js';
import { readBundle, type FrontendBundle } from './bundle.js';
import { LateTap } from './late-tap.js';
import { Safety } from './safety.js';
import { startWatchdog } from './watchdog.js';

/** What watches a frontend's run. */
export interface RunRecorder {
  readonly tap: ConnectionTap;
  /** The runtime has ended so; resolves when what was recorded is on disk. */
  end(exit: RunExit): Promise<void>;
}

export type RunExit = { readonly status: number } | { readonly signal: NodeJS.Signals };

export interface FrontendCall {
  /** The bundle's folder. */
  readonly bundle: string;
  /** Descriptors beyond stdio that are to reach the runtime, at the same numbers. */
  readonly given: readonly number[];
  /** The runtime and its arguments. */
  readonly command: readonly [string, ...string[]];
  /** Makes what records, and may fail in any way; told how to say that something is lost. */
  readonly record: (bundle: FrontendBundle, say: (reason: unknown) => void) => Promise<RunRecorder>;
}

/** Every signal that can be handled and means something to another process. */
const FORWARDED = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGCONT', 'SIGALRM'] as const;

/** A disk that does not answer must not hold up a build: a new cassette takes some ms, closing one some 100. */
const OPEN_WITHIN = 3000;
const CLOSE_WITHIN = 20_000;

/** Runs the call to its end. @returns how it ended; what was recorded is on disk then */
export async function runFrontend({ bundle: folder, given, command, record }: FrontendCall): Promise<RunExit> {
  const safety = new Safety();
  const bundle = readBundle(folder);
  const watchdog = startWatchdog();
  const child = start(command, given, bundle === undefined ? 'inherit' : 'pipe');
  const ended = endOf(child).finally(() => watchdog.dismiss());
  if (child.pid !== undefined) watchdog.watch(child.pid);
  for (const signal of FORWARDED) process.on(signal, () => child.kill(signal));
  const { stdin, stdout } = child;
  if (bundle === undefined || stdin === null || stdout === null) return await ended;

  // Joined at once: Node throws away what nobody reads of a child that has ended.
  const tap = new LateTap();
  const own = { stdin: new Socket({ fd: 0, readable: true, writable: false }), stdout: new Socket({ fd: 1, readable: false, writable: true }) };
  const joined = joinStdio(own, { stdin, stdout }, tap);
  const recorder = await safety.within(OPEN_WITHIN, 'the cassette could not be created in time', () => record(bundle, safety.say));
  tap.settle(recorder && safety.guard(recorder.tap));
  const exit = await ended;
  await joined;
  await safety.within(CLOSE_WITHIN, 'the cassette could not be closed in time', async () => await recorder?.end(exit));
  return exit;
}

function start([program, ...args]: FrontendCall['command'], given: readonly number[], kind: 'inherit' | 'pipe'): ChildProcess {
  const stdio: StdioOptions = [kind, kind, 'inherit'];
  for (let fd = 3; fd <= Math.max(2, ...given); fd++) stdio.push(given.includes(fd) ? fd : 'ignore');
  return spawn(program, args, { stdio });
}

/** As exec would have failed: 127 for what is not there, 126 for what cannot be run. */
async function endOf(child: ChildProcess): Promise<RunExit> {
  try {
    const [status, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    return signal === null ? { status: status ?? 255 } : { signal };
  } catch (error) {
    process.stderr.write(`bridgetape: cannot run ${child.spawnfile}: ${error instanceof Error ? error.message : String(error)}\n`);
    return { status: (error as NodeJS.ErrnoException).code === 'ENOENT' ? 127 : 126 };
  }
}
