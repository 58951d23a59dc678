/**
 * A machine of its own, as far as a recording can tell: namespaces where BuildKit's default paths, the ports and the host
 * name are free to be what the reader of a recording expects, and where everything ends with us.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './temporary-folder.js';

/** Set for the process that runs in namespaces of its own. */
const INSIDE = 'BRIDGETAPE_CASSETTES_INSIDE';

export function isOnOwnMachine(): boolean {
  return process.env[INSIDE] !== undefined;
}

const OWN_MACHINE = `
mount --bind "$1/run" /run
mount --bind "$1/lib" /var/lib
echo builder >/proc/sys/kernel/hostname
busybox ip link set lo up
shift
exec "$@"
`;

/** Runs a script again where /run, /var/lib, the loopback interface and the host name are its own. */
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
