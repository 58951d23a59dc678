// A Python with the packages of a requirements.txt, made once, in a folder that git ignores.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mustRun } from './command.js';
import { cache } from './go-module.js';
import { locked } from './lock.js';

/** Some tens of megabytes to fetch. */
const PIP_TIMEOUT = 600_000;

/** Why no such Python can be made here, or `undefined` when it can. */
export function pythonReason(): string | undefined {
  if (spawnSync('python3', ['-c', '']).status !== 0) return 'not installed: python3; run scripts/interop-setup.sh';
  // Debian's python3 comes without what venv needs.
  if (spawnSync('python3', ['-c', 'import venv, ensurepip']).status !== 0) return 'not installed: python3-venv; run scripts/interop-setup.sh';
  return undefined;
}

/** The interpreter of a virtual environment with these packages. Makes it when it is missing or older than the list. */
export async function pythonWith(name: string, requirements: string): Promise<string> {
  const folder = join(cache, name);
  const python = join(folder, 'bin', 'python');
  const stamp = join(folder, 'stamp');
  const wanted = readFileSync(requirements, 'utf8') + (await mustRun(['python3', '--version']));
  const isMade = (): boolean => existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted;
  if (isMade()) return python;
  return locked(join(cache, `${name}.lock`), async () => {
    if (isMade()) return python;
    rmSync(folder, { recursive: true, force: true });
    await mustRun(['python3', '-m', 'venv', folder]);
    const quietly = ['--quiet', '--disable-pip-version-check', '--no-input'];
    await mustRun([python, '-m', 'pip', 'install', ...quietly, '--requirement', requirements], { timeout: PIP_TIMEOUT });
    writeFileSync(stamp, wanted);
    return python;
  });
}
