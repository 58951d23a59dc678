/** What a start costs, without a clock: what the command has to find and load before it does anything. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const CLI = join(root, 'dist', 'cli');
const CASSETTE = join(root, 'cassettes', 'dialogue-v0.32.2.cassette');

let folder: string;
const at = (name: string): string => join(folder, name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bt-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The modules of Node that a run has loaded when it ends. */
function loaded(...args: string[]): string[] {
  writeFileSync(at('list.cjs'), `process.on('exit', () => require('node:fs').writeFileSync(${JSON.stringify(at('list.json'))}, JSON.stringify(process.moduleLoadList)));`);
  const { status, stderr } = spawnSync(process.execPath, ['--require', at('list.cjs'), join(CLI, 'main.cjs'), ...args], { encoding: 'utf8' });
  expect({ status, stderr: stderr.replace(/^bridgetape: not asked for, .*\n/, '') }).toEqual({ status: 0, stderr: '' });
  return (JSON.parse(readFileSync(at('list.json'), 'utf8')) as string[]).flatMap((name) => /^NativeModule (.*)$/.exec(name)?.[1] ?? []);
}

describe('bridgetape', () => {
  it('needs nothing beside its own scripts', () => {
    cpSync(CLI, at('cli'), { recursive: true });
    const { status, stdout } = spawnSync(process.execPath, [at('cli/main.cjs'), 'replay', CASSETTE, '--', 'echo', 'ran'], { encoding: 'utf8', cwd: folder });
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'ran\n' });
  });

  it.each(['CassetteWriter', 'new Packr', 'startProxy'])('has %s, which only records, in no script of a replay', (name) => {
    const has = (script: string): boolean => readFileSync(join(CLI, `${script}.cjs`), 'utf8').includes(name);
    expect([has('record-anew'), has('replay')]).toEqual([true, false]);
  });

  it('hands on the licences of what is in it', () => {
    const text = readFileSync(join(CLI, 'THIRD_PARTY_LICENSES'), 'utf8');
    expect(text).toMatch(/^msgpackr [\d.]+ \(MIT\)$/m);
    expect(text).toMatch(/^picocolors [\d.]+ \(ISC\)$/m);
  });

  it.each([
    ['replay', ['replay', CASSETTE, '--', 'true'], ['net', 'child_process', 'zlib']],
    ['show', ['show', CASSETTE], ['zlib']],
    ['--version', ['--version'], []],
  ])('loads no more of Node than %s needs', (_name, args, wanted) => {
    const modules = loaded(...args);
    expect(modules).toEqual(expect.arrayContaining(wanted));
    for (const spared of ['child_process', 'zlib', 'http', 'http2', 'tls', 'assert', 'readline', 'worker_threads', 'dns/promises', 'fs/promises', 'perf_hooks']) {
      if (!wanted.includes(spared)) expect(modules).not.toContain(spared);
    }
  });
});
