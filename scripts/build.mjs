// Builds dist/: the schema bundle from proto/, the library as tsc leaves it, and the command as scripts of one file each.
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');

function run(script, args) {
  const { status, error } = spawnSync(process.execPath, [join(root, script), ...args], { cwd: root, stdio: ['ignore', 2, 2] });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

const readManifest = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

/** A file of src/cli as one script with all that it imports, but for the parts that it loads when they are asked for. */
const script = (name, parts) => ({
  absWorkingDir: root,
  entryPoints: [`src/cli/${name}.ts`],
  outfile: join(dist, 'cli', `${name}.cjs`),
  bundle: true,
  platform: 'node',
  // Node starts scripts sooner than modules.
  format: 'cjs',
  supported: { 'dynamic-import': false },
  // yargs asks where it lies, to look for translations of its own words; beside a script there are none.
  define: { 'import.meta.url': 'scriptUrl' },
  banner: { js: 'const scriptUrl = require("node:url").pathToFileURL(__filename).href;' },
  target: 'node20.19',
  // The names stay: they stand in stack traces.
  minifyWhitespace: true,
  minifySyntax: true,
  metafile: true,
  logLevel: 'warning',
  plugins: [
    {
      name: 'left out',
      setup(bundle) {
        bundle.onResolve({ filter: /^\.\/[\w-]+\.js$/ }, ({ path, kind }) => {
          const wanted = parts.find((part) => path === `./${part}.js`);
          return kind === 'dynamic-import' && wanted !== undefined ? { path: `./${wanted}.cjs`, external: true } : undefined;
        });
        // Reading package.json at each start.
        bundle.onLoad({ filter: /\/src\/version\.ts$/ }, () => ({ contents: `export const version = ${JSON.stringify(readManifest(root).version)};` }));
        // Not msgpackr's native add-on: to load it takes longer than it ever saves here. Nor what writes, where it is only read.
        const msgpackr = join(root, 'node_modules', 'msgpackr');
        bundle.onResolve({ filter: /^msgpackr$/ }, () => ({ path: join(msgpackr, 'index.js'), sideEffects: false }));
        bundle.onResolve({ filter: /^\.\// }, ({ path, resolveDir }) => (resolveDir === msgpackr ? { path: join(msgpackr, path), sideEffects: false } : undefined));
      },
    },
  ],
});

/** The licences of what stands in the scripts; each asks to be handed on with it. */
function licences(inputs) {
  const folders = new Set(inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []));
  const texts = [...folders].sort().map((folder) => {
    const { name, version, license } = readManifest(join(root, folder));
    const file = readdirSync(join(root, folder)).find((entry) => /^licen[cs]e/i.test(entry));
    if (file === undefined) throw new Error(`${name} is bundled, but has no licence file to hand on`);
    return `${name} ${version} (${license})\n\n${readFileSync(join(root, folder, file), 'utf8').trim()}\n`;
  });
  return `dist/cli/*.cjs contain, beside bridgetape itself:\n\n${texts.join(`\n${'-'.repeat(80)}\n\n`)}`;
}

rmSync(dist, { recursive: true, force: true });
run('scripts/bundle-schema.mjs', []);
run('node_modules/typescript/bin/tsc', ['-p', 'tsconfig.build.json']);
const parts = ['record', 'replay', 'run', 'runtime', 'ls', 'show', 'explain', 'diff', 'compare', 'verify', 'unpack', 'pack', 'git', 'config', 'help', 'frontend-recorder', 'record-anew'];
// One file each, because finding and linking the modules one by one takes longer than all that a short run does.
const results = await Promise.all(['main', 'frontend', ...parts].map((name) => build(script(name, parts))));
writeFileSync(join(dist, 'cli', 'THIRD_PARTY_LICENSES'), licences(results.flatMap(({ metafile }) => Object.keys(metafile.inputs))));
writeFileSync(join(dist, '.built'), '');
