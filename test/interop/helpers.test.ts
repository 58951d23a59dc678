import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  bridgetape,
  buildKitVersions,
  describeInterop,
  listening,
  MULTI_STAGE,
  ownWords,
  progressLines,
  recipe,
  runCommand,
  shortMethod,
  shown,
  standIns,
  startCommand,
  startDaemon,
  temporaryFolder,
  withoutOwnWords,
  type CommandResult,
  type Daemon,
  type Recipe,
  type StandIns,
  type TemporaryFolder,
} from './harness/index.js';

const PROGRAMS = ['docker', 'podman', 'nerdctl', 'kubectl', 'ssh'];

/** One of each helper, with the versions of buildctl that have it. */
const PLAIN = [
  ['docker-container://far', 'all'],
  ['podman-container://far', 'all'],
  ['kube-pod://pod-0?context=c&namespace=n&container=b', 'all'],
  ['nerdctl-container://far?namespace=n', 'newest'],
  ['ssh://me@far:22', 'newest'],
] as const;

/** What a URL can say besides, and odd ways to say it, for the newest BuildKit's reading of it. */
const ODD = [
  'docker-container://far?context=remote',
  'docker-container://far?context=',
  'docker-container://far?Context=x&context=first&context=second',
  'docker-container://far?context=a;b&context=c',
  'docker-container://far?context=%zz&context=x%20y+z',
  'docker-container://me:secret@far:123/path?other=1#part',
  'DOCKER-CONTAINER://Far_1.x',
  'docker-container://caf%C3%A9',
  'docker-container://-rm',
  'podman-container://far?context=x',
  'nerdctl-container://far',
  'nerdctl-container://far?namespace=k8s.io',
  'kube-pod://pod',
  'kube-pod://pod.0-a?container=c.1&context=user@cluster',
  'kube-pod://pod?namespace=n&context=a%26b',
  'ssh://far',
  'ssh://far:',
  'ssh://@far',
  'ssh://me@far:10022/run/user/1000/buildkitd.sock',
  'ssh://far/with%20space?',
  'ssh://far/',
  'ssh://[fe80::1%25eth0]:22',
  'ssh://[::1]',
];

/** What it refuses. */
const REFUSED = [
  'docker-container://',
  'docker-container:///far',
  'docker-container://a b',
  'docker-container://a%20b',
  'docker-container://a:b',
  'docker-container://a%zz',
  'podman-container://?x=y',
  'nerdctl-container://',
  'kube-pod://',
  'kube-pod://under_score',
  'kube-pod://Upper',
  'kube-pod://pod?container=under_score',
  'kube-pod://pod?namespace=a/b',
  'ssh://',
  'ssh://me:secret@far',
  'ssh://me:@far',
  'ssh://far?a=b',
  'ssh://far#a',
  'ssh://far:ssh',
  'ssh://m[e@far',
  'ssh://[::g]',
  'ssh://far/%zz',
  'npipe:////./pipe/buildkitd',
];

const [NEWEST = ''] = buildKitVersions().slice(-1);

describeInterop('a connection helper', () => {
  for (const version of buildKitVersions()) {
    let folder: TemporaryFolder;
    let daemon: Daemon;
    let source: Recipe;
    let helpers: StandIns;
    let direct: CommandResult;
    const env = (): Record<string, string> => ({ PATH: helpers.path });
    const build = (): readonly string[] => source.build(daemon.programs, ['--no-cache']);

    beforeAll(async () => {
      folder = temporaryFolder();
      source = recipe(MULTI_STAGE);
      daemon = await startDaemon(version);
      helpers = standIns(folder.path, PROGRAMS, daemon);
      // The second one sends as little of its context as those that follow.
      for (let i = 0; i < 2; i += 1) direct = await runCommand(build(), { cwd: source.path, env: { BUILDKIT_HOST: daemon.address } });
    });

    afterAll(async () => {
      await daemon.stop();
      await source.remove();
      await folder.remove();
    });

    it.each(PLAIN.filter(([, versions]) => versions === 'all' || version === NEWEST))(`${version}: %s is called as buildctl calls it, and what is recorded through it is what is built without`, async (url) => {
      const own = await runCommand(build(), { cwd: source.path, env: { ...env(), BUILDKIT_HOST: url } });
      expect(own.status).toBe(0);
      const [call] = helpers.calls();
      expect(call?.slice(-2)).toEqual(['buildctl', 'dial-stdio']);

      const cassette = join(folder.path, `${url.split(':')[0] ?? ''}.cassette`);
      const recorded = await bridgetape(['record', '-o', cassette, '--to', url, '--', ...build()], { cwd: source.path, env: env() });
      expect(helpers.calls()).toEqual([call]);
      expect(ownWords(recorded.stderr)).toEqual([expect.stringContaining('on 1 connection')]);
      expect(progressLines(withoutOwnWords(recorded.stderr))).toEqual(progressLines(direct.stderr));
      expect([recorded.status, recorded.stdout]).toEqual([0, direct.stdout]);

      const { cassette: head, calls } = await shown(cassette);
      expect(head).toMatchObject({ state: 'whole', upstream: url });
      expect(calls.map(({ path }) => shortMethod(path))).toContain('Control/Solve');
      for (const each of calls) expect(each.gaps).toBe(0);

      const replayed = await bridgetape(['replay', cassette, '--', ...build()], { cwd: source.path });
      expect(progressLines(replayed.stderr)).toEqual(progressLines(direct.stderr));
      expect(helpers.calls()).toEqual([]);
    });

    it.skipIf(version !== NEWEST)(`${version}: is called as buildctl calls it, whatever the URL says`, async () => {
      const { buildctl } = daemon.programs;
      for (const url of ODD) {
        const own = await runCommand([buildctl, '--addr', url, 'debug', 'workers'], { env: env() });
        expect(`${url} ${own.stderr}`).toBe(`${url} `);
        const calls = helpers.calls();
        const recorded = await bridgetape(['record', '--force', '-o', join(folder.path, 'odd.cassette'), '--to', url, '--', buildctl, 'debug', 'workers'], { env: env() });
        expect([url, recorded.status, recorded.stdout]).toEqual([url, 0, own.stdout]);
        expect([url, helpers.calls()]).toEqual([url, calls]);
      }
    });

    it.skipIf(version !== NEWEST)(`${version}: is refused for the URLs that buildctl refuses`, async () => {
      const { buildctl } = daemon.programs;
      for (const url of REFUSED) {
        const own = await runCommand([buildctl, '--addr', url, 'debug', 'workers'], { env: env() });
        expect([url, own.status, helpers.calls()]).toEqual([url, 1, []]);
        const recorded = await bridgetape(['record', '-o', join(folder.path, 'refused.cassette'), '--to', url, '--', 'true'], { env: env() });
        expect([url, recorded.status, helpers.calls()]).toEqual([url, 2, []]);
        expect(recorded.stderr).toContain('bridgetape: Cannot use the address');
        expect(recorded.stderr).not.toContain('secret');
      }
    });

    it(`${version}: that fails has its words shown, and the client is told at once`, async () => {
      const recorded = await bridgetape(['record', '-o', join(folder.path, 'failed.cassette'), '--to', 'docker-container://far', '--', ...build()], {
        cwd: source.path,
        env: { PATH: standIns(join(folder.path, 'failing'), ['docker'], { ...daemon, address: 'unix:///no/such.sock' }).path },
      });
      expect(recorded.status).not.toBe(0);
      expect(recorded.stderr).toContain('bridgetape: docker: ');
      expect(recorded.stderr).toContain('bridgetape: "docker exec -i far buildctl dial-stdio" ended with status 1, and the connection to BuildKit at docker-container://far with it.');
    });

    it.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(`${version}: has ended when a recorder has, by %s in the middle of a build`, async (signal) => {
      const recorder = await listening(['record', '--force', '-o', join(folder.path, 'ended.cassette'), '--listen', 'tcp://127.0.0.1:0', '--to', 'ssh://far'], { env: env() });
      const slow = recipe('FROM scratch\nCOPY busybox /bin/busybox\nRUN ["/bin/busybox", "sh", "-c", "echo under way; /bin/busybox sleep 60"]\n');
      const client = startCommand(slow.build(daemon.programs, ['--no-cache']), { cwd: slow.path, env: { BUILDKIT_HOST: recorder.address } });
      await client.until(/\d+\.\d+ under way/);
      expect(helpers.running()).toHaveLength(1);
      recorder.command.kill(signal);
      expect((await recorder.command.result).signal).toBe(signal === 'SIGKILL' ? signal : null);
      await expect.poll(() => helpers.running(), { timeout: 10_000 }).toEqual([]);
      expect((await client.result).status).not.toBe(0);
      await slow.remove();
    });
  }
});
