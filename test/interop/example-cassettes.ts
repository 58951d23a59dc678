/**
 * Makes the recordings of examples/go-frontend anew (`npm run cassettes:examples`; root, Go, Linux): brings up what its record.sh
 * needs, a daemon of BuildKit v0.32.2 with the recording runtime and a registry, and runs that.
 */
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bridgetape, buildBridgetape, cliCommand } from './harness/bridgetape.js';
import { buildKit } from './harness/binaries.js';
import { mustRun } from './harness/command.js';
import { startDaemon } from './harness/daemon.js';
import { isOnOwnMachine, onOwnMachine } from './harness/own-machine.js';
import { startRegistry } from './harness/registry.js';
import { temporaryFolder } from './harness/temporary-folder.js';

const script = fileURLToPath(import.meta.url);
const example = join(dirname(dirname(dirname(script))), 'examples', 'go-frontend');
const VERSION = 'v0.32.2';
const RECORD_TIMEOUT = 600_000;

async function make(): Promise<void> {
  const work = temporaryFolder('bt-example-');
  const registry = await startRegistry({ port: 5000 });
  try {
    const at = (name: string): string => join(work.path, name);
    mkdirSync(at('bin'));
    symlinkSync((await buildKit(VERSION)).buildctl, at('bin/buildctl'));
    writeFileSync(at('bin/bridgetape'), `#!/bin/sh\nexec ${cliCommand().join(' ')} "$@"\n`);
    chmodSync(at('bin/bridgetape'), 0o755);
    await bridgetape(['runtime', '--dir', at('tapes'), '--install', at('runtime')]);
    const daemon = await startDaemon(VERSION, { ownMachine: true, config: registry.daemonConfig, flags: [`--oci-worker-binary=${at('runtime')}`] });
    try {
      const env = { PATH: [at('bin'), process.env['PATH']].join(':'), BUILDKIT_HOST: undefined, GOFLAGS: '-mod=readonly', GOPROXY: 'off' };
      console.log(await mustRun(['./record.sh', at('tapes')], { cwd: example, env, timeout: RECORD_TIMEOUT, context: () => daemon.logs() }));
    } finally {
      await daemon.stop();
    }
  } finally {
    await registry.stop();
    await work.remove();
  }
}

if (isOnOwnMachine()) {
  await make();
} else {
  buildBridgetape();
  // Go fetches what it builds, and there is no network inside.
  await buildKit(VERSION);
  await mustRun(['go', 'vet', './...'], { cwd: example, timeout: RECORD_TIMEOUT });
  process.exitCode = await onOwnMachine(script, []);
}
