/**
 * Runs the user's command as if it had been typed: its terminal stays its own, signals reach it, and its exit
 * status comes back as a shell would give it.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants as fsConstants, statSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join, resolve as resolvePath } from 'node:path';

import { BridgetapeError } from '../errors.js';
import { forwardSignals } from './signals.js';

/**
 * Looks for a program as a shell would, so that its absence is known before anything is begun for it.
 *
 * @returns where it is, from the root on
 * @throws BridgetapeError `command-not-found`
 */
export function findProgram(program: string): string {
  if (program === '') throw notFound(program, 'nothing stands after --');
  const found = programPath(program);
  if (found === undefined) throw notFound(program, whyNotFound(program));
  return resolvePath(found);
}

/** Where a shell would find a program: the path that was given, or the first of that name on PATH. */
export function programPath(program: string): string | undefined {
  const candidates = program.includes('/') ? [program] : (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, program));
  return candidates.find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, fsConstants.X_OK);
    return statSync(path).isFile();
  } catch {
    // Not there, or not for us to run: either way it is not the one.
    return false;
  }
}

/** What to say of a program that was looked for, and then did not run. */
export function notRun(program: string, error: unknown): BridgetapeError {
  const cause = error instanceof Error ? error : new Error(String(error));
  return notFound(program, whyNotRun(program, cause), cause);
}

/** Of a program that is there, the system says ENOENT when its interpreter is not: that of a script's first line, or a loader. */
function whyNotRun(program: string, { code, message }: NodeJS.ErrnoException): string {
  if (code !== 'ENOENT') return message;
  return programPath(program) === undefined ? 'there is no such program' : NO_INTERPRETER;
}

const NO_INTERPRETER = 'the interpreter that it names is not there';
const NOT_EXECUTABLE = 'it may not be executed';

const HINTS: ReadonlyMap<string, string> = new Map([
  [NOT_EXECUTABLE, 'Make it executable, or name another program after --.'],
  [NO_INTERPRETER, "Look at the program's first line, or name another program after --."],
]);

/** What a path that was given lacks; of a name that PATH has not, nothing more is known. */
function whyNotFound(program: string): string {
  const found = program.includes('/') ? statSync(program, { throwIfNoEntry: false }) : undefined;
  if (found === undefined) return 'there is no such program';
  return found.isFile() ? NOT_EXECUTABLE : 'it is no file';
}

function notFound(program: string, reason: string, cause?: Error): BridgetapeError {
  const hint = HINTS.get(reason) ?? 'Check the spelling and PATH of what stands after --.';
  return new BridgetapeError('command-not-found', `Cannot run "${program}": ${reason}.`, hint, { cause });
}

/**
 * @param command the program and its arguments
 * @param env variables added to this process's own
 * @param begun told when the program runs
 * @returns the exit status; 128 + N when signal N ended it
 * @throws BridgetapeError `command-not-found`
 */
export function runCommand(command: readonly string[], env: Readonly<Record<string, string>>, begun: () => void = (): void => undefined): Promise<number> {
  const [program = '', ...args] = command;
  return new Promise((resolve, reject) => {
    // Before the command starts: the first thing that it does may bring a signal.
    let child: ChildProcess | undefined = undefined as ChildProcess | undefined;
    const done = forwardSignals((signal) => child?.kill(signal));
    const failed = (error: unknown): void => {
      done();
      reject(notRun(program, error));
    };
    try {
      child = spawn(program, args, { stdio: 'inherit', env: { ...process.env, ...env } });
    } catch (error) {
      // Some reasons are thrown: a file that is being written, words that are too many.
      failed(error);
      return;
    }
    child.once('spawn', begun);
    child.once('error', failed);
    child.once('exit', (code, signal) => {
      done();
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}
