import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  bridgetape,
  buildKitVersions,
  describeInterop,
  MULTI_STAGE,
  ownWords,
  progressLines,
  recipe,
  runCommand,
  shortMethod,
  shown,
  startDaemon,
  temporaryFolder,
  withoutOwnWords,
  type BuildKit,
  type CommandResult,
  type Recipe,
  type TemporaryFolder,
} from './harness/index.js';

/** What a build of a Dockerfile by `buildctl` makes of calls, the traces that some versions send aside. */
const CALLS: Readonly<Record<string, readonly string[]>> = {
  // Up to v0.10 a built-in frontend is asked for in Control/Solve, and no bridge call crosses the socket.
  'v0.8.3': ['Control/Session', 'Control/Solve', 'Control/Status'],
  default: ['Control/ListWorkers', 'Control/Session', 'Control/Solve', 'Control/Status', 'LLBBridge/Ping', 'LLBBridge/Return', 'LLBBridge/Solve'],
};

const REPLAYS = 10;

describeInterop('a build of a Dockerfile', () => {
  for (const version of buildKitVersions()) {
    let folder: TemporaryFolder;
    let source: Recipe;
    let programs: BuildKit;
    let plain: CommandResult;
    let recorded: CommandResult;
    const cassette = (): string => join(folder.path, 'build.cassette');

    beforeAll(async () => {
      folder = temporaryFolder();
      source = recipe(MULTI_STAGE);
      // A daemon each, so that neither build finds the other's cache.
      const without = await startDaemon(version);
      ({ programs } = without);
      plain = await runCommand(source.build(programs), { cwd: source.path, env: { BUILDKIT_HOST: without.address } }).finally(() => without.stop());
      const behind = await startDaemon(version);
      recorded = await bridgetape(['record', '-o', cassette(), '--', ...source.build(programs)], {
        cwd: source.path,
        env: { BUILDKIT_HOST: behind.address },
      }).finally(() => behind.stop());
    });

    afterAll(async () => {
      await folder.remove();
      await source.remove();
    });

    it(`${version}: prints and ends the same with a recorder in the middle`, () => {
      expect(progressLines(plain.stderr).join('\n')).toContain('counting to 3');
      expect(progressLines(withoutOwnWords(recorded.stderr))).toEqual(progressLines(plain.stderr));
      expect(recorded.stdout).toBe(plain.stdout);
      expect([plain.status, recorded.status]).toEqual([0, 0]);
    });

    it(`${version}: has every call of the build in the cassette, which is whole`, async () => {
      const { cassette: head, calls } = await shown(cassette());
      expect(head.state).toBe('whole');
      expect(head.builds).toHaveLength(1);
      expect(head.command).toEqual(source.build(programs));
      const methods = calls.map(({ path }) => shortMethod(path)).filter((method) => method !== 'TraceService/Export');
      expect(methods.sort()).toEqual(CALLS[version] ?? CALLS['default']);
      for (const call of calls) expect(call).toMatchObject({ gaps: 0, outcome: { kind: 'status', codeName: 'OK' } });

      const verdict = await bridgetape(['verify', cassette()]);
      expect(verdict.stdout).toContain('whole');
      expect(verdict.status).toBe(0);
    });

    it(`${version}: shows the same progress ten times in a row with no daemon`, async () => {
      const expected = progressLines(withoutOwnWords(recorded.stderr), { digests: 'keep' });
      for (let i = 0; i < REPLAYS; i++) {
        const replayed = await bridgetape(['replay', cassette(), '--', ...source.build(programs)], { cwd: source.path });
        expect(ownWords(replayed.stderr)).toEqual([]);
        expect(progressLines(replayed.stderr, { digests: 'keep' })).toEqual(expected);
        expect(replayed.status).toBe(0);
      }
    });
  }
});
