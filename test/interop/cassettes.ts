/**
 * Makes the recordings in cassettes/ anew (`npm run cassettes`; root, Go, Linux): real clients and daemons, recorded
 * through the CLI, each recording then verified and replayed with nobody behind it.
 *
 * All of it happens on a machine of its own, as far as a recording can tell: in namespaces where BuildKit's default
 * paths, the ports and the host name are free to be what the reader expects, and where everything ends with us.
 */
import { chmodSync, copyFileSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bridgetape, buildBridgetape } from './harness/bridgetape.js';
import { buildKit, goFrontend } from './harness/binaries.js';
import { busyboxDir, pushBaseImage } from './harness/busybox.js';
import { CommandError, runCommand, tail, type CommandResult } from './harness/command.js';
import { startDaemon, type Daemon } from './harness/daemon.js';
import { serveFile } from './harness/file-server.js';
import { progressLines } from './harness/progress-lines.js';
import { pushFrontendImage } from './harness/frontend-image.js';
import { isOnOwnMachine, onOwnMachine } from './harness/own-machine.js';
import { startRegistry, type Registry } from './harness/registry.js';
import { temporaryFolder } from './harness/temporary-folder.js';

const script = fileURLToPath(import.meta.url);
const destination = join(dirname(dirname(dirname(script))), 'cassettes');

/** Small enough for a repository that is cloned often. */
const MAX_BYTES = 200_000;

/** The demo's recording names this port. */
const FILE_PORT = 38_417;
const REGISTRY_PORT = 5000;

const DOCKERFILE = `FROM scratch AS tools
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]

FROM tools AS greeting
COPY greeting.txt /src/
RUN tr a-z A-Z </src/greeting.txt | tee /greeting

FROM tools AS numbers
RUN for i in 1 2 3; do echo counting to $i; usleep 200000; done; seq 1 3 >/numbers

FROM scratch
COPY --from=greeting /greeting /
COPY --from=numbers /numbers /
`;

const FAILING_DOCKERFILE = `FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
RUN echo so far so good
RUN echo no more of this >&2; exit 7
`;

/** Its frontend comes as an image; the argument is among the frontend's options. */
const SYNTAX_DOCKERFILE = `# syntax=localhost:${REGISTRY_PORT}/docker/dockerfile:1
FROM scratch AS tools
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]

FROM tools AS greeting
ARG WHO=nobody
COPY greeting.txt /src/
RUN echo for $WHO: | cat - /src/greeting.txt | tee /greeting

FROM scratch
COPY --from=greeting /greeting /
`;

interface Recording {
  /** Who records: a proxy in front of the daemon, or the runtime in front of runc, once for the one frontend's run. */
  readonly by?: 'runtime';
  readonly name: string;
  readonly version: string;
  /** The folder to run in, below the folder of all recordings' sources. */
  readonly folder: 'app' | 'failing' | 'frontend' | 'syntax';
  readonly command: readonly string[];
  readonly status: number;
  /** What the client printed that has to be the same when it is replayed. */
  readonly observed: (result: CommandResult) => unknown;
}

const BUILD = ['buildctl', 'build', '--frontend', 'dockerfile.v0', '--local', 'context=.', '--local', 'dockerfile=.'];
const BUILD_FOR_YOU = [...BUILD, '--opt', 'build-arg:WHO=you'];
const progress = ({ stderr }: CommandResult): unknown => progressLines(withoutOurs(stderr), { digests: 'keep' });
const transcript = ({ stdout, stderr }: CommandResult): unknown => [stdout, withoutOurs(stderr)];

const RECORDINGS: readonly Recording[] = [
  { name: 'dockerfile-v0.8.3', version: 'v0.8.3', folder: 'app', command: BUILD, status: 0, observed: progress },
  {
    ...{ name: 'exec-v0.8.3', version: 'v0.8.3', folder: 'frontend', status: 0, observed: transcript },
    command: ['frontend', '--scenario', 'all', '--busybox-dir', '.', '--image', `localhost:${REGISTRY_PORT}/base`],
  },
  { name: 'dockerfile-v0.32.2', version: 'v0.32.2', folder: 'app', command: BUILD, status: 0, observed: progress },
  {
    ...{ name: 'exec-v0.32.2', version: 'v0.32.2', folder: 'frontend', status: 0, observed: transcript },
    command: ['frontend', '--scenario', 'all', '--busybox-dir', '.', '--image', `localhost:${REGISTRY_PORT}/base`],
  },
  {
    ...{ name: 'dialogue-v0.32.2', version: 'v0.32.2', folder: 'frontend', status: 0, observed: transcript },
    command: ['frontend', '--scenario', 'dialogue', '--busybox-url', `http://127.0.0.1:${FILE_PORT}/busybox`],
  },
  { name: 'failing-v0.32.2', version: 'v0.32.2', folder: 'failing', command: BUILD, status: 1, observed: progress },
  { by: 'runtime', name: 'container-v0.8.3', version: 'v0.8.3', folder: 'syntax', command: BUILD_FOR_YOU, status: 0, observed: progress },
  { by: 'runtime', name: 'container-v0.32.2', version: 'v0.32.2', folder: 'syntax', command: BUILD_FOR_YOU, status: 0, observed: progress },
];

/** What bridgetape says itself on the stderr that it shares with the command. */
function withoutOurs(stderr: string): string {
  return stderr.replace(/^bridgetape: .*\n/gm, '');
}

async function makeAll(wanted: readonly string[]): Promise<void> {
  const chosen = RECORDINGS.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  if (chosen.length === 0) throw new CommandError(`there is no recording ${wanted.join(', ')}; there are ${RECORDINGS.map(({ name }) => name).join(', ')}`);
  const work = temporaryFolder('bt-cassettes-');
  try {
    makeSources(work.path);
    const made: Made[] = [];
    for (const version of new Set(chosen.map((recording) => recording.version))) {
      made.push(...(await recordWith(version, chosen.filter((recording) => recording.version === version), work.path)));
    }
    // No daemon, registry or file server is left here.
    for (const one of made) await check(one, work.path);
    for (const { recording, file } of made) {
      const to = join(destination, `${recording.name}.cassette`);
      copyFileSync(file, to);
      chmodSync(to, 0o644);
      console.log(`${recording.name}.cassette: ${statSync(to).size} bytes`);
    }
  } finally {
    await work.remove();
  }
}

function makeSources(work: string): void {
  for (const folder of ['app', 'failing', 'frontend', 'syntax']) {
    mkdirSync(join(work, folder));
    copyFileSync(join(busyboxDir(), 'busybox'), join(work, folder, 'busybox'));
  }
  writeFileSync(join(work, 'app', 'Dockerfile'), DOCKERFILE);
  writeFileSync(join(work, 'app', 'greeting.txt'), 'hello from a real build\n');
  writeFileSync(join(work, 'failing', 'Dockerfile'), FAILING_DOCKERFILE);
  writeFileSync(join(work, 'syntax', 'Dockerfile'), SYNTAX_DOCKERFILE);
  writeFileSync(join(work, 'syntax', 'greeting.txt'), 'hello from a real frontend\n');
}

interface Made {
  readonly recording: Recording;
  readonly file: string;
  readonly path: string;
  readonly observed: unknown;
}

async function recordWith(version: string, recordings: readonly Recording[], work: string): Promise<readonly Made[]> {
  const programs = join(work, version);
  mkdirSync(programs);
  symlinkSync((await buildKit(version)).buildctl, join(programs, 'buildctl'));
  symlinkSync(await goFrontend(), join(programs, 'frontend'));
  const path = [programs, process.env['PATH']].join(':');
  const registry = await startRegistry({ port: REGISTRY_PORT });
  const files = await serveFile(join(busyboxDir(), 'busybox'), { port: FILE_PORT });
  try {
    const made: Made[] = [];
    for (const recording of recordings) {
      const file = join(work, `${recording.name}.cassette`);
      if (recording.by === 'runtime') {
        const result = await recordFrontend(recording, file, registry, { path, work });
        demand(recording, 'recording', result);
        made.push({ recording, file, path, observed: recording.observed(result) });
        continue;
      }
      // A daemon each, so that nothing is cached.
      const daemon = await startDaemon(version, { ownMachine: true, config: registry.daemonConfig });
      try {
        if (recording.command.includes('--image')) await pushBaseImage(daemon, registry);
        const result = await bridgetape(['record', '-o', file, '--', ...recording.command], { cwd: join(work, recording.folder), env: clientEnv(path) });
        demand(recording, 'recording', result);
        made.push({ recording, file, path, observed: recording.observed(result) });
      } finally {
        await daemon.stop();
      }
    }
    return made;
  } finally {
    await files.stop();
    await registry.stop();
  }
}

/** @returns what the client of the build saw; the one frontend's run is in the file then */
async function recordFrontend({ name, version, folder, command }: Recording, file: string, registry: Registry, { path, work }: { readonly path: string; readonly work: string }): Promise<CommandResult> {
  const tapes = join(work, `${name}.tapes`);
  const runtime = join(work, `${name}.runtime`);
  const made = await bridgetape(['runtime', '--dir', tapes, '--install', runtime]);
  if (made.status !== 0) throw new CommandError(`the runtime for ${name} could not be made\n${tail(made.stderr)}`);
  const pushing: Daemon = await startDaemon(version, { ownMachine: true, config: registry.daemonConfig });
  await pushFrontendImage(pushing, registry).finally(() => pushing.stop());
  const daemon = await startDaemon(version, { ownMachine: true, config: registry.daemonConfig, flags: [`--oci-worker-binary=${runtime}`] });
  try {
    const result = await runCommand(command, { cwd: join(work, folder), env: clientEnv(path) });
    const [cassette, ...others] = readdirSync(tapes);
    if (cassette === undefined || others.length > 0) throw new CommandError(`${name}: not one frontend was run, but ${others.length === 0 ? 'none' : others.length + 1}`);
    copyFileSync(join(tapes, cassette), file);
    return result;
  } finally {
    await daemon.stop();
  }
}

async function check({ recording, file, path, observed }: Made, work: string): Promise<void> {
  const { size } = statSync(file);
  if (size > MAX_BYTES) throw new CommandError(`${recording.name} has ${size} bytes, and at most ${MAX_BYTES} belong into the repository`);
  const verdict = await bridgetape(['verify', file]);
  if (verdict.status !== 0) throw new CommandError(`${recording.name} is not whole:\n${verdict.stdout}${verdict.stderr}`);
  // No client of a daemon can replay what a frontend said over its stdio.
  if (recording.by === 'runtime') return;
  const result = await bridgetape(['replay', file, '--', ...recording.command], { cwd: join(work, recording.folder), env: clientEnv(path) });
  demand(recording, 'replaying', result);
  const before = JSON.stringify(observed, undefined, 1);
  const after = JSON.stringify(recording.observed(result), undefined, 1);
  if (after !== before) throw new CommandError(`${recording.name} shows its client something else when it is replayed; recorded:\n${before}\nreplayed:\n${after}`);
}

function clientEnv(path: string): Readonly<Record<string, string | undefined>> {
  return { PATH: path, BUILDKIT_HOST: undefined, OTEL_TRACES_EXPORTER: undefined };
}

function demand(recording: Recording, doing: string, { status, stdout, stderr }: CommandResult): void {
  if (status === recording.status) return;
  throw new CommandError(`${doing} ${recording.name} ended with status ${status ?? 'unknown'} instead of ${recording.status}\n${tail(stdout)}\n${tail(stderr)}`);
}

const args = process.argv.slice(2);
if (!isOnOwnMachine()) {
  buildBridgetape();
  // Go fetches what it builds, and there is no network inside.
  for (const version of new Set(RECORDINGS.map((recording) => recording.version))) await buildKit(version);
  await goFrontend();
  process.exitCode = await onOwnMachine(script, args);
} else {
  await makeAll(args);
}
