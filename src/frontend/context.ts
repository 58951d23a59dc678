/** The user's files that a frontend is to read in place of those that were recorded. */
import { closeSync, fstatSync, openSync, readFileSync, realpathSync } from 'node:fs';
import { relative, resolve, sep } from 'node:path';

import { fileRequest, READ_FILE } from '../bridge/index.js';
import type { Cassette } from '../cassette/index.js';
import { BridgetapeError } from '../errors.js';
import type { PlacedFiles } from '../replayer/index.js';
import { size } from '../quantity.js';

/** What a frontend's client takes in one message (containerd's defaults, which BuildKit uses). */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** So many names are listed in an error. */
const MAX_NAMES = 10;

/** The names of the files that the recorded frontend read, in their order. */
export function filesRead(cassette: Cassette): readonly string[] {
  const names = new Set<string>();
  for (const { id, path } of cassette.calls) {
    if (path !== READ_FILE) continue;
    for (const event of cassette.call(id)) {
      const request = event.kind === 'client-message' && event.data !== undefined ? fileRequest(path, event.data) : undefined;
      if (request !== undefined) names.add(request.name);
    }
  }
  return [...names];
}

/**
 * @param folder where the files are
 * @param names which of them; none: all that the recorded frontend read
 * @param read what the recorded frontend read
 * @throws BridgetapeError `bad-argument`
 */
export function placeFiles(folder: string, names: readonly string[], read: readonly string[]): PlacedFiles {
  const listed = `It read ${read.length === 0 ? 'no files' : [...read.slice(0, MAX_NAMES), ...(read.length > MAX_NAMES ? ['…'] : [])].join(', ')}.`;
  const unread = names.find((name) => !read.includes(name));
  if (unread !== undefined) throw new BridgetapeError('bad-argument', `The recorded frontend read no file ${unread}.`, listed);
  const files = new Map<string, Uint8Array>();
  for (const name of names.length > 0 ? names : read) {
    const data = contentsOf(folder, name);
    if (data !== undefined) files.set(name, data);
    else if (names.length > 0) throw new BridgetapeError('bad-argument', `There is no file ${name} in ${folder}.`, 'Name the folder with --context, and the file as the frontend asks for it.');
  }
  if (files.size === 0) throw new BridgetapeError('bad-argument', `${folder} has none of the files that the recorded frontend read.`, listed);
  return files;
}

/**
 * Names come from a cassette, so what they name has to lie in the folder, links and all.
 *
 * @returns undefined when there is no such file
 */
function contentsOf(folder: string, name: string): Uint8Array | undefined {
  let path: string;
  try {
    path = realpathSync(resolve(folder, name));
    const way = relative(realpathSync(folder), path);
    if (way === '..' || way.startsWith(`..${sep}`)) return undefined;
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw unreadable(name, folder, error);
  }
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const { size: bytes } = fstatSync(file);
    if (bytes > MAX_FILE_BYTES) throw new BridgetapeError('bad-argument', `${path} has ${size(bytes)}, more than a frontend takes in one message (${size(MAX_FILE_BYTES)}).`, 'Leave it out, with --file for the others.');
    return readFileSync(file);
  } catch (error) {
    if (error instanceof BridgetapeError) throw error;
    throw unreadable(name, folder, error);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

const isAbsence = (error: unknown): boolean => error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');

function unreadable(name: string, folder: string, error: unknown): BridgetapeError {
  return new BridgetapeError('bad-argument', `Cannot read ${name} in ${folder}: ${error instanceof Error ? error.message : String(error)}.`, 'Check that it is a file that you may read.', { cause: error });
}
