/** Runs the user's command with its output kept rather than shown: it runs several times, and stdout is for the report. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { StringDecoder } from 'node:string_decoder';

import { notRun } from '../command/index.js';

export interface QuietRun {
  /** As a shell has it: 128 + N when signal N ended it. */
  readonly status: number;
  /** What it printed on stdout and stderr, in order; of very much, the end. */
  readonly output: string;
}

export interface QuietOptions {
  readonly env: Readonly<Record<string, string>>;
  /** Aborted with the name of a signal as its reason, which the command is sent; it is waited for. */
  readonly signal: AbortSignal;
  /** Called with each line that it prints. */
  readonly onLine?: ((line: string) => void) | undefined;
}

/** So many characters of the output are kept. */
const MAX_OUTPUT = 1024 * 1024;
/** A command that does not heed a signal is killed. */
const GRACE_MS = 10_000;

/** @throws BridgetapeError `command-not-found` */
export function runQuietly(command: readonly string[], { env, signal, onLine }: QuietOptions): Promise<QuietRun> {
  const [program = '', ...args] = command;
  const run = new Promise<QuietRun>((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    let output = '';
    const keep = (text: string): void => {
      output += text;
      if (output.length > 2 * MAX_OUTPUT) output = output.slice(-MAX_OUTPUT);
    };
    for (const stream of [child.stdout, child.stderr]) {
      const decoder = new StringDecoder('utf8');
      let line = '';
      stream.on('data', (chunk: Buffer) => {
        const text = decoder.write(chunk);
        keep(text);
        const lines = (line + text).split('\n');
        line = (lines.pop() ?? '').slice(-MAX_OUTPUT);
        if (onLine !== undefined) lines.forEach(onLine);
      });
      stream.once('end', () => {
        if (line !== '') onLine?.(line);
      });
    }
    let late: NodeJS.Timeout | undefined;
    const abort = (): void => {
      child.kill(signal.reason as NodeJS.Signals);
      late = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
    };
    signal.addEventListener('abort', abort, { once: true });
    const done = (): void => {
      clearTimeout(late);
      signal.removeEventListener('abort', abort);
    };
    child.once('error', (error) => {
      done();
      reject(error);
    });
    child.once('close', (code, by) => {
      done();
      resolve({ status: code ?? 128 + (by === null ? 0 : constants.signals[by]), output: output.slice(-MAX_OUTPUT) });
    });
    if (signal.aborted) abort();
  });
  // Told by an event, or thrown at once.
  return run.catch((error: unknown) => {
    throw notRun(program, error);
  });
}
