// A recording made with BuildKit's client of one version, replayed to that of another: it is of what was asked for, and
// not of how a client writes it.
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  bridgetape,
  bridgetapeOffline,
  busyboxDir,
  CLIENT_VERSIONS,
  commonClient,
  describeCrossing,
  pushBaseImage,
  shownEvents,
  startDaemon,
  startRegistry,
  temporaryFolder,
  withoutOwnWords,
  type ClientVersion,
  type CommandResult,
  type TemporaryFolder,
} from './harness/index.js';

const DAEMON = 'v0.32.2';

/** What all of the versions ask for alike, and what v0.13's asks for otherwise. */
const STEPS = { alike: 'inputs,files,graph,locals,image,failure,dockerfile,warning,container', secret: 'secret' } as const;
type Steps = keyof typeof STEPS;

const PAIRS = CLIENT_VERSIONS.flatMap((client) => CLIENT_VERSIONS.map((recorded) => [client, recorded] as const));
const isOld = (version: ClientVersion): boolean => version === 'v0.13.2';

describeCrossing(
  'clients of several versions and their cassettes',
  () => {
    let folder: TemporaryFolder;
    let image: string;
    const live = new Map<string, CommandResult>();
    const cassette = (version: ClientVersion, steps: Steps): string => join(folder.path, `${version}-${steps}.cassette`);
    const build = async (version: ClientVersion, steps: Steps): Promise<readonly string[]> => [await commonClient(version), '--busybox-dir', busyboxDir(), '--image', image, '--steps', STEPS[steps]];
    const replay = async (client: ClientVersion, recorded: ClientVersion, steps: Steps): Promise<CommandResult> =>
      bridgetapeOffline(['replay', '--strict', cassette(recorded, steps), '--', ...(await build(client, steps))]);

    beforeAll(async () => {
      folder = temporaryFolder('bt-client-versions-');
      const registry = await startRegistry();
      const daemon = await startDaemon(DAEMON, { config: registry.daemonConfig });
      try {
        image = await pushBaseImage(daemon, registry);
        for (const version of CLIENT_VERSIONS) {
          for (const steps of ['alike', 'secret'] as const) {
            const recorded = await bridgetape(['record', '-o', cassette(version, steps), '--', ...(await build(version, steps))], { env: { BUILDKIT_HOST: daemon.address }, context: () => daemon.logs() });
            expect([recorded.status, withoutOwnWords(recorded.stderr)]).toEqual([0, '']);
            live.set(`${version} ${steps}`, recorded);
          }
        }
      } finally {
        await daemon.stop();
        await registry.stop();
      }
    });
    afterAll(() => folder.remove());

    it('hold the same op under another digest where a client encodes it otherwise', async () => {
      const digests = await Promise.all(CLIENT_VERSIONS.map((version) => digestOfDocs(cassette(version, 'alike'))));
      expect(digests.map((digest) => digest.slice(0, 7))).toEqual(CLIENT_VERSIONS.map(() => 'sha256:'));
      expect(digests.map((digest) => digest === digests.at(-1))).toEqual([false, true, true]);
    });

    it.each(PAIRS)('answer a client of %s from a cassette of %s as its own client was', async (client, recorded) => {
      const replayed = await replay(client, recorded, 'alike');
      expect([replayed.status, replayed.stderr]).toEqual([0, '']);
      expect(replayed.stdout).toBe(live.get(`${recorded} alike`)?.stdout);
      expect(replayed.stdout.match(/^== /gm)).toHaveLength(STEPS.alike.split(',').length);
    });

    it.each(PAIRS)('have a secret for a client of %s from a cassette of %s, or tell what its mount has otherwise', async (client, recorded) => {
      const { status, stdout, stderr } = await replay(client, recorded, 'secret');
      if (isOld(client) === isOld(recorded)) {
        expect([status, stderr]).toEqual([0, '']);
        expect(stdout).toBe(live.get(`${recorded} secret`)?.stdout);
        expect(stdout).toContain('/secret "hush-hush"');
        return;
      }
      // A mount of v0.13's llb.AddSecret names the op's first input, a later one's none (client/llb/exec.go).
      const [was, got] = isOld(recorded) ? ['nothing', '-1'] : ['-1', 'nothing'];
      expect(stderr).toMatch(/^bridgetape: no answer for LLBBridge\/Solve in .*\n {2}closest {3}call \d+, not used yet\n/);
      expect(stderr).toContain(
        ['  differs   op[3] RUN /bin/busybox sh -c "cat /run/secrets/greeting > /out/secret"', '              exec.mounts[2].input', `                recorded  ${was}`, `                got       ${got}`, ''].join('\n'),
      );
      expect(status).toBe(1);
    });

    it('compare as the same requests', async () => {
      for (const version of CLIENT_VERSIONS) {
        const { status, stdout } = await bridgetape(['diff', '--only', 'requests,order', cassette(version, 'alike'), cassette(DAEMON, 'alike')]);
        expect([status, stdout]).toEqual([0, expect.stringMatching(/^same: 1 build, \d+ calls, \d+ messages compared\n$/)]);
      }
      // The daemon gives an older client's ops other digests, under which it then has no source to name in its error.
      const older = await bridgetape(['diff', '--full', cassette('v0.13.2', 'alike'), cassette(DAEMON, 'alike')]);
      expect([older.status, older.stdout]).toEqual([1, expect.stringMatching(/\n {4}only describes\n {6}\+ details\["errdefs\.Source"\] .*"broken\.recipe".*\n\n1 difference: errors 1; it only describes\n/)]);
      expect(await bridgetape(['diff', cassette('v0.17.3', 'alike'), cassette(DAEMON, 'alike')])).toMatchObject({ status: 0, stdout: expect.stringMatching(/^same: /) as string });
    });
  },
  [DAEMON],
);

/** Of the op that makes /docs: it has neither an id nor an input. */
async function digestOfDocs(file: string): Promise<string> {
  for (const { kind, decoded } of await shownEvents(file)) {
    const { ops = [] } = (decoded?.['Definition'] ?? {}) as { readonly ops?: readonly { readonly digest: string; readonly summary: string }[] };
    const op = ops.find(({ summary }) => summary.startsWith('mkdir /docs'));
    if (kind === 'client-message' && op !== undefined) return op.digest;
  }
  throw new Error(`${file} has no op that makes /docs`);
}
