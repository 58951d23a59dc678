/** The front door for reading: looks at the magic and the version, and picks the format's module. */
import { BridgetapeError } from '../errors.js';
import { errorCode, openSource, type Source } from './disk.js';
import type { CassetteEvent, Nanoseconds } from './events.js';
import type { CassetteHeader } from './header.js';
import type { EventListener } from './passing-event.js';
import type { CallSummary, ConnectionSummary } from './summary.js';
import { FORMAT_VERSION } from './v1/bounds.js';
import { MAGIC, PREAMBLE_LENGTH } from './v1/frame.js';
import type { CassetteState, Tail } from './v1/layout.js';
import { ReaderV1 } from './v1/reader.js';
import { type Damage, Unreadable } from './v1/records.js';

export interface OpenOptions {
  /** For tests: reads from here instead of the path, which is then only a name. */
  readonly source?: Source;
}

/** Opens the file and checks that it is a cassette of a version that this program reads. */
export function openReader(path: string, options: OpenOptions = {}): { readonly reader: ReaderV1; readonly source: Source } {
  const source = options.source ?? open(path);
  try {
    checkPreamble(source, path);
    return { reader: new ReaderV1(source), source };
  } catch (error) {
    source.close();
    if (error instanceof Unreadable) throw noHeader(path, error);
    throw error;
  }
}

function open(path: string): Source {
  let source: Source;
  try {
    source = openSource(path);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new BridgetapeError('cassette-not-found', `There is no cassette at ${path}.`, 'Check the path, or make one with: bridgetape record -o FILE -- COMMAND', { cause: error });
    }
    const what = code === 'EACCES' ? 'permission denied' : error instanceof Error ? error.message : String(error);
    throw new BridgetapeError('cassette-not-found', `Cannot open ${path}: ${what}.`, 'Check that you may read the file.', { cause: error });
  }
  if (source.regular) return { ...source, read: (target, position) => readOrExplain(source, path, target, position) };
  source.close();
  throw new BridgetapeError('not-a-cassette', `${path} is not a regular file.`, 'Name a file that bridgetape recorded.');
}

/** Failures of the disk under a file that could be opened. */
function readOrExplain(source: Source, path: string, target: Uint8Array, position: number): number {
  try {
    return source.read(target, position);
  } catch (error) {
    throw new BridgetapeError('cassette-damaged', `Cannot read ${path} at byte ${position}: ${error instanceof Error ? error.message : String(error)}.`, 'Look at the disk that it is on.', { cause: error });
  }
}

function checkPreamble(source: Source, path: string): void {
  const bytes = Buffer.alloc(PREAMBLE_LENGTH);
  const got = source.read(bytes, 0);
  const hint = 'Name a file that bridgetape recorded.';
  if (got < PREAMBLE_LENGTH || !MAGIC.every((byte, i) => bytes[i] === byte)) {
    const mangled = got >= 4 && bytes.subarray(1, 4).equals(Buffer.from(MAGIC.subarray(1, 4)));
    const why = mangled ? ' It looks like one that was transferred as text.' : '';
    throw new BridgetapeError('not-a-cassette', `${path} is not a cassette: it does not begin as one.${why}`, mangled ? 'Transfer it again as binary (in git: *.cassette binary).' : hint);
  }
  const version = bytes.readUInt32LE(MAGIC.length);
  if (version > FORMAT_VERSION) {
    throw new BridgetapeError('cassette-version', `${path} has cassette format version ${version}; this bridgetape reads versions up to ${FORMAT_VERSION}.`, `Use a bridgetape that reads version ${version}.`);
  }
  if (version < 1) throw new BridgetapeError('not-a-cassette', `${path} is not a cassette: there is no format version ${version}.`, hint);
}

function noHeader(path: string, error: Unreadable): BridgetapeError {
  return new BridgetapeError(
    'cassette-damaged',
    `${path} has no readable header: ${error.damage.reason} (byte ${error.damage.offset}).`,
    'The recording was cut off when it began, or the file is damaged; record it again.',
    { cause: error },
  );
}

/**
 * A recording on disk. Opening reads the index (or, when the recording was interrupted, walks the file); events
 * are read when they are asked for.
 *
 * @example
 * ```ts
 * using cassette = Cassette.open('build.cassette');
 * for (const call of cassette.calls) console.log(call.id, call.path, cassette.call(call.id).length);
 * ```
 */
export class Cassette implements Disposable {
  readonly path: string;
  readonly #reader: ReaderV1;
  #calls: readonly CallSummary[] | undefined;

  private constructor(path: string, reader: ReaderV1) {
    this.path = path;
    this.#reader = reader;
  }

  /**
   * @throws BridgetapeError `cassette-not-found`, `not-a-cassette`, `cassette-version` (written by a later
   *   bridgetape), `cassette-damaged` when not even the header can be read
   */
  static open(path: string, options: OpenOptions = {}): Cassette {
    return new Cassette(path, openReader(path, options).reader);
  }

  get header(): CassetteHeader {
    return this.#reader.header;
  }

  /**
   * `whole`: it was closed; `interrupted`: it ends where the recorder died; `damaged`: a part can't be read.
   * Damage inside an indexed block shows when the block is read; `verify` reads them all.
   */
  get state(): CassetteState {
    return this.#reader.state;
  }

  /** What couldn't be read so far. */
  get damages(): readonly Damage[] {
    return this.#reader.damages;
  }

  /** What an interrupted file holds behind its last whole record. */
  get tail(): Tail | undefined {
    return this.#reader.layout.tail;
  }

  /** Read when they are first asked for, which has to be before `close`. */
  get calls(): readonly CallSummary[] {
    this.#calls ??= this.#reader.summaries();
    return this.#calls;
  }

  get connections(): readonly ConnectionSummary[] {
    return this.#reader.connections;
  }

  /** Time of the last event. */
  get duration(): Nanoseconds {
    return this.#reader.layout.duration;
  }

  get eventCount(): number {
    return this.#reader.layout.eventCount;
  }

  /**
   * The events of one call, in order. Where the file is damaged a gap event stands in for what is missing.
   *
   * @throws BridgetapeError `call-not-found`
   */
  call(id: number): readonly CassetteEvent[] {
    if (!this.#reader.has(id)) {
      const last = this.calls.at(-1);
      const range = last === undefined ? 'It holds no calls.' : `Its calls are numbered from ${this.calls[0]?.id ?? 1} to ${last.id}.`;
      throw new BridgetapeError('call-not-found', `${this.path} holds no call ${id}.`, range);
    }
    return this.#reader.call(id);
  }

  /**
   * Unpacks payloads before they are asked for, from the first on, for a reader that must not wait for that later.
   *
   * @param keptBytes how much of them is kept unpacked, from here on
   */
  unpackAhead(keptBytes: number): void {
    this.#reader.unpackAhead(keptBytes);
  }

  /** All events in order, block by block. Where the file is damaged a gap event stands in for what is missing. */
  events(): IterableIterator<CassetteEvent> {
    return this.#reader.events();
  }

  /** Tells of all events in order, as {@link events} has them: for {@link HeldCalls}, which hold them without an object for each. */
  tell(listener: EventListener): void {
    this.#reader.tell(listener);
  }

  close(): void {
    this.#reader.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
