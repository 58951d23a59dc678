import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { Cassette } from '../cassette/index.js';
import { BridgetapeError } from '../errors.js';
import { planInstall, planUninstall, unaffected, type Plan } from '../git/index.js';
import { plural, size } from '../quantity.js';
import { diffLines } from '../text/index.js';
import { defineCommand } from './command.js';
import { print } from './output.js';
import { EXIT, say } from './terminal.js';

/** Of cassettes that a rule of the user's keeps from being shown. */
const MAX_NAMED = 5;
const UNRESOLVED = 1;

export const gitCommand = defineCommand(
  {
    name: 'git',
    about: 'Has git show cassettes as text (git diff, git log -p, git show), and refuse to merge two recordings, in the repository of this folder. install sets that up, uninstall takes it back.',
    operands: {
      action: { required: true, about: 'install or uninstall' },
      files: { many: true, about: 'Of textconv and merge, which git itself runs' },
    },
    options: { 'dry-run': { kind: 'flag', about: 'Only print what would be changed' } },
    runsCommand: false,
    examples: [{ line: 'bridgetape git install' }, { line: 'git diff HEAD~1 -- build.cassette' }, { line: 'git diff --no-textconv', about: 'as if it were not installed' }],
    notes: [
      'Each change is printed: settings diff.bridgetape and merge.bridgetape in .git/config, which name this bridgetape and this Node (install again after either has moved), and a line in .gitattributes, which is yours to commit. Doing it twice does nothing more.',
      'A merge of two recordings is a conflict: the current version stays, and it says how to go on.',
      'Exit status: 0; 2 when it could not be done.',
    ],
  },
  async ({ action, files, 'dry-run': isDry }) => {
    const [first = '', second] = files;
    const isOfGit = action === 'textconv' ? files.length === 1 : action === 'merge' && files.length === 2;
    if (!isOfGit && files.length > 0) throw new BridgetapeError('bad-argument', `"${first}" is one word too many for git ${action}.`, 'bridgetape git --help lists what it takes.');
    switch (action) {
      case 'install': {
        const plan = planInstall(process.cwd(), [process.execPath, resolve(__dirname, 'main.cjs')]);
        const status = await carryOut(plan, isDry);
        if (!isDry) tellUnaffected(plan.tree);
        return status;
      }
      case 'uninstall':
        return await carryOut(planUninstall(process.cwd()), isDry);
      case 'textconv':
        return await print(textLines(first));
      case 'merge':
        refuseMerge(first, second ?? first);
        return UNRESOLVED;
      default:
        throw new BridgetapeError('bad-argument', `git does not know "${action}".`, 'Write: bridgetape git install, or bridgetape git uninstall');
    }
  },
);

async function carryOut({ tree, changes }: Plan, isDry: boolean): Promise<number> {
  if (changes.length === 0) {
    say(`bridgetape: nothing to change in ${tree}`);
    return EXIT.ok;
  }
  say(`bridgetape: ${isDry ? 'this would be changed' : 'changed'} in ${tree}:`);
  const lines = function* (): Generator<string> {
    for (const { about, apply } of changes) {
      if (!isDry) apply();
      yield about;
    }
  };
  return await print([...lines()]);
}

function tellUnaffected(tree: string): void {
  const names = unaffected(tree);
  if (names.length === 0) return;
  const more = names.length > MAX_NAMED ? ` and ${plural(names.length - MAX_NAMED, 'more')}` : '';
  say(`bridgetape: other attributes still decide about ${names.slice(0, MAX_NAMED).join(', ')}${more}; git check-attr -a FILE and .git/info/attributes say which.`);
}

/** Never a failure: that would end git log. */
function* textLines(file: string): Generator<string> {
  try {
    using cassette = Cassette.open(file);
    yield* diffLines(cassette);
  } catch (error) {
    if (!(error instanceof BridgetapeError)) throw error;
    const bytes = contentsOf(file);
    // git hands over a temporary copy, whose name differs each time.
    yield `# no cassette that can be read: ${error.what.replaceAll(file, 'it')}`;
    yield `sha256: ${hash('sha256', bytes, 'hex')}`;
    yield `size: ${size(bytes.length)}`;
  }
}

function contentsOf(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new BridgetapeError('git-failed', `Cannot read ${file}: ${error instanceof Error ? error.message : String(error)}.`, 'Name a file; git does it by itself once bridgetape git install was run.', { cause: error });
  }
}

function refuseMerge(current: string, path: string): void {
  const word = /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
  say(`bridgetape: ${path} was recorded on both sides. Recordings are not merged; the current one stays for now. Go on with one of
  bridgetape record -o ${word} --force -- ${commandOf(current)}   # record it again
  git checkout --ours -- ${word}                 # the current one, which stands there now
  git checkout --theirs -- ${word}               # the other one
and then: git add ${word}`);
}

function commandOf(file: string): string {
  try {
    using cassette = Cassette.open(file);
    const words = cassette.header.command ?? [];
    return words.length > 0 && words.every((word) => /^[\w@%+=:,./-]+$/.test(word)) ? words.join(' ') : 'CMD...';
  } catch {
    return 'CMD...';
  }
}
