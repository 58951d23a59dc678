// Nothing is told where nothing was changed: the same builds, recorded again and again.
import { beforeAll, afterAll, describe, expect, it } from 'vitest';
import { BRIDGE } from '../../src/bridge/index.js';
import { Cassette } from '../../src/cassette/index.js';
import { buildKitVersions, describeInterop, FRONTEND_VERSIONS, temporaryFolder, type TemporaryFolder } from './harness/index.js';
import { noiseFloor } from './noise/floor.js';
import { rematch, SIDE_BY_SIDE, type Rematch } from './noise/rematch.js';
import { rerecord, type Rerecorded } from './noise/rerecord.js';

const versions = buildKitVersions(FRONTEND_VERSIONS);

/** `npm run soak` makes fifty. */
const AGAIN = 5;
/** It takes a tenth of that on two cores that have nothing else to do. */
const TIMEOUT = 900_000;

describeInterop(
  'the same build, recorded again with a daemon that was started again and has nothing in its cache',
  () => {
    let folder: TemporaryFolder;
    const all = new Map<string, readonly Rerecorded[]>();

    beforeAll(async () => {
      folder = temporaryFolder('bt-noise-');
      // At once: much of it is waiting.
      await Promise.all(versions.map(async (version) => all.set(version, await rerecord(version, { rounds: AGAIN + 1, folder: folder.path }))));
    }, TIMEOUT);

    afterAll(() => folder.remove());

    describe.each(versions)('%s', (version) => {
      const recordings = (): readonly Rerecorded[] => all.get(version) ?? [];

      it.each([
        ['the bridge', {}],
        ['the bridge and Control', { control: true }],
      ])(`is the same ${AGAIN} times of ${AGAIN}: %s`, (name, options) => {
        const floors = recordings().map((one) => noiseFloor(one, options));
        const sum = (of: 'same' | 'compared'): number => floors.reduce((total, floor) => total + floor[of], 0);
        console.log(`${version}, ${name}: ${sum('same')} of ${sum('compared')} re-recordings the same as the first (${floors.map(({ build, same, compared }) => `${build} ${same}/${compared}`).join(', ')})`);
        expect(floors.filter(({ told }) => told !== undefined).map(({ build, told }) => `${build}:\n${told ?? ''}`).join('\n\n')).toBe('');
        expect(floors.length).toBeGreaterThan(8);
        expect(floors.map(({ compared }) => compared)).toEqual(floors.map(() => AGAIN));
      });

      it(`asks as the first did ${AGAIN} times of ${AGAIN}: a replay of that has all the answers`, async () => {
        const rematches: Rematch[] = [];
        for (const one of recordings().filter(({ build }) => build !== SIDE_BY_SIDE)) rematches.push(await rematch(one));
        const sum = (of: 'matched' | 'driven'): number => rematches.reduce((total, one) => total + one[of], 0);
        console.log(`${version}: ${sum('matched')} of ${sum('driven')} re-runs matched the first recording (${rematches.map(({ build, matched, driven }) => `${build} ${matched}/${driven}`).join(', ')})`);
        expect(rematches.filter(({ told }) => told !== undefined).map(({ build, told }) => `${build}:\n${told ?? ''}`).join('\n\n')).toBe('');
        expect(rematches.map(({ driven }) => driven)).toEqual(rematches.map(() => AGAIN));
        expect(rematches.length).toBeGreaterThan(7);
      }, TIMEOUT);

      it('has something to compare in each build', () => {
        for (const { build, cassettes } of recordings()) {
          using cassette = Cassette.open(cassettes[0] ?? '');
          // What v0.8.3 does with a Dockerfile by itself does not cross the bridge.
          const calls = cassette.calls.filter(({ path }) => path.startsWith(BRIDGE)).length;
          expect([build, calls > 2]).toEqual([build, version !== 'v0.8.3' || !build.startsWith('dockerfile')]);
        }
      });
    });
  },
  versions,
);
