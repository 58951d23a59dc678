// A machine of its own for a script, as far as a recording can tell: /run, /var/lib, the loopback interface, the processes
// and the host name are its own, and everything ends with us.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './temporary-folder.js';

/** Set for the process that runs there. */
const INSIDE = 'BRIDGETAPE_CASSETTES_INSIDE';

const OWN_MACHINE = `
mount --bind "$1/run" /run
mount --bind "$1/lib" /var/lib
echo builder >/proc/sys/kernel/hostname
busybox ip link set lo up
shift
exec "$@"
`;

export function isOnOwnMachine(): boolean {
  return process.env[INSIDE] !== undefined;
}

/** Runs a script of ours there. @returns its exit status */
export async function onOwnMachine(script: string, args: readonly string[]): Promise<number> {
  const folder = temporaryFolder('bt-machine-');
  try {
    for (const name of ['run', 'lib']) mkdirSync(join(folder.path, name));
    const { status } = spawnSync(
      'unshare',
      [
        ...['--mount', '--uts', '--net', '--pid', '--fork', '--kill-child', '--mount-proc'],
        ...['sh', '-euc', OWN_MACHINE, 'sh', folder.path],
        ...[process.execPath, ...process.execArgv, script, ...args],
      ],
      { stdio: 'inherit', env: { ...process.env, [INSIDE]: '1' } },
    );
    return status ?? 1;
  } finally {
    await folder.remove();
  }
}
