import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Folder, ordinaryBuild } from '../view/tape.js';
import { bridgetape } from './bridgetape.js';

let folder: Folder;
beforeAll(async () => {
  folder = new Folder();
  await ordinaryBuild().write(folder.file);
  mkdirSync(join(folder.path, '.git'));
});
afterAll(() => folder[Symbol.dispose]());

const explain = (...args: readonly string[]): ReturnType<typeof bridgetape> => bridgetape(['explain', folder.file, ...args], { cwd: folder.path });

describe('bridgetape explain', () => {
  it('prints the canonical form of a request', async () => {
    const { status, stdout, stderr } = await explain('6');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^call 6 {2}LLBBridge\/ReadFile\n\nmessage 1: what decides\n {2}Ref = "r1"\n {2}FilePath = "\/missing"\n$/);
  });

  it('goes by the nearest bridgetape.yaml, or the one that is named', async () => {
    writeFileSync(join(folder.path, 'bridgetape.yaml'), 'rules:\n  ignore:\n    - path: FilePath\n');
    expect((await explain('6')).stdout).toContain('path FilePath\n    FilePath is ignored\n');
    writeFileSync(join(folder.path, 'other.yaml'), 'rules:\n  off: [nothing]\n');
    const { status, stdout, stderr } = await explain('6', '--config', 'other.yaml');
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^bridgetape: other\.yaml:2: rules\.off\[0\]: no rule is called nothing; there are .*\ndocs\/rules\.md says what bridgetape\.yaml can hold\.\n$/);
    const replayed = await bridgetape(['replay', folder.file, '--config', 'other.yaml', '--', 'echo', 'ran'], { cwd: folder.path });
    expect({ status: replayed.status, stdout: replayed.stdout }).toEqual({ status: 2, stdout: '' });
    expect(replayed.stderr).toBe(stderr);
  });

  it.each([
    ['a call that is not there', ['99']],
    ['no number', ['x']],
    ['no call', []],
  ])('refuses %s', async (_what, args) => {
    const { status, stdout, stderr } = await explain(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^bridgetape: .+\n.+\n$/);
  });
});
