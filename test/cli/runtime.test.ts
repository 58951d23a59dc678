/** `bridgetape runtime`: what it makes, where it puts it, and what it refuses. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { bridgetape } from './bridgetape.js';

let folder: string;
const at = (name: string): string => join(folder, name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bt runtime's-"));
  writeFileSync(at('runc'), '#!/bin/sh\necho the real one: "$@"\n', { mode: 0o755 });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('bridgetape runtime', () => {
  it('prints an executable, and says on stderr how buildkitd is told of it', async () => {
    const { status, stdout, stderr } = await bridgetape(['runtime', '--dir', at('cassettes'), '--runc', at('runc')]);
    expect(status).toBe(0);
    writeFileSync(at('made'), stdout, { mode: 0o755 });
    expect(spawnSync(at('made'), ['state', 'x y'], { encoding: 'utf8' }).stdout).toBe('the real one: state x y\n');
    expect(stderr).toContain('--oci-worker-binary=PATH\n');
    expect(stderr).toContain('[worker.oci]\n    binary = "PATH"\n');
    expect(stderr).toContain(at('cassettes'));
    expect(statSync(at('cassettes')).mode & 0o777).toBe(0o700);
  });

  it('installs it, again and again, and says how it is used', async () => {
    const install = ['runtime', '--dir', at('cassettes'), '--runc', at('runc'), '--install', at('made')];
    expect(await bridgetape(install)).toMatchObject({ status: 0, stdout: '' });
    const { status, stderr } = await bridgetape(install);
    expect(status).toBe(0);
    expect(stderr).toContain(`--oci-worker-binary='${at('made').replaceAll("'", `'\\''`)}'`);
    expect(stderr).toContain(`binary = ${JSON.stringify(at('made'))}`);
    expect(statSync(at('made')).mode & 0o777).toBe(0o755);
    expect(spawnSync(at('made'), ['--version'], { encoding: 'utf8' }).stdout).toBe('the real one: --version\n');
    expect(readdirSync(folder).sort()).toEqual(['cassettes', 'made', 'runc']);
  });

  it('replaces nothing that it has not made, unless it is told to', async () => {
    writeFileSync(at('mine'), 'precious');
    const install = ['runtime', '--dir', at('cassettes'), '--runc', at('runc'), '--install', at('mine')];
    expect(await bridgetape(install)).toMatchObject({ status: 2, stderr: expect.stringContaining('something else stands there') as unknown });
    expect(readFileSync(at('mine'), 'utf8')).toBe('precious');
    expect((await bridgetape([...install, '--force'])).status).toBe(0);
    expect(readFileSync(at('mine'), 'utf8')).toMatch(/^#!\/bin\/sh\n/);
    mkdirSync(at('folder'));
    expect((await bridgetape(['runtime', '--dir', at('cassettes'), '--runc', at('runc'), '--install', at('folder'), '--force'])).stderr).toContain('no regular file');
  });

  it('finds runc on PATH, and is never its own runc', async () => {
    const env = { PATH: `${at('bin')}:${folder}` };
    mkdirSync(at('bin'));
    expect((await bridgetape(['runtime', '--dir', at('cassettes'), '--install', join(at('bin'), 'runc')], { env })).status).toBe(0);
    expect(spawnSync(join(at('bin'), 'runc'), ['x'], { encoding: 'utf8' }).stdout).toBe('the real one: x\n');
    symlinkSync(join(at('bin'), 'runc'), at('other'));
    expect(await bridgetape(['runtime', '--dir', at('cassettes'), '--runc', at('other')])).toMatchObject({ status: 2, stderr: expect.stringContaining('is a runtime that bridgetape made') as unknown });
    expect((await bridgetape(['runtime', '--dir', at('cassettes')], { env: { PATH: at('bin') } })).stderr).toContain('--runc PATH');
  });

  it('says what is missing', async () => {
    expect((await bridgetape(['runtime'])).stderr).toContain('runtime needs --dir DIR');
    expect((await bridgetape(['runtime', '--dir', at('c'), '--runc', at('none')])).stderr).toContain(`There is no program ${at('none')}`);
    expect((await bridgetape(['runtime', '--dir', at('c'), '--runc', at('runc'), '--force'])).stderr).toContain('--force goes with --install');
    const nowhere = await bridgetape(['runtime', '--dir', at('c'), '--runc', at('runc'), '--install', at('no/such/folder')]);
    expect(nowhere).toMatchObject({ status: 2, stderr: expect.stringContaining('Cannot write') as unknown });
    expect((await bridgetape(['runtime', '--dir', at('runc'), '--runc', at('runc')])).stderr).toContain('Cannot keep cassettes in');
    expect(existsSync(at('no'))).toBe(false);
  });
});
