// Child processes with an end: each has a time limit, its own process group, and output kept for the error text.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

export interface CommandOptions {
  /** Added to this process's environment; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly input?: string | Uint8Array;
  /** Milliseconds until the whole process group is killed and the run fails. Default 120 000. */
  readonly timeout?: number;
  /** Called for more to say when the time is over: the tail of a daemon's log, say. */
  readonly context?: () => string;
}

export interface CommandResult {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Wall-clock milliseconds from spawn to exit. */
  readonly ms: number;
}

/** A command that did not start, or did not end in time. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

export interface RunningCommand {
  readonly pid: number;
  /** Settles when the command has ended and its output is read. */
  readonly result: Promise<CommandResult>;
  stdout(): string;
  stderr(): string;
  /** Resolves when stdout (or stderr) matches; rejects when the command ends first. */
  until(pattern: RegExp): Promise<RegExpMatchArray>;
  write(data: string | Uint8Array): void;
  endInput(): void;
  /** Signals the command itself; with `group`, everything it started. */
  kill(signal: NodeJS.Signals, options?: { readonly group?: boolean }): void;
}

/** Where a child asks to be told when we die, so that a killed test run leaves no daemon behind. */
const SETPRIV = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));

export function dyingWithUs(argv: readonly string[], signal: 'TERM' | 'KILL' = 'TERM'): readonly string[] {
  return SETPRIV === undefined ? argv : [SETPRIV, '--pdeathsig', signal, ...argv];
}

export function tail(text: string, lines = 30): string {
  return text.trimEnd().split('\n').slice(-lines).join('\n');
}

const DEFAULT_TIMEOUT = 120_000;

/** Starts a command and hands it back while it runs. It is killed with its group when its time is over. */
export function startCommand(argv: readonly string[], options: CommandOptions = {}): RunningCommand {
  const [file, ...args] = argv;
  if (file === undefined) throw new CommandError('an empty command line was given');
  const started = performance.now();
  const env: Record<string, string | undefined> = { ...process.env, ...options.env };
  const child = spawn(file, args, { cwd: options.cwd, env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const watchers = new Set<() => void>();
  const stdout = (): string => Buffer.concat(out).toString();
  const stderr = (): string => Buffer.concat(err).toString();
  const describe = (): string => {
    const more = options.context?.() ?? '';
    return `stdout:\n${tail(stdout())}\nstderr:\n${tail(stderr())}${more === '' ? '' : `\n${more}`}`;
  };
  const keep = (chunks: Buffer[]) => (chunk: Buffer) => {
    chunks.push(chunk);
    for (const look of [...watchers]) look();
  };
  child.stdout.on('data', keep(out));
  child.stderr.on('data', keep(err));
  // A command may end without reading its input.
  child.stdin.on('error', () => undefined);
  if (options.input !== undefined) child.stdin.end(options.input);

  const kill = (signal: NodeJS.Signals, { group = false }: { readonly group?: boolean } = {}): void => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    try {
      process.kill(group ? -child.pid : child.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };

  let ended = false;
  const result = new Promise<CommandResult>((resolve, reject) => {
    const timeout = options.timeout ?? DEFAULT_TIMEOUT;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      kill('SIGKILL', { group: true });
    }, timeout);
    child.once('error', (error) => {
      ended = true;
      clearTimeout(timer);
      reject(new CommandError(`${file} did not start: ${error.message}`));
      for (const look of [...watchers]) look();
    });
    child.once('close', (status, signal) => {
      ended = true;
      clearTimeout(timer);
      if (late) {
        reject(new CommandError(`not ended after ${timeout} ms: ${argv.join(' ')}\n${describe()}`));
      } else {
        resolve({ status, signal, stdout: stdout(), stderr: stderr(), ms: performance.now() - started });
      }
      for (const look of [...watchers]) look();
    });
  });
  // Whoever waits for the result hears of its failure; nobody has to.
  result.catch(() => undefined);

  return {
    pid: child.pid ?? -1,
    result,
    stdout,
    stderr,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(stdout()) ?? pattern.exec(stderr());
          if (match === null && !ended) return;
          watchers.delete(look);
          if (match !== null) resolve(match);
          else reject(new CommandError(`ended without ${String(pattern)}: ${argv.join(' ')}\n${describe()}`));
        };
        watchers.add(look);
        look();
      }),
    write: (data) => void child.stdin.write(data),
    endInput: () => void child.stdin.end(),
    kill,
  };
}

/** Runs a command to its end. A status that is not 0 is a result, not an error. */
export function runCommand(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  return startCommand(argv, { input: '', ...options }).result;
}

/** Runs a command that has to succeed and gives its stdout. */
export async function mustRun(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { status, signal, stdout, stderr } = await runCommand(argv, options);
  if (status === 0) return stdout;
  const more = options.context?.() ?? '';
  throw new CommandError(
    `${argv.join(' ')} ended with ${signal ?? `status ${status ?? 'unknown'}`}\n${tail(stderr === '' ? stdout : stderr)}${more === '' ? '' : `\n${more}`}`,
  );
}
