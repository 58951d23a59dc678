// `npm run demo -- --live`: the demo with a real buildkitd behind the recorder.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { interopReason } from './harness/availability.js';
import { busyboxDir } from './harness/busybox.js';
import { startDaemon } from './harness/daemon.js';
import { serveFile } from './harness/file-server.js';

/** The port at which the recorded build fetched its busybox: it stands in the recorded LLB. */
const BUSYBOX_PORT = 38_417;
const VERSION = 'v0.32.2';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const reason = interopReason();
if (reason !== undefined) {
  process.stderr.write(`The live demo needs a real buildkitd: ${reason}\nRun it as root on Linux with Go and runc, after scripts/interop-setup.sh.\n`);
  process.exit(2);
}
process.stdout.write(`Starting buildkitd ${VERSION} (built first, when it is not yet)...\n`);
const files = await serveFile(join(busyboxDir(), 'busybox'), { port: BUSYBOX_PORT });
const daemon = await startDaemon(VERSION);
try {
  const child = spawn(process.execPath, [join(root, 'dist', 'demo', 'main.js'), '--upstream', daemon.address], { stdio: 'inherit' });
  process.exitCode = await new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
} finally {
  await daemon.stop();
  await files.stop();
}
