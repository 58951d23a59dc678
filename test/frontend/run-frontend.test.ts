/** A frontend as a process, from its start to its end; the frontends of BuildKit are run in test/interop. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { FrontendRun } from '../../src/cassette/index.js';
import { runFrontend } from '../../src/frontend/index.js';
import type { RecordedCall } from '../../src/replayer/recorded-call.js';
import { bridge, encode, FRONTEND } from '../bridge/build.js';
import { exec, readFile, Tape, type TapedCall } from '../replayer/tape.js';
import { FRONTEND_RUN, Folder, writeCassette } from './tape.js';

const PROGRAM = join(import.meta.dirname, 'frontend.mjs');
const bytes = (text: string): Uint8Array => Buffer.from(text);
const returned = (text: string): Uint8Array => encode(`${FRONTEND}.ReturnRequest`, { result: { metadata: { said: bytes(text) } } });
const unary = (tape: Tape, method: string, request: Uint8Array, answer: Uint8Array): TapedCall => tape.call(bridge(method)).sends(request).closes().headed().answers(answer).ends();

/** Reads `a`, and returns what it came to. */
function readsAndReturns(): readonly RecordedCall[] {
  const tape = new Tape();
  return [unary(tape, 'ReadFile', readFile('a'), encode(`${FRONTEND}.ReadFileResponse`, { Data: bytes('of a') })), unary(tape, 'Return', returned('fine'), new Uint8Array())];
}

interface Task {
  readonly calls?: readonly (readonly [method: string, request: Uint8Array])[];
  readonly status?: number;
  readonly signal?: string;
  readonly seesFile?: string;
  /** When it has made its calls it does not end. */
  readonly waits?: boolean;
}

const READS = ['ReadFile', readFile('a')] as const;
const RETURNS = ['Return', returned('fine')] as const;

interface Seen {
  readonly answers: readonly { readonly answer: string; readonly code: number; readonly message: string }[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly file?: string;
}

interface Ran {
  readonly status: number | null;
  /** What bridgetape said. */
  readonly said: readonly string[];
  /** What the frontend said that it saw. */
  readonly seen: Seen;
}

/** Runs the test's frontend by `bridgetape run`, as users do: its stderr is the terminal's. */
function run(cassette: string, { calls = [READS, RETURNS], ...task }: Task = {}, options: readonly string[] = [], cwd?: string): Ran {
  const words = JSON.stringify({ ...task, calls: calls.map(([method, request]) => [bridge(method), Buffer.from(request).toString('base64')]) });
  const cli = join(import.meta.dirname, '..', '..', 'dist', 'cli', 'main.cjs');
  const { status, stderr } = spawnSync(process.execPath, [cli, 'run', cassette, ...options, '--', process.execPath, PROGRAM, words], { encoding: 'utf8', cwd, env: { ...process.env, OTEL_TEST: '1', BUILDKIT_HOST: 'x' } });
  const lines = stderr.split('\n').filter((line) => line !== '');
  const own = lines.find((line) => line.startsWith('{'));
  return { status, said: lines.filter((line) => line !== own), seen: JSON.parse(own ?? '{}') as Seen };
}

async function recorded(folder: Folder, changes: Partial<FrontendRun> = {}, calls = readsAndReturns()): Promise<string> {
  await writeCassette(folder.cassette, calls, { ...FRONTEND_RUN, ...changes });
  return folder.cassette;
}

describe('a frontend that does as recorded', () => {
  it('is answered on its stdio and ends well, and nothing is said', async () => {
    using folder = new Folder();
    const { status, said, seen } = run(await recorded(folder));
    expect(said).toEqual([]);
    expect(seen.answers.map(({ code }) => code)).toEqual([0, 0]);
    expect(Buffer.from(seen.answers[0]?.answer ?? '', 'base64').toString()).toContain('of a');
    expect(status).toBe(0);
  });

  it('has the recorded environment and folder, and nothing of ours', async () => {
    using folder = new Folder();
    const { seen } = run(await recorded(folder), {}, ['--opt', 'target=b', '--opt', 'x=y', '--env', 'HOME=/h']);
    expect(seen.env).toEqual({ BUILDKIT_FRONTEND_OPT_0: 'target=b', BUILDKIT_FRONTEND_OPT_1: 'x=y', BUILDKIT_SESSION_ID: 's', PATH: '/nowhere', HOME: '/h' });
    expect(seen.cwd).toBe('/');
  });

  it('may end as badly as the recorded one', async () => {
    using folder = new Folder();
    expect(run(await recorded(folder, { exit: { status: 2 } }), { status: 2 })).toMatchObject({ status: 0, said: [] });
    expect(run(await recorded(folder, { exit: { signal: 'SIGTERM' } }), { signal: 'SIGTERM' })).toMatchObject({ status: 0, said: [] });
  });

  it('reads the files of a folder in place of those that were recorded', async () => {
    using folder = new Folder();
    writeFileSync(join(folder.path, 'a'), 'as it is now');
    const cassette = await recorded(folder);
    const answers = (options: readonly string[], cwd?: string): string => Buffer.from(run(cassette, {}, options, cwd).seen.answers[0]?.answer ?? '', 'base64').toString();
    expect(answers(['--context', folder.path])).toContain('as it is now');
    expect(answers(['--file', 'a'], folder.path)).toContain('as it is now');
  });
});

describe('a frontend that does something else', () => {
  it.each<[string, Task, RegExp]>([
    ['another status', { status: 3 }, /^bridgetape: the frontend did not do as recorded: it ended with status 3; the recorded one ended with status 0$/],
    ['a signal', { signal: 'SIGKILL' }, /: it ended with SIGKILL; the recorded one ended with status 0$/],
    ['no Return', { calls: [READS] }, /: it did not return; the recorded one did, in call 2$/],
    ['another Return', { calls: [READS, ['Return', returned('else')]] }, /: it returned something else than the recorded one, in call 2$/],
    ['a request that was not recorded', { calls: [['ReadFile', readFile('b')], RETURNS] }, /: 1 request had no answer in the cassette$/],
  ])('fails the run, with that in words: %s', async (_what, task, words) => {
    using folder = new Folder();
    const { status, said } = run(await recorded(folder), task);
    expect(said.at(-1)).toMatch(words);
    expect(status).toBe(1);
  });

  it('gets an error for a request that was not recorded, which says what came closest', async () => {
    using folder = new Folder();
    const { seen, said } = run(await recorded(folder), { calls: [['ReadFile', readFile('b')]] });
    expect(seen.answers[0]).toMatchObject({ code: 9, message: expect.stringMatching(/no answer for this LLBBridge\/ReadFile/) as string });
    expect(said.join('\n')).toMatch(/differs {3}FilePath\n +recorded {2}"a"\n +got {7}"b"/);
  });

  it('is killed when it waits for a process for which there was no answer', async () => {
    using folder = new Folder();
    const starts = exec('p', { Init: { ContainerID: 'c', Meta: { Args: ['make'] } } });
    const { status, said, seen } = run(await recorded(folder), { calls: [['ExecProcess', starts]], waits: true }, ['--stall', '0.2']);
    expect(seen.answers[0]?.code).toBe(9);
    expect(said).toContain("bridgetape: the frontend has not ended 0.2 s after ExecProcess had no answer, as BuildKit's client waits for its process for ever: it is killed");
    expect(said.at(-1)).toMatch(/: 1 request had no answer in the cassette; .* it ended with SIGKILL; the recorded one ended with status 0$/);
    expect(status).toBe(1);
  });

  it('is killed when its connection broke and it goes on', async () => {
    using folder = new Folder();
    const main = join(import.meta.dirname, '..', '..', 'dist', 'cli', 'main.cjs');
    const { status, stderr } = spawnSync(process.execPath, [main, 'run', await recorded(folder), '--stall', '0.2', '--', 'sh', '-c', 'echo hello; exec /bin/sleep 60'], { encoding: 'utf8' });
    expect(stderr).toContain('bridgetape: the frontend has not ended 0.2 s after its connection broke: it is killed\n');
    expect(status).toBe(1);
  });

  it('has as long as it was given, though a timer takes less', async () => {
    using folder = new Folder();
    const starts = exec('p', { Init: { ContainerID: 'c', Meta: { Args: ['make'] } } });
    const { said } = run(await recorded(folder), { calls: [['ExecProcess', starts]] }, ['--stall', '1000000000']);
    expect(said.join('\n')).not.toMatch(/killed|Timeout/);
  });

  it('gets an error, and no silence, for what the recording never answered', async () => {
    using folder = new Folder();
    const silent = new Tape().call(bridge('ReadFile')).sends(readFile('a')).closes().cancels();
    const { status, seen } = run(await recorded(folder, {}, [silent]), { calls: [READS] }, ['--stall', '0.2']);
    expect(seen.answers[0]?.message).toMatch(/the recording goes on with the client cancelling LLBBridge\/ReadFile \(call 1 of the cassette\), and for 0\.2 s nothing came/);
    expect(status).toBe(1);
  });

  it('is no frontend when it says something that is no HTTP/2', async () => {
    using folder = new Folder();
    const { status, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, '..', '..', 'dist', 'cli', 'main.cjs'), 'run', await recorded(folder), '--', 'echo', 'hello'], { encoding: 'utf8' });
    expect(stderr).toMatch(/^bridgetape: a client's connection broke: not an HTTP\/2 connection: no preface/);
    expect(status).toBe(1);
  });
});

describe('what a frontend cannot have here', () => {
  it('is said in a line, and it runs without: its folder', async () => {
    using folder = new Folder();
    const { status, said, seen } = run(await recorded(folder, { directory: '/no/such/folder' }));
    expect(said).toEqual(['bridgetape: there is no folder /no/such/folder, in which the frontend was recorded: it runs in this one']);
    expect([status, seen.cwd]).toEqual([0, process.cwd()]);
  });

  it('is said in a line, and it runs without: files, where no namespace can be had', async () => {
    using folder = new Folder();
    const cassette = await recorded(folder, { files: [{ path: '/run/config/a', data: bytes('of a') }] });
    const cli = join(import.meta.dirname, '..', '..', 'dist', 'cli', 'main.cjs');
    const task = JSON.stringify({ calls: [], seesFile: '/run/config/a' });
    // No unshare on PATH: as on a machine that has none.
    const { stderr } = spawnSync(process.execPath, [cli, 'run', cassette, '--', process.execPath, PROGRAM, task], { encoding: 'utf8', env: { PATH: folder.path } });
    expect(stderr).toMatch(/^bridgetape: the frontend runs without \/run\/config\/a: Cannot run "unshare": there is no such program\.\n\{"answers":\[\]/);
  });

  it('is not asked for where the cassette says nothing of a process', async () => {
    using folder = new Folder();
    await writeCassette(folder.cassette, readsAndReturns());
    const { status, said, seen } = run(folder.cassette);
    expect(said).toEqual(['bridgetape: the cassette does not say how the recorded frontend ended, so only what it returned is compared']);
    expect(seen.env).toMatchObject({ BUILDKIT_SESSION_ID: '' });
    expect(seen.env).not.toHaveProperty('OTEL_TEST');
    expect(seen.env).not.toHaveProperty('BUILDKIT_HOST');
    expect(status).toBe(0);
  });
});

const hasNamespaces = process.platform === 'linux' && spawnSync('unshare', [...(process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']), '--mount', 'true']).status === 0;
if (!hasNamespaces) console.warn("\nSKIPPED: a frontend's own files\n  because: this machine gives us no mount namespace\n");

describe.skipIf(!hasNamespaces)("a frontend's own files", () => {
  it.each(['/run/config/buildkit/metadata/frontend.bin', '/bridgetape-test-of-files', '/etc/passwd'])('are at their path for it alone, and leave nothing behind: %s', async (path) => {
    using folder = new Folder();
    const ours = (): readonly string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('bridgetape-run-'));
    const before = [existsSync(path), ...ours()];
    const { status, said, seen } = run(await recorded(folder, { files: [{ path, data: bytes('contents') }] }), { seesFile: path });
    if (path === '/bridgetape-test-of-files') {
      expect(said.join()).toMatch(/^bridgetape: the frontend runs without \/bridgetape-test-of-files: there is no folder above/);
    } else {
      expect([said, seen.file]).toEqual([[], 'contents']);
    }
    expect(seen.env).toEqual({ BUILDKIT_FRONTEND_OPT_0: 'target=a', BUILDKIT_SESSION_ID: 's', PATH: '/nowhere' });
    expect([status, seen.cwd]).toEqual([0, '/']);
    expect([existsSync(path), ...ours()]).toEqual(before);
  });

  it('hide nothing of what lies beside them', async () => {
    using folder = new Folder();
    writeFileSync(join(folder.path, 'beside'), 'still here');
    const file = { path: join(folder.path, 'new', 'deep', 'file'), data: bytes('contents') };
    expect(run(await recorded(folder, { files: [file] }), { seesFile: join(folder.path, 'beside') }).seen.file).toBe('still here');
    expect(readdirSync(folder.path).sort()).toEqual(['beside', 'frontend.cassette']);
  });
});

describe('bridgetape run', () => {
  it.each<[string, readonly string[], number, RegExp]>([
    ['without a command', [], 2, /run needs a frontend to run/],
    ['with a command that is not there', ['--', '/no/such/frontend'], 127, /Cannot run "\/no\/such\/frontend"/],
    ['with an option that is none', ['--opt', 'target', '--', 'true'], 2, /--opt got "target", which has no name and value/],
    ['with a folder that has none of its files', ['--context', '/proc/self/fdinfo', '--', 'true'], 2, /has none of the files that the recorded frontend read\.\nIt read a\./],
  ])('says what is wrong: %s', async (_what, words, expected, text) => {
    using folder = new Folder();
    const { status, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, '..', '..', 'dist', 'cli', 'main.cjs'), 'run', await recorded(folder), ...words], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([expected, expect.stringMatching(text)]);
  });

  it('says in words why the frontend does not run', async () => {
    using folder = new Folder();
    const environment = new Map([['LONG', 'x'.repeat(200_000)]]);
    await expect(runFrontend({ file: await recorded(folder), command: ['true'], environment })).rejects.toMatchObject({ code: 'command-not-found', what: expect.stringMatching(/^Cannot run ".*true": spawn E2BIG\.$/) as string });
  });

  it('refuses a cassette without a frontend', async () => {
    using folder = new Folder();
    await writeCassette(folder.cassette, []);
    const { status, said } = run(folder.cassette);
    expect([status, said[0]]).toEqual([2, expect.stringMatching(/holds no calls of a frontend/)]);
  });
});

describe('a signal', () => {
  it('ends the frontend and what was made for it', async () => {
    using folder = new Folder();
    const file = await recorded(folder, { files: [{ path: '/run/config/buildkit/metadata/frontend.bin', data: bytes('x') }] });
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith('bridgetape-run-'));
    const control = new AbortController();
    const running = runFrontend({ file, command: ['sh', '-c', `echo $$ >${join(folder.path, 'pid')}; kill -STOP $$`], signal: control.signal, onLack: () => undefined });
    const pid = await vi.waitFor(() => {
      const text = readFileSync(join(folder.path, 'pid'), 'utf8');
      expect(text).toMatch(/^\d+\n$/);
      return Number(text);
    });
    control.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('bridgetape-run-'))).toEqual(before);
  });

  it('that was given before it begins starts no frontend', async () => {
    using folder = new Folder();
    const file = await recorded(folder);
    const command = ['sh', '-c', `echo ran >${join(folder.path, 'ran')}`];
    await expect(runFrontend({ file, command, signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
    expect(existsSync(join(folder.path, 'ran'))).toBe(false);
  });
});
