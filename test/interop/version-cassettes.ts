/**
 * Makes the recordings in cassettes/versions/ anew (`npm run versions -- --record`; root, Go, Linux): two builds, each by
 * seven versions of BuildKit, for docs/buildkit-versions.md to tell what changed between them. Three of the versions are
 * built for nothing else.
 */
import { chmodSync, copyFileSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BUILDS, VERSIONS, type VersionedBuild } from '../versions/builds.js';
import { bridgetape, buildBridgetape } from './harness/bridgetape.js';
import { buildKit, goFrontend } from './harness/binaries.js';
import { busyboxDir, pushBaseImage } from './harness/busybox.js';
import { CommandError, runCommand, tail, type CommandResult } from './harness/command.js';
import { startDaemon, type Daemon } from './harness/daemon.js';
import { pushFrontendImage } from './harness/frontend-image.js';
import { isOnOwnMachine, onOwnMachine } from './harness/own-machine.js';
import { startRegistry, type Registry } from './harness/registry.js';
import { temporaryFolder } from './harness/temporary-folder.js';

const script = fileURLToPath(import.meta.url);
const destination = join(dirname(dirname(dirname(script))), 'cassettes', 'versions');
const REGISTRY_PORT = 5000;

/** It is resolved, so that one sees how; an argument, a mount and two stages are in it. */
const DOCKERFILE = `# syntax=localhost:${REGISTRY_PORT}/docker/dockerfile:1
FROM localhost:${REGISTRY_PORT}/base:latest AS greeting
ARG WHO=nobody
RUN ["/bin/busybox", "--install", "-s", "/bin"]
COPY greeting.txt /src/
RUN --mount=type=cache,target=/cache echo for $WHO: | cat - /src/greeting.txt | tee /greeting

FROM scratch
COPY --from=greeting /greeting /
`;

async function makeAll(): Promise<void> {
  const work = temporaryFolder('bt-versions-');
  const registry = await startRegistry({ port: REGISTRY_PORT });
  try {
    mkdirSync(destination, { recursive: true });
    mkdirSync(join(work.path, 'app'));
    writeFileSync(join(work.path, 'app', 'Dockerfile'), DOCKERFILE);
    writeFileSync(join(work.path, 'app', 'greeting.txt'), 'hello from a real frontend\n');
    copyFileSync(join(busyboxDir(), 'busybox'), join(work.path, 'app', 'busybox'));
    // One image for all of them, so that its digest is the same in all recordings.
    await withDaemon(VERSIONS.at(-1) ?? '', registry, [], (daemon) => pushBaseImage(daemon, registry));
    for (const version of VERSIONS) {
      const path = await programs(version, work.path);
      for (const build of BUILDS) {
        const file = build.by === 'runtime' ? await recordFrontend(version, build, registry, work.path, path) : await recordClient(version, build, registry, work.path, path);
        const verdict = await bridgetape(['verify', file]);
        if (verdict.status !== 0) throw new CommandError(`${file} is not whole:\n${verdict.stdout}${verdict.stderr}`);
        const to = join(destination, `${build.name}-${version}.cassette`);
        copyFileSync(file, to);
        chmodSync(to, 0o644);
        console.log(`${build.name}-${version}.cassette: ${statSync(to).size} bytes`);
      }
    }
  } finally {
    await registry.stop();
    await work.remove();
  }
}

/** A PATH on which that version's client is found. */
async function programs(version: string, work: string): Promise<string> {
  const folder = join(work, version);
  mkdirSync(folder);
  symlinkSync((await buildKit(version)).buildctl, join(folder, 'buildctl'));
  symlinkSync(await goFrontend(), join(folder, 'frontend'));
  return [folder, process.env['PATH']].join(':');
}

async function withDaemon<T>(version: string, registry: Registry, flags: readonly string[], use: (daemon: Daemon) => Promise<T>): Promise<T> {
  const daemon = await startDaemon(version, { ownMachine: true, config: registry.daemonConfig, flags });
  return await use(daemon).finally(() => daemon.stop());
}

async function recordClient(version: string, { name, command }: VersionedBuild, registry: Registry, work: string, path: string): Promise<string> {
  const file = join(work, `${name}-${version}.cassette`);
  const result = await withDaemon(version, registry, [], () => bridgetape(['record', '-o', file, '--', ...command], { cwd: join(work, 'app'), env: environment(path) }));
  demand(name, version, result);
  return file;
}

async function recordFrontend(version: string, { name, command }: VersionedBuild, registry: Registry, work: string, path: string): Promise<string> {
  const tapes = join(work, `${name}-${version}.tapes`);
  const runtime = join(work, `${name}-${version}.runtime`);
  demand('the runtime', version, await bridgetape(['runtime', '--dir', tapes, '--install', runtime]));
  await withDaemon(version, registry, [], (daemon) => pushFrontendImage(daemon, registry));
  await withDaemon(version, registry, [`--oci-worker-binary=${runtime}`], async () => demand(name, version, await runCommand(command, { cwd: join(work, 'app'), env: environment(path) })));
  const [tape, ...others] = readdirSync(tapes);
  if (tape === undefined || others.length > 0) throw new CommandError(`${name}, ${version}: not one frontend was run, but ${tape === undefined ? 'none' : others.length + 1}`);
  return join(tapes, tape);
}

function environment(path: string): Readonly<Record<string, string | undefined>> {
  return { PATH: path, BUILDKIT_HOST: undefined, OTEL_TRACES_EXPORTER: undefined };
}

function demand(what: string, version: string, { status, stdout, stderr }: CommandResult): void {
  if (status !== 0) throw new CommandError(`${what}, ${version}, ended with status ${status ?? 'unknown'}\n${tail(stdout)}\n${tail(stderr)}`);
}

if (isOnOwnMachine()) await makeAll();
else {
  buildBridgetape();
  // Go fetches what it builds, and there is no network inside.
  for (const version of VERSIONS) await buildKit(version);
  await goFrontend();
  process.exitCode = await onOwnMachine(script, []);
}
