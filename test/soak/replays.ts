/**
 * A part of `npm run soak`, or by itself `npx tsx test/soak/replays.ts [TIMES]`: the interop tests' frontends replayed a thousand
 * times, each time to observe the same.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(import.meta.dirname, '..', '..');
const TESTS = ['frontend', 'offline-frontend'].map((name) => `test/interop/${name}.test.ts`);

/** @returns whether all of them did */
export function soakReplays(times = 1000): boolean {
  const argv = ['vitest', 'run', '--config', 'vitest.interop.config.ts', '-t', 'observes the same', ...TESTS];
  const { status } = spawnSync('npx', argv, { cwd: ROOT, stdio: 'inherit', env: { ...process.env, CI: 'true', BRIDGETAPE_REPLAYS: String(times) } });
  return status === 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = soakReplays(Number(process.argv[2] ?? 1000)) ? 0 : 1;
