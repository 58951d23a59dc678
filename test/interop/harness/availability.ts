// Can real BuildKit run here, or what else a test needs, and if not, why?
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { areCommonClientsBuilt, buildKitVersions, buildxFolder, commonFolder, isBuildxBuilt, isBuilt } from './binaries.js';
import { clientsModule } from './clients.js';
import { conformanceModules } from './conformance.js';
import { isUpToDate } from './go-module.js';
import { pythonReason } from './python.js';

/** Programs that the daemons, images, registries and locks need; scripts/interop-setup.sh installs them. */
const NEEDED = ['runc', 'busybox', 'docker-registry', 'flock', 'unshare', 'umount'];

const interop = dirname(dirname(fileURLToPath(import.meta.url)));

/** Why tests with real BuildKit can't run here, or `undefined` when they can. */
export function interopReason(versions = buildKitVersions()): string | undefined {
  if (process.platform !== 'linux') return `BuildKit's daemon needs Linux, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return "BuildKit's daemon needs root here: run as root";
  const missing = NEEDED.filter((program) => !onPath(program));
  if (missing.length > 0) return `not installed: ${missing.join(', ')}; run scripts/interop-setup.sh`;
  if (versions.every((version) => isBuilt(version))) return undefined;
  return goReason(join(interop, 'frontend'), 'BuildKit');
}

/** Why clients of several versions can't ask one daemon here, or `undefined` when they can. */
export function crossingReason(versions: readonly string[]): string | undefined {
  return interopReason(versions) ?? (areCommonClientsBuilt() ? undefined : goReason(commonFolder, "BuildKit's clients"));
}

/** Why a Docker Engine and buildx can't run here, or `undefined` when they can. */
export function dockerReason(): string | undefined {
  if (process.platform !== 'linux') return `dockerd needs Linux, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'dockerd needs root here: run as root';
  const missing = ['docker', 'dockerd', 'busybox', 'flock', 'unshare', 'umount'].filter((program) => !onPath(program));
  if (missing.length > 0) return `not installed: ${missing.join(', ')}; run scripts/interop-setup.sh`;
  return isBuildxBuilt() ? undefined : goReason(buildxFolder, 'buildx');
}

/** Why clients in other languages can't run here, or `undefined` when they can. */
export function clientsReason(): string | undefined {
  const missing = ['flock'].filter((program) => !onPath(program));
  if (missing.length > 0) return `not installed: ${missing.join(', ')}; run scripts/interop-setup.sh`;
  return pythonReason() ?? (isUpToDate(clientsModule) ? undefined : goReason(clientsModule.folder, 'the clients'));
}

/** Why the public conformance programs can't run here, or `undefined` when they can. */
export function conformanceReason(): string | undefined {
  if (!onPath('flock')) return 'not installed: flock; run scripts/interop-setup.sh';
  const missing = conformanceModules.find((module) => !isUpToDate(module));
  return missing === undefined ? undefined : goReason(missing.folder, 'the conformance programs');
}

function onPath(program: string): boolean {
  // Daemons are in sbin, which not every user's PATH has.
  return spawnSync('sh', ['-c', 'PATH="$PATH:/usr/sbin:/sbin"; command -v "$1"', 'sh', program]).status === 0;
}

function goReason(module: string, what: string): string | undefined {
  const { status, stdout } = spawnSync('go', ['env', 'GOVERSION', 'GOTOOLCHAIN'], { encoding: 'utf8' });
  if (status !== 0) return `Go is not installed, and it builds ${what}`;
  const [version = '', toolchain = ''] = stdout.split('\n');
  const needed = /^go (\S+)$/m.exec(readFileSync(join(module, 'go.mod'), 'utf8'))?.[1] ?? '';
  if (toolchain === 'local' && older(version.replace(/^go/, ''), needed)) {
    return `Go ${needed} or newer builds ${what}, here is ${version}`;
  }
  return undefined;
}

function older(have: string, need: string): boolean {
  const parts = (version: string): number[] => version.split('.').map((part) => parseInt(part, 10) || 0);
  const [a, b] = [parts(have), parts(need)];
  const at = b.findIndex((part, i) => (a[i] ?? 0) !== part);
  return at >= 0 && (a[at] ?? 0) < (b[at] ?? 0);
}
