// Programs of other names that hand over to a real `buildctl dial-stdio`, and remember how they were called.
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Daemon } from './daemon.js';

export interface StandIns {
  /** PATH with them in front. */
  readonly path: string;
  /** The calls since the last time that this was asked, each a program's name and its arguments. */
  calls(): readonly (readonly string[])[];
  /** The ids of those that run. */
  running(): readonly number[];
}

/** Ends each call in the log: no argument of a test is that. */
const END = '-- end of call --';

/** @param folder where they are made */
export function standIns(folder: string, names: readonly string[], { programs, address }: Daemon): StandIns {
  const bin = join(folder, 'bin');
  const log = join(folder, 'calls');
  mkdirSync(bin, { recursive: true });
  for (const name of names) {
    const script = join(bin, name);
    writeFileSync(script, `#!/bin/sh\nprintf '%s\\n' "\${0##*/}" "$@" '${END}' >>'${log}'\nexec '${programs.buildctl}' --addr '${address}' dial-stdio\n`);
    chmodSync(script, 0o755);
  }
  return {
    path: [bin, process.env['PATH']].join(':'),
    calls: () => {
      const text = existsSync(log) ? readFileSync(log, 'utf8') : '';
      rmSync(log, { force: true });
      return text
        .split(`${END}\n`)
        .slice(0, -1)
        .map((call) => call.split('\n').slice(0, -1));
    },
    running: () => processes([programs.buildctl, '--addr', address, 'dial-stdio']),
  };
}

/** The ids of the processes with this command line. */
function processes(argv: readonly string[]): readonly number[] {
  const asked = argv.map((word) => `${word}\0`).join('');
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8') === asked;
      } catch {
        return false; // it has ended meanwhile
      }
    })
    .map(Number);
}
