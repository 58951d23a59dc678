import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  bridgetape,
  buildKitVersions,
  busyboxDir,
  describeInterop,
  goFrontend,
  listening,
  shortMethod,
  shown,
  shownEvents,
  startCommand,
  startDaemon,
  temporaryFolder,
  withoutOwnWords,
  type CommandResult,
  type TemporaryFolder,
} from './harness/index.js';

/** Lines come this often; the recorder may lose what crossed in the last 100 ms, and a busy machine a little more. */
const INTERVAL = 100;
const HEARD = 12;
const KEPT = HEARD - 5;

describeInterop('a recorder that is killed while a process talks', () => {
  for (const version of buildKitVersions()) {
    let folder: TemporaryFolder;
    let replayed: CommandResult;
    const cassette = (): string => join(folder.path, 'cut.cassette');

    beforeAll(async () => {
      folder = temporaryFolder();
      const talk = [
        ...[await goFrontend(), '--scenario', 'talk', '--busybox-dir', busyboxDir(), '--ticks', '600', '--interval', `${INTERVAL}ms`],
        '--live',
      ];
      const daemon = await startDaemon(version);
      try {
        // What a killed recorder leaves in its temporary folder goes with ours.
        const recorder = await listening(['record', '-o', cassette(), '--to', daemon.address], { env: { TMPDIR: folder.path } });
        const client = startCommand(talk, { env: { BUILDKIT_HOST: recorder.address } });
        await client.until(new RegExp(`^line ${HEARD}$`, 'm'));
        recorder.command.kill('SIGKILL');
        await recorder.command.result;
        // BuildKit's client waits for its process even when the connection is gone.
        client.kill('SIGKILL');
        await client.result;
      } finally {
        // The process talks on; a daemon that is asked to stop waits for it.
        await daemon.kill();
        await daemon.stop();
      }
      replayed = await bridgetape(['replay', cassette(), '--stall', '1', '--', ...talk, '--timeout', '5s']);
    });

    afterAll(() => folder.remove());

    it(`${version}: leaves a cassette that says so and holds what came before`, async () => {
      const verdict = await bridgetape(['verify', cassette()]);
      expect(verdict.stdout).toContain('interrupted');
      expect(verdict.status).toBe(1);

      const { cassette: head, calls } = await shown(cassette());
      expect(head.state).toBe('interrupted');
      const methods = calls.filter(({ outcome }) => outcome.kind === 'status').map(({ path }) => shortMethod(path));
      expect(methods).toEqual(expect.arrayContaining(['LLBBridge/Ping', 'LLBBridge/Solve', 'LLBBridge/NewContainer']));
      expect(calls.find(({ path }) => path.endsWith('/ExecProcess'))?.outcome).toEqual({ kind: 'open' });
      expect(await kept(cassette())).toContain(`line ${KEPT}\n`);
    });

    it(`${version}: leaves calls that replay up to the cut`, async () => {
      expect(replayed.stdout).toContain('== talk\n');
      const [heard] = /^(line \d+\n)*/.exec(withoutOwnWords(replayed.stderr)) ?? [];
      expect(heard).toBe(await kept(cassette()));
      expect(replayed.status).toBe(1);
    });

    it(`${version}: leaves a replay that says where the recording ends`, () => {
      expect(replayed.stderr).toMatch(/^bridgetape: .*(recording|cassette)/m);
      expect(replayed.stderr).toMatch(/^frontend: .*(recording|cassette)/m);
      expect(replayed.status).toBe(1);
    });
  }
});

/** What the talking process printed, as far as the cassette goes. */
async function kept(cassette: string): Promise<string> {
  return (await shownEvents(cassette))
    .map(({ kind, decoded }) => (kind === 'server-message' ? (decoded?.['File'] as { readonly Data?: string } | undefined)?.Data : undefined) ?? '')
    .join('');
}
