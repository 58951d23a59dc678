/** `bridgetape record` and `replay` as their users meet them: exit statuses, signals, messages, what is left behind. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync, watch, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { Cassette } from '../../src/cassette/index.js';
import { authority, writeIdentity } from '../socket/certificates.js';

const CLI = join(import.meta.dirname, '..', '..', 'dist', 'cli', 'main.cjs');
const CASSETTE = join(import.meta.dirname, '..', '..', 'cassettes', 'dialogue-v0.32.2.cassette');

let folder: string;
let daemon: Server;

const path = (name: string): string => join(folder, name);

function run(args: readonly string[], env: Record<string, string> = {}): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], {
    encoding: 'utf8',
    env: { ...process.env, TMPDIR: folder, BUILDKIT_HOST: `unix://${path('daemon.sock')}`, ...env },
  });
  return { status, stdout, stderr };
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bt-'));
  daemon = createServer((socket) => socket.end());
  await once(daemon.listen(path('daemon.sock')), 'listening');
});

afterEach(() => {
  daemon.close();
  rmSync(folder, { recursive: true, force: true });
});

const nothingLeft = (): boolean => !readdirSync(folder).some((name) => name.startsWith('bridgetape-'));

describe('bridgetape record -- CMD', () => {
  it("gives the command BUILDKIT_HOST and passes its output and exit status on", () => {
    const { status, stdout } = run(['record', '-o', path('a.cassette'), '--', 'sh', '-c', 'echo $BUILDKIT_HOST; exit 7']);
    expect(status).toBe(7);
    expect(stdout).toMatch(/^unix:\/\/.*\/buildkitd\.sock\n$/);
    expect(stdout).not.toContain('daemon.sock');
    expect(statSync(path('a.cassette')).mode & 0o777).toBe(0o600);
    expect(nothingLeft()).toBe(true);
  });

  it('says when the cassette could not be packed, which is whole all the same', () => {
    mkdirSync(path('.a.cassette.packing'));
    const { status, stderr } = run(['record', '-o', path('a.cassette'), '--', 'true']);
    expect(status).toBe(0);
    expect(stderr).toMatch(/a\.cassette is whole, but larger than it would be: it could not be packed: E/);
    expect(Cassette.open(path('a.cassette')).state).toBe('whole');
  });

  it("gives it DOCKER_HOST where there is an engine to dial, and leaves it alone where there is none or not asked to", () => {
    const show = ['--', 'sh', '-c', 'echo $DOCKER_HOST,$DOCKER_TLS_VERIFY'];
    const engine = `unix://${path('daemon.sock')}`;
    expect(run(['record', '-o', path('a.cassette'), ...show], { DOCKER_HOST: engine }).stdout).toMatch(/^unix:\/\/.*\/docker\.sock,\n$/);
    expect(Cassette.open(path('a.cassette')).header).toMatchObject({ docker: engine, listen: [expect.stringContaining('buildkitd.sock'), expect.stringContaining('docker.sock')] as unknown });
    expect(run(['record', '-o', path('b.cassette'), '--docker', engine, ...show], { DOCKER_TLS_VERIFY: '1' }).stdout).toMatch(/^unix:\/\/.*\/docker\.sock,\n$/);
    expect(run(['record', '-o', path('c.cassette'), '--docker', 'none', ...show], { DOCKER_HOST: engine }).stdout).toBe(`${engine},\n`);
    const elsewhere = run(['record', '-o', path('d.cassette'), ...show], { DOCKER_HOST: 'npipe:////./pipe/docker' });
    expect(elsewhere.stdout).toBe('npipe:////./pipe/docker,\n');
    expect(elsewhere.stderr).toContain('no Docker Engine was recorded: DOCKER_HOST is npipe:////./pipe/docker');
    expect(Cassette.open(path('d.cassette')).header.docker).toBeUndefined();
    expect(nothingLeft()).toBe(true);
  });

  it('keeps the command in the cassette, or not', () => {
    run(['record', '-o', path('a.cassette'), '--', 'true', '--secret']);
    run(['record', '-o', path('b.cassette'), '--no-command', '--', 'true', '--secret']);
    expect(Cassette.open(path('a.cassette')).header.command).toEqual(['true', '--secret']);
    expect(Cassette.open(path('b.cassette')).header.command).toBeUndefined();
  });

  it('ends as the command did when a signal ended it', () => {
    expect(run(['record', '-o', path('a.cassette'), '--', 'sh', '-c', 'kill -TERM $$']).status).toBe(128 + 15);
  });

  it.each([
    ['nobody reads', (cli: string) => `(${cli}; echo $? >"$OUT/status") 2>&1 >/dev/null | true`],
    ['finds no room', (cli: string) => `${cli} 2>/dev/full; echo $? >"$OUT/status"`],
  ])('goes on when %s what it says', (_what, shell) => {
    // Each client that finds no daemon is a line.
    const client = "const { connect } = require('net'); connect(process.env.BUILDKIT_HOST.slice(7)).on('error', () => {}).on('close', () => {})";
    const script = `for i in 1 2 3; do "$NODE" -e "$CLIENT"; done`;
    const cli = `"$NODE" "$CLI" record -o "$OUT/a.cassette" --to unix:///no/daemon.sock -- sh -c '${script}'`;
    spawnSync('bash', ['--norc', '-c', shell(cli)], { stdio: 'ignore', env: { ...process.env, TMPDIR: folder, OUT: folder, CLI, NODE: process.execPath, CLIENT: client } });
    expect(readFileSync(path('status'), 'utf8')).toBe('0\n');
    expect(Cassette.open(path('a.cassette')).state).toBe('whole');
    expect(nothingLeft()).toBe(true);
  });

  it('passes a signal on to the command, and closes the cassette', async () => {
    const child = spawn(process.execPath, [CLI, 'record', '-o', path('a.cassette'), '--', 'sh', '-c', 'trap "exit 5" TERM; echo up; while :; do sleep 0.05; done'], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, TMPDIR: folder },
    });
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    expect((await once(child, 'exit'))[0]).toBe(5);
    expect(Cassette.open(path('a.cassette')).state).toBe('whole');
    expect(nothingLeft()).toBe(true);
  });

  it.each([
    ['a program that is not there', ['--', 'no-such-program'], 127, 'Cannot run "no-such-program": there is no such program.'],
    ['a file that is no program', ['--', import.meta.filename], 127, `Cannot run "${import.meta.filename}": it may not be executed.`],
    ['a folder', ['--', import.meta.dirname], 127, `Cannot run "${import.meta.dirname}": it is no file.`],
    ['nothing', ['--'], 127, 'nothing stands after --'],
  ])('refuses to run %s, and makes no cassette', (_what, rest, expected, message) => {
    const { status, stderr } = run(['record', '-o', path('a.cassette'), ...rest]);
    expect(status).toBe(expected);
    expect(stderr).toContain(message);
    expect(existsSync(path('a.cassette'))).toBe(false);
  });

  it('says of a program that is there why it does not run, and leaves no cassette', () => {
    const program = path('program');
    writeFileSync(program, '#!/no/such/interpreter\n', { mode: 0o755 });
    const script = run(['record', '-o', path('a.cassette'), '--', program]);
    expect(script.status).toBe(127);
    expect(script.stderr).toContain(`Cannot run "${program}": the interpreter that it names is not there.`);
    const file = openSync(program, 'a');
    const busy = run(['record', '-o', path('b.cassette'), '--', program]);
    closeSync(file);
    expect(busy.status).toBe(127);
    expect(busy.stderr).toContain(`Cannot run "${program}": spawn ETXTBSY.`);
    expect(readdirSync(folder).filter((name) => name.endsWith('.cassette'))).toEqual([]);
    expect(busy.stderr).not.toContain('b.cassette');
  });

  it('replaces an older cassette when the command runs, and not for one that does not', () => {
    const program = path('program');
    writeFileSync(program, '#!/no/such/interpreter\n', { mode: 0o755 });
    writeFileSync(path('a.cassette'), 'an older one');
    expect(run(['record', '-o', path('a.cassette'), '--force', '--', program]).status).toBe(127);
    expect(readFileSync(path('a.cassette'), 'utf8')).toBe('an older one');
    expect(nothingLeft()).toBe(true);
    const { status, stdout } = run(['record', '-o', path('a.cassette'), '--force', '--', 'sh', '-c', `until [ "$(head -c 12 '${path('a.cassette')}')" != 'an older one' ]; do sleep 0.01; done; echo replaced`]);
    expect([status, stdout]).toEqual([0, 'replaced\n']);
    expect(Cassette.open(path('a.cassette')).state).toBe('whole');
    expect(nothingLeft()).toBe(true);
  });

  it('gives a command that goes elsewhere an address that leads to the same socket', () => {
    const { stdout } = spawnSync(process.execPath, [CLI, 'record', '-o', 'a.cassette', '--listen', 'unix://front.sock', '--', 'sh', '-c', 'cd / && echo $BUILDKIT_HOST'], { encoding: 'utf8', cwd: folder });
    expect(stdout).toBe(`unix://${path('front.sock')}\n`);
  });

  it.each([
    ['a cassette that exists', 'there.cassette', '--force'],
    ['a missing folder', 'no/such/folder/a.cassette', 'folder'],
  ])('does not begin with %s', (_what, name, hint) => {
    writeFileSync(path('there.cassette'), 'mine');
    const { status, stderr, stdout } = run(['record', '-o', path(name), '--', 'echo', 'ran']);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(hint);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(nothingLeft()).toBe(true);
  });

  it.skipIf(process.getuid?.() === 0)('does not begin in a folder that it may not write to', () => {
    chmodSync(folder, 0o500);
    expect(run(['record', '-o', path('a.cassette'), '--', 'true']).status).toBe(2);
    chmodSync(folder, 0o700);
  });

  it.each([
    [['record'], /output/],
    [['record', '-o', 'x', '--frobnicate'], /frobnicate/],
    [['record', '-o', 'x', '--to', 'http://a'], /http:\/\/ is not a scheme/],
    [['record', '-o', 'x', '--no-bodies', 'Session'], /no method pattern/],
    [['record', '-o'], /^bridgetape: --output needs FILE behind it\.$/m],
    [['replay'], /replay needs FILE/],
    [['replay', '/no/such.cassette', '--', 'true', '--debug'], /no cassette at/],
    [['show', 'x', '--', 'true'], /runs no command/],
    [['replay', 'x', '--pace', 'fast'], /--pace got "fast"/],
    [['replay', '/no/such.cassette'], /no cassette at \/no\/such\.cassette/],
    [['rewind'], /rewind/i],
    [[], /No command/],
  ])('says what is wrong with %j', (args, message) => {
    const { status, stderr } = run(args);
    expect(status).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it('prints the version and a help for each command', () => {
    expect(run(['--version']).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    for (const command of ['record', 'replay', 'show', 'verify']) {
      for (const words of [[command, '--help'], ['-h', command], ['help', command]]) {
        const { status, stdout } = run(words);
        expect(status).toBe(0);
        expect(stdout).toMatch(new RegExp(`^Usage: bridgetape ${command} `));
      }
      expect(run(['--help']).stdout).toContain(`\n  bridgetape ${command} `);
    }
  });
});

describe('bridgetape and TLS', () => {
  const OURS = authority('ours');
  const made = (name: string): ReturnType<typeof writeIdentity> => writeIdentity(path(name), OURS.issue(name, { names: ['127.0.0.1'] }), OURS.certificate);
  /** What is in a key's file, as it would be seen in another's. */
  const secrets = (key: string): string[] => readFileSync(key, 'utf8').split('\n').filter((line) => line !== '' && !line.startsWith('-'));

  it('serves with a certificate, dials with another, and lets neither key be seen', () => {
    const [ours, theirs] = [made('ours'), made('theirs')];
    const { status, stdout, stderr } = run([
      ...['record', '--debug', '-o', path('a.cassette'), '--to', 'tcp://127.0.0.1:1', '--tlsdir', theirs.folder, '--listen', 'tcp://127.0.0.1:0'],
      ...['--listen-tlscert', ours.certificate, '--listen-tlskey', ours.key, '--listen-tlscacert', ours.authority],
      ...['--', 'sh', '-c', 'echo $BUILDKIT_HOST', '--tlskey', ours.key],
    ]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+\n$/);
    expect(stderr).toContain('takes clients with a certificate that');
    const said = `${stdout}${stderr}${readFileSync(path('a.cassette'), 'latin1')}${JSON.stringify(Cassette.open(path('a.cassette')).header)}`;
    expect(said).toContain(ours.key);
    for (const line of [...secrets(ours.key), ...secrets(theirs.key)]) expect(said).not.toContain(line);
  });

  it.each([
    ["another certificate's key", (a: Made, b: Made) => ['--tlscacert', a.authority, '--tlscert', a.certificate, '--tlskey', b.key], /The key in \S+ does not belong to the certificate in/],
    ['a key for a certificate', (a: Made, b: Made) => ['--tlscacert', a.key, '--tlscert', b.key, '--tlskey', a.certificate], /There is no certificate in/],
    ["another certificate's key to serve with", (a: Made, b: Made) => ['--listen-tlscert', a.certificate, '--listen-tlskey', b.key], /does not belong to the certificate/],
    ['a certificate to serve with and no key', (a: Made) => ['--listen-tlscert', a.certificate], /TLS needs a certificate and its key/],
    ['a name alone', () => ['--tlsservername', 'x'], /Nothing says who signed/],
    ['TLS to a unix socket', (a: Made) => ['--to', 'unix:///run/x.sock', '--tlscacert', a.authority], /Only a daemon at tcp:\/\/ is spoken to with TLS/],
    ['a listener for other machines', () => ['--listen', 'tcp://0.0.0.0:0'], /Will not listen on tcp:\/\/0\.0\.0\.0:0 without TLS[^]*--listen-insecure/],
    ['a listener behind a helper', () => ['--listen', 'ssh://far'], /nobody can listen there/],
    ['a helper whose program is not there', () => ['--to', 'kube-pod://pod'], /there is no program "kubectl" here/],
  ])('does not begin with %s, and shows no key', (_what, options, why) => {
    const [a, b] = [made('a'), made('b')];
    const { status, stdout, stderr } = run(['record', '--debug', '-o', path('a.cassette'), '--to', 'tcp://127.0.0.1:1', ...options(a, b), '--', '/bin/echo', 'ran'], { PATH: folder });
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(why);
    for (const line of [...secrets(a.key), ...secrets(b.key)]) expect(stderr).not.toContain(line);
    expect(existsSync(path('a.cassette'))).toBe(false);
    expect(nothingLeft()).toBe(true);
  });

  it('listens for other machines where that is asked for, and says so', () => {
    for (const args of [['record', '-o', path('a.cassette')], ['replay', CASSETTE]]) {
      const refused = run([...args, '--listen', 'tcp://0.0.0.0:0', '--', 'true']);
      expect(refused.status).toBe(2);
      const { status, stderr } = run([...args, '--listen', 'tcp://0.0.0.0:0', '--listen-insecure', '--', 'true']);
      expect(status).toBe(0);
      expect(stderr).toMatch(/^bridgetape: tcp:\/\/0\.0\.0\.0:\d+ takes everybody who reaches this machine over the network, without TLS$/m);
    }
  });

  it("takes buildkitd's own names for a replay's certificate", () => {
    const ours = made('ours');
    const { status, stderr } = run(['replay', CASSETTE, '--listen', 'tcp://127.0.0.1:0', '--tlscert', ours.certificate, '--tlskey', ours.key, '--tlscacert', ours.authority, '--', 'true']);
    expect(status).toBe(0);
    expect(stderr).toContain(`takes clients with a certificate that ${ours.authority} signed`);
  });
});

type Made = ReturnType<typeof writeIdentity>;

describe('bridgetape without a command', () => {
  it.each([
    ['record', () => ['record', '-o', path('a.cassette'), '--listen', `unix://${path('front.sock')}`], 0],
    ['replay', () => ['replay', CASSETTE, '--listen', `unix://${path('front.sock')}`], 0],
  ])('%s says where it listens, and ends at a signal with nothing left', async (_name, args, expected) => {
    const child = spawn(process.execPath, [CLI, ...args()], { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, TMPDIR: folder } });
    const [first] = (await once(child.stderr, 'data')) as [Buffer];
    expect(first.toString()).toContain(`listening on unix://${path('front.sock')}`);
    expect(statSync(path('front.sock')).mode & 0o777).toBe(0o600);
    child.stderr.resume();
    child.kill('SIGINT');
    expect((await once(child, 'exit'))[0]).toBe(expected);
    expect(existsSync(path('front.sock'))).toBe(false);
  });

  it('record closes the cassette in peace when a second signal comes', async () => {
    const front = path('front.sock');
    daemon.removeAllListeners('connection').on('connection', (socket: Socket) => socket.pause());
    const accepted = once(daemon, 'connection') as Promise<[Socket]>;
    const child = spawn(process.execPath, [CLI, 'record', '-o', path('a.cassette'), '--listen', `unix://${front}`], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, TMPDIR: folder, BUILDKIT_HOST: `unix://${path('daemon.sock')}` },
    });
    const said = createInterface(child.stderr)[Symbol.asyncIterator]();
    expect((await said.next()).value).toContain('listening on');
    // More than is taken of it, so that there is something to wait for at the end.
    const client = connect(front).on('error', () => undefined);
    client.write(Buffer.alloc(8_000_000));
    const [socket] = await accepted;
    const gone = new Promise<void>((resolve) => {
      const watcher = watch(folder, () => {
        if (existsSync(front)) return;
        watcher.close();
        resolve();
      });
    });
    child.kill('SIGINT');
    await gone;
    child.kill('SIGINT');
    expect((await said.next()).value).toBe(`bridgetape: closing ${path('a.cassette')}; another signal leaves it interrupted`);
    socket.destroy();
    expect((await once(child, 'exit'))[0]).toBe(0);
    expect(Cassette.open(path('a.cassette')).state).toBe('whole');
  });
});
