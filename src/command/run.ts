/**
 * Runs the user's command as if it had been typed: its terminal stays its own, signals reach it, and its exit
 * status comes back as a shell would give it.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

import { BridgetapeError } from '../errors.js';

/** Signals that are sent to this process alone and are meant for the command. */
const FORWARDED = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGCONT'] as const;
/** Signals that a terminal sends to the whole foreground group: the command has them already. */
const FROM_TERMINAL = ['SIGINT', 'SIGQUIT'] as const;

/**
 * @param command the program and its arguments
 * @param env variables added to this process's own
 * @returns the exit status; 128 + N when signal N ended it
 * @throws BridgetapeError `command-not-found`
 */
export function runCommand(command: readonly string[], env: Readonly<Record<string, string>>): Promise<number> {
  const [program = '', ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', env: { ...process.env, ...env } });
    const forward = (signal: NodeJS.Signals): void => {
      child.kill(signal);
    };
    const fromTerminal = (signal: NodeJS.Signals): void => {
      if (!process.stdin.isTTY) child.kill(signal);
    };
    for (const signal of FORWARDED) process.on(signal, forward);
    for (const signal of FROM_TERMINAL) process.on(signal, fromTerminal);
    const done = (): void => {
      for (const signal of FORWARDED) process.off(signal, forward);
      for (const signal of FROM_TERMINAL) process.off(signal, fromTerminal);
    };
    child.once('error', (error: NodeJS.ErrnoException) => {
      done();
      const reason = error.code === 'ENOENT' ? 'there is no such program' : error.message;
      reject(new BridgetapeError('command-not-found', `Cannot run "${program}": ${reason}.`, 'Check the spelling and PATH of what stands after --.', { cause: error }));
    });
    child.once('exit', (code, signal) => {
      done();
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}
