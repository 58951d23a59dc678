// Builds BuildKit's own programs and our test frontend with Go, once, into a cache that git ignores.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mustRun } from './command.js';
import { locked } from './lock.js';

const interop = dirname(dirname(fileURLToPath(import.meta.url)));
const cache = join(interop, '.cache');

/** What runs when nothing else is asked for: the oldest and the newest. */
const DEFAULT_VERSIONS = 'v0.8.3,v0.32.2';

/** The versions to test against: `BRIDGETAPE_INTEROP_VERSIONS`, a list with commas, or the default. */
export function buildKitVersions(): readonly string[] {
  const asked = process.env['BRIDGETAPE_INTEROP_VERSIONS'];
  return (asked === undefined || asked === '' ? DEFAULT_VERSIONS : asked)
    .split(',')
    .map((version) => version.trim())
    .filter((version) => version !== '');
}

export interface BuildKit {
  readonly version: string;
  readonly buildkitd: string;
  readonly buildctl: string;
  readonly dockerfileFrontend: string;
  /** Prints that version's own protobuf descriptors: a FileDescriptorSet as JSON. */
  readonly descriptors: string;
}

/** A Go build takes minutes the first time, with every dependency to fetch. */
const GO_TIMEOUT = 1_500_000;

interface GoProgram {
  readonly name: string;
  readonly package: string;
}

/** A module's programs, the folder they are built into, and what they are built from. */
interface GoModule {
  readonly name: string;
  readonly folder: string;
  readonly programs: readonly GoProgram[];
  readonly flags: readonly string[];
}

/** `-trimpath`: stack traces are in recordings, and this machine's paths need not be. */
const FLAGS = ['-mod=readonly', '-trimpath', '-ldflags'];

function buildKitModule(version: string): GoModule {
  return {
    name: version,
    folder: join(interop, 'buildkit', version),
    flags: [...FLAGS, `-s -w -X github.com/moby/buildkit/version.Version=${version}`],
    programs: [
      { name: 'buildkitd', package: 'github.com/moby/buildkit/cmd/buildkitd' },
      { name: 'buildctl', package: 'github.com/moby/buildkit/cmd/buildctl' },
      { name: 'dockerfile-frontend', package: 'github.com/moby/buildkit/frontend/dockerfile/cmd/dockerfile-frontend' },
      { name: 'descriptors', package: './descriptors' },
    ],
  };
}

const frontendModule: GoModule = {
  name: 'frontend',
  folder: join(interop, 'frontend'),
  flags: [...FLAGS, '-s -w'],
  programs: [{ name: 'frontend', package: '.' }],
};

/** The programs of one BuildKit version. Builds them when they are missing or older than their sources. */
export async function buildKit(version: string): Promise<BuildKit> {
  const module = buildKitModule(version);
  if (!existsSync(module.folder)) {
    throw new Error(`no BuildKit ${version} here; there is ${readdirSync(dirname(module.folder)).filter((name) => name.startsWith('v')).join(', ')}`);
  }
  const built = await ensure(module);
  return {
    version,
    buildkitd: join(built, 'buildkitd'),
    buildctl: join(built, 'buildctl'),
    dockerfileFrontend: join(built, 'dockerfile-frontend'),
    descriptors: join(built, 'descriptors'),
  };
}

/** The Go frontend of `test/interop/frontend`, built when needed. */
export async function goFrontend(): Promise<string> {
  return join(await ensure(frontendModule), 'frontend');
}

/** Builds what is missing of all versions to test against, one after the other: each build takes all cores. */
export async function buildAll(): Promise<void> {
  for (const version of buildKitVersions()) await buildKit(version);
  await goFrontend();
}

/** Whether all that a version needs is in the cache, so that Go is not needed. */
export function isBuilt(version: string): boolean {
  return [buildKitModule(version), frontendModule].every((module) => upToDate(module));
}

function builtFolder(module: GoModule): string {
  return join(cache, module.name);
}

function upToDate(module: GoModule): boolean {
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

async function ensure(module: GoModule): Promise<string> {
  const folder = builtFolder(module);
  if (upToDate(module)) return folder;
  return locked(join(cache, `${module.name}.lock`), async () => {
    if (upToDate(module)) return folder;
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
