/**
 * Ends a child that would outlive us. BuildKit ends a runtime that it cannot stop otherwise with SIGKILL, and its death
 * is to be the real runtime's death. A small shell holds the other end of a pipe: when we are gone, for whatever reason,
 * the pipe ends, and it kills the child, unless we said before that the child is gone.
 */
import { spawn } from 'node:child_process';

export interface Watchdog {
  watch(pid: number): void;
  /** The child has ended: nothing is to be killed any more. */
  dismiss(): void;
}

export function startWatchdog(): Watchdog {
  const shell = spawn('/bin/sh', ['-c', 'read -r pid || exit 0; read -r over && exit 0; kill -KILL "$pid" 2>/dev/null'], {
    // In a session of its own: what signals our group does not mean it.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
  });
  // Without a shell, a runtime that we leave behind ends when its pipes have.
  const ignore = (): void => undefined;
  shell.on('error', ignore);
  shell.stdin.on('error', ignore);
  return {
    watch: (pid) => shell.stdin.write(`${pid}\n`),
    dismiss: () => shell.stdin.end('over\n'),
  };
}
