// What a change to a Dockerfile changes in real traffic: each report as a maintainer would want to read it.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bridgetape, describeInterop, pushBaseImage, pushFrontendImage, recipe, runCommand, startDaemon, startRegistry, temporaryFolder, type Daemon, type TemporaryFolder } from './harness/index.js';

const VERSION = 'v0.32.2';

const DOCKERFILE = `FROM BASE
ARG WHO=nobody
COPY one.txt /
COPY two.txt /
RUN ["/bin/busybox", "sh", "-c", "echo hello $WHO >/greeting"]
RUN ["/bin/busybox", "sh", "-c", "cat /one.txt /greeting >/all"]
`;

/** What stands for `BASE`, and more for buildctl. */
interface Change {
  readonly dockerfile?: (text: string) => string;
  readonly base?: 'base' | 'other';
  readonly options?: readonly string[];
}

const CHANGES: Readonly<Record<string, Change>> = {
  first: {},
  again: {},
  argument: { options: ['--opt', 'build-arg:WHO=you'] },
  reordered: { dockerfile: (text) => text.replace('COPY one.txt /\nCOPY two.txt /\n', 'COPY two.txt /\nCOPY one.txt /\n') },
  mount: { dockerfile: (text) => text.replace('RUN [', 'RUN --mount=type=cache,target=/cache [') },
  base: { base: 'other' },
};

describeInterop(
  'the comparison of real builds',
  () => {
    let folder: TemporaryFolder;
    const at = (name: string): string => join(folder.path, `${name}.cassette`);

    beforeAll(async () => {
      folder = temporaryFolder('bt-diff-');
      const tapes = join(folder.path, 'tapes');
      const runtime = join(folder.path, 'runtime');
      expect((await bridgetape(['runtime', '--dir', tapes, '--install', runtime])).status).toBe(0);
      const registry = await startRegistry();
      const daemon = await startDaemon(VERSION, { config: registry.daemonConfig, flags: [`--oci-worker-binary=${runtime}`] });
      try {
        const bases = { base: await pushBaseImage(daemon, registry), other: await pushBaseImage(daemon, registry, 'other') };
        const image = await pushFrontendImage(daemon, registry);
        for (const [name, { dockerfile = (text: string) => text, base = 'base', options = [] }] of Object.entries(CHANGES)) {
          const before = new Set(filesIn(tapes));
          await build(daemon, dockerfile(DOCKERFILE).replace('BASE', bases[base]), [], ['--opt', `source=${image}`, ...options], 0);
          const [made = ''] = filesIn(tapes).filter((file) => !before.has(file));
          await runCommand(['mv', join(tapes, made), at(name)]);
        }
        // A step is run when the daemon wants its result: what fails is told to the client, not to the frontend.
        const record = (name: string): readonly string[] => ['record', '-o', at(name), '--to', daemon.address, '--'];
        await build(daemon, DOCKERFILE.replace('BASE', bases.base), record('passing'), [], 0);
        await build(daemon, DOCKERFILE.replace('BASE', bases.base).replace('cat /one.txt', 'cat /none.txt'), record('failing'), [], 1);
      } finally {
        await daemon.stop();
        await registry.stop();
      }
    });

    afterAll(() => folder.remove());

    /** The deciding part of the report, without its head and its sum; what differs from machine to machine as words. */
    const compared = async (before: string, after: string, options: readonly string[] = []): Promise<readonly string[]> => {
      const { status, stdout, stderr } = await bridgetape(['diff', `${before}.cassette`, `${after}.cassette`, ...options], { cwd: folder.path, env: { COLUMNS: '300' } });
      expect([status, stderr]).toEqual([1, '']);
      const text = stdout.replaceAll(/localhost:\d+/g, 'REGISTRY').replaceAll(/@sha256:[0-9a-f]+…?/g, '@DIGEST').replace(/What is cut .*\n$/, '');
      expect(text).toMatch(new RegExp(`^--- ${before}\\.cassette .*\n\\+\\+\\+ ${after}\\.cassette .*\n\n[^]*\n\n\\d+ differences: .*\n$`));
      return deciding(text.trimEnd().split('\n').slice(3, -2)).map((line) => line.replace(/ {2}also in calls? .*$/, ''));
    };

    it('finds the same in a build that was made again', async () => {
      const { status, stdout } = await bridgetape(['diff', at('first'), at('again')]);
      expect([status, stdout]).toEqual([0, expect.stringMatching(/^same: 1 build, \d+ calls, \d+ messages compared\n$/)]);
    });

    it('tells of another build argument where it was given, and where it went', async () => {
      expect(await compared('first', 'argument')).toEqual([
        'outside of builds',
        '  frontend  environment',
        '    + options["build-arg:WHO"]  "you"',
        '',
        'build 1: /bin/dockerfile-frontend source=REGISTRY/docker/dockerfile:1',
        '  LLBBridge/Solve  call 9  cat /one.txt /greeting >/all  requests',
        '    ~ RUN /bin/busybox sh -c "echo hello $WHO >/greeting"  Dockerfile:5',
        expect.stringMatching(/^ {8}~ exec\.meta\.env\[2\] {2}"WHO=nobody" → "WHO=you" {2}also in RUN .* \(Dockerfile:6\)$/),
      ]);
    });

    it('tells of a COPY that was moved as one that went and one that came, with the lines', async () => {
      const lines = await compared('first', 'reordered');
      expect(lines.slice(0, 12)).toEqual([
        'build 1: /bin/dockerfile-frontend source=REGISTRY/docker/dockerfile:1',
        '  LLBBridge/ReadFile  call 4  Dockerfile  responses',
        '    ~ Data',
        '       FROM REGISTRY/base:latest',
        '       ARG WHO=nobody',
        '      -COPY one.txt /',
        '       COPY two.txt /',
        '      +COPY one.txt /',
        '       RUN ["/bin/busybox", "sh", "-c", "echo hello $WHO >/greeting"]',
        '       RUN ["/bin/busybox", "sh", "-c", "cat /one.txt /greeting >/all"]',
        '  LLBBridge/Solve  call 9  cat /one.txt /greeting >/all  requests',
        '    - COPY /one.txt /  Dockerfile:3',
      ]);
      expect(lines[12]).toBe('    + COPY /one.txt /  Dockerfile:4');
    });

    it('tells of a mount at its RUN, and of what the daemon has to be able to do for it', async () => {
      const lines = await compared('first', 'mount');
      expect(lines.slice(lines.findIndex((line) => line.includes('LLBBridge/Solve')))).toEqual([
        '  LLBBridge/Solve  call 9  cat /one.txt /greeting >/all  requests',
        '    ~ RUN /bin/busybox sh -c "echo hello $WHO >/greeting"  Dockerfile:5',
        expect.stringMatching(/^ {8}\+ exec\.mounts\[1\] {2}\{.*dest: "\/cache".*mountType: CACHE/),
        '        + metadata.caps["exec.mount.cache"]  true',
        '        + metadata.caps["exec.mount.cache.sharing"]  true',
      ]);
    });

    it('tells of another base image in the file, in the question about it, and once in the graph', async () => {
      expect(await compared('first', 'base')).toEqual(
        expect.arrayContaining([
          '      -FROM REGISTRY/base:latest',
          '      +FROM REGISTRY/other:latest',
          '      ~ Source.identifier  "docker-image://REGISTRY/base:latest" → "docker-image://REGISTRY/other:latest"',
          '    ~ source docker-image://REGISTRY/base:latest@DIGEST → source docker-image://REGISTRY/other:latest@DIGEST  Dockerfile:1',
        ]),
      );
    });

    it('tells how a build failed, and at which step', async () => {
      expect(await compared('passing', 'failing', ['--control'])).toEqual(
        expect.arrayContaining([
          '    ~ status  OK → UNKNOWN: process "/bin/busybox sh -c cat /none.txt /greeting >/all" did not complete successfully: exit code: 1',
          '    ~ RUN /bin/busybox sh -c "cat /one.txt /greeting >/all" → RUN /bin/busybox sh -c "cat /none.txt /greeting >/all"  Dockerfile:6',
        ]),
      );
    });
  },
  [VERSION],
);

/** Without what only describes: names of steps, and the file as it stands beside the graph. */
function deciding(lines: readonly string[]): readonly string[] {
  let below: number | undefined;
  return lines.filter((line) => {
    const indent = line.length - line.trimStart().length;
    if (below !== undefined && indent > below) return false;
    below = line.trim() === 'only describes' ? indent : undefined;
    return below === undefined;
  });
}

async function build(daemon: Daemon, dockerfile: string, record: readonly string[], options: readonly string[], status: number): Promise<void> {
  const source = recipe(dockerfile);
  source.write('one.txt', 'one\n');
  source.write('two.txt', 'two\n');
  try {
    const words = source.build(daemon.programs, options).map((word) => (word === 'dockerfile.v0' && record.length === 0 ? 'gateway.v0' : word));
    const result = record.length === 0 ? await runCommand(words, { cwd: source.path, env: { BUILDKIT_HOST: daemon.address } }) : await bridgetape([...record, ...words], { cwd: source.path });
    expect(result.status, result.stderr).toBe(status);
  } finally {
    await source.remove();
  }
}

function filesIn(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
