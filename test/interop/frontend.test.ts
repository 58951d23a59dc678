import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  bridgetape,
  buildKitVersions,
  busyboxDir,
  describeInterop,
  goFrontend,
  ownWords,
  pushBaseImage,
  shortMethod,
  shown,
  shownEvents,
  startDaemon,
  startRegistry,
  temporaryFolder,
  withoutOwnWords,
  type CommandResult,
  type TemporaryFolder,
} from './harness/index.js';
import { manyTimes, REPLAYS, REPLAYS_TIMEOUT } from './replays/many-times.js';

/** A chunk may arrive this many ms before or after its recorded time. */
const TOLERANCE = 20;
/** A machine that is busy with something else is no fault of the replayer's; a replayer that is late is late each time. */
const PACE_ATTEMPTS = 3;

describeInterop('a frontend that uses every call of the bridge', () => {
  for (const version of buildKitVersions()) {
    let folder: TemporaryFolder;
    let frontend: string;
    let all: readonly string[];
    let live: CommandResult;
    const at = (name: string): string => join(folder.path, name);
    const paced = (scenario: string, chunks: string): readonly string[] => [
      ...[frontend, '--scenario', scenario, '--busybox-dir', busyboxDir(), '--chunks', at(chunks)],
    ];

    beforeAll(async () => {
      folder = temporaryFolder();
      frontend = await goFrontend();
      const registry = await startRegistry();
      const daemon = await startDaemon(version, { config: registry.daemonConfig });
      const env = { BUILDKIT_HOST: daemon.address };
      try {
        const image = await pushBaseImage(daemon, registry);
        all = [frontend, '--scenario', 'all', '--busybox-dir', busyboxDir(), '--image', image];
        live = await bridgetape(['record', '-o', at('all.cassette'), '--', ...all], { env, context: () => daemon.logs() });
        for (const scenario of ['dialogue', 'talk']) {
          const { status, stderr } = await bridgetape(['record', '-o', at(`${scenario}.cassette`), '--', ...paced(scenario, `${scenario}.recorded`)], { env });
          expect(stderr).toMatch(/^bridgetape: .*\n$/);
          expect(status).toBe(0);
        }
      } finally {
        await daemon.stop();
        await registry.stop();
      }
    });

    afterAll(() => folder.remove());

    it(`${version}: is recorded whole`, async () => {
      expect(withoutOwnWords(live.stderr)).toBe('');
      expect(live.status).toBe(0);
      const verdict = await bridgetape(['verify', at('all.cassette')]);
      expect(verdict.stdout).toContain('whole');
      expect(verdict.status).toBe(0);
      const { calls } = await shown(at('all.cassette'));
      const methods = new Set(calls.map(({ path }) => shortMethod(path)));
      for (const method of ['Solve', 'ReadFile', 'ReadDir', 'StatFile', 'Ping', 'Inputs', 'Return', 'Warn', 'Evaluate', 'NewContainer', 'ReleaseContainer', 'ExecProcess', 'ResolveImageConfig']) {
        expect(methods).toContain(`LLBBridge/${method}`);
      }
      expect(calls.filter(({ gaps }) => gaps > 0)).toEqual([]);
    });

    it(
      `${version}: observes the same in each of ${REPLAYS} replays with neither daemon nor registry`,
      async () => {
        const same = await manyTimes(async () => {
          const replayed = await bridgetape(['replay', at('all.cassette'), '--', ...all]);
          expect(ownWords(replayed.stderr)).toEqual([]);
          expect(replayed.stdout).toBe(live.stdout);
          expect(replayed.status).toBe(0);
        });
        console.log(`${version}, the Go frontend: ${same.length} of ${REPLAYS} replays observed to be the same`);
      },
      REPLAYS_TIMEOUT,
    );

    it.each(['dialogue', 'talk'])(`${version}: hears a %s at its recorded pace`, async (scenario) => {
      const recorded = await recordedChunks(at(`${scenario}.cassette`));
      expect(recorded.length).toBeGreaterThan(5);
      const onTime: boolean[] = [];
      while (!onTime.includes(true) && onTime.length < PACE_ATTEMPTS) {
        const { status, stderr } = await bridgetape(['replay', at(`${scenario}.cassette`), '--pace', '1', '--', ...paced(scenario, `${scenario}.replayed`)]);
        expect(stderr).toBe('');
        expect(status).toBe(0);
        const heard = heardChunks(at(`${scenario}.replayed`));
        expect(heard.map(({ fd, bytes }) => [fd, bytes])).toEqual(recorded.map(({ fd, bytes }) => [fd, bytes]));
        const lateness = heard.map(({ ms }, i) => ms - recorded[i]!.ms).sort((a, b) => a - b);
        const [first = NaN, median = NaN, last = NaN] = [lateness[0], lateness[Math.floor(lateness.length / 2)], lateness.at(-1)];
        console.log(`${version} ${scenario} at its pace: ${lateness.length} chunks, late by ${first.toFixed(1)} ms to ${last.toFixed(1)} ms, median ${median.toFixed(1)} ms`);
        // One chunk that is late can be a busy machine's doing, so the median stands for all; it is printed how late.
        onTime.push(first > -TOLERANCE && median < TOLERANCE);
      }
      expect(onTime.at(-1)).toBe(true);
    });
  }
});

interface Chunk {
  /** Since its process's Started. */
  readonly ms: number;
  readonly fd: number;
  readonly bytes: number;
}

/** What the client heard, as it tells itself. */
function heardChunks(file: string): readonly Chunk[] {
  return readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Chunk);
}

/** What the daemon sent, with the times at which the recorder read it. */
async function recordedChunks(file: string): Promise<readonly Chunk[]> {
  const chunks: Chunk[] = [];
  let started = 0;
  for (const { kind, timeNs, decoded } of await shownEvents(file)) {
    if (kind !== 'server-message' || decoded === undefined) continue;
    if ('Started' in decoded) started = timeNs;
    const { Fd: fd, Data: data } = (decoded['File'] ?? {}) as { readonly Fd?: number; readonly Data?: string };
    if (fd !== undefined && data !== undefined) chunks.push({ ms: (timeNs - started) / 1e6, fd, bytes: Buffer.byteLength(data) });
  }
  return chunks;
}
