// Starts the demo. With --live (root and Go needed) a real buildkitd takes the replayer's place.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const args = process.argv.slice(2);
const unknown = args.filter((arg) => arg !== '--live');
if (unknown.length > 0) {
  console.error(`The demo does not take ${unknown.join(' ')}.\nIt is started with npm run demo, or with npm run demo -- --live for a real buildkitd.`);
  process.exit(2);
}
const command = args.includes('--live')
  ? [join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs'), join(root, 'test', 'interop', 'live-demo.ts')]
  : [join(root, 'dist', 'demo', 'main.js')];
const { status, error } = spawnSync(process.execPath, command, { stdio: 'inherit' });
if (error) throw error;
process.exit(status ?? 1);
