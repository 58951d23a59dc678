/** Puts the runtime's executable where BuildKit is to find it, and finds the real one that it stands in front of. */
import { accessSync, chmodSync, closeSync, constants, mkdirSync, openSync, readSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

import { programPath } from '../command/index.js';
import { BridgetapeError } from '../errors.js';
import { isRuntimeScript, SCRIPT_HEAD } from './script.js';

/** As BuildKit looks for one that it was not told of (executor/runcexecutor/executor.go). */
const CANDIDATES = ['buildkit-runc', 'runc'];

/**
 * @param named the path or name that was asked for
 * @returns an absolute path
 * @throws BridgetapeError `command-not-found`, `bad-argument` when it is a runtime of ours
 */
export function findRunc(named: string | undefined): string {
  for (const candidate of named === undefined ? CANDIDATES : [named]) {
    const found = programPath(candidate);
    if (found === undefined) continue;
    const path = resolve(found);
    if (!isOurs(path)) return path;
    if (named !== undefined) throw new BridgetapeError('bad-argument', `${path} is a runtime that bridgetape made.`, 'Name the real runtime: --runc PATH');
  }
  const what = named === undefined ? 'There is no runc on PATH' : `There is no program ${named}`;
  throw new BridgetapeError('command-not-found', `${what}.`, 'Name the OCI runtime that BuildKit uses: --runc PATH');
}

/**
 * Makes the folder for cassettes, unless it is there: only its owner can look into it.
 *
 * @returns its real path
 * @throws BridgetapeError `cassette-not-writable`
 */
export function makeFolder(folder: string): string {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.W_OK);
    return realpathSync(folder);
  } catch (error) {
    throw new BridgetapeError('cassette-not-writable', `Cannot keep cassettes in ${folder}: ${reason(error)}.`, 'Name a folder that you may write to: --dir DIR', { cause: error });
  }
}

/**
 * Writes the executable, mode 0755, in one step: a daemon that uses it meanwhile finds the old one or the new one.
 *
 * @param force whether to replace what is none of ours
 * @returns its absolute path
 * @throws BridgetapeError `runtime-exists`, `runtime-not-writable`
 */
export function installScript(path: string, script: string, force: boolean): string {
  const target = resolve(path);
  const there = statSync(target, { throwIfNoEntry: false });
  if (there !== undefined && !there.isFile()) throw new BridgetapeError('runtime-exists', `Cannot write ${target}: it is no regular file.`, 'Name another path: --install PATH');
  if (there !== undefined && !force && !isOurs(target)) {
    throw new BridgetapeError('runtime-exists', `Cannot write ${target}: something else stands there.`, 'Name another path, or pass --force to replace it.');
  }
  const fresh = resolve(dirname(target), `.bridgetape-runtime-${process.pid}`);
  try {
    writeFileSync(fresh, script, { mode: 0o755, flag: 'wx' });
    chmodSync(fresh, 0o755); // whatever the umask is
    renameSync(fresh, target);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw new BridgetapeError('runtime-not-writable', `Cannot write ${target}: ${reason(error)}.`, 'Name a path that you may write to: --install PATH', { cause: error });
  }
  return target;
}

function isOurs(path: string): boolean {
  const head = Buffer.alloc(SCRIPT_HEAD);
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    return isRuntimeScript(head.toString('latin1', 0, readSync(file, head)));
  } catch {
    return false; // what cannot be read was not made to be run by a shell
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
