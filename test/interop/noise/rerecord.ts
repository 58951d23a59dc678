/**
 * The same builds recorded over and over, for what differs between such recordings to be noise: each time by a daemon
 * that was started again and has nothing in its cache.
 */
import { readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { record } from '../../../src/recorder/index.js';
import { parseAddress, temporaryAddress } from '../../../src/socket/index.js';
import {
  bridgetape,
  busyboxDir,
  CommandError,
  FAILING,
  goFrontend,
  MULTI_STAGE,
  pushBaseImage,
  pushFrontendImage,
  recipe,
  runCommand,
  startDaemon,
  startRegistry,
  temporaryFolder,
  type CommandResult,
  type Daemon,
  type Recipe,
} from '../harness/index.js';

/** What a version's recordings are of. */
export interface Rerecorded {
  readonly build: string;
  /** In the order in which they were made. */
  readonly cassettes: readonly string[];
}

export interface RerecordOptions {
  readonly rounds: number;
  /** Where the cassettes go. */
  readonly folder: string;
  readonly onRound?: (round: number) => void;
}

interface Build {
  readonly name: string;
  readonly command: readonly string[];
  readonly cwd: string;
  /** A container frontend's run is recorded by the OCI runtime, everything else by a proxy. */
  readonly by: 'proxy' | 'runtime';
  readonly status: number;
}

/** @returns for each build its cassettes */
export async function rerecord(version: string, { rounds, folder, onRound }: RerecordOptions): Promise<readonly Rerecorded[]> {
  const work = temporaryFolder('bt-again-');
  const tapes = join(work.path, 'tapes');
  const runtime = join(work.path, 'runtime');
  const sources: Recipe[] = [];
  const source = (dockerfile: string): Recipe => {
    const made = recipe(dockerfile);
    sources.push(made);
    return made;
  };
  const registry = await startRegistry();
  let daemon: Daemon | undefined;
  try {
    demand(0, await bridgetape(['runtime', '--dir', tapes, '--install', runtime]));
    daemon = await startDaemon(version, { config: registry.daemonConfig, flags: [`--oci-worker-binary=${runtime}`] });
    const base = await pushBaseImage(daemon, registry);
    const syntax = `# syntax=${await pushFrontendImage(daemon, registry)}\n`;
    const frontend = await goFrontend();
    const ours = (scenario: string, status: number, ...more: readonly string[]): Build => ({
      ...{ name: `frontend-${scenario}`, cwd: work.path, by: 'proxy', status },
      command: [frontend, '--scenario', scenario, '--busybox-dir', busyboxDir(), ...more],
    });
    const dockerfile = (name: string, by: Build['by'], text: string, status: number, more: readonly string[] = []): Build => {
      const made = source(text);
      return { name, command: made.build((daemon as Daemon).programs, more), cwd: made.path, by, status };
    };
    const forYou = ['--opt', 'build-arg:WHO=you'];
    const builds: readonly Build[] = [
      dockerfile('dockerfile', 'proxy', MULTI_STAGE, 0, forYou),
      dockerfile('dockerfile-failing', 'proxy', FAILING, 1),
      dockerfile('container', 'runtime', syntax + MULTI_STAGE, 0, forYou),
      dockerfile('container-failing', 'runtime', syntax + FAILING, 1),
      ours('all', 0, '--image', base),
      ours('dialogue', 0),
      ours('fail', 1),
      ours('solve', 0),
      ours('talk', 0, '--ticks', '10', '--interval', '20ms'),
    ];
    const made = new Map<string, string[]>(builds.map(({ name }) => [name, []]));
    for (let round = 1; round <= rounds; round++) {
      await daemon.restart();
      demand(0, await daemon.buildctl(['prune', '--all']));
      // One after the other: builds side by side share their steps, and are told of each other's.
      for (const build of builds) {
        const file = join(folder, `${build.name}-${version}-${round}.cassette`);
        if (build.by === 'proxy') await recordProxied(build, daemon, file);
        else await recordFrontend(build, daemon, tapes, file);
        made.get(build.name)?.push(file);
      }
      onRound?.(round);
    }
    return [...made].map(([build, cassettes]) => ({ build, cassettes }));
  } finally {
    await daemon?.stop();
    await registry.stop();
    for (const one of sources) await one.remove();
    await work.remove();
  }
}

async function recordProxied({ command, cwd, status }: Build, daemon: Daemon, output: string): Promise<void> {
  const { address, remove } = temporaryAddress();
  try {
    const recording = await record({ output, listen: address, upstream: parseAddress(daemon.address), command });
    try {
      demand(status, await runCommand(command, { cwd, env: { BUILDKIT_HOST: recording.address } }));
    } finally {
      await recording.close();
    }
  } finally {
    remove();
  }
}

/** The runtime names the cassette. */
async function recordFrontend({ name, command, cwd, status }: Build, daemon: Daemon, tapes: string, output: string): Promise<void> {
  demand(status, await runCommand(command, { cwd, env: { BUILDKIT_HOST: daemon.address } }));
  const [tape, ...others] = readdirSync(tapes);
  if (tape === undefined || others.length > 0) throw new CommandError(`${name}: not one frontend was run, but ${tape === undefined ? 'none' : others.length + 1}`);
  renameSync(join(tapes, tape), output);
}

function demand(wanted: number, { status, stdout, stderr }: CommandResult): void {
  if (status !== wanted) throw new CommandError(`ended with status ${status ?? 'unknown'} instead of ${wanted}\n${stdout}\n${stderr}`);
}
