import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  bridgetape,
  buildKitVersions,
  busyboxDir,
  describeInterop,
  goFrontend,
  listening,
  MULTI_STAGE,
  progressLines,
  recipe,
  runCommand,
  shortMethod,
  shown,
  shownEvents,
  startDaemon,
  temporaryFolder,
  type CommandResult,
  type Recipe,
  type TemporaryFolder,
} from './harness/index.js';

/** Builds of each kind: a Dockerfile by buildctl, one solve with reads, one process that talks. */
const DOCKERFILES = 4;
const SOLVES = 3;
const TALKS = 3;

interface Build {
  readonly name: string;
  readonly command: readonly string[];
  readonly observed: (result: CommandResult) => unknown;
}

describeInterop('ten builds at once through one recorder', () => {
  for (const version of buildKitVersions()) {
    let folder: TemporaryFolder;
    let source: Recipe;
    let builds: readonly Build[];
    let live: readonly CommandResult[];
    const cassette = (): string => join(folder.path, 'ten.cassette');
    const all = (address: string): Promise<readonly CommandResult[]> =>
      Promise.all(builds.map(({ command }) => runCommand(command, { cwd: source.path, env: { BUILDKIT_HOST: address } })));

    beforeAll(async () => {
      folder = temporaryFolder();
      source = recipe(MULTI_STAGE);
      const frontend = await goFrontend();
      const daemon = await startDaemon(version);
      try {
        const ours = (scenario: string, ...more: readonly string[]): readonly string[] => [frontend, '--scenario', scenario, '--busybox-dir', busyboxDir(), ...more];
        const transcript = ({ stdout, stderr }: CommandResult): unknown => [stdout, stderr];
        builds = [
          ...times(DOCKERFILES, (i) => ({
            name: `dockerfile ${i}`,
            command: source.build(daemon.programs, ['--opt', `build-arg:WHO=number ${i}`]),
            observed: ({ stderr }: CommandResult): unknown => progressLines(stderr, { digests: 'keep' }),
          })),
          ...times(SOLVES, (i) => ({ name: `solve ${i}`, command: ours('solve'), observed: transcript })),
          ...times(TALKS, (i) => ({ name: `talk ${i}`, command: ours('talk', '--ticks', '5', '--interval', '20ms'), observed: transcript })),
        ];
        const recorder = await listening(['record', '-o', cassette(), '--to', daemon.address]);
        live = await all(recorder.address);
        recorder.command.kill('SIGTERM');
        const ended = await recorder.command.result;
        expect(ended.stderr).toMatch(/ten\.cassette: \d+ calls on 10 connections/);
        expect(ended.status).toBe(0);
      } finally {
        await daemon.stop();
      }
    });

    afterAll(async () => {
      await folder.remove();
      await source.remove();
    });

    it(`${version}: are ten builds in the cassette, which is whole`, async () => {
      expect(live.map(({ status }) => status)).toEqual(builds.map(() => 0));
      expect((await bridgetape(['verify', cassette()])).status).toBe(0);
      expect(new Set((await shown(cassette())).cassette.builds.map(({ ref }) => ref)).size).toBe(builds.length);
    });

    it(`${version}: have each call under the build that its client named`, async () => {
      const { cassette: head, calls } = await shown(cassette());
      const named = await namedBuilds(cassette());
      const ofBuilds = calls.filter(({ path }) => path.includes('LLBBridge/') || /Control\/(Solve|Status)$/.test(path));
      for (const { call, path, build } of ofBuilds) expect([path, build]).toEqual([path, named.get(call)]);

      // Each build has its own: no two share a connection here.
      for (const { ref } of head.builds) {
        const own = calls.filter(({ build }) => build === ref);
        expect(new Set(own.map(({ connection }) => connection)).size).toBe(1);
        const methods = own.map(({ path }) => shortMethod(path));
        for (const method of ['Control/Solve', 'Control/Status']) expect(methods.filter((other) => other === method)).toHaveLength(1);
      }
      const processes = calls.filter(({ path }) => path.endsWith('/ExecProcess')).map(({ build }) => build);
      expect(new Set(processes).size).toBe(TALKS);
    });

    it(`${version}: replay at once`, async () => {
      const replayer = await listening(['replay', cassette()]);
      const replayed = await all(replayer.address);
      replayer.command.kill('SIGTERM');
      const ended = await replayer.command.result;
      expect(ended.stderr).toMatch(/^bridgetape: listening on .*\n$/);
      expect(ended.status).toBe(0);
      for (const [i, { name, observed }] of builds.entries()) {
        expect([name, observed(replayed[i]!), replayed[i]!.status]).toEqual([name, observed(live[i]!), 0]);
      }
    });
  }
});

describeInterop('builds that begin alike', () => {
  const version = buildKitVersions().at(-1) ?? '';

  it(`${version}: are told apart by what they do later`, async () => {
    const folder = temporaryFolder();
    const cassette = join(folder.path, 'alike.cassette');
    const frontend = await goFrontend();
    const talk = (ticks: number): readonly string[] => [
      ...[frontend, '--scenario', 'talk', '--busybox-dir', busyboxDir(), '--interval', '1ms'],
      ...['--ticks', String(ticks), '--timeout', '5s'],
    ];
    const daemon = await startDaemon(version);
    try {
      const recorder = await listening(['record', '-o', cassette, '--to', daemon.address]);
      const env = { BUILDKIT_HOST: recorder.address };
      await runCommand(talk(2), { env });
      const second = await runCommand(talk(3), { env });
      recorder.command.kill('SIGTERM');
      await recorder.command.result;
      expect(second.status).toBe(0);

      const replayed = await bridgetape(['replay', cassette, '--', ...talk(3)]);
      expect(replayed.stdout).toBe(second.stdout);
      expect(replayed.status).toBe(0);
    } finally {
      await daemon.stop();
      await folder.remove();
    }
  });
});

/** By call: the build id in the call's metadata, or in the request of Control/Solve and Control/Status. */
async function namedBuilds(file: string): Promise<ReadonlyMap<number, string>> {
  const named = new Map<number, string>();
  for (const { kind, call, headers, decoded } of await shownEvents(file)) {
    if (call === undefined) continue;
    const id = headers?.find(({ name }) => name === 'buildkit-controlapi-buildid')?.value ?? decoded?.['Ref'];
    if (kind.startsWith('client-') && typeof id === 'string' && !named.has(call)) named.set(call, id);
  }
  return named;
}

function times<T>(count: number, make: (i: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, i) => make(i));
}
