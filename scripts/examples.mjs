// Runs the examples as their readers would: each installed into its own folder, with bridgetape as it would be published.
// `--reports DIR` leaves there what each counted; `--record` records anew, with a real BuildKit (root and Go needed).
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const args = process.argv.slice(2);
const reports = args.includes('--reports') ? resolve(args[args.indexOf('--reports') + 1]) : undefined;

/** By folder: what runs its tests, and writes what they came to into the folder of reports, if there is one. */
const EXAMPLES = {
  'typescript-frontend': (folder) => {
    installPackages(folder);
    run('npx', ['tsc', '--noEmit'], folder);
    if (args.includes('--record')) {
      run(process.execPath, [join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs'), join(root, 'test', 'interop', 'record-example.ts'), folder], root);
      return;
    }
    const counted = reports === undefined ? [] : ['--reporter=default', '--reporter=json', `--outputFile.json=${join(reports, 'typescript-frontend.vitest.json')}`];
    run('npx', ['vitest', 'run', ...counted], folder);
  },
};

/** bridgetape is copied anew each time: its version does not tell that it changed. */
function installPackages(folder) {
  for (const name of ['bridgetape', '.package-lock.json']) rmSync(join(folder, 'node_modules', name), { recursive: true, force: true });
  run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error', '--ignore-scripts'], folder);
}

function run(command, words, cwd) {
  const { status, error } = spawnSync(command, words, { cwd, stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${words.join(' ')} ended with ${status}`);
}

let failed = 0;
for (const [name, example] of Object.entries(EXAMPLES)) {
  console.log(`examples/${name}`);
  try {
    example(join(root, 'examples', name));
  } catch (error) {
    console.log(error.message);
    failed += 1;
  }
}
// What did not get as far as its tests counts as well.
if (reports !== undefined) writeFileSync(join(reports, 'examples.json'), JSON.stringify({ passed: Object.keys(EXAMPLES).length - failed, failed }));
process.exitCode = failed === 0 ? 0 : 1;
