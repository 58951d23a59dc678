/**
 * Runs the user's command as if it had been typed: its terminal stays its own, signals reach it, and its exit
 * status comes back as a shell would give it.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants as fsConstants, statSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';

import { BridgetapeError } from '../errors.js';

/** Signals that are sent to this process alone and are meant for the command. */
const FORWARDED = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGCONT'] as const;
/** Signals that a terminal sends to the whole foreground group: the command has them already. */
const FROM_TERMINAL = ['SIGINT', 'SIGQUIT'] as const;

/**
 * Looks for a program as a shell would, so that its absence is known before anything is begun for it.
 *
 * @throws BridgetapeError `command-not-found`
 */
export function findProgram(program: string): void {
  if (program === '') throw notFound(program, 'nothing stands after --');
  if (!isProgram(program)) throw notFound(program, 'there is no such program');
}

/** Whether there is such a program, as a shell would look for it. */
export function isProgram(program: string): boolean {
  const candidates = program.includes('/') ? [program] : (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, program));
  return candidates.some(isExecutable);
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

function notFound(program: string, reason: string, cause?: Error): BridgetapeError {
  return new BridgetapeError('command-not-found', `Cannot run "${program}": ${reason}.`, 'Check the spelling and PATH of what stands after --.', { cause });
}

/**
 * @param command the program and its arguments
 * @param env variables added to this process's own
 * @returns the exit status; 128 + N when signal N ended it
 * @throws BridgetapeError `command-not-found`
 */
export function runCommand(command: readonly string[], env: Readonly<Record<string, string>>): Promise<number> {
  const [program = '', ...args] = command;
  return new Promise((resolve, reject) => {
    // Before the command starts: the first thing that it does may bring a signal.
    let child: ChildProcess | undefined = undefined as ChildProcess | undefined;
    const forward = (signal: NodeJS.Signals): void => {
      child?.kill(signal);
    };
    const fromTerminal = (signal: NodeJS.Signals): void => {
      if (!process.stdin.isTTY) child?.kill(signal);
    };
    for (const signal of FORWARDED) process.on(signal, forward);
    for (const signal of FROM_TERMINAL) process.on(signal, fromTerminal);
    child = spawn(program, args, { stdio: 'inherit', env: { ...process.env, ...env } });
    const done = (): void => {
      for (const signal of FORWARDED) process.off(signal, forward);
      for (const signal of FROM_TERMINAL) process.off(signal, fromTerminal);
    };
    child.once('error', (error: NodeJS.ErrnoException) => {
      done();
      reject(notFound(program, error.code === 'ENOENT' ? 'there is no such program' : error.message, error));
    });
    child.once('exit', (code, signal) => {
      done();
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}
