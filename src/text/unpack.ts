/** Writes a cassette's text to a file, or to a folder where larger payloads are files of their own. */
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { Cassette, isRunning, type CassetteState } from '../cassette/index.js';
import { BridgetapeError } from '../errors.js';
import { cassetteLines } from './cassette-text.js';
import { PAYLOADS, payloadStore, WRITTEN_NAME } from './payload-files.js';
import type { Store } from './write-yaml.js';

/** The text in a folder. */
export const TEXT_FILE = 'cassette.yaml';

/** So many characters are gathered for one write. */
const CHUNK = 256 * 1024;

export interface UnpackOptions {
  /** Replace what was unpacked there before. */
  readonly force?: boolean;
}

export interface Unpacked {
  /** Where the text stands. */
  readonly path: string;
  readonly events: number;
  /** Files beside the text: none for a text that is one file. */
  readonly payloads: number;
  /** Of the cassette. Of one that is not whole the text has what can be read. */
  readonly state: CassetteState;
}

/** Whether a path means the form that is one file. */
export const isTextFile = (path: string): boolean => /\.ya?ml$/i.test(path);

/**
 * Writes the text of a cassette: one file when `output` ends in `.yaml` or `.yml`, else a folder with `cassette.yaml` and
 * the larger payloads. Readable by their owner alone, as cassettes are.
 *
 * @throws BridgetapeError `text-exists`, `text-not-writable`, and what opening a cassette throws
 * @example
 * ```ts
 * unpack('build.cassette', 'build.yaml');
 * await pack('build.yaml', 'changed.cassette');
 * ```
 */
export function unpack(file: string, output: string, { force = false }: UnpackOptions = {}): Unpacked {
  using cassette = Cassette.open(file);
  refuseExisting(output, force);
  if (isSameFile(file, output)) throw new BridgetapeError('text-exists', `Cannot unpack to ${output}: it is the cassette itself.`, 'Name another file.');
  try {
    const isFile = isTextFile(output);
    const path = isFile ? output : join(output, TEXT_FILE);
    const payloads = isFile ? 0 : writeFolder(cassette, output);
    if (isFile) writeText(cassette, path, () => undefined);
    return { path, events: cassette.eventCount, payloads, state: cassette.state };
  } catch (error) {
    if (error instanceof BridgetapeError || !(error instanceof Error) || !('code' in error)) throw error;
    throw new BridgetapeError('text-not-writable', `Cannot unpack to ${output}: ${error.message}.`, 'Name a place in a folder that exists and that you may write to.', { cause: error });
  }
}

/** Two names of one file, of which one would be lost to the other. */
export function isSameFile(one: string, other: string): boolean {
  const [first, second] = [one, other].map((path) => statSync(path, { throwIfNoEntry: false }));
  return first !== undefined && second !== undefined && first.ino === second.ino && first.dev === second.dev;
}

function refuseExisting(output: string, force: boolean): void {
  const facts = statSync(output, { throwIfNoEntry: false });
  if (facts === undefined) return;
  const refusal = (what: string, hint: string): BridgetapeError => new BridgetapeError('text-exists', `Cannot unpack to ${output}: ${what}.`, hint);
  if (isTextFile(output)) {
    if (!facts.isFile()) throw refusal('it is no regular file', 'Name a file that does not exist yet.');
    if (!force) throw refusal('the file exists', 'Name another file, or pass --force to replace it.');
    return;
  }
  if (!facts.isDirectory()) throw refusal('it is no folder', 'Name a folder, or a file that ends in .yaml.');
  const entries = readdirSync(output);
  if (entries.length === 0) return;
  if (!entries.includes(TEXT_FILE)) throw refusal('the folder holds something else', 'Name an empty folder, or one that does not exist yet.');
  if (!force) throw refusal('the folder holds a cassette that was unpacked before', 'Name another folder, or pass --force to replace it.');
}

/** @returns the number of payload files */
function writeFolder(cassette: Cassette, folder: string): number {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const payloads = join(folder, PAYLOADS);
  const names = new Set<string>();
  const store = payloadStore((name, content) => {
    if (names.size === 0) mkdirSync(payloads, { recursive: true, mode: 0o700 });
    names.add(name);
    writeFileSync(join(payloads, name), content, { mode: 0o600 });
  });
  writeText(cassette, join(folder, TEXT_FILE), store);
  if (existsSync(payloads)) for (const name of readdirSync(payloads)) if (WRITTEN_NAME.test(name) && !names.has(name)) rmSync(join(payloads, name));
  return names.size;
}

/** Under another name until it is whole. */
function writeText(cassette: Cassette, path: string, store: Store): void {
  const unfinished = `.${basename(path)}.new-`;
  clearUnfinished(dirname(path), unfinished);
  const birth = join(dirname(path), `${unfinished}${process.pid}`);
  const file = openSync(birth, 'wx', 0o600);
  try {
    let chunk = '';
    for (const line of cassetteLines(cassette, store)) {
      chunk += `${line}\n`;
      if (chunk.length < CHUNK) continue;
      writeFileSync(file, chunk);
      chunk = '';
    }
    writeFileSync(file, chunk);
  } catch (error) {
    closeSync(file);
    rmSync(birth, { force: true });
    throw error;
  }
  closeSync(file);
  renameSync(birth, path);
}

/** What a process that was killed in here has left. */
function clearUnfinished(folder: string, prefix: string): void {
  for (const name of readdirSync(folder)) {
    const pid = name.startsWith(prefix) ? name.slice(prefix.length) : '';
    if (/^\d{1,10}$/.test(pid) && !isRunning(Number(pid))) rmSync(join(folder, name), { force: true });
  }
}
