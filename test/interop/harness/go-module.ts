// Builds programs of a Go module, once, into a cache that git ignores.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mustRun } from './command.js';
import { locked } from './lock.js';

/** Where everything lies that is built or fetched once. */
export const cache = join(dirname(dirname(fileURLToPath(import.meta.url))), '.cache');

/** A Go build takes minutes the first time, with every dependency to fetch. */
const GO_TIMEOUT = 1_500_000;

export interface GoProgram {
  readonly name: string;
  readonly package: string;
}

/** A module's programs, the folder they are built into, and what they are built from. */
export interface GoModule {
  readonly name: string;
  readonly folder: string;
  readonly programs: readonly GoProgram[];
  readonly flags: readonly string[];
}

/** `-trimpath`: stack traces are in recordings, and this machine's paths need not be. */
export const GO_FLAGS = ['-mod=readonly', '-trimpath', '-ldflags'];

function builtFolder(module: GoModule): string {
  return join(cache, module.name);
}

export function isUpToDate(module: GoModule): boolean {
  const stamp = join(builtFolder(module), 'stamp');
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === stampOf(module);
}

/** A digest of all sources, so that a touched file is no reason to build. */
function stampOf(module: GoModule): string {
  const hash = createHash('sha256').update(`${module.flags.join(' ')}\n`);
  const files = readdirSync(module.folder, { recursive: true, encoding: 'utf8' }).sort();
  for (const file of files) {
    const path = join(module.folder, file);
    if (statSync(path).isFile()) hash.update(`${file}\n`).update(readFileSync(path)).update('\n');
  }
  return hash.digest('hex');
}

/** The folder with a module's programs. Builds them when they are missing or older than their sources. */
export async function built(module: GoModule): Promise<string> {
  const folder = builtFolder(module);
  if (isUpToDate(module)) return folder;
  return locked(join(cache, `${module.name}.lock`), async () => {
    if (isUpToDate(module)) return folder;
    const fresh = `${folder}.new`;
    rmSync(fresh, { recursive: true, force: true });
    mkdirSync(fresh, { recursive: true });
    const stamp = stampOf(module);
    for (const program of module.programs) {
      await mustRun(
        ['go', 'build', ...module.flags, '-o', join(fresh, program.name), program.package],
        { cwd: module.folder, env: { CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false', GOWORK: 'off' }, timeout: GO_TIMEOUT },
      );
    }
    writeFileSync(join(fresh, 'stamp'), stamp);
    rmSync(folder, { recursive: true, force: true });
    renameSync(fresh, folder);
    return folder;
  });
}
