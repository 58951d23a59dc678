/**
 * BuildKit's own Dockerfile frontends against the recordings that are shipped, where they have been built: with Go, by the tests
 * with real BuildKit (test/interop), into a cache of theirs. There every version is run through more.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

describe.each(['v0.8.3', 'v0.32.2'])("BuildKit's Dockerfile frontend of %s", (version) => {
  const program = join(root, 'test', 'interop', '.cache', version, 'dockerfile-frontend');
  const isBuilt = existsSync(program);
  if (!isBuilt) console.warn(`\nSKIPPED: the Dockerfile frontend of ${version}\n  because: it is not built here; npm run test:interop builds it, with Go\n`);

  it.skipIf(!isBuilt)('ends as recorded, with no daemon', () => {
    const cassette = join(root, 'cassettes', `container-${version}.cassette`);
    const { status, stderr } = spawnSync(process.execPath, [join(root, 'dist', 'cli', 'main.cjs'), 'run', cassette, '--', program], { encoding: 'utf8' });
    // Without the right to a mount namespace it runs all the same, and that is said.
    const said = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('bridgetape: the frontend runs without /run/'));
    expect([status, said]).toEqual([0, []]);
  });
});
