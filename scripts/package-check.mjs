// Packs the package and checks it as its users will meet it: publint, attw, and the bin run from the tarball.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = mkdtempSync(join(tmpdir(), 'bridgetape-pack-'));

function run(command, args, cwd = root) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}\n${stdout}${stderr}`);
  return stdout;
}

function check(name, pass) {
  try {
    pass();
    console.log(`ok   ${name}`);
    return true;
  } catch (error) {
    console.log(`FAIL ${name}\n${error.message}`);
    return false;
  }
}

try {
  run('npm', ['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', folder]);
  const tarball = join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz')));
  const bin = join(root, 'node_modules', '.bin');
  const project = join(folder, 'project');
  const results = [
    check('publint finds nothing', () => run(join(bin, 'publint'), ['run', tarball, '--strict'])),
    check('attw finds nothing', () => run(join(bin, 'attw'), [tarball, '--profile', 'esm-only'])),
    check('the tarball installs, and its bin runs', () => {
      run('mkdir', [project]);
      writeFileSync(join(project, 'package.json'), '{"private":true,"type":"module"}');
      run('npm', ['install', '--omit=dev', '--no-audit', '--no-fund', '--loglevel=error', tarball], project);
      const shown = run(join(project, 'node_modules', '.bin', 'bridgetape'), ['verify', join(root, 'cassettes', 'dialogue-v0.32.2.cassette')], project);
      if (!/whole/.test(shown)) throw new Error(`verify said: ${shown}`);
    }),
    check('the package can be imported', () => {
      writeFileSync(join(project, 'use.mjs'), "import { Cassette, record, replay, drive, version } from 'bridgetape';\nif (![Cassette, record, replay, drive].every((it) => typeof it === 'function') || version === 'unknown') process.exit(1);\n");
      run(process.execPath, ['use.mjs'], project);
    }),
  ];
  const failed = results.filter((passed) => !passed).length;
  console.log(`${results.length - failed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
