import { existsSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { bridge } from '../bridge/build.js';
import { exec, Folder, ordinaryBuild, REF, Tape } from '../view/tape.js';
import { bridgetape, piped, redirected } from './bridgetape.js';

let folder: Folder;
const at = (name: string): string => join(folder.path, name);

beforeAll(async () => {
  folder = new Folder();
  await ordinaryBuild().write(at('build.cassette'));
  const long = new Tape();
  const talk = long.call(bridge('ExecProcess'), 0, { 'buildkit-controlapi-buildid': REF });
  for (let line = 0; line < 20_000; line += 1) talk.server(line / 1000, exec({ File: { Fd: 1, Data: Buffer.from(`line ${line}\n`) } }));
  await long.write(at('long.cassette'));
  await ordinaryBuild().writeInterrupted(at('killed.cassette'));
  writeFileSync(at('text'), 'not a tape');
});

afterAll(() => folder[Symbol.dispose]());

describe('bridgetape show', () => {
  it('prints the calls as a table', async () => {
    const { status, stdout, stderr } = await bridgetape(['show', at('build.cassette')]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('build.cassette: whole\n');
    expect(stdout).toContain('\n#  AT (s)    TOOK  METHOD');
    expect(stdout).toContain('\n6   0.400  2.3 ms  LLBBridge/ReadFile ');
    expect(stdout).not.toContain('\x1b');
  });

  it('prints one call, its messages decoded', async () => {
    const { status, stdout } = await bridgetape(['show', at('build.cassette'), '5']);
    expect(status).toBe(0);
    expect(stdout).toContain('call 5  /moby.buildkit.v1.frontend.LLBBridge/ExecProcess\n');
    expect(stdout).toContain('← stdout 6 B "tick1\\n"\n');
  });

  it('uses the width that the environment names where there is no terminal', async () => {
    const { stdout } = await bridgetape(['show', at('build.cassette')], { env: { COLUMNS: '60' } });
    for (const line of stdout.split('\n').slice(1, 8)) expect(line.length).toBeLessThanOrEqual(60);
  });

  it.each([
    ['the cassette and its calls', [], ['cassette', ...Array<string>(7).fill('call')]],
    ['the events of a call', ['6'], ['client-header', 'client-message', 'client-half-close', 'server-trailer']],
  ])('prints JSON, an object a line: %s', async (_what, args, kinds) => {
    const { status, stdout } = await bridgetape(['show', at('build.cassette'), ...args, '--json']);
    expect(status).toBe(0);
    expect(stdout.endsWith('}\n')).toBe(true);
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { kind: string }).kind),
    ).toEqual(kinds);
  });

  it('prints every event with --json --all, to the last byte', async () => {
    const { status, stdout } = await bridgetape(['show', at('long.cassette'), '--json', '--all']);
    expect(status).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(20_002);
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ decoded: { File: { Data: 'line 19999\n' } } });
  });

  it('ends quietly when its reader leaves', async () => {
    for (const args of [[at('long.cassette'), '--json', '--all'], [at('long.cassette'), '1'], [at('build.cassette')]]) {
      const { status, stdout, stderr } = await piped(['show', ...args], 'head -n 1');
      expect({ status, stderr, lines: stdout.split('\n').length }).toEqual({ status: 0, stderr: '', lines: 2 });
    }
  });

  it.runIf(existsSync('/dev/full'))('says so when its output cannot be written', async () => {
    const { status, stderr } = await redirected(['show', at('build.cassette')], '/dev/full');
    expect(status).toBe(2);
    expect(stderr).toMatch(/^bridgetape: cannot write the output: ENOSPC.*\nCheck where stdout goes\.\n$/);
  });

  it('shows an interrupted cassette, and says that it is one', async () => {
    const table = await bridgetape(['show', at('killed.cassette')]);
    expect(table.status).toBe(0);
    expect(table.stdout).toContain('killed.cassette: interrupted\n');
    const call = await bridgetape(['show', at('killed.cassette'), '7']);
    expect(call.status).toBe(0);
    expect(call.stdout).toContain('LLBBridge/Return');
    expect(call.stderr).toBe(`bridgetape: ${at('killed.cassette')} is interrupted: bridgetape verify says where.\n`);
  });

  it('shows what is left of a cassette that lost its end', async () => {
    await ordinaryBuild().write(at('cut.cassette'));
    truncateSync(at('cut.cassette'), statSync(at('cut.cassette')).size - 100);
    const { status, stdout } = await bridgetape(['show', at('cut.cassette')]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/cut\.cassette: interrupted\n/);
  });

  it.each([
    ['a call that is not there', ['build.cassette', '8'], 'build.cassette holds no call 8.\nIts calls are numbered from 1 to 7.\n'],
    ['a call that is no number', ['build.cassette', 'seven'], '"seven" is no call number.\n'],
    ['a file that is not there', ['nothing.cassette'], 'There is no cassette at '],
    ['a file that is no cassette', ['text'], 'text is not a cassette: it does not begin as one.\n'],
    ['--all without --json', ['build.cassette', '--all'], '--all goes with --json only.\n'],
    ['--all with a call', ['build.cassette', '1', '--json', '--all'], '--all goes without a call.\n'],
    ['--full without a call', ['build.cassette', '--full'], '--full goes with one call, as text.\n'],
  ])('refuses %s, with status 2', async (_what, [file = '', ...args], message) => {
    const { status, stdout, stderr } = await bridgetape(['show', at(file), ...args]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/^bridgetape: .*\n.+\n$/);
  });
});
