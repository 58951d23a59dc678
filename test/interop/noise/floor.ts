/** How many re-recordings of a build `diff` finds to be the same as the first. */
import { Cassette } from '../../../src/cassette/index.js';
import { diffCassettes, isSame, showDiff, type DiffOptions } from '../../../src/diff/index.js';
import type { Rerecorded } from './rerecord.js';

export interface Floor {
  readonly build: string;
  readonly compared: number;
  readonly same: number;
  /** What was told of one that was not the same. */
  readonly told: string | undefined;
}

export function noiseFloor({ build, cassettes }: Rerecorded, options: DiffOptions = {}): Floor {
  const [first = '', ...again] = cassettes;
  using before = Cassette.open(first);
  let same = 0;
  let told: string | undefined;
  for (const path of again) {
    using after = Cassette.open(path);
    const report = diffCassettes(before, after, options);
    if (isSame(report)) same += 1;
    else told ??= [...showDiff(report, { width: 160 })].join('\n');
  }
  return { build, compared: again.length, same, told };
}
