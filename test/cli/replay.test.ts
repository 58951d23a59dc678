/** `bridgetape replay` as its users meet it: what it says, what it reports, and what it leaves alone. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { ErrorReport, ReplayReport } from '../../src/replayer/index.js';
import { version } from '../../src/version.js';
import { bridgetape, type Ran } from './bridgetape.js';

const ROOT = join(import.meta.dirname, '..', '..');
const MAIN = join(ROOT, 'dist', 'cli', 'main.cjs');
const recorded = (name: string): string => join(ROOT, 'cassettes', `${name}.cassette`);
const DIALOGUE = recorded('dialogue-v0.32.2');

let folder: string;
const at = (name: string): string => join(folder, name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bt-replay-cli-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A client that does what the client of a cassette did. */
function clientOf(cassette: string): readonly string[] {
  const script = `
    import { Cassette, drive } from ${JSON.stringify(join(ROOT, 'dist', 'index.js'))};
    const cassette = Cassette.open(${JSON.stringify(cassette)});
    await drive(cassette, { target: process.env.BUILDKIT_HOST.replace('unix://', 'unix:') });
  `;
  return [process.execPath, '--input-type=module', '-e', script];
}

const replaying = (files: readonly string[], ...rest: readonly string[]): Promise<Ran> => bridgetape(['replay', ...files, ...rest], { env: { TMPDIR: folder } });

const reported = (): ReplayReport => JSON.parse(readFileSync(at('report.json'), 'utf8')) as ReplayReport;

describe('a replay of everything', () => {
  it('passes, says nothing, and reports that, strictly too', async () => {
    const command = clientOf(DIALOGUE);
    const ran = await replaying([DIALOGUE], '--strict', '--report', at('report.json'), '--', ...command);
    expect(ran).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(reported()).toEqual({
      format: 'bridgetape-replay-report',
      version: 1,
      tool: `bridgetape ${version}`,
      verdict: 'passed',
      command: { arguments: command, status: 0 },
      cassettes: [DIALOGUE],
      notWhole: [],
      misses: { count: 0, listed: [] },
      unused: { count: 0, listed: [] },
      annotationsDiffering: { count: 0, listed: [] },
      faults: [],
      afterFaults: { count: 0, listed: [] },
    });
  });

  it('leaves the cassette as it is, and needs no right to write it', async () => {
    copyFileSync(DIALOGUE, at('mine.cassette'));
    chmodSync(at('mine.cassette'), 0o444);
    const before = statSync(at('mine.cassette'), { bigint: true });
    expect(await replaying([at('mine.cassette')], '--', ...clientOf(DIALOGUE))).toMatchObject({ status: 0, stderr: '' });
    const after = statSync(at('mine.cassette'), { bigint: true });
    expect([after.mtimeNs, after.ctimeNs, after.ino, after.mode]).toEqual([before.mtimeNs, before.ctimeNs, before.ino, before.mode]);
    expect(readFileSync(at('mine.cassette')).equals(readFileSync(DIALOGUE))).toBe(true);
  });

  it.runIf(existsSync('/dev/full'))('says that there was no room for its report', async () => {
    const { status, stderr } = await replaying([DIALOGUE], '--report', '/dev/full', '--', 'true');
    expect([status, stderr]).toEqual([2, expect.stringMatching(/^bridgetape: Cannot write the report to \/dev\/full: ENOSPC.*\nMake room for it, or name another file\.\n$/)]);
  });

  it('says that a cassette is not whole, once, when that shows', async () => {
    const content = readFileSync(DIALOGUE);
    writeFileSync(at('cut.cassette'), content.subarray(0, 3000));
    content.fill(0xff, 900, 903);
    writeFileSync(at('damaged.cassette'), content);
    expect(await replaying([at('cut.cassette')], '--report', at('report.json'), '--', 'true')).toMatchObject({ status: 0, stderr: `bridgetape: ${at('cut.cassette')} is interrupted: bridgetape verify says where.\n` });
    expect(reported().notWhole).toEqual([{ cassette: at('cut.cassette'), state: 'interrupted' }]);
    const { stderr } = await replaying([at('damaged.cassette')], '--', ...clientOf(DIALOGUE));
    expect(stderr.split('\n').filter((line) => line.includes('bridgetape verify'))).toEqual([`bridgetape: ${at('damaged.cassette')} is damaged: bridgetape verify says where.`]);
  });

  it('finds the build in a folder of cassettes', async () => {
    mkdirSync(at('recordings/more'), { recursive: true });
    copyFileSync(DIALOGUE, at('recordings/a.cassette'));
    copyFileSync(recorded('exec-v0.32.2'), at('recordings/more/b.cassette'));
    writeFileSync(at('recordings/notes.txt'), 'no cassette');
    const { status, stderr } = await replaying([at('recordings')], '--report', at('report.json'), '--', ...clientOf(DIALOGUE));
    expect(status).toBe(0);
    expect(stderr).toMatch(/^bridgetape: not asked for, of what \S+more\/b\.cassette holds: [^\n]+\n$/);
    expect([reported().verdict, reported().cassettes]).toEqual(['passed', [at('recordings/a.cassette'), at('recordings/more/b.cassette')]]);
  });
});

describe('a replay of less', () => {
  it('says what was not asked for, and passes', async () => {
    const { status, stderr } = await replaying([DIALOGUE], '--', 'true');
    expect([status, stderr]).toEqual([
      0,
      `bridgetape: not asked for, of what ${DIALOGUE} holds: Control/Solve (call 4), LLBBridge/Solve (call 6), LLBBridge/NewContainer (call 7), LLBBridge/ExecProcess (call 8), LLBBridge/ReleaseContainer (call 9), LLBBridge/Return (call 10)\n`,
    ]);
  });

  it('fails when it is strict', async () => {
    const { status, stderr } = await replaying([DIALOGUE], '--strict', '--report', at('report.json'), '--', 'true');
    expect(status).toBe(3);
    expect(stderr).toMatch(/\nbridgetape: the command succeeded, but 6 recorded calls were not asked for, which --strict does not let pass\n$/);
    expect([reported().verdict, reported().unused.count, reported().unused.listed[0]]).toEqual(['unused', 6, { cassette: DIALOGUE, call: 4, method: '/moby.buildkit.v1.Control/Solve' }]);
  });

  it('without a command speaks of none, and tells of a client that speaks no HTTP/2', async () => {
    const child = spawn(process.execPath, [MAIN, 'replay', DIALOGUE, '--strict', '--listen', `unix://${at('front.sock')}`], { stdio: ['ignore', 'ignore', 'pipe'] });
    const ended = once(child, 'exit');
    const lines = createInterface(child.stderr);
    const said: string[] = [];
    lines.on('line', (line: string) => said.push(line));
    await once(lines, 'line');
    const client = connect(at('front.sock')).resume();
    client.write('GET / HTTP/1.1\r\n\r\n');
    await once(client, 'close');
    child.kill('SIGTERM');
    expect(await ended).toEqual([3, null]);
    expect(said[1]).toBe("bridgetape: a client's connection broke: not an HTTP/2 connection: no preface, it looks like HTTP/1");
    expect(said.at(-1)).toBe(`bridgetape: 1 request had no answer in ${DIALOGUE}`);
  });

  it('ends as its command did, whatever was not asked for', async () => {
    expect((await replaying([DIALOGUE], '--strict', '--report', at('report.json'), '--', 'sh', '-c', 'exit 7')).status).toBe(7);
    expect([reported().verdict, reported().command?.status]).toEqual(['command-failed', 7]);
  });
});

describe('a replay of something else', () => {
  it('fails with what was missed, on lines and in the report', async () => {
    const { status, stderr } = await replaying([DIALOGUE], '--report', at('report.json'), '--', ...clientOf(recorded('exec-v0.32.2')));
    expect(status).toBe(3);
    expect(stderr).toMatch(
      new RegExp(String.raw`^bridgetape: no answer for Control/Solve in ${DIALOGUE}\n  closest   call 4, not used yet\n  differs   FrontendInputs\["\S+"\]\.op\[0\] \S+.*: not recorded\n(.*\n)*            FrontendAttrs\["scenario"\]\n              recorded  "dialogue"\n              got       "all"\n`),
    );
    const { verdict, misses } = reported();
    expect([verdict, misses.listed[0]?.method, misses.listed[0]?.cassette, misses.listed[0]?.closest?.call]).toEqual(['missed', '/moby.buildkit.v1.Control/Solve', DIALOGUE, 4]);
    expect(misses.listed[0]?.recordAgain).toMatch(/^bridgetape record -o \S+ --force -- /);
  });
});

describe('a replay with faults', () => {
  it('reports which fired at how many calls, and what was missed after that apart', async () => {
    const faults = ['--fault', 'LLBBridge/Solve=UNAVAILABLE', '--fault', 'ReadFile=end'];
    const { status } = await replaying([DIALOGUE], ...faults, '--report', at('report.json'), '--', ...clientOf(DIALOGUE));
    expect(status).toBe(3);
    const { verdict, faults: told, misses, afterFaults } = reported();
    expect(told).toEqual([
      { spec: 'LLBBridge/Solve=UNAVAILABLE', calls: 1, fired: 1 },
      { spec: 'ReadFile=end', calls: 0, fired: 0 },
    ]);
    expect([verdict, misses.count, afterFaults.count]).toEqual(['fault-unfired', 0, afterFaults.listed.length]);
  });

  it('passes when each of them has fired', async () => {
    const { status } = await replaying([DIALOGUE], '--fault', 'Ping=delay:1ms', '--report', at('report.json'), '--', ...clientOf(DIALOGUE));
    expect([status, reported().verdict, reported().faults]).toEqual([0, 'passed', [{ spec: 'Ping=delay:1ms', calls: 1, fired: 1 }]]);
  });
});

describe('cassettes of which a client could be either', () => {
  it('are refused before anything is run, with both named', async () => {
    const { status, stdout, stderr } = await replaying([recorded('dockerfile-v0.32.2'), recorded('failing-v0.32.2')], '--report', at('report.json'), '--', 'echo', 'ran');
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toBe(
      `bridgetape: ${recorded('dockerfile-v0.32.2')} (the build of call 4) and ${recorded('failing-v0.32.2')} (the build of call 4) ask for the same and are answered differently, by LLBBridge/Solve: a client of theirs could be either's.\nReplay them one at a time, or leave one of them out.\n`,
    );
    const report = JSON.parse(readFileSync(at('report.json'), 'utf8')) as ErrorReport;
    expect([report.verdict, `bridgetape: ${report.error.message}\n`]).toEqual(['error', stderr]);
  });
});

describe('what cannot be served or reported', () => {
  it.each([
    ['an empty folder', () => [folder], [], 'There is no *.cassette in the folder'],
    ['one that is not there among others', () => [DIALOGUE, at('nothing.cassette')], [], 'There is no cassette at'],
    ['a report in place of a cassette', () => [DIALOGUE], ['--report', at], 'names a cassette, and would replace it'],
    ['a report in no folder', () => [DIALOGUE], ['--report', () => join(folder, 'no', 'report.json')], 'Cannot write the report to'],
  ] as const)('%s is refused before anything is run', async (_what, files, options, message) => {
    copyFileSync(DIALOGUE, at('there'));
    const rest = options.map((option) => (typeof option === 'string' ? option : option('there')));
    const { status, stdout, stderr } = await replaying(files(), ...rest, '--', 'echo', 'ran');
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    expect(readFileSync(at('there')).equals(readFileSync(DIALOGUE))).toBe(true);
    expect(existsSync(at('nothing.cassette'))).toBe(false);
  });
});

describe('the page about reports', () => {
  it('has every member of one', async () => {
    await replaying([DIALOGUE], '--fault', 'Ping=delay:1ms', '--report', at('report.json'), '--', ...clientOf(recorded('exec-v0.32.2')));
    const page = readFileSync(join(ROOT, 'docs', 'replay-report.md'), 'utf8');
    const members = new Set<string>();
    JSON.parse(readFileSync(at('report.json'), 'utf8'), (key, value: unknown) => {
      if (key !== '' && !/^\d+$/.test(key)) members.add(key);
      return value;
    });
    expect(members.size).toBeGreaterThan(15);
    for (const member of members) expect(page).toMatch(new RegExp(`\`(\\w+\\.)?${member}\``));
  });
});
