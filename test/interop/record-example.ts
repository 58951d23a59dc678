/**
 * Records the cassettes of an example anew, with a real BuildKit (`npm run examples -- --record`): its tests are run by vitest
 * with `BRIDGETAPE_MODE=all`, once for all cassettes.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { startDaemon } from './harness/daemon.js';

const VERSION = 'v0.32.2';

const [folder = ''] = process.argv.slice(2);
const daemon = await startDaemon(VERSION);
try {
  const { status } = spawnSync(process.execPath, [join(folder, 'node_modules', 'vitest', 'vitest.mjs'), 'run'], {
    cwd: folder,
    stdio: 'inherit',
    env: { ...process.env, CI: '', BRIDGETAPE_MODE: 'all', BUILDKIT_HOST: daemon.address },
  });
  process.exitCode = status ?? 1;
} finally {
  await daemon.stop();
}
