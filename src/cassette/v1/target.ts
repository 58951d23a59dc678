/**
 * The file that a recording is to become: whether it may, under which name it waits until then, and what is said when it
 * cannot be.
 */
import { basename, dirname, resolve } from 'node:path';
import { BridgetapeError } from '../../errors.js';
import { errorCode, type Disk, type FileIdentity, type Source } from '../disk.js';
import { isRunning } from '../running.js';
import { recorderOf } from './records.js';

/** Files that writers of this process have open, so that a process id alone doesn't keep an abandoned one locked. */
export const recording = new Set<string>();
export const key = (identity: FileIdentity): string => `${identity.device}:${identity.inode}`;

/** A name in the same folder, so that a rename is atomic. */
export function beside(path: string, suffix: string, visibility: 'hidden' | 'visible' = 'hidden'): string {
  const name = basename(path);
  if (visibility === 'hidden') return resolve(dirname(path), `.${name}.${suffix}`);
  return resolve(dirname(path), name.endsWith('.cassette') ? `${name.slice(0, -'.cassette'.length)}.${suffix}.cassette` : `${name}.${suffix}`);
}

/** A file that need not be there. */
export async function remove(disk: Disk, path: string): Promise<void> {
  try {
    await disk.unlink(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

/** Refuses whatever must not be written over; returns the path of the file itself. */
export async function clearTarget(disk: Disk, path: string, force: boolean): Promise<string> {
  try {
    let target = resolve(path);
    let there = await disk.look(target);
    if (there === undefined) return target;
    if (there.kind === 'symlink' && force) {
      target = await resolved(disk, target, path);
      there = await disk.look(target);
    }
    if (there === undefined) return target;
    if (there.kind !== 'file') {
      const what = { folder: 'a folder', symlink: 'a symbolic link', other: 'not a regular file' }[there.kind];
      throw new BridgetapeError('cassette-exists', `Cannot record to ${path}: it is ${what}.`, 'Name a file that does not exist yet.');
    }
    if (!force) {
      throw new BridgetapeError('cassette-exists', `Cannot record to ${path}: the file exists.`, 'Name another file, or pass --force to replace it.');
    }
    refuseLive(disk, target, path, there);
    return target;
  } catch (error) {
    throw cannotCreate(path, error);
  }
}

async function resolved(disk: Disk, link: string, path: string): Promise<string> {
  try {
    return await disk.resolve(link);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    throw new BridgetapeError('cassette-exists', `Cannot record to ${path}: it is a symbolic link that leads nowhere.`, 'Remove it, or name another file.', { cause: error });
  }
}

/** A journal whose recorder is alive is not replaced. */
function refuseLive(disk: Disk, target: string, path: string, identity: FileIdentity): void {
  const recorder = recorderAt(disk, target);
  if (recorder === undefined) return;
  const alive = recorder === process.pid ? recording.has(key(identity)) : isRunning(recorder);
  if (!alive) return;
  throw new BridgetapeError('cassette-exists', `Cannot record to ${path}: process ${recorder} is recording to it.`, 'Wait until it has ended, or name another file.');
}

function recorderAt(disk: Disk, path: string): number | undefined {
  let source: Source;
  try {
    source = disk.source(path);
  } catch {
    return undefined; // a file that can't be read can still be replaced
  }
  try {
    return recorderOf(source);
  } finally {
    source.close();
  }
}

/** What the system said of a file that was to be written, in words. */
export function cannotCreate(path: string, error: unknown): unknown {
  if (error instanceof BridgetapeError) return error;
  const folder = dirname(resolve(path));
  const because: Readonly<Record<string, readonly [string, string]>> = {
    EEXIST: ['the file exists', 'Name another file, or pass --force to replace it.'],
    ENOENT: [`the folder ${folder} does not exist`, `Create it first: mkdir -p ${folder}`],
    ENOTDIR: [`a part of ${folder} is not a folder`, 'Name a file in a folder.'],
    EACCES: ['permission denied', `Choose a folder that you may write to, or change the permissions of ${folder}.`],
    EPERM: ['the system does not permit it', `Choose a folder that you may write to.`],
    EROFS: ['the file system is read-only', 'Choose a folder that you may write to.'],
    ENOSPC: ['the disk is full', 'Free some space, or choose another disk.'],
    EDQUOT: ['the disk quota is used up', 'Free some space, or choose another disk.'],
    ENAMETOOLONG: ['the name is too long', 'Choose a shorter name.'],
    ELOOP: ['it is a symbolic link that leads nowhere', 'Name a file that does not exist yet.'],
    EISDIR: ['it is a folder', 'Name a file that does not exist yet.'],
    EMFILE: ['too many files are open', 'Raise the limit (ulimit -n).'],
  };
  const code = errorCode(error);
  const [what, hint] = (code === undefined ? undefined : because[code]) ?? [error instanceof Error ? error.message : String(error), 'Choose another file.'];
  return new BridgetapeError(code === 'EEXIST' ? 'cassette-exists' : 'cassette-not-writable', `Cannot record to ${path}: ${what}.`, hint, { cause: error });
}
