import { copyFileSync, existsSync, linkSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Folder } from '../view/tape.js';
import { bridgetape } from './bridgetape.js';

let folder: Folder;
const at = (name: string): string => join(folder.path, name);
const run = (...args: readonly string[]): ReturnType<typeof bridgetape> => bridgetape(args, { cwd: folder.path });

beforeAll(() => {
  folder = new Folder();
  copyFileSync(join(import.meta.dirname, '..', '..', 'cassettes', 'container-v0.8.3.cassette'), at('it.cassette'));
});

afterAll(() => folder[Symbol.dispose]());

describe('bridgetape unpack and pack', { timeout: 120_000 }, () => {
  it('write a text and a cassette, and say so', async () => {
    const unpacked = await run('unpack', 'it.cassette', '-o', 'it.yaml');
    expect([unpacked.status, unpacked.stdout, unpacked.stderr]).toEqual([0, '', 'bridgetape: it.yaml has the 54 events of it.cassette. A cassette again: bridgetape pack it.yaml -o NAME.cassette\n']);
    expect(statSync(at('it.yaml')).mode & 0o777).toBe(0o600);
    const packed = await run('pack', 'it.yaml', '-o', 'again.cassette');
    expect([packed.status, packed.stdout]).toEqual([0, '']);
    expect(packed.stderr).toMatch(/^bridgetape: packed 9 calls, 54 events, to .*again\.cassette, [\d.]+ KiB\n$/);
    expect((await run('verify', 'again.cassette')).status).toBe(0);
  });

  it('print the same text without -o', async () => {
    const { status, stdout } = await run('unpack', 'it.cassette');
    await run('unpack', 'it.cassette', '-o', 'same.yml');
    expect([status, stdout]).toEqual([0, readFileSync(at('same.yml'), 'utf8')]);
  });

  it('name the line and the key of what cannot be packed, and write nothing', async () => {
    await run('unpack', 'it.cassette', '-o', 'wrong.yaml');
    const text = readFileSync(at('wrong.yaml'), 'utf8');
    writeFileSync(at('wrong.yaml'), text.replace('identifier:', 'identifer:'));
    const line = text.slice(0, text.indexOf('identifier:')).split('\n').length;
    const { status, stderr } = await run('pack', 'wrong.yaml', '-o', 'wrong.cassette');
    expect(status).toBe(2);
    expect(stderr).toMatch(new RegExp(`^bridgetape: wrong\\.yaml:${line}: message\\.Definition\\.def\\[0\\]\\.source\\.identifer pb\\.SourceOp has no field "identifer"; it has identifier, attrs\\.\n`));
    expect(existsSync(at('wrong.cassette'))).toBe(false);
  });

  it('go through pipes', async () => {
    const { stdout } = await run('unpack', 'it.cassette', '-o', '-');
    const packed = await bridgetape(['pack', '-', '-o', 'piped.cassette'], { cwd: folder.path, input: stdout });
    expect([packed.status, packed.stderr]).toEqual([0, expect.stringContaining('54 events')]);
    expect(readFileSync(at('piped.cassette'))).toEqual(readFileSync(at('again.cassette')));
    expect(existsSync(at('-'))).toBe(false);
    const wrong = await bridgetape(['pack', '-', '-o', 'wrong.cassette'], { cwd: folder.path, input: 'textForm: 2\n' });
    expect([wrong.status, wrong.stderr]).toEqual([2, expect.stringMatching(/^bridgetape: stdin:1: textForm is 2/)]);
  });

  it('never put one in the place of the other', async () => {
    for (const args of [['pack', 'it.yaml', '-o', './it.yaml', '--force'], ['unpack', 'it.cassette', '-o', at('same-cassette.yaml'), '--force']]) {
      if (args[0] === 'unpack') linkSync(at('it.cassette'), at('same-cassette.yaml'));
      const { status, stderr } = await run(...args);
      expect([status, stderr]).toEqual([2, expect.stringMatching(/^bridgetape: Cannot (un)?pack to .*: it is the (text|cassette) itself\.\n/)]);
    }
    expect((await run('verify', 'it.cassette')).status).toBe(0);
  });

  it('replace nothing without --force', async () => {
    await run('unpack', 'it.cassette', '-o', 'folder');
    for (const args of [['unpack', 'it.cassette', '-o', 'folder'], ['pack', 'folder', '-o', 'it.cassette']]) {
      const { status, stderr } = await run(...args);
      expect(status).toBe(2);
      expect(stderr).toContain('--force');
      expect((await run(...args, '--force')).status).toBe(0);
    }
  });
});
