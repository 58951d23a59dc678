/**
 * The last part of `npm run soak`, or by itself `npx tsx test/soak/noise-floor.ts [TIMES]`: each build of the interop tests recorded fifty times more by three versions of BuildKit,
 * with the daemon started again and its cache emptied in between. `diff` has to find each the same as the first,
 * and a replay of the first has to have all the answers.
 *
 * Prints the counts; a recording that is not the same stays, with what was told of it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildAll, buildBridgetape, buildKitVersions, FRONTEND_VERSIONS, interopReason } from '../interop/harness/index.js';
import { noiseFloor } from '../interop/noise/floor.js';
import { rematch, SIDE_BY_SIDE } from '../interop/noise/rematch.js';
import { rerecord } from '../interop/noise/rerecord.js';

/** @returns whether all were the same */
export async function soakNoiseFloor(times = 50): Promise<boolean> {
  const versions = buildKitVersions(FRONTEND_VERSIONS);
  const reason = interopReason(versions);
  if (reason !== undefined) {
    console.error(`builds can't be recorded: ${reason}`);
    return false;
  }
  buildBridgetape();
  await buildAll(versions);
  let isAllSame = true;
  for (const version of versions) {
    const folder = mkdtempSync(join(tmpdir(), `bt-noise-${version}-`));
    const made = await rerecord(version, {
      ...{ rounds: times + 1, folder },
      onRound: (round) => {
        if (process.stderr.isTTY) process.stderr.write(`\r${version}: ${round} of ${times + 1} rounds `);
      },
    });
    let isSame = true;
    for (const [name, options] of [['bridge', {}], ['bridge and Control', { control: true }]] as const) {
      for (const one of made) {
        const { build, same, compared, told } = noiseFloor(one, options);
        console.log(`${version}, ${build}, ${name}: ${same} of ${compared} the same`);
        if (told === undefined) continue;
        isSame = false;
        console.error(told);
      }
    }
    for (const one of made.filter(({ build }) => build !== SIDE_BY_SIDE)) {
      const { build, matched, driven, told } = await rematch(one);
      console.log(`${version}, ${build}: ${matched} of ${driven} matched the first recording`);
      if (told === undefined) continue;
      isSame = false;
      console.error(told);
    }
    if (isSame) rmSync(folder, { recursive: true });
    else console.error(`the recordings are in ${folder}`);
    isAllSame &&= isSame;
  }
  return isAllSame;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = (await soakNoiseFloor(Number(process.argv[2] ?? 50))) ? 0 : 1;
