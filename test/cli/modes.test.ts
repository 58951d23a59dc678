/** `bridgetape replay --mode` as its users meet it: what is recorded, what takes its place, and what is refused. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { Cassette } from '../../src/cassette/index.js';
import { replay, type RecordingReport, type Replay, type ReplayReport } from '../../src/replayer/index.js';
import { bridgetape, type Ran } from './bridgetape.js';

const ROOT = join(import.meta.dirname, '..', '..');
const DIALOGUE = join(ROOT, 'cassettes', 'dialogue-v0.32.2.cassette');
const MAIN = join(ROOT, 'dist', 'cli', 'main.cjs');

let folder: string;
/** A replay of a real build stands in for BuildKit. */
let daemon: Replay;
const at = (name: string): string => join(folder, name);
const bytesAt = (name: string): string => readFileSync(at(name)).toString('base64');

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bt-modes-'));
  daemon = await replay({ file: DIALOGUE });
});

afterEach(async () => {
  await daemon.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Does what the recorded client did, and ends with a status. */
function client(status = 0): readonly string[] {
  const script = `
    import { Cassette, drive } from ${JSON.stringify(join(ROOT, 'dist', 'index.js'))};
    await drive(Cassette.open(${JSON.stringify(DIALOGUE)}), { target: process.env.BUILDKIT_HOST.replace('unix://', 'unix:') });
    process.exitCode = ${status};
  `;
  return [process.execPath, '--input-type=module', '-e', script];
}

const environment = (more: Record<string, string> = {}): Record<string, string> => ({ PATH: process.env['PATH'] ?? '', TMPDIR: folder, BUILDKIT_HOST: daemon.address, DOCKER_HOST: 'npipe:none', ...more });
const run = (args: readonly string[], command: readonly string[] = client(), env: Record<string, string> = {}): Promise<Ran> => bridgetape(['replay', ...args, '--docker', 'none', '--', ...command], { env: environment(env) });
const report = (): RecordingReport | ReplayReport => JSON.parse(readFileSync(at('report.json'), 'utf8')) as RecordingReport | ReplayReport;

describe('--mode once', () => {
  it('records a cassette that is not there, and replays it from then on', async () => {
    const recorded = await run(['--mode', 'once', at('tests/a.cassette'), '--report', at('report.json')]);
    expect(recorded).toMatchObject({ status: 0, stdout: '' });
    expect(recorded.stderr).toMatch(/^bridgetape: there is no \S+a\.cassette yet: it is being recorded, as the mode "once" has it\nbridgetape: \S+a\.cassette: 9 calls on 1 connection, [^\n]+\n$/);
    expect(report()).toMatchObject({ verdict: 'recorded', command: { status: 0 }, recording: { cassette: at('tests/a.cassette') } });
    expect(readdirSync(at('tests'))).toEqual(['a.cassette']);
    await daemon.close();
    expect(await run(['--mode', 'once', at('tests/a.cassette'), '--strict', '--report', at('report.json')])).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(report().verdict).toBe('passed');
  });

  it.each([
    ['failed', client(7), 7, 'the command ended with status 7'],
    ['asked for nothing', ['true'], 3, 'nothing was asked of BuildKit'],
  ])('leaves no cassette when the command %s, and records again the next time', async (_what, command, status, why) => {
    const first = await run(['--mode', 'once', at('a.cassette')], command);
    expect(first.status).toBe(status);
    expect(first.stderr).toContain(`bridgetape: ${at('a.cassette')} was not made: ${why}\n`);
    expect(existsSync(at('a.cassette'))).toBe(false);
    expect((await run(['--mode', 'once', at('a.cassette')])).status).toBe(0);
    expect(Cassette.open(at('a.cassette')).state).toBe('whole');
    expect(readdirSync(folder)).toEqual(['a.cassette']);
  });

  it('keeps what a failed command did beside it, to be looked into or taken all the same', async () => {
    const { stderr } = await run(['--mode', 'once', at('a.cassette')], client(1));
    expect(stderr).toContain(`bridgetape: what was recorded is in ${at('a.cassette.new')}`);
    expect(Cassette.open(at('a.cassette.new')).calls).toHaveLength(9);
    copyFileSync(at('a.cassette.new'), at('a.cassette'));
    expect((await run(['--mode', 'once', at('a.cassette')])).status).toBe(0);
  });

  it('leaves none when it is killed, and takes what was left for none', async () => {
    const child = spawn(process.execPath, [MAIN, 'replay', '--mode', 'once', at('a.cassette'), '--docker', 'none', '--listen', `unix://${at('front.sock')}`], { stdio: ['ignore', 'ignore', 'pipe'], env: environment() });
    let said = '';
    for await (const chunk of child.stderr as AsyncIterable<Buffer>) {
      said += chunk.toString();
      if (said.includes('listening on')) break;
    }
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(readdirSync(folder).sort()).toEqual(['a.cassette.new', 'front.sock']);
    expect((await run(['--mode', 'once', at('a.cassette')])).status).toBe(0);
    expect(Cassette.open(at('a.cassette')).state).toBe('whole');
  });

  it('without a command records until it is told to end', async () => {
    const child = spawn(process.execPath, [MAIN, 'replay', '--mode', 'once', at('a.cassette'), '--docker', 'none', '--listen', `unix://${at('front.sock')}`], { stdio: ['ignore', 'ignore', 'pipe'], env: environment() });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await expect.poll(() => said).toContain('recording to');
    const [program = '', ...args] = client();
    await once(spawn(program, args, { env: { ...process.env, BUILDKIT_HOST: `unix://${at('front.sock')}` } }), 'exit');
    child.kill('SIGTERM');
    expect((await once(child, 'exit'))[0]).toBe(0);
    expect(Cassette.open(at('a.cassette')).calls).toHaveLength(9);
  });

  it('neither replays nor replaces half a cassette', async () => {
    writeFileSync(at('a.cassette'), readFileSync(DIALOGUE).subarray(0, 4000));
    const before = bytesAt('a.cassette');
    const { status, stdout, stderr } = await run(['--mode', 'once', at('a.cassette')], ['echo', 'ran']);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/a\.cassette is (interrupted|damaged), and the mode "once" neither replays half a cassette nor replaces it\.\nRecord it anew with the mode "all"/);
    expect(bytesAt('a.cassette')).toBe(before);
  });
});

describe('--mode all', () => {
  it('replaces a cassette when all went well', async () => {
    copyFileSync(join(ROOT, 'cassettes', 'failing-v0.32.2.cassette'), at('a.cassette'));
    const { status, stderr } = await run(['--mode', 'all', at('a.cassette')]);
    expect(status).toBe(0);
    expect(stderr).toContain('a.cassette is being recorded anew, as the mode "all" has it');
    expect(Cassette.open(at('a.cassette')).calls.some(({ path }) => path.endsWith('ExecProcess'))).toBe(true);
  });

  it.each([
    ['the command failed', () => client(1)],
    ['the daemon was not there', () => ['sh', '-c', '"$@"; exit 0', 'sh', ...client()]],
  ])('leaves it as it was when %s', async (what, command) => {
    copyFileSync(DIALOGUE, at('a.cassette'));
    const before = bytesAt('a.cassette');
    if (what.includes('daemon')) await daemon.close();
    const { status, stderr } = await run(['--mode', 'all', at('a.cassette')], command());
    expect(status).not.toBe(0);
    expect(stderr).toContain(`${at('a.cassette')} was not replaced: `);
    expect(bytesAt('a.cassette')).toBe(before);
  });

  it('does not replace a file that is no cassette', async () => {
    writeFileSync(at('notes.txt'), 'mine, and long enough to be looked into');
    const { status, stderr } = await run(['--mode', 'all', at('notes.txt')], ['true']);
    expect([status, bytesAt('notes.txt')]).toEqual([2, Buffer.from('mine, and long enough to be looked into').toString('base64')]);
    expect(stderr).toContain('is not a cassette');
  });
});

describe('in CI', () => {
  const IN_CI = { CI: 'true' };

  it('once replays what is there and fails for what is not, and nothing is run', async () => {
    expect((await run(['--mode', 'once', DIALOGUE], client(), IN_CI)).status).toBe(0);
    const { status, stdout, stderr } = await run(['--mode', 'once', at('a.cassette')], ['echo', 'ran'], IN_CI);
    expect([status, stdout, readdirSync(folder)]).toEqual([2, '', []]);
    expect(stderr).toBe(`bridgetape: There is no cassette at ${at('a.cassette')}, and the mode "once" records nothing in CI.\nRecord it where you work, with CI unset, and commit it; to record in CI, give --mode all on the command line (in code: recordInCi).\n`);
  });

  it('all records when the command line says so, and not for a variable', async () => {
    const refused = await run([at('a.cassette')], ['echo', 'ran'], { ...IN_CI, BRIDGETAPE_MODE: 'all' });
    expect([refused.status, refused.stdout, readdirSync(folder)]).toEqual([2, '', []]);
    expect(refused.stderr).toContain('would record');
    const recorded = await run(['--mode', 'all', at('a.cassette')], client(), IN_CI);
    expect([recorded.status, recorded.stderr.split('\n')[0]]).toEqual([0, `bridgetape: ${at('a.cassette')} is being recorded anew, as the mode "all" has it`]);
  });
});

describe('the variable', () => {
  it('gives the mode, and an option overrules it', async () => {
    expect((await run([at('a.cassette')], client(), { BRIDGETAPE_MODE: 'once' })).status).toBe(0);
    const { stderr } = await bridgetape(['replay', '--mode', 'none', at('b.cassette'), '--', 'true'], { env: environment({ BRIDGETAPE_MODE: 'once' }) });
    expect(stderr).toContain('There is no cassette at');
    expect((await run([at('b.cassette')], ['true'], { BRIDGETAPE_MODE: 'never' })).stderr).toContain('BRIDGETAPE_MODE got "never", which is no mode.\nThere is none, once, all.');
  });
});

describe('what makes no sense', () => {
  it.each([
    ['several cassettes', ['--mode', 'once', DIALOGUE, 'b.cassette'], 'can record one cassette, and 2 are named'],
    ['a folder', ['--mode', 'all', ROOT], 'is a folder'],
    ['a fault in a recording', ['--mode', 'once', 'no.cassette', '--fault', 'ReadFile=end'], '--fault ReadFile=end is for a replay'],
    ['an address that is none', ['--mode', 'once', DIALOGUE, '--to', 'http://x'], 'is not a scheme'],
    ['a recording option in a replay', [DIALOGUE, '--to', 'tcp://127.0.0.1:1'], '--to is for a recording, and the mode "none" only replays'],
    ['a list of them in a replay', [DIALOGUE, '--bodies', '/a.B/C'], '--bodies is for a recording'],
  ])('%s is refused before anything is run', async (_what, args, message) => {
    const { status, stdout, stderr } = await bridgetape(['replay', ...args, '--', 'echo', 'ran'], { env: environment() });
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });
});
