/** Makes a cassette of a text. */
import { closeSync, fstatSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { CassetteWriter, type Closed, type NewHeader } from '../cassette/index.js';
import { BridgetapeError } from '../errors.js';
import { readCassetteText, type CassetteText, type StalePlace } from './cassette-text.js';
import { payloadFiles } from './payload-files.js';
import { TextError } from './read-yaml.js';
import { isSameFile, TEXT_FILE } from './unpack.js';
import { visible } from './write-yaml.js';

/** JavaScript has no longer texts. A cassette with more goes into a folder. */
const MAX_TEXT_BYTES = 500 * 1024 * 1024;

export interface PackOptions {
  /** Replace a cassette that exists. */
  readonly force?: boolean;
  /** Gives up: nothing is written then, and `pack` throws its reason. */
  readonly signal?: AbortSignal;
}

export interface Packed extends Closed {
  /** Whether the text says that the recording was interrupted or damaged. Only the first can be packed as such. */
  readonly state: CassetteText['state'];
  /** Bytes that were not used, because what they stand beside has been changed since. */
  readonly stale: readonly StalePlace[];
}

/** In place of a name. */
const STDIN = '-';

/** After so many events others get their turn, signals among them. */
const TURN = 1000;

/**
 * Packs what `unpack` wrote, or what was written by hand: a file, a folder with `cassette.yaml`, or `-` for stdin. The cassette takes its
 * place when all of the text was read. A text of an interrupted recording gives an interrupted cassette.
 *
 * @throws BridgetapeError `bad-text` with the line and the key of what can't be packed, `cassette-exists`,
 *   `cassette-not-writable`
 */
export async function pack(text: string, output: string, { force = false, signal }: PackOptions = {}): Promise<Packed> {
  const folder = text !== STDIN && statSync(text, { throwIfNoEntry: false })?.isDirectory() === true ? text : undefined;
  const file = text === STDIN ? 'stdin' : folder === undefined ? text : join(folder, TEXT_FILE);
  const content = contentsOf(file, text === STDIN);
  if (text !== STDIN && isSameFile(file, output)) throw new BridgetapeError('cassette-exists', `Cannot pack to ${output}: it is the text itself.`, 'Name another file.');
  const { state, header, events } = told(file, () => readCassetteText(content, payloadFiles(folder)));
  const writer = await created(file, output, header, force);
  const stale: StalePlace[] = [];
  try {
    const walk = events((place) => stale.push(place));
    let count = 0;
    for (let next = told(file, () => walk.next()); next.done !== true; next = told(file, () => walk.next())) {
      if (!writer.append(next.value)) await writer.drained();
      count += 1;
      if (count % TURN === 0) await new Promise((resolve) => setImmediate(resolve));
      signal?.throwIfAborted();
    }
  } catch (error) {
    await writer.discard();
    throw error;
  }
  const closed = await (state === 'interrupted' ? writer.leave() : writer.close());
  const failure = closed.loss?.error ?? closed.packFailure;
  if (failure !== undefined) throw new BridgetapeError('cassette-not-writable', `Cannot pack ${file} to ${output}: ${failure.message}.`, 'Check that there is room on the disk.', { cause: failure });
  return { ...closed, state, stale };
}

async function created(file: string, output: string, header: NewHeader, force: boolean): Promise<CassetteWriter> {
  try {
    return await CassetteWriter.create(output, header, { force, aside: true });
  } catch (error) {
    if (error instanceof BridgetapeError && error.code === 'bad-argument') throw wrong(`${file}: header ${error.what.replace(/^.*?: /, 'cannot be written: ')}`, { cause: error });
    throw error;
  }
}

/** What is wrong with the text, with its file. */
function told<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TextError)) throw error;
    const { line, key, reason } = error;
    throw wrong(`${file}:${line}: ${visible(`${key === '' ? 'the text' : key} ${reason}`)}.`, { cause: error });
  }
}

function contentsOf(file: string, isStdin: boolean): string {
  let bytes: Uint8Array;
  try {
    bytes = isStdin ? readFileSync(0) : readFile(file);
    checkSize(file, bytes.length);
  } catch (error) {
    if (error instanceof BridgetapeError) throw error;
    throw new BridgetapeError('bad-text', `Cannot read ${file}: ${error instanceof Error ? error.message : String(error)}.`, `Name what bridgetape unpack wrote: a .yaml file, or a folder with ${TEXT_FILE}.`, { cause: error });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw wrong(`${file} is no text: it is not UTF-8.`, { cause: error });
  }
}

function readFile(path: string): Uint8Array {
  const file = openSync(path, 'r');
  try {
    checkSize(path, fstatSync(file).size);
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

function checkSize(file: string, size: number): void {
  if (size > MAX_TEXT_BYTES) throw wrong(`${file} has ${size} bytes; more than ${MAX_TEXT_BYTES} are not read.`);
}

const wrong = (what: string, options?: ErrorOptions): BridgetapeError => new BridgetapeError('bad-text', what, 'docs/text-form.md says how a cassette is written.', options);
