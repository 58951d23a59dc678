/** The folder form's payload files: larger texts and bytes, each named by its digest when it was written. */
import { hash } from 'node:crypto';
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { TextError, type Files } from './read-yaml.js';
import type { Store } from './write-yaml.js';

export const PAYLOADS = 'payloads';
/** What is larger is nothing to be read among other things. */
const LARGE = 16 * 1024;
/** Nothing in a cassette is larger. */
const MAX_PAYLOAD = 64 * 1024 * 1024;

const NAME = /^payloads\/\w[\w.-]*$/;
/** As this program names them: these can be removed again. */
export const WRITTEN_NAME = /^[0-9a-f]{64}\.(txt|bin)$/;

/** @param write gets each file once */
export function payloadStore(write: (name: string, content: Uint8Array) => void): Store {
  const written = new Set<string>();
  return (content) => {
    if (content.length < LARGE / 4) return undefined;
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    if (bytes.length < LARGE) return undefined;
    const name = `${hash('sha256', bytes, 'hex')}.${typeof content === 'string' ? 'txt' : 'bin'}`;
    if (!written.has(name)) write(name, bytes);
    written.add(name);
    return `!file ${PAYLOADS}/${name}`;
  };
}

/**
 * Files below a folder. Links are not followed: what is packed comes from the folder.
 *
 * @param folder undefined for a text that is one file
 */
export function payloadFiles(folder: string | undefined): Files {
  return (name) => {
    if (folder === undefined) throw new TextError('names a file, which only a folder that was unpacked has', 0, '');
    if (!NAME.test(name)) throw new TextError(`is ${JSON.stringify(name)}, and should be a file in ${PAYLOADS}/`, 0, '');
    try {
      if (!lstatSync(join(folder, PAYLOADS)).isDirectory()) throw new TextError(`cannot be read: ${PAYLOADS} is no folder`, 0, '');
      return readWhole(join(folder, name), name);
    } catch (error) {
      if (error instanceof TextError) throw error;
      throw new TextError(`cannot be read: ${error instanceof Error ? error.message : String(error)}`, 0, '');
    }
  };
}

function readWhole(path: string, name: string): Uint8Array {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const facts = fstatSync(file);
    if (!facts.isFile()) throw new TextError(`cannot be read: ${name} is no regular file`, 0, '');
    if (facts.size > MAX_PAYLOAD) throw new TextError(`cannot be read: ${name} has ${facts.size} bytes, and ${MAX_PAYLOAD} are the most`, 0, '');
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}
