import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Cassette } from '../../src/index.js';
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
  startDaemon,
  temporaryFolder,
  withoutOwnWords,
  type BuildKit,
  type CommandResult,
  type Recipe,
  type TemporaryFolder,
} from './harness/index.js';

const KiB = 1024;
/** What Node's own HTTP/2 can send of headers at once. */
const NODE_LIMIT = 64 * KiB;

/** Comments that a build's error carries with it, because they stand in the file that is to blame. */
const comments = (bytes: number): string => '# and so on\n'.repeat(Math.ceil(bytes / 12));

/** The longest trailers of a cassette, in bytes of names and values. */
function longestTrailers(file: string): number {
  const cassette = Cassette.open(file);
  try {
    const lengths = [...cassette.events()].map((event) => (event.kind === 'server-trailer' ? event.headers.reduce((sum, { name, value }) => sum + name.length + value.length, 0) : 0));
    return Math.max(...lengths);
  } finally {
    cassette.close();
  }
}

describeInterop('a failing build whose status is longer than Node can send', () => {
  for (const version of buildKitVersions()) {
    let folder: TemporaryFolder;
    let source: Recipe;

    beforeAll(() => {
      folder = temporaryFolder();
      source = recipe(FAILING + comments(60 * KiB));
    });

    afterAll(async () => {
      await folder.remove();
      await source.remove();
    });

    /** Runs the command behind a recorder. */
    async function record(cassette: string, command: (programs: BuildKit) => readonly string[]): Promise<{ readonly argv: readonly string[]; readonly live: CommandResult }> {
      const daemon = await startDaemon(version);
      try {
        const argv = command(daemon.programs);
        return { argv, live: await bridgetape(['record', '-o', cassette, '--', ...argv], { cwd: source.path, env: { BUILDKIT_HOST: daemon.address } }) };
      } finally {
        await daemon.stop();
      }
    }

    it(`${version}: of a Dockerfile of 60 KiB, says the same live and replayed`, async () => {
      const cassette = join(folder.path, 'dockerfile.cassette');
      const { argv, live } = await record(cassette, (programs) => source.build(programs));
      expect(live.status).toBe(1);
      expect(live.stderr).toContain('no more of this');
      // v0.8 and the built-in frontend: the status carries the source as well.
      expect(longestTrailers(cassette)).toBeGreaterThan(NODE_LIMIT);
      const replayed = await bridgetape(['replay', cassette, '--', ...argv], { cwd: source.path });
      expect(ownWords(replayed.stderr)).toEqual([]);
      expect(progressLines(replayed.stderr, { digests: 'keep' })).toEqual(progressLines(withoutOwnWords(live.stderr), { digests: 'keep' }));
      expect(replayed.status).toBe(1);
    });

    it(`${version}: of a frontend's error with 1 MiB of details, says the same live and replayed`, async () => {
      const cassette = join(folder.path, 'frontend.cassette');
      const frontend = await goFrontend();
      const { argv, live } = await record(cassette, () => [frontend, '--scenario', 'fail', '--busybox-dir', busyboxDir(), '--source-bytes', String(1024 * KiB)]);
      expect(live.status).toBe(1);
      expect(live.stdout).toMatch(/source "broken\.recipe" of 10\d{5} bytes/);
      expect(longestTrailers(cassette)).toBeGreaterThan(1024 * KiB);
      const replayed = await bridgetape(['replay', cassette, '--', ...argv]);
      expect([replayed.stdout, replayed.stderr, replayed.status]).toEqual([live.stdout, withoutOwnWords(live.stderr), 1]);
    });
  }
});
