/**
 * What the runtime's executable (bridgetape runtime) hands a frontend's run to. Not a command of the user's.
 *
 * Arguments: where cassettes go, the bundle, the descriptors beyond stdio (`,3,12`), the real runtime and its arguments.
 */
import { runFrontend, type RunExit } from '../runtime/index.js';

/** Loaded while the runtime starts; a cassette code that cannot be loaded is one more reason not to record. */
const loading = import('./frontend-recorder.js');
loading.catch(() => undefined); // told when it is asked for

function end(exit: RunExit): void {
  if ('status' in exit) process.exit(exit.status);
  process.removeAllListeners(exit.signal);
  process.kill(process.pid, exit.signal);
}

const [folder = '', bundle = '', given = '', runtime = '', ...args] = process.argv.slice(2);
void runFrontend({
  bundle,
  given: given.split(',').filter((fd) => fd !== '').map(Number),
  command: [runtime, ...args],
  record: async (found, say) => (await loading).recordFrontend(folder, found, say),
}).then(end, (error: unknown) => {
  process.stderr.write(`bridgetape: cannot run ${runtime}: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(126);
});
