/**
 * Teaches one repository to show cassettes as text, and takes that back: settings of .git/config, which say how, and lines
 * of .gitattributes, which say for what.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

import { BridgetapeError } from '../errors.js';
import { ATTRIBUTES_FILE, ATTRIBUTES_LINE, hasLine, saysOtherwise, withLine, withoutLine } from './attributes.js';
import { git, tryGit, workingTree } from './run-git.js';

/** One thing that is done to the repository. */
export interface Change {
  /** As somebody would do it by hand, or see it done. */
  readonly about: string;
  readonly apply: () => void;
}

export interface Plan {
  /** The top folder of the working tree. */
  readonly tree: string;
  /** None: everything is as it should be. */
  readonly changes: readonly Change[];
}

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

/** A setting that is there only because of us, with its value. */
function settings(program: readonly string[]): readonly (readonly [key: string, value: string])[] {
  const command = program.map(quoted).join(' ');
  return [
    // git log -p must go on without us: a program that has moved is told, and git is given something to compare.
    ['diff.bridgetape.textconv', `f() { ${command} git textconv "$1" || { echo 'bridgetape could not show this cassette (git object below); run bridgetape git install again'; git hash-object "$1"; }; }; f`],
    ['diff.bridgetape.binary', 'true'],
    ['diff.bridgetape.xfuncname', '^- call: .*$'],
    ['merge.bridgetape.name', 'cassettes are recorded again, or one side is taken'],
    ['merge.bridgetape.driver', `${command.replaceAll('%', '%%')} git merge %A %P`],
    ['merge.bridgetape.recursive', 'binary'],
  ];
}

function currentValue(tree: string, key: string): string | undefined {
  const { status, stdout } = tryGit(tree, ['config', '--local', '--null', '--get', key]);
  return status === 0 ? stdout.replace(/\0$/, '') : undefined;
}

/**
 * What it takes to have `git diff` show cassettes as text, and `git merge` leave them alone.
 *
 * @param folder in the repository
 * @param program how bridgetape is run: the program and its first arguments
 * @throws BridgetapeError `git-failed` without git, and outside of a working tree
 */
export function planInstall(folder: string, program: readonly string[]): Plan {
  const tree = workingTree(folder);
  const changes: Change[] = [];
  for (const [key, value] of settings(program)) {
    const current = currentValue(tree, key);
    if (current === value) continue;
    changes.push({ about: `git config ${key} ${quoted(value)}${current === undefined ? '' : `\n  in place of ${quoted(current)}`}`, apply: () => void git(tree, ['config', '--local', key, value]) });
  }
  const root = join(tree, ATTRIBUTES_FILE);
  const nested = attributesFiles(tree).filter((file) => file !== root && saysOtherwise(contents(file)));
  for (const file of [root, ...nested]) {
    const text = contents(file);
    // A line of ours with another one below it that says otherwise is the user's to settle.
    if (hasLine(text)) continue;
    changes.push({ about: `${relative(tree, file)}: + ${ATTRIBUTES_LINE}`, apply: () => write(file, withLine(text)) });
  }
  return { tree, changes };
}

/** What takes an installation back, wherever the program was then. */
export function planUninstall(folder: string): Plan {
  const tree = workingTree(folder);
  const changes: Change[] = [];
  for (const [key] of settings([])) {
    if (currentValue(tree, key) === undefined) continue;
    changes.push({ about: `git config --unset ${key}`, apply: () => void git(tree, ['config', '--local', '--unset-all', key]) });
  }
  for (const file of attributesFiles(tree)) {
    const text = contents(file);
    const rest = withoutLine(text);
    if (rest === text) continue;
    const about = `${relative(tree, file)}: ${rest === '' ? 'removed, nothing else was in it' : `- ${ATTRIBUTES_LINE}`}`;
    changes.push({ about, apply: () => (rest === '' ? rmSync(file) : write(file, rest)) });
  }
  return { tree, changes };
}

/** Cassettes of the repository that git would still not show as text. */
export function unaffected(tree: string): readonly string[] {
  const names = listed(tree, '*.cassette');
  if (names.length === 0) return [];
  const fields = git(tree, ['check-attr', '-z', '--stdin', 'diff'], names.map((name) => `${name}\0`).join('')).split('\0');
  return names.filter((_name, index) => fields[index * 3 + 2] !== 'bridgetape');
}

/** Of the index and of the working tree, ignored ones aside. */
function listed(tree: string, pattern: string): readonly string[] {
  const names = git(tree, ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', `:(glob)**/${pattern}`]).split('\0');
  return [...new Set(names.filter((name) => name !== ''))];
}

function attributesFiles(tree: string): readonly string[] {
  return listed(tree, ATTRIBUTES_FILE)
    .map((name) => join(tree, name))
    .filter((file) => existsSync(file));
}

function contents(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new BridgetapeError('git-failed', `Cannot write ${file}: ${error instanceof Error ? error.message : String(error)}.`, `Check that you may write to ${dirname(file)}.`, { cause: error });
  }
}
