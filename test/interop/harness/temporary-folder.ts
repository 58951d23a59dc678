// Folders that go away, and everything that a daemon left mounted or running in them with them.
import { existsSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from './command.js';

export interface TemporaryFolder {
  readonly path: string;
  remove(): Promise<void>;
}

/** A short path: a unix socket's may not have more than 107 bytes. */
export function temporaryFolder(prefix = 'bt-'): TemporaryFolder {
  const path = realpathSync(mkdtempSync(join(tmpdir(), prefix)));
  return { path, remove: () => clear(path) };
}

/** Processes whose root or working directory lies in the folder. */
export function processesIn(folder: string): number[] {
  const inside = (path: string): boolean => path === folder || path.startsWith(`${folder}/`);
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) =>
      ['root', 'cwd'].some((link) => {
        try {
          return inside(readlinkSync(`/proc/${pid}/${link}`));
        } catch {
          return false; // it has ended meanwhile
        }
      }),
    )
    .map(Number)
    .filter((pid) => pid !== process.pid);
}

/** Mount points in the folder, the innermost first. */
export function mountsIn(folder: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .map((path) => path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))))
    .filter((path) => path.startsWith(`${folder}/`))
    .reverse();
}

async function clear(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  for (const pid of processesIn(folder)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // it has ended meanwhile
    }
  }
  for (const mount of mountsIn(folder)) await runCommand(['umount', '--lazy', mount]);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
