import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import {
  buildKitVersions,
  busyboxDir,
  describeInterop,
  goFrontend,
  pushBaseImage,
  runCommand,
  startCommand,
  startDaemon,
  startRegistry,
  temporaryFolder,
} from './harness/index.js';
import { mountsIn, processesIn } from './harness/temporary-folder.js';

const DOCKERFILE = `FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "sh", "-c", "echo built by $(/bin/busybox uname -s)"]
`;

describeInterop('the harness', () => {
  it.each(buildKitVersions())('%s: a daemon builds a Dockerfile, comes back after a restart and leaves nothing', async (version) => {
    const recipe = temporaryFolder('bt-recipe-');
    writeFileSync(join(recipe.path, 'Dockerfile'), DOCKERFILE);
    const daemon = await startDaemon(version);
    const folder = dirname(daemon.address.slice('unix://'.length));
    try {
      const build = (): Promise<{ status: number | null; stderr: string }> =>
        daemon.buildctl(['build', '--progress=plain', '--frontend=dockerfile.v0', '--local', `context=${busyboxDir()}`, '--local', `dockerfile=${recipe.path}`]);
      const first = await build();
      expect(first.stderr).toContain('built by Linux');
      expect(first.status).toBe(0);

      const pid = daemon.pid;
      await daemon.restart();
      expect(daemon.pid).not.toBe(pid);
      const again = await build();
      expect(again.stderr).toContain('CACHED');
      expect(again.status).toBe(0);
    } finally {
      await daemon.stop();
      await recipe.remove();
    }
    expect(existsSync(folder)).toBe(false);
    expect(mountsIn(folder)).toEqual([]);
    expect(processesIn(folder)).toEqual([]);
  });

  it.each(buildKitVersions())('%s: a daemon that is killed takes the processes in its containers along', async (version) => {
    const daemon = await startDaemon(version);
    try {
      // An interval that no other process here has.
      const interval = 60_000_000 + process.pid;
      const talk = [await goFrontend(), '--scenario', 'talk', '--busybox-dir', busyboxDir(), '--ticks', '2', '--interval', `${interval}us`, '--live'];
      const client = startCommand(talk, { env: { BUILDKIT_HOST: daemon.address } });
      await client.until(/^line 1$/m);
      expect(processesSaying(String(interval)).length).toBeGreaterThan(0);
      await daemon.kill();
      expect(processesSaying(String(interval))).toEqual([]);
      client.kill('SIGKILL');
      await client.result;
    } finally {
      await daemon.stop();
    }
  });

  it('two daemons run side by side, a registry serves both, and the test frontend finds its image', async () => {
    const registry = await startRegistry();
    const daemons = await Promise.all(buildKitVersions().slice(0, 2).map((version) => startDaemon(version, { config: registry.daemonConfig })));
    try {
      const frontend = await goFrontend();
      for (const daemon of daemons) {
        const image = await pushBaseImage(daemon, registry, `base-${daemon.version}`);
        const { status, stdout, stderr } = await runCommand([frontend, '--scenario', 'all', '--busybox-dir', busyboxDir(), '--image', image], {
          env: { BUILDKIT_HOST: daemon.address },
          context: () => daemon.logs(),
        });
        expect(stderr).toBe('');
        expect(status).toBe(0);
        expect(stdout).toContain('labels map["made.by":"bridgetape tests"]');
      }
    } finally {
      await Promise.all(daemons.map((daemon) => daemon.stop()));
      await registry.stop();
    }
  });
});

/** Processes of this machine's containers with a text in their command line; not the client, which asked for it. */
function processesSaying(text: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return ''; // it has ended meanwhile
      }
    })
    .filter((command) => command.includes(text) && !command.includes('--scenario'));
}
