// `bridgetape compare` as a user has it: with daemons that it starts itself, with running ones, and with what goes wrong.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  bridgetape,
  buildKit,
  busyboxDir,
  describeInterop,
  goFrontend,
  ownWords,
  startBridgetape,
  startDaemon,
  temporaryFolder,
  type CommandResult,
  type TemporaryFolder,
} from './harness/index.js';

const VERSIONS = ['v0.8.3', 'v0.17.3', 'v0.32.2'];
const [OLD = '', MIDDLE = '', NEW = ''] = VERSIONS;

describeInterop(
  'bridgetape compare',
  () => {
    let folder: TemporaryFolder;
    let frontend: string;
    const daemons = new Map<string, string>();

    beforeAll(async () => {
      folder = temporaryFolder('bt-compare-');
      frontend = await goFrontend();
      for (const version of VERSIONS) daemons.set(version, (await buildKit(version)).buildkitd);
    });

    afterAll(() => folder.remove());

    /** Temporary files go where the test can see whether they are gone. */
    const scratch = (): string => {
      const path = join(folder.path, 'tmp');
      rmSync(path, { recursive: true, force: true });
      mkdirSync(path);
      return path;
    };
    const exec = (name: string, version: string): readonly string[] => ['--daemon', `${name}=exec:${daemons.get(version) ?? ''}`];
    const scenario = (name: string): readonly string[] => ['--', frontend, '--scenario', name, '--busybox-dir', busyboxDir()];
    const compare = async (args: readonly string[], more: Parameters<typeof bridgetape>[1] = {}): Promise<CommandResult & { readonly left: readonly string[] }> => {
      const tmp = scratch();
      const result = await bridgetape(['compare', ...args], { cwd: folder.path, ...more, env: { TMPDIR: tmp, ...more.env } });
      return { ...result, left: [...readdirSync(tmp), ...leftOf(tmp)] };
    };

    it('finds the same in two builds on daemons of one version, and leaves nothing behind', async () => {
      const { status, stdout, stderr, left } = await compare([...exec('one', NEW), ...exec('other', NEW), ...scenario('solve')]);
      expect(stdout, stderr).toMatch(/^same: 1 build, \d+ calls, \d+ messages compared\n$/);
      expect(ownWords(stderr)).toEqual([expect.stringMatching(/one: \d+ calls, /), expect.stringMatching(/other: \d+ calls, /)]);
      expect([status, left]).toEqual([0, []]);
    });

    it('tells what differs between versions, by the names of the daemons', async () => {
      const { status, stdout, left } = await compare([...exec('old', OLD), ...exec('new', NEW), ...scenario('solve')]);
      expect(stdout).toMatch(/^--- old {2}\d+ calls.*\n\+\+\+ new {2}BuildKit v0\.32\.2, /);
      expect(stdout).toMatch(/\d+ differences: /);
      expect([status, left]).toEqual([1, []]);
    });

    it('holds each daemon against the first, and sums up', async () => {
      const { status, stdout, left } = await compare([...exec('old', OLD), ...exec('again', OLD), ...exec('middle', MIDDLE), ...scenario('solve')]);
      const table = stdout.slice(stdout.lastIndexOf('BuildKit', stdout.lastIndexOf('requests')));
      expect(table).toMatch(/^BuildKit +calls +requests +responses .*\nold .* base\nagain .* same\nmiddle .* different\n$/);
      expect([status, left]).toEqual([1, []]);
    });

    it('sets apart what varies from run to run of one daemon', async () => {
      const script = join(folder.path, 'counted.sh');
      const count = join(folder.path, 'count');
      writeFileSync(count, '0');
      // Every run builds something else; so nothing of that is a difference between the daemons.
      writeFileSync(script, `#!/bin/sh\nn=$(($(cat ${count}) + 1)); echo $n >${count}; exec ${frontend} --scenario talk --ticks $n --interval 1ms --busybox-dir ${busyboxDir()}\n`, { mode: 0o755 });
      const { status, stdout, stderr, left } = await compare([...exec('one', NEW), ...exec('other', NEW), '--repeat', '2', '--', script]);
      expect(stdout, stderr).toMatch(/^same: /);
      expect(stdout).toMatch(/^noise: \d+ differences? in what varies from run to run of one daemon as well\n {2}LLBBridge\/ExecProcess/m);
      expect(readFileSync(count, 'utf8').trim()).toBe('4');
      expect([status, left]).toEqual([0, []]);
    });

    it('compares running daemons, and leaves them running', async () => {
      const old = await startDaemon(OLD);
      const fresh = await startDaemon(NEW);
      try {
        const keep = join(folder.path, 'kept');
        const { status, stdout, left } = await compare(['--daemon', `old=${old.address}`, '--daemon', `new=${fresh.address}`, '--keep', keep, '--json', ...scenario('solve')]);
        expect(JSON.parse(stdout)).toMatchObject({
          format: 'bridgetape-compare',
          verdict: 'different',
          daemons: [{ name: 'old', runs: [{ status: 0, cassette: join(keep, 'old.cassette') }] }, { name: 'new' }],
          comparisons: [{ base: 'old', other: 'new', statuses: { base: [0], other: [0], same: true }, diff: { format: 'bridgetape-diff', verdict: 'different' }, noise: { verdict: 'same' } }],
        });
        expect([status, left, readdirSync(keep).sort()]).toEqual([1, [], ['new.cassette', 'old.cassette']]);
        for (const name of ['old', 'new']) expect((await bridgetape(['verify', join(keep, `${name}.cassette`)])).status).toBe(0);
        expect((await old.buildctl(['debug', 'workers'])).status).toBe(0);
        const again = await compare(['--daemon', `old=${old.address}`, '--daemon', `new=${fresh.address}`, '--keep', keep, ...scenario('solve')]);
        expect([again.status, ownWords(again.stderr)[0]]).toEqual([2, expect.stringMatching(/old\.cassette exists\./)]);
      } finally {
        await old.stop();
        await fresh.stop();
      }
    });

    it('compares a build that fails on both, and shows why', async () => {
      const { status, stdout, stderr, left } = await compare([...exec('one', NEW), ...exec('other', NEW), ...scenario('fail')]);
      expect(stdout).toMatch(/^same: /);
      expect(stderr).toMatch(/^one \| frontend: .*exit code: 7/m);
      expect([status, left]).toEqual([0, []]);
    });

    it('takes it for a difference when the command fails on one of them only', async () => {
      // It asks for what came with v0.11.
      const script = join(folder.path, 'picky.sh');
      writeFileSync(script, `#!/bin/sh\n${frontend} --scenario solve --busybox-dir ${busyboxDir()} && ${dirname(daemons.get(NEW) ?? '')}/buildctl debug info\n`, { mode: 0o755 });
      const { status, stdout, stderr, left } = await compare([...exec('old', OLD), ...exec('new', NEW), '--', script]);
      expect(stdout).toMatch(/^ended otherwise: picky\.sh with status 1 at old, with status 0 at new$/m);
      expect(stderr).toMatch(/^old \| error: .*Info/m);
      expect([status, left]).toEqual([1, []]);
    });

    it('ends with trouble, and the reason, when a daemon does not come up', async () => {
      const config = join(folder.path, 'broken.toml');
      writeFileSync(config, 'no = = toml\n');
      const tmp = scratch();
      const { status, stdout, stderr } = await bridgetape(['compare', ...exec('old', OLD), ...exec('new', NEW), '--buildkitd-config', config, ...scenario('solve')], { cwd: folder.path, env: { TMPDIR: tmp } });
      expect([status, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(/buildkitd did not come up: it ended with status 1\. Its last words:\n {2}buildkitd: failed to parse config: /);
      const log = /Its whole log is (\S+)\.$/m.exec(stderr)?.[1] ?? '';
      expect(readFileSync(log, 'utf8')).toContain('failed to parse config');
      expect([readdirSync(tmp).map((name) => join(tmp, name)), leftOf(tmp)]).toEqual([[log], []]);
    });

    it('ends with trouble when the command talks to no daemon', async () => {
      const { status, stderr, left } = await compare([...exec('old', OLD), ...exec('new', NEW), '--', 'sh', '-c', 'echo what for >&2']);
      expect(stderr).toMatch(/Nothing was recorded of old: sh ended with status 0 and made no call to unix:\/\/.*It printed:\nwhat for\n/s);
      expect([status, left]).toEqual([2, []]);
    });

    it.each(['SIGINT', 'SIGTERM'] as const)('ends everything that it started at %s', async (signal) => {
      const tmp = scratch();
      const running = startBridgetape(['compare', ...exec('old', OLD), ...exec('new', NEW), '--show-output', '--', 'sh', '-c', `${frontend} --scenario solve --busybox-dir ${busyboxDir()}; echo half way; exec sleep 600`], { cwd: folder.path, env: { TMPDIR: tmp } });
      await running.until(/old \| half way/);
      expect(leftOf(tmp)).toContainEqual(expect.stringContaining('buildkitd'));
      running.kill(signal);
      const { status, stdout, stderr } = await running.result;
      expect([status, stdout]).toEqual([signal === 'SIGINT' ? 130 : 143, '']);
      expect(stderr).toContain(`ended by ${signal}; nothing is left behind.`);
      expect([...readdirSync(tmp), ...leftOf(tmp)]).toEqual([]);
    });

    it('ends its daemon with itself when it is killed', async () => {
      const tmp = scratch();
      const running = startBridgetape(['compare', ...exec('old', OLD), ...exec('new', NEW), '--show-output', '--', 'sh', '-c', `${frontend} --scenario solve --busybox-dir ${busyboxDir()}; echo half way; exec sleep 600`], { cwd: folder.path, env: { TMPDIR: tmp } });
      await running.until(/old \| half way/);
      running.kill('SIGKILL', { group: true });
      await running.result;
      await expect.poll(() => leftOf(tmp), { timeout: 20_000 }).toEqual([]);
      rmSync(tmp, { recursive: true });
    });

    describe('before anything runs', () => {
      const marker = (): string => join(folder.path, 'has-run');
      it.each([
        ['one daemon', ['--daemon', 'old=unix:///a'], /needs two daemons, and one was named/],
        ['a daemon without a name', ['--daemon', 'unix:///a', '--daemon', 'new=unix:///b'], /--daemon got "unix:\/\/\/a", which has no name/],
        ['two of one name', ['--daemon', 'a=unix:///a', '--daemon', 'a=unix:///b'], /Two daemons are called "a"/],
        ['an address that is none', ['--daemon', 'a=unix:///a', '--daemon', 'b=nowhere'], /Cannot use the address "nowhere"/],
        ['a program that is not there', ['--daemon', 'a=unix:///a', '--daemon', 'b=exec:/no/buildkitd'], /there is no program "\/no\/buildkitd"/],
        ['a number that is none', ['--daemon', 'a=unix:///a', '--daemon', 'b=unix:///b', '--repeat', '0'], /--repeat got "0"/],
        ['TLS without TCP', ['--daemon', 'a=unix:///a', '--daemon', 'b=unix:///b', '--tlscacert', 'x.pem'], /Only a daemon at tcp:\/\/ is spoken to with TLS/],
        ['TLS files that are not there', ['--daemon', 'a=tcp://localhost:1', '--daemon', 'b=unix:///b', '--tlscacert', '/no/x.pem'], /\/no\/x\.pem/],
        ['a configuration that is not there', ['--daemon', 'a=unix:///a', '--daemon', 'b=unix:///b', '--buildkitd-config', '/no.toml'], /There is no file \/no\.toml/],
        ['a folder that cannot be made', ['--daemon', 'a=unix:///a', '--daemon', 'b=unix:///b', '--keep', '/dev/null/kept'], /Cannot keep cassettes in \/dev\/null\/kept/],
      ])('%s is refused', async (_, args, message) => {
        const { status, stdout, stderr, left } = await compare([...args, '--', 'touch', marker()]);
        expect(stderr).toMatch(message);
        expect([status, stdout, left, existsSync(marker())]).toEqual([2, '', [], false]);
      });
    });
  },
  VERSIONS,
);

/** Processes of daemons in a folder, by their command lines, and what is mounted there. */
function leftOf(folder: string): readonly string[] {
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return line.includes(folder) && line.includes('buildkitd') ? [line] : [];
      } catch {
        return []; // it has ended meanwhile
      }
    });
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n').filter((line) => line.includes(` ${folder}/`));
  return [...processes, ...mounts];
}
