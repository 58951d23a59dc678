/** Which cassettes are meant by paths of files and folders. */
import { readdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { BridgetapeError } from '../errors.js';

export const CASSETTE_SUFFIX = '.cassette';

/**
 * @param paths of cassettes, and of folders: those mean every `*.cassette` in them and below
 * @returns paths of files, each file once, in the order of the paths and by name within a folder
 * @throws BridgetapeError `cassette-not-found` for a folder without any
 */
export function findCassettes(paths: readonly string[]): readonly string[] {
  const byFile = new Map<string, string>();
  for (const path of paths) {
    const files = isFolder(path) ? cassettesIn(path) : [path];
    for (const file of files) if (!byFile.has(identity(file))) byFile.set(identity(file), file);
  }
  return [...byFile.values()];
}

function cassettesIn(folder: string): readonly string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(CASSETTE_SUFFIX))
    .map((name) => join(folder, name))
    .filter((path) => !isFolder(path))
    .toSorted();
  if (files.length > 0) return files;
  throw new BridgetapeError('cassette-not-found', `There is no *${CASSETTE_SUFFIX} in the folder ${folder}.`, 'Check the path, or name the files.');
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** The file behind a path; one that is not there is told when it is opened. */
function identity(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
