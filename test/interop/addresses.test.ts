import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  bridgetape,
  buildKitVersions,
  busyboxDir,
  describeInterop,
  goFrontend,
  listening,
  runCommand,
  shown,
  startDaemon,
  temporaryFolder,
  type RunningCommand,
} from './harness/index.js';

describeInterop('tcp', () => {
  it.each(buildKitVersions())('%s: serves a client of a recorder, of a recorder behind it, and of a replayer', async (version) => {
    const folder = temporaryFolder();
    const [near, far] = [join(folder.path, 'near.cassette'), join(folder.path, 'far.cassette')];
    const solve = [await goFrontend(), '--scenario', 'solve', '--busybox-dir', busyboxDir()];
    const env = (address: string): { env: Record<string, string> } => ({ env: { BUILDKIT_HOST: address } });
    const daemon = await startDaemon(version);
    try {
      const plain = await runCommand(solve, env(daemon.address));
      expect(plain.status).toBe(0);

      const behind = await listening(['record', '-o', far, '--listen', 'tcp://127.0.0.1:0', '--to', daemon.address]);
      expect(behind.address).toMatch(/^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/);
      const before = await listening(['record', '-o', near, '--listen', 'tcp://127.0.0.1:0', '--to', behind.address]);
      const recorded = await runCommand(solve, env(before.address));
      expect([recorded.stdout, recorded.stderr, recorded.status]).toEqual([plain.stdout, plain.stderr, 0]);
      await ended(before.command);
      await ended(behind.command);
      await daemon.stop();

      const { cassette, calls } = await shown(near);
      expect(cassette.upstream).toBe(behind.address);
      expect((await shown(far)).calls.map(({ path }) => path)).toEqual(calls.map(({ path }) => path));

      for (const file of [near, far]) {
        expect((await bridgetape(['verify', file])).status).toBe(0);
        const replayer = await listening(['replay', file, '--listen', 'tcp://127.0.0.1:0']);
        const replayed = await runCommand(solve, env(replayer.address));
        expect([replayed.stdout, replayed.stderr, replayed.status]).toEqual([plain.stdout, plain.stderr, 0]);
        await ended(replayer.command);
      }
    } finally {
      await daemon.stop();
      await folder.remove();
    }
  });
});

async function ended(command: RunningCommand): Promise<void> {
  command.kill('SIGTERM');
  expect((await command.result).status).toBe(0);
}
