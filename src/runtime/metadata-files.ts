/** What BuildKit tells a frontend in files, read while they are there: the folder goes with the run. */
import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';

import type { FrontendFile } from '../cassette/index.js';

/** A cassette keeps no more (docs/cassette-format.md). */
const MAX_FILES = 256;
const MAX_BYTES = 4 * 1024 * 1024 - 64 * 1024;

export interface MetadataFiles {
  readonly files: readonly FrontendFile[];
  /** What was left out because it is too large or cannot be read, by name. */
  readonly leftOut: readonly string[];
}

/**
 * @param path the folder's path in the container
 * @param source the folder on this machine
 */
export function readMetadata(path: string, source: string): MetadataFiles {
  const files: FrontendFile[] = [];
  const leftOut: string[] = [];
  let room = MAX_BYTES;
  for (const name of readdirSync(source).sort()) {
    const data = files.length < MAX_FILES ? readFile(join(source, name), room) : undefined;
    if (data === undefined) leftOut.push(name);
    else {
      files.push({ path: `${path}/${name}`, data });
      room -= data.length;
    }
  }
  return { files, leftOut };
}

/** @returns undefined for what is no file of at most so many bytes; links are not followed, nothing is waited for */
function readFile(path: string, most: number): Uint8Array | undefined {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined; // a link, or gone
  }
  try {
    const facts = fstatSync(file);
    if (!facts.isFile() || facts.size > most) return undefined;
    const data = new Uint8Array(facts.size);
    return data.subarray(0, readSync(file, data));
  } finally {
    closeSync(file);
  }
}
