import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pack, unpack } from '../../src/index.js';
import { bridgetape } from './bridgetape.js';

const recordings = join(import.meta.dirname, '..', '..', 'cassettes');
const LINE = '*.cassette binary diff=bridgetape merge=bridgetape';

let folder: string;
let tree: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bridgetape git '));
  tree = join(folder, 'a tree');
  mkdirSync(tree);
  git('init', '-q', '-b', 'main');
  git('config', 'user.email', 'a@b.c');
  git('config', 'user.name', 'A');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const env = { PATH: process.env['PATH'], HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1', LC_ALL: 'C' };

function tryGit(...args: readonly string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  return spawnSync('git', [...args], { cwd: tree, encoding: 'utf8', env, maxBuffer: 1 << 28 });
}

function git(...args: readonly string[]): string {
  const { status, stdout, stderr } = tryGit(...args);
  if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`);
  return stdout;
}

const install = (...args: readonly string[]): ReturnType<typeof bridgetape> => bridgetape(['git', 'install', ...args], { cwd: tree, env });
const uninstall = (): ReturnType<typeof bridgetape> => bridgetape(['git', 'uninstall'], { cwd: tree, env });
const at = (name: string): string => join(tree, name);
const config = (): string => readFileSync(at('.git/config'), 'utf8');

/** A recording, and the same with other words. */
async function put(name: string, words?: string): Promise<void> {
  const original = join(recordings, 'dialogue-v0.32.2.cassette');
  if (words === undefined) {
    copyFileSync(original, at(name));
    return;
  }
  const text = join(folder, 'changed.yaml');
  unpack(original, text, { force: true });
  writeFileSync(text, readFileSync(text, 'utf8').replaceAll('tick 1', words));
  await pack(text, at(name), { force: true });
}

async function committed(name: string, words?: string): Promise<void> {
  await put(name, words);
  git('add', '-A');
  git('commit', '-qm', words ?? 'first');
}

describe('bridgetape git install', { timeout: 120_000 }, () => {
  it('has git diff, log -p and show tell what changed in a cassette, and nothing else', async () => {
    const { status, stdout, stderr } = await install();
    expect([status, stderr]).toEqual([0, `bridgetape: changed in ${tree}:\n`]);
    expect(stdout).toContain('git config diff.bridgetape.textconv ');
    expect(stdout).toContain(`.gitattributes: + ${LINE}\n`);
    await committed('a.cassette');
    await put('a.cassette', 'tock 1');
    const diff = git('diff');
    expect(diff.split('\n').filter((line) => /^[-+](?![-+])/.test(line)).map((line) => line.replaceAll(/\s+/g, ' '))).toEqual(['- Data: "tick 1\\r\\n"', '+ Data: "tock 1\\r\\n"']);
    // The call that a hunk is in stands behind its @@.
    expect(diff).toMatch(/@@ - call: LLBBridge\/ExecProcess\n/);
    git('commit', '-qam', 'second');
    expect(git('log', '-p', '-1')).toContain('+            Data: "tock 1\\r\\n"');
    expect(git('show', 'HEAD')).toContain('+            Data: "tock 1\\r\\n"');
    expect(git('diff', '--no-textconv', 'HEAD~1')).toContain('Binary files a/a.cassette and b/a.cassette differ');
    expect(git('format-patch', '--stdout', '-1')).toContain('GIT binary patch');
  });

  it('shows a recording of the same build that took other times as unchanged', async () => {
    await install();
    await committed('a.cassette');
    const text = join(folder, 'slower.yaml');
    unpack(at('a.cassette'), text);
    writeFileSync(text, readFileSync(text, 'utf8').replaceAll(/at: (\d+)\./g, (_at, whole: string) => `at: ${Number(whole) + 1}.`).replaceAll(/grpc-timeout: \d+/g, 'grpc-timeout: 1'));
    await pack(text, at('a.cassette'), { force: true });
    expect(git('status', '--short')).toContain('a.cassette');
    expect(git('diff').split('\n').filter((line) => line.startsWith('@@'))).toEqual([]);
  });

  it('does nothing more the second time, and nothing at all with --dry-run', async () => {
    const before = config();
    const dry = await install('--dry-run');
    expect(dry.stderr).toContain('this would be changed');
    expect([config(), existsSync(at('.gitattributes'))]).toEqual([before, false]);
    expect((await install()).stdout).toBe(dry.stdout);
    const installed = config();
    const again = await install();
    expect([again.status, again.stdout, again.stderr]).toEqual([0, '', `bridgetape: nothing to change in ${tree}\n`]);
    expect(config()).toBe(installed);
  });

  it('is taken back without a trace', async () => {
    mkdirSync(at('sub'));
    writeFileSync(at('.gitattributes'), '*.png binary\n*.txt text');
    writeFileSync(at('sub/.gitattributes'), '*.cassette binary\n');
    await committed('sub/a.cassette');
    git('config', 'diff.other.textconv', 'cat');
    const before = config();
    await install();
    expect(readFileSync(at('sub/.gitattributes'), 'utf8')).toContain(LINE);
    expect(git('check-attr', 'diff', 'sub/a.cassette')).toBe('sub/a.cassette: diff: bridgetape\n');
    const back = await uninstall();
    expect([back.status, back.stdout.includes('git config --unset diff.bridgetape.textconv')]).toEqual([0, true]);
    expect(config()).toBe(before);
    expect(readFileSync(at('.gitattributes'), 'utf8')).toBe('*.png binary\n*.txt text');
    expect(readFileSync(at('sub/.gitattributes'), 'utf8')).toBe('*.cassette binary\n');
    expect((await uninstall()).stderr).toBe(`bridgetape: nothing to change in ${tree}\n`);
  });

  it('removes a .gitattributes that it made, and leaves a line that somebody else wrote', async () => {
    await install();
    await uninstall();
    expect(existsSync(at('.gitattributes'))).toBe(false);
    writeFileSync(at('.gitattributes'), `${LINE}\n`);
    expect((await install()).stdout).not.toContain('.gitattributes');
    await uninstall();
    expect(readFileSync(at('.gitattributes'), 'utf8')).toBe(`${LINE}\n`);
  });

  it('says where other attributes still decide', async () => {
    await committed('a.cassette');
    mkdirSync(at('.git/info'), { recursive: true });
    writeFileSync(at('.git/info/attributes'), '*.cassette -diff\n');
    expect((await install()).stderr).toContain('other attributes still decide about a.cassette');
  });

  it('works from a folder with blanks and quotes in its name, and of a program in one', async () => {
    const home = join(folder, "it's 100% here");
    mkdirSync(home);
    cpSync(join(import.meta.dirname, '..', '..', 'dist', 'cli'), join(home, 'cli'), { recursive: true });
    symlinkSync(process.execPath, join(home, 'node'));
    const ran = spawnSync(join(home, 'node'), [join(home, 'cli', 'main.cjs'), 'git', 'install'], { cwd: tree, encoding: 'utf8', env });
    expect(ran.status).toBe(0);
    expect(config()).toContain('100% here');
    await committed('a.cassette');
    await put('a.cassette', 'tock 1');
    expect(git('diff')).toContain('+            Data: "tock 1\\r\\n"');
    git('commit', '-qam', 'ours');
    git('checkout', '-qb', 'other', 'HEAD~1');
    await committed('a.cassette', 'theirs');
    expect(tryGit('merge', 'main').stderr).toContain('Recordings are not merged');
  });

  it('leaves git log working when it has gone, and says so', async () => {
    const home = join(folder, 'gone');
    cpSync(join(import.meta.dirname, '..', '..', 'dist', 'cli'), home, { recursive: true });
    spawnSync(process.execPath, [join(home, 'main.cjs'), 'git', 'install'], { cwd: tree, env });
    await committed('a.cassette');
    await committed('a.cassette', 'tock 1');
    rmSync(home, { recursive: true });
    expect(git('log', '-p')).toContain('+bridgetape could not show this cassette (git object below); run bridgetape git install again');
  });

  it('shows what is no cassette by its digest', async () => {
    await install();
    await committed('a.cassette');
    writeFileSync(at('a.cassette'), 'no cassette');
    expect(git('diff')).toContain('+# no cassette that can be read: it is not a cassette: it does not begin as one.');
    await put('a.cassette');
    const bytes = readFileSync(at('a.cassette'));
    writeFileSync(at('a.cassette'), bytes.subarray(0, bytes.length - 100));
    expect(git('diff')).toContain('+cassette: interrupted');
  });

  it('makes a conflict of two recordings, keeps the current one, and says how to go on', async () => {
    await install();
    await committed('a b.cassette');
    git('checkout', '-qb', 'other');
    await committed('a b.cassette', 'theirs');
    git('checkout', '-q', 'main');
    await committed('a b.cassette', 'ours');
    const ours = readFileSync(at('a b.cassette'));
    const merged = tryGit('merge', 'other');
    expect(merged.status).toBe(1);
    expect(merged.stdout).toContain('CONFLICT (content): Merge conflict in a b.cassette');
    expect(merged.stderr).toContain("bridgetape: a b.cassette was recorded on both sides. Recordings are not merged; the current one stays for now.");
    expect(merged.stderr).toContain("bridgetape record -o 'a b.cassette' --force -- frontend --scenario dialogue");
    expect(readFileSync(at('a b.cassette')).equals(ours)).toBe(true);
    expect(git('status', '--short')).toContain('UU "a b.cassette"');
    git('checkout', '--theirs', '--', 'a b.cassette');
    git('add', 'a b.cassette');
    git('commit', '-qm', 'merged');
    expect(readFileSync(at('a b.cassette')).equals(ours)).toBe(false);
    expect((await bridgetape(['verify', at('a b.cassette')])).status).toBe(0);
  });

  it('merges what only one side changed as git does', async () => {
    await install();
    await committed('a.cassette');
    git('checkout', '-qb', 'other');
    await committed('a.cassette', 'theirs');
    git('checkout', '-q', 'main');
    await committed('b.cassette');
    git('merge', '-q', '-m', 'merged', 'other');
    expect(git('status', '--short')).toBe('');
  });

  it('says what is missing: a repository, a working tree, git, a word', async () => {
    const outside = await bridgetape(['git', 'install'], { cwd: folder, env: { ...env, GIT_CEILING_DIRECTORIES: folder } });
    expect([outside.status, outside.stderr]).toEqual([2, `bridgetape: ${folder} is in no git repository.\nGo to the repository that has the cassettes, or make one with: git init\n`]);
    const bare = join(folder, 'bare.git');
    git('init', '-q', '--bare', bare);
    expect((await bridgetape(['git', 'install'], { cwd: bare, env })).stderr).toContain(`${bare} is in no working tree of git: `);
    const nothing = await bridgetape(['git', 'install'], { cwd: tree, env: { PATH: folder } });
    expect([nothing.status, nothing.stderr]).toEqual([2, 'bridgetape: There is no git to run.\nInstall git, or add it to PATH.\n']);
    expect((await bridgetape(['git', 'instal'], { cwd: tree, env })).stderr).toContain('git does not know "instal".');
    expect((await bridgetape(['git'], { cwd: tree, env })).stderr).toContain('git needs ACTION.');
    for (const file of ['none', '.']) expect(await bridgetape(['git', 'textconv', file], { cwd: tree, env })).toEqual({ status: 2, stdout: '', stderr: expect.stringContaining(`bridgetape: Cannot read ${file}: `) as unknown });
    expect((await bridgetape(['git', 'install', 'x'], { cwd: tree, env })).stderr).toContain('"x" is one word too many for git install.');
  });

  it('says what it may not write', async () => {
    if (process.getuid?.() === 0) return;
    chmodSync(tree, 0o500);
    expect((await install()).status).toBe(2);
    chmodSync(tree, 0o700);
  });
});
