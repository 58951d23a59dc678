// A frontend with a recorder on its stdio, on its own side of the pipe: what it observed, whatever the replayer says of it.
// node tapped-frontend.mjs CASSETTE PROGRAM [ARGUMENTS]
import { spawn } from 'node:child_process';
import { joinStdio } from '../../../dist/proxy/index.js';
import { recordStdio } from '../../../dist/recorder/index.js';

const [output = '', program = '', ...args] = process.argv.slice(2);
const frontend = { arguments: [program, ...args], environment: [], directory: '/', user: { uid: 0, gid: 0, additionalGids: [] }, files: [] };
const fail = (/** @type {Error} */ error) => {
  throw error;
};
const recording = await recordStdio({ output: () => output, startedAt: new Date(), frontend, onLoss: fail });
const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
const ended = new Promise((resolve, reject) => {
  child.once('error', reject);
  child.once('exit', (status, signal) => resolve(signal === null ? { status } : { signal }));
});
await joinStdio(process, child, recording.tap);
const exit = await ended;
await recording.close(exit);
process.exit(exit.status ?? 1);
