// BuildKit's own programs and our test frontend, built with Go.
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { built, GO_FLAGS, isUpToDate, type GoModule } from './go-module.js';

const interop = dirname(dirname(fileURLToPath(import.meta.url)));

/** What runs when nothing else is asked for: the oldest and the newest. */
const DEFAULT_VERSIONS = 'v0.8.3,v0.32.2';

/**
 * What tests of container frontends run when nothing else is asked for: in between, the metadata folder came, and runc
 * was called in another way.
 */
export const FRONTEND_VERSIONS = 'v0.8.3,v0.17.3,v0.32.2';

/**
 * The versions to test against: `BRIDGETAPE_INTEROP_VERSIONS`, or the default.
 *
 * @param byDefault both are lists with commas
 */
export function buildKitVersions(byDefault = DEFAULT_VERSIONS): readonly string[] {
  const asked = process.env['BRIDGETAPE_INTEROP_VERSIONS'];
  return (asked === undefined || asked === '' ? byDefault : asked)
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

function buildKitModule(version: string): GoModule {
  return {
    name: version,
    folder: join(interop, 'buildkit', version),
    flags: [...GO_FLAGS, `-s -w -X github.com/moby/buildkit/version.Version=${version}`],
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
  flags: [...GO_FLAGS, '-s -w'],
  programs: [{ name: 'frontend', package: '.' }],
};

/** The versions of BuildKit's Go client that `test/interop/common` is built against. */
export const CLIENT_VERSIONS = ['v0.13.2', 'v0.17.3', 'v0.32.2'] as const;
export type ClientVersion = (typeof CLIENT_VERSIONS)[number];

export const commonFolder = join(interop, 'common');

/** One source; the newest version is in its go.mod, each other one in a file of its own. */
function commonModule(version: ClientVersion): GoModule {
  return {
    name: `common-${version}`,
    folder: commonFolder,
    flags: [...(version === CLIENT_VERSIONS.at(-1) ? [] : [`-modfile=${version}.mod`]), ...GO_FLAGS, '-s -w'],
    programs: [{ name: 'common', package: '.' }],
  };
}

/** A plugin of Docker's command line: its name is the subcommand. */
const buildxModule: GoModule = {
  name: 'buildx',
  folder: join(interop, 'buildx'),
  flags: [...GO_FLAGS, '-s -w -X github.com/docker/buildx/version.Version=v0.30.1'],
  programs: [{ name: 'docker-buildx', package: 'github.com/docker/buildx/cmd/buildx' }],
};

/** Whether buildx is in the cache, so that Go is not needed for it. */
export function isBuildxBuilt(): boolean {
  return isUpToDate(buildxModule);
}

export const buildxFolder = buildxModule.folder;

/** buildx v0.30.1 as a plugin of Docker's command line, built when needed. */
export async function buildx(): Promise<string> {
  return join(await built(buildxModule), 'docker-buildx');
}

/** The programs of one BuildKit version. Builds them when they are missing or older than their sources. */
export async function buildKit(version: string): Promise<BuildKit> {
  const module = buildKitModule(version);
  if (!existsSync(module.folder)) {
    throw new Error(`no BuildKit ${version} here; there is ${readdirSync(dirname(module.folder)).filter((name) => name.startsWith('v')).join(', ')}`);
  }
  const folder = await built(module);
  return {
    version,
    buildkitd: join(folder, 'buildkitd'),
    buildctl: join(folder, 'buildctl'),
    dockerfileFrontend: join(folder, 'dockerfile-frontend'),
    descriptors: join(folder, 'descriptors'),
  };
}

/** The Go frontend of `test/interop/frontend`, built when needed. */
export async function goFrontend(): Promise<string> {
  return join(await built(frontendModule), 'frontend');
}

/** The program of `test/interop/common` with the client of one version, built when needed. */
export async function commonClient(version: ClientVersion): Promise<string> {
  return join(await built(commonModule(version)), 'common');
}

/** Builds it with every client, one after the other. */
export async function buildCommonClients(): Promise<void> {
  for (const version of CLIENT_VERSIONS) await commonClient(version);
}

/** Whether Go is not needed for them. */
export function areCommonClientsBuilt(): boolean {
  return CLIENT_VERSIONS.every((version) => isUpToDate(commonModule(version)));
}

/** Builds what is missing of the versions to test against, one after the other: each build takes all cores. */
export async function buildAll(versions = buildKitVersions()): Promise<void> {
  for (const version of versions) await buildKit(version);
  await goFrontend();
}

/** Whether all that a version needs is in the cache, so that Go is not needed. */
export function isBuilt(version: string): boolean {
  return [buildKitModule(version), frontendModule].every((module) => isUpToDate(module));
}
