import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Folder, ordinaryBuild, Tape } from '../view/tape.js';
import { bridgetape } from './bridgetape.js';

let folder: Folder;
const at = (name: string): string => join(folder.path, name);

beforeAll(async () => {
  folder = new Folder();
  mkdirSync(at('tapes/deep'), { recursive: true });
  await ordinaryBuild().write(at('tapes/deep/build.cassette'));
  await new Tape().write(at('tapes/empty.cassette'));
  const killed = ordinaryBuild();
  killed.bridge('Solve', 950);
  await killed.writeInterrupted(at('killed.cassette'));
  writeFileSync(at('text.cassette'), 'not a tape');
});

afterAll(() => folder[Symbol.dispose]());

const ls = (...args: readonly string[]): ReturnType<typeof bridgetape> => bridgetape(['ls', ...args], { cwd: folder.path });

describe('bridgetape ls', { timeout: 120_000 }, () => {
  it('has a line for each cassette in a folder and below it', async () => {
    const { status, stdout } = await ls('tapes');
    expect(status).toBe(0);
    expect(stdout.split('\n').map((line) => line.trim().split(/\s{2,}/))).toEqual([
      ['RECORDED', 'BUILDKIT', 'BUILD', 'CALLS', 'TOOK', 'SIZE', 'CASSETTE'],
      ['2026-01-02 03:04', 'v0.32.2', 'dockerfile.v0', '7', '900 ms', expect.stringMatching(/^[\d.]+K$/), 'tapes/deep/build.cassette'],
      ['2026-01-02 03:04', 'v0.32.2', '-', '0', '0.0 ms', expect.stringMatching(/^\d+B$/), 'tapes/empty.cassette'],
      [''],
    ]);
  });

  it('says which one is interrupted', async () => {
    const { status, stdout } = await ls('killed.cassette', 'tapes/empty.cassette');
    expect(status).toBe(0);
    expect(stdout.split('\n')[1]).toMatch(/ interrupted {2}killed\.cassette$/);
  });

  it('has the reason in the place of one that cannot be read, and status 1', async () => {
    const { status, stdout, stderr } = await ls('text.cassette', 'tapes/empty.cassette', 'none.cassette');
    expect([status, stderr]).toEqual([1, '']);
    expect(stdout).toMatch(/\ntext\.cassette is not a cassette: it does not begin as one\.\n.* tapes\/empty\.cassette\nThere is no cassette at none\.cassette\.\n$/);
  });

  it('has an object for each with --json', async () => {
    const { status, stdout } = await ls('--json', 'tapes/deep/build.cassette', 'text.cassette');
    expect(status).toBe(1);
    const [build, text] = stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as unknown);
    expect(build).toMatchObject({ kind: 'cassette', path: 'tapes/deep/build.cassette', bytes: readFileSync(at('tapes/deep/build.cassette')).length, state: 'whole', calls: 7, buildkitVersion: 'v0.32.2', builds: [{ frontend: 'dockerfile.v0' }] });
    expect(text).toEqual({ kind: 'unreadable', path: 'text.cassette', code: 'not-a-cassette', reason: expect.any(String) as unknown });
  });

  it('refuses a folder without any, with status 2', async () => {
    mkdirSync(at('none'));
    const { status, stderr } = await ls('none');
    expect([status, stderr]).toEqual([2, 'bridgetape: There is no *.cassette in the folder none.\nCheck the path, or name the files.\n']);
  });
});
