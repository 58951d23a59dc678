import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  bridgetape,
  buildKitVersions,
  busyboxDir,
  describeInterop,
  FAILING,
  goFrontend,
  ownWords,
  progressLines,
  recipe,
  runCommand,
  startDaemon,
  temporaryFolder,
  withoutOwnWords,
  type BuildKit,
  type CommandResult,
  type Recipe,
  type TemporaryFolder,
} from './harness/index.js';

interface Failure {
  readonly command: readonly string[];
  readonly cassette: string;
  readonly plain: CommandResult;
  readonly recorded: CommandResult;
}

describeInterop('a build that fails', () => {
  for (const version of buildKitVersions()) {
    let folder: TemporaryFolder;
    let source: Recipe;
    let dockerfile: Failure;
    let frontend: Failure;

    beforeAll(async () => {
      folder = temporaryFolder();
      source = recipe(FAILING);
      const attempt = async (name: string, command: (programs: BuildKit) => readonly string[]): Promise<Failure> => {
        const cassette = join(folder.path, `${name}.cassette`);
        const [without, behind] = await Promise.all([startDaemon(version), startDaemon(version)]);
        try {
          const argv = command(without.programs);
          return {
            ...{ command: argv, cassette },
            plain: await runCommand(argv, { cwd: source.path, env: { BUILDKIT_HOST: without.address } }),
            recorded: await bridgetape(['record', '-o', cassette, '--', ...argv], { cwd: source.path, env: { BUILDKIT_HOST: behind.address } }),
          };
        } finally {
          await Promise.all([without.stop(), behind.stop()]);
        }
      };
      const ours = await goFrontend();
      dockerfile = await attempt('dockerfile', (programs) => source.build(programs));
      frontend = await attempt('frontend', () => [ours, '--scenario', 'fail', '--busybox-dir', busyboxDir()]);
    });

    afterAll(async () => {
      await folder.remove();
      await source.remove();
    });

    it(`${version}: of a Dockerfile, says and ends the same when it is recorded`, async () => {
      const { plain, recorded, cassette } = dockerfile;
      expect(plain.stderr).toContain('no more of this');
      expect(plain.stderr).toMatch(/executor failed running|did not complete successfully: exit code: 7/);
      expect(plain.stderr).toContain('>>> RUN echo no more of this');
      expect(plain.status).toBe(1);
      expect(progressLines(withoutOwnWords(recorded.stderr))).toEqual(progressLines(plain.stderr));
      expect(recorded.status).toBe(1);
      expect((await bridgetape(['verify', cassette])).status).toBe(0);
    });

    it(`${version}: of a Dockerfile, says and ends the same when it is replayed`, async () => {
      const { command, recorded, cassette } = dockerfile;
      const replayed = await bridgetape(['replay', cassette, '--', ...command], { cwd: source.path });
      expect(ownWords(replayed.stderr)).toEqual([]);
      expect(progressLines(replayed.stderr, { digests: 'keep' })).toEqual(progressLines(withoutOwnWords(recorded.stderr), { digests: 'keep' }));
      expect(replayed.status).toBe(1);
    });

    it(`${version}: of a frontend of ours, says and ends the same when it is recorded`, () => {
      const { plain, recorded } = frontend;
      expect(plain.stdout).toContain('source "broken.recipe"');
      expect(plain.status).toBe(1);
      expect([recorded.stdout, withoutOwnWords(recorded.stderr), recorded.status]).toEqual([plain.stdout, plain.stderr, 1]);
    });

    it(`${version}: of a frontend of ours, says and ends the same when it is replayed`, async () => {
      const { command, plain, cassette } = frontend;
      const replayed = await bridgetape(['replay', cassette, '--', ...command]);
      expect([replayed.stdout, replayed.stderr, replayed.status]).toEqual([plain.stdout, plain.stderr, 1]);
    });
  }
});
