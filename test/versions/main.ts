// `npm run versions`: writes docs/buildkit-versions.md; with --record, makes its cassettes anew before.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lineOfIdle, versionsPage } from './page.js';

const root = join(import.meta.dirname, '..', '..');
const [asked, ...others] = process.argv.slice(2);
if (others.length > 0 || (asked !== undefined && asked !== '--record')) {
  console.error(`versions does not take ${process.argv.slice(2).join(' ')}.\nIt is run with npm run versions, or with npm run versions -- --record to make the cassettes anew.`);
  process.exit(2);
}
if (asked === '--record') {
  const { status } = spawnSync(process.execPath, [...process.execArgv, join(root, 'test', 'interop', 'version-cassettes.ts')], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
const { text, unexplained, idle } = versionsPage();
for (const line of unexplained) console.error(`unexplained: ${line.slice(0, 300)}`);
for (const one of idle) console.error(`explains nothing: ${lineOfIdle(one)}`);
if (unexplained.length > 0 || idle.length > 0) {
  console.error('Mend test/versions/explanations.ts; docs/buildkit-versions.md is as it was.');
  process.exit(1);
}
writeFileSync(join(root, 'docs', 'buildkit-versions.md'), text);
