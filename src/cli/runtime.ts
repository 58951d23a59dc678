import { resolve } from 'node:path';

import { BridgetapeError } from '../errors.js';
import { findRunc, installScript, makeFolder, quoted, runtimeScript } from '../runtime/index.js';
import { version } from '../version.js';
import { defineCommand } from './command.js';
import { print } from './output.js';
import { EXIT, say } from './terminal.js';

export const runtimeCommand = defineCommand(
  {
    name: 'runtime',
    about: 'Makes an OCI runtime for buildkitd that records container frontends (# syntax=…): one cassette in DIR for each run of one. It stands in front of runc, and everything else goes straight through.',
    operands: {},
    options: {
      dir: { kind: 'text', value: 'DIR', required: true, about: 'Where the cassettes go; made when it is missing' },
      runc: { kind: 'text', value: 'PATH', defaultAbout: 'buildkit-runc or runc, from PATH', about: 'The real runtime' },
      install: { kind: 'text', value: 'PATH', about: 'Write the executable to PATH, mode 0755, instead of to stdout' },
      force: { kind: 'flag', about: 'With --install: replace what is there, whatever it is' },
    },
    runsCommand: false,
    examples: [
      { line: 'bridgetape runtime --dir tapes --install ~/bt-runc' },
      { line: 'buildkitd --oci-worker-binary=PATH' },
    ],
    notes: [
      'The executable is a shell script that names this bridgetape and this Node: make it again after either has moved. It works where they and DIR can be ' +
        'seen, on this machine or in a container that has them. A frontend that cannot be recorded runs all the same, and stderr (the log of the daemon) says why.',
      'A cassette has what the frontend and BuildKit said, and the arguments, environment, user and files that the frontend was started with: build arguments are among them. ' +
        'It is named by its start and by the session of its build. That of a build that was cancelled is interrupted.',
      'Exit status: 0; 2 when the executable could not be made; 127 when the real runtime is not found.',
    ],
  },
  async ({ dir, runc, install, force }) => {
    if (force && install === undefined) throw new BridgetapeError('bad-argument', '--force goes with --install.', 'Write: bridgetape runtime --dir DIR --install PATH --force');
    const folder = makeFolder(dir);
    const script = runtimeScript({
      tool: `bridgetape ${version}`,
      folder,
      runc: findRunc(runc),
      node: process.execPath,
      recorder: resolve(__dirname, 'frontend.cjs'),
    });
    if (install === undefined) {
      say(`bridgetape: this is the executable; once it stands at PATH, mode 0755, it records to ${folder}. ${howToUse('PATH')}`);
      return await print([script.trimEnd()]);
    }
    const path = installScript(install, script, force);
    say(`bridgetape: ${path} records to ${folder}. ${howToUse(path)}`);
    return EXIT.ok;
  },
);

/** The two ways to tell buildkitd of its runtime. */
function howToUse(path: string): string {
  const word = /^[\w@%+=:,./-]+$/.test(path) ? path : quoted(path);
  return `Start buildkitd with
  --oci-worker-binary=${word}
or, when its command line is not yours to change, put this into its buildkitd.toml and start it again:
  [worker.oci]
    binary = ${JSON.stringify(path)}`;
}
