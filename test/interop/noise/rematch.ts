/** Whether what a client asked in each re-recording finds its answers in the first one. */
import { Cassette } from '../../../src/cassette/index.js';
import { drive } from '../../../src/driver/index.js';
import { replay } from '../../../src/replayer/index.js';
import { driveFrontend } from '../../driver/drive-frontend.js';
import type { Rerecorded } from './rerecord.js';

/**
 * Its calls run side by side. Driven, they come in one recording's order and are answered in another's, and wait for each
 * other: the real client, which has no such order, is replayed a hundred times in frontend.test.ts.
 */
export const SIDE_BY_SIDE = 'frontend-all';

export interface Rematch {
  readonly build: string;
  readonly driven: number;
  readonly matched: number;
  /** What the first had no answer for, or was not asked for, of one that did not match. */
  readonly told: string | undefined;
}

export async function rematch({ build, cassettes }: Rerecorded): Promise<Rematch> {
  const [first = '', ...again] = cassettes;
  let matched = 0;
  let told: string | undefined;
  for (const path of again) {
    using client = Cassette.open(path);
    const lines = await (client.header.frontend === undefined ? drivenAgainst(first, client) : drivenOnStdio(first, client));
    if (lines.length === 0) matched += 1;
    else told ??= [path, ...lines].join('\n');
  }
  return { build, driven: again.length, matched, told };
}

async function drivenAgainst(file: string, client: Cassette): Promise<readonly string[]> {
  const replaying = await replay({ file });
  try {
    await drive(client, { target: replaying.address.replace('unix://', 'unix:') });
    return [...replaying.misses.map(({ text }) => text), ...replaying.unused().map(({ call, path }) => `not asked for: ${path}, call ${call}`)];
  } finally {
    await replaying.close();
  }
}

/** A container frontend's calls come on its stdio. */
async function drivenOnStdio(file: string, client: Cassette): Promise<readonly string[]> {
  using cassette = Cassette.open(file);
  const replayed = await driveFrontend(cassette, client);
  return [...replayed.misses.map(({ text }) => text), ...replayed.unasked().map(({ id, path }) => `not asked for: ${path}, call ${id}`)];
}
