import { randomFillSync } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  bridgetape,
  buildKitVersions,
  describeInterop,
  listening,
  recipe,
  runCommand,
  shown,
  startDaemon,
  startHashingRelay,
  temporaryFolder,
} from './harness/index.js';

const MIB = 1024 * 1024;
const CONTEXT_MIB = 200;
/** Times, headers and sizes of some thousand session messages. */
const MAX_CASSETTE_BYTES = 2 * MIB;
const MAX_RECORDER_MIB = 150;

describeInterop('200 MB of build context through a recorder', () => {
  it.each(buildKitVersions())('%s: come out as they went in, in both directions, and neither disk nor memory holds them', async (version) => {
    const folder = temporaryFolder();
    const cassette = join(folder.path, 'large.cassette');
    const source = recipe('FROM scratch\nCOPY large /large\n');
    await writeNoise(join(source.path, 'large'));
    const daemon = await startDaemon(version);
    try {
      const behind = await startHashingRelay(daemon.address);
      const recorder = await listening(['record', '-o', cassette, '--to', behind.address]);
      const before = await startHashingRelay(recorder.address);

      const build = await runCommand(source.build(daemon.programs), { cwd: source.path, env: { BUILDKIT_HOST: before.address }, context: () => daemon.logs() });
      expect(build.status).toBe(0);
      const peak = peakMib(recorder.command.pid);

      const seenBefore = await before.stop();
      const seenBehind = await behind.stop();
      recorder.command.kill('SIGTERM');
      expect((await recorder.command.result).status).toBe(0);

      expect(seenBefore.reduce((sum, { fromClient }) => sum + fromClient.bytes, 0)).toBeGreaterThan(CONTEXT_MIB * MIB);
      expect(seenBehind).toEqual(seenBefore);

      const { size } = statSync(cassette);
      console.log(`${version}: ${CONTEXT_MIB} MiB of context in ${(build.ms / 1000).toFixed(1)} s; cassette ${(size / 1024).toFixed(0)} KiB; the recorder's peak memory ${peak.toFixed(0)} MiB`);
      expect(size).toBeLessThan(MAX_CASSETTE_BYTES);
      expect(peak).toBeLessThanOrEqual(MAX_RECORDER_MIB);

      expect((await bridgetape(['verify', cassette])).status).toBe(0);
      const session = (await shown(cassette)).calls.find(({ path }) => path.endsWith('/Session'));
      expect(session?.client.bytes).toBeGreaterThan(CONTEXT_MIB * MIB);
      expect(session?.leftOut).toBe((session?.client.messages ?? 0) + (session?.server.messages ?? 0));
    } finally {
      await daemon.stop();
      await source.remove();
      await folder.remove();
    }
  });
});

/** Nothing on the way can make it smaller, and no piece of it looks like another. */
async function writeNoise(path: string): Promise<void> {
  const file = await open(path, 'w');
  const piece = Buffer.alloc(4 * MIB);
  for (let written = 0; written < CONTEXT_MIB * MIB; written += piece.length) await file.write(randomFillSync(piece));
  await file.close();
}

/** The most memory that a process ever held at once. */
function peakMib(pid: number): number {
  const [, kib = 'NaN'] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) / 1024;
}
