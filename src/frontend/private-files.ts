/**
 * Files at paths of their own, for one process alone: in a mount namespace, so that nothing of the machine is touched.
 * What has to be covered for that (`/run`, when there is no `/run/config`) is an empty file system with all that was there
 * bound into it again.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { findProgram } from '../command/index.js';

export interface PrivateFile {
  /** From the root on. */
  readonly path: string;
  readonly data: Uint8Array;
}

export interface PrivateFiles {
  /** What a command line has to begin with for its program to see them; it is run in the folder that they were made for. */
  readonly prefix: readonly string[];
  /** Ends them; a program that sees them keeps them. */
  close(): void;
}

/**
 * `-n`: mount would keep a list of its own in /run.
 *
 * $1: a folder for what is covered; then source and target of each file. Says `ready`, and ends with its stdin.
 */
const PLACE = `set -e
umask 022
scratch=$1
shift
count=0
while [ $# -gt 0 ]; do
  if [ -e "$2" ]; then
    mount -n --bind "$1" "$2"
  else
    at=\${2%/*}
    while [ -n "$at" ] && [ ! -d "$at" ]; do at=\${at%/*}; done
    if [ "$at" = "" ]; then echo "there is no folder above $2 that can be covered" >&2; exit 1; fi
    count=$((count + 1))
    was=$scratch/$count
    mkdir "$was"
    mount -n --rbind "$at" "$was"
    mount -n -t tmpfs -o mode=755 tmpfs "$at"
    for entry in "$was"/* "$was"/.[!.]* "$was"/..?*; do
      name=$at/\${entry##*/}
      if [ -L "$entry" ]; then cp -P "$entry" "$name"
      elif [ -d "$entry" ]; then mkdir "$name"; mount -n --rbind "$entry" "$name"
      elif [ -e "$entry" ]; then : >"$name"; mount -n --bind "$entry" "$name"
      fi
    done
    mkdir -p "\${2%/*}"
    cp "$1" "$2"
  fi
  shift 2
done
echo ready
read -r end || :
`;

/**
 * @param cwd the folder in which the program will run
 * @returns undefined when this machine does not let it, once `said` was told why
 */
export async function placePrivately(files: readonly PrivateFile[], cwd: string, said: (why: string) => void): Promise<PrivateFiles | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'bridgetape-run-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    mkdirSync(join(folder, 'covered'));
    const pairs = files.flatMap(({ path, data }, index) => {
      const source = join(folder, String(index));
      writeFileSync(source, data);
      return [source, path];
    });
    const isRoot = process.getuid?.() === 0;
    // A user namespace makes of anybody the root that may mount.
    const kinds = isRoot ? ['--mount'] : ['--user', '--map-root-user', '--mount'];
    const holder = spawn(findProgram('unshare'), [...kinds, 'sh', '-c', PLACE, 'sh', join(folder, 'covered'), ...pairs], { cwd, stdio: 'pipe' });
    const why = await untilReady(holder);
    if (why !== undefined) {
      said(why);
      remove();
      return undefined;
    }
    return {
      // Not unshare itself: a shell between it and the program would change the environment.
      prefix: [findProgram('nsenter'), `--target=${holder.pid ?? 0}`, ...(isRoot ? [] : ['--user', '--preserve-credentials']), '--mount', '--wd', '--'],
      close: () => {
        holder.stdin.end();
        remove();
      },
    };
  } catch (error) {
    remove();
    said(error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error));
    return undefined;
  }
}

/** @returns why it has ended without being ready */
function untilReady(holder: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    const words: Buffer[] = [];
    holder.stderr?.on('data', (chunk: Buffer) => words.push(chunk));
    holder.stdin?.on('error', () => undefined);
    holder.once('error', (error) => resolve(error.message));
    holder.once('close', () => resolve(Buffer.concat(words).toString().trim().split('\n')[0] ?? ''));
    holder.stdout?.once('data', () => resolve(undefined));
  });
}
