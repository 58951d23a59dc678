/**
 * A recording in progress: an append-only journal that is packed when it closes (docs/cassette-format.md,
 * "Journal" and "Packed"). Events are encoded into a block at once; a sealed block waits for the disk, and one
 * write is under way at a time, so that whatever the file holds at any moment is a prefix of the recording.
 */
import { BridgetapeError } from '../../errors.js';
import { errorCode, nodeDisk, writeAll, type Disk, type DiskFile, type FileIdentity } from '../disk.js';
import type { LateFacts, NewHeader } from '../header.js';
import { BatchEncoder, type EncodableEvent, type NewEvent, roomFor } from './batch-encoder.js';
import { FLUSH_AFTER_MS, HIGH_WATER, JOURNAL_BLOCK, LOW_WATER } from './bounds.js';
import { frame, FRAME_LENGTH, preamble, PREAMBLE_LENGTH, seal } from './frame.js';
import { encodeHeader } from './header-record.js';
import { encodeEnd } from './index-record.js';
import { Malformed } from './msgpack.js';
import { standIn, tooLarge } from './oversize.js';
import { packJournal } from './pack.js';
import { beside, cannotCreate, clearTarget, key, recording, remove } from './target.js';

export interface WriterOptions {
  /** Replace a cassette that exists. It stays as it is until the new file stands with its header. */
  readonly force?: boolean;
  /** The file takes its place when it is closed with everything in it; if that fails, nothing of it stays. */
  readonly aside?: boolean;
  /** Told once, when the disk fails; recording goes on without the file. */
  readonly onFailure?: (error: Error) => void;
  /** For tests. */
  readonly disk?: Disk;
}

/** What the file does not hold, from the moment when the disk failed; or all of it, when the file is gone. */
export interface Loss {
  readonly error: Error;
  readonly events: number;
  /** Payload bytes of the lost messages; of a file that is gone, its own. */
  readonly bytes: number;
}

export interface Closed {
  /** Where it stands: the path asked for, unless another recording took that while this one ran. */
  readonly path: string;
  /** Size of the file. */
  readonly bytes: number;
  readonly events: number;
  readonly calls: number;
  readonly loss?: Loss;
  /** Why the file was left as a journal: whole and readable, but larger and without an index. Of one aside nothing is left. */
  readonly packFailure?: Error;
}

interface SealedBlock {
  readonly record: Buffer;
  readonly block: Buffer;
  readonly events: number;
  readonly bytes: number;
}

let births = 0;

export class CassetteWriter {
  readonly #path: string;
  readonly #disk: Disk;
  readonly #file: DiskFile;
  readonly #identity: FileIdentity;
  readonly #header: NewHeader;
  /** Where the file stands until it is closed or takes its place, when that is another. */
  #aside: string | undefined;
  readonly #isForced: boolean;
  readonly #onFailure: ((error: Error) => void) | undefined;

  readonly #encoder: BatchEncoder;
  #block: Buffer;
  readonly #spare: Buffer[] = [];
  #blockBytes = 0; // payload bytes in the block being filled
  #calls = 0;

  #queue: SealedBlock[] = [];
  #queued = 0; // bytes in #queue and under way
  #sealedEnd: number; // where the next record will begin
  #writtenEnd: number; // up to here the file holds whole records
  #writing: Promise<void> | undefined;
  #flushDue = false;
  #timer: NodeJS.Timeout | undefined;
  #waiting: (() => void)[] = [];

  #loss: { error: Error; events: number; bytes: number } | undefined;
  #eventsOnDisk = 0;
  #closed: Promise<Closed> | undefined;

  private constructor(path: string, aside: string | undefined, disk: Disk, file: DiskFile, identity: FileIdentity, header: NewHeader, end: number, { force = false, onFailure }: WriterOptions) {
    this.#path = path;
    this.#aside = aside;
    this.#isForced = force;
    this.#disk = disk;
    this.#file = file;
    this.#identity = identity;
    this.#header = header;
    this.#onFailure = onFailure;
    this.#block = Buffer.allocUnsafeSlow(JOURNAL_BLOCK);
    this.#encoder = new BatchEncoder(this.#block);
    this.#sealedEnd = end;
    this.#writtenEnd = end;
    recording.add(key(identity));
  }

  /**
   * Creates the file, mode 0600, with its header in place.
   *
   * @throws BridgetapeError `cassette-exists` when something stands there (without `force`, or not to be replaced),
   *   `cassette-not-writable` when the folder, the permissions or the disk don't allow it, `bad-argument` for a
   *   header that can't be written
   */
  static async create(path: string, header: NewHeader, options: WriterOptions = {}): Promise<CassetteWriter> {
    const disk = options.disk ?? nodeDisk;
    const { force = false, aside = false } = options;
    const content = headerContent(header);
    const target = await clearTarget(disk, path, force);
    // A forced recording is begun beside the old cassette and takes its place once the header stands.
    const birth = force || aside ? beside(target, `new-${process.pid}-${++births}`) : target;
    let file: DiskFile | undefined;
    try {
      if (birth !== target) await remove(disk, birth);
      file = await disk.create(birth);
      const record = frame(content, PREAMBLE_LENGTH, 'hdr', 'plain', content.length);
      const start = Buffer.concat([preamble(), record]);
      await writeAll(file, [start], 0);
      const identity = await file.identity();
      if (force && !aside) await disk.rename(birth, target);
      return new CassetteWriter(target, aside ? birth : undefined, disk, file, identity, header, start.length, options);
    } catch (error) {
      if (file !== undefined) {
        await file.close().catch(() => undefined);
        await remove(disk, birth).catch(() => undefined);
      }
      throw cannotCreate(path, error);
    }
  }

  /** Where the file is to stand. */
  get path(): string {
    return this.#path;
  }

  /** Set once the disk failed: from then on events are only counted. */
  get loss(): Loss | undefined {
    return this.#loss;
  }

  /**
   * HOT PATH. Takes one event; message pieces are copied before it returns, and the event gets the next sequence
   * number. Never throws.
   *
   * @returns false when the traffic should pause until `drained()` resolves: the disk is slower than it
   */
  append(event: NewEvent): boolean {
    if (this.#loss !== undefined || this.#closed !== undefined) {
      this.#countLost(event);
      return true;
    }
    const room = roomFor(event);
    if (!this.#encoder.has(room) && !this.#makeRoom(room, event)) return this.#queued < HIGH_WATER;
    this.#encoder.add(event);
    if (event.kind === 'client-header') this.#calls++;
    else if (event.kind === 'client-message' || event.kind === 'server-message') this.#blockBytes += event.size;
    // One timer for all blocks: it is armed by the first event that finds it idle.
    this.#timer ??= setTimeout(this.#onTimer, FLUSH_AFTER_MS);
    return this.#queued < HIGH_WATER;
  }

  /** Resolves when the traffic may go on. */
  drained(): Promise<void> {
    if (this.#queued <= LOW_WATER || this.#loss !== undefined) return Promise.resolve();
    return new Promise((done) => this.#waiting.push(done));
  }

  /**
   * Flushes, packs and closes. Resolves to what stands on disk, also when something was lost or the packing
   * failed; the recording up to then is never given up. A second call gives the same result.
   */
  close(facts: LateFacts = {}): Promise<Closed> {
    this.#closed ??= this.#close(facts);
    return this.#closed;
  }

  /**
   * Flushes, and leaves the file as the journal that it is: for a conversation that was cut off. It reads as
   * interrupted. After or before `close`, the first of them counts.
   */
  leave(): Promise<Closed> {
    this.#closed ??= this.#leave();
    return this.#closed;
  }

  /** Whether it is written aside, and has not taken its place. */
  get isAside(): boolean {
    return this.#aside !== undefined;
  }

  /**
   * Puts a file that is written aside in its place at once: from here on it stands there, whatever becomes of it.
   *
   * @throws BridgetapeError `cassette-not-writable`; it is still aside then
   */
  async takePlace(): Promise<void> {
    if (this.#aside === undefined) return;
    try {
      await this.#disk.rename(this.#aside, this.#path);
    } catch (error) {
      throw cannotCreate(this.#path, error);
    }
    this.#aside = undefined;
  }

  /** Gives up a file that is written aside: nothing stays of it. */
  async discard(): Promise<void> {
    if (this.#aside === undefined) throw new Error('the file has taken its place');
    this.#closed ??= this.#flush().then(({ events }) => this.#letGo(this.#path, 0, events));
    await this.#closed;
    await remove(this.#disk, this.#aside);
  }

  /** Returns false when the event itself can't be kept and a gap stands in for it. */
  #makeRoom(room: number, event: NewEvent): boolean {
    const reason = tooLarge(event, room);
    if (reason !== undefined) {
      this.#append(standIn(event, reason));
      return false;
    }
    if (this.#encoder.count > 0) this.#seal();
    if (!this.#encoder.has(room)) {
      this.#spare.push(this.#block);
      this.#block = Buffer.allocUnsafeSlow(BatchEncoder.blockLength(room));
      this.#encoder.begin(this.#block);
    }
    return true;
  }

  #append(events: readonly EncodableEvent[]): void {
    for (const event of events) {
      if (!this.#encoder.has(roomFor(event))) this.#seal();
      this.#encoder.add(event);
    }
    this.#timer ??= setTimeout(this.#onTimer, FLUSH_AFTER_MS);
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    if (this.#encoder.count === 0 || this.#loss !== undefined) return;
    // While the disk is busy the block goes on filling; it is sealed when the write under way ends.
    if (this.#writing === undefined) this.#seal();
    else this.#flushDue = true;
  };

  #seal(): void {
    const events = this.#encoder.count;
    const record = this.#encoder.finish();
    seal(record, this.#sealedEnd, 'evt', 'plain', record.length - FRAME_LENGTH);
    this.#sealedEnd += record.length;
    this.#queued += record.length;
    this.#queue.push({ record, block: this.#block, events, bytes: this.#blockBytes });
    this.#blockBytes = 0;
    this.#block = this.#spare.pop() ?? Buffer.allocUnsafeSlow(JOURNAL_BLOCK);
    this.#encoder.begin(this.#block);
    this.#writing ??= this.#write();
  }

  async #write(): Promise<void> {
    let underWay: readonly SealedBlock[] = [];
    try {
      while (this.#queue.length > 0) {
        underWay = this.#queue;
        this.#queue = [];
        const records = underWay.map((sealed) => sealed.record);
        await writeAll(this.#file, records, this.#writtenEnd);
        this.#taken(underWay);
        underWay = [];
        if (this.#flushDue && this.#encoder.count > 0) this.#seal();
        this.#flushDue = false;
      }
    } catch (error) {
      const unwritten = await this.#writeSingly(underWay);
      await this.#fail(error instanceof Error ? error : new Error(String(error)), [...unwritten, ...this.#queue]);
    } finally {
      this.#writing = undefined;
    }
  }

  /** Of blocks that could not be written together, the first ones may have room. @returns the others */
  async #writeSingly(blocks: readonly SealedBlock[]): Promise<readonly SealedBlock[]> {
    if (blocks.length === 1) return blocks;
    for (const [place, sealed] of blocks.entries()) {
      try {
        await writeAll(this.#file, [sealed.record], this.#writtenEnd);
      } catch {
        return blocks.slice(place);
      }
      this.#taken([sealed]);
    }
    return [];
  }

  #taken(blocks: readonly SealedBlock[]): void {
    for (const { record, block, events } of blocks) {
      this.#writtenEnd += record.length;
      this.#queued -= record.length;
      this.#eventsOnDisk += events;
      if (block.length === JOURNAL_BLOCK && this.#spare.length < HIGH_WATER / JOURNAL_BLOCK) this.#spare.push(block);
    }
    if (this.#queued <= LOW_WATER) this.#release();
  }

  #release(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const done of waiting) done();
  }

  async #fail(error: Error, unwritten: readonly SealedBlock[]): Promise<void> {
    const loss = { error, events: this.#encoder.count, bytes: this.#blockBytes };
    for (const { events, bytes } of unwritten) {
      loss.events += events;
      loss.bytes += bytes;
    }
    this.#loss = loss;
    this.#queue = [];
    this.#queued = 0;
    this.#flushDue = false;
    this.#release();
    // Apart from here, so that what the callback throws is nobody's disk failure.
    const onFailure = this.#onFailure;
    if (onFailure !== undefined) queueMicrotask(() => onFailure(error));
    // A partly written record is cut off, which may free the few bytes that the marker needs.
    await this.#mark();
  }

  #countLost(event: NewEvent): void {
    if (this.#loss === undefined) return;
    this.#loss.events++;
    if (event.kind === 'client-message' || event.kind === 'server-message') this.#loss.bytes += event.size;
  }

  /** Writes the loss behind the last whole record, over the marker of an earlier attempt; returns where the file ends. */
  async #mark(): Promise<number> {
    const loss = this.#loss;
    if (loss === undefined) return this.#writtenEnd;
    // The count has a fixed width, so that a later marker covers an earlier one exactly and needs no new space.
    const reason = `the disk failed (${errorCode(loss.error) ?? loss.error.name}); events not written from here on: ${String(loss.events).padStart(15)}`;
    const gap: EncodableEvent = { kind: 'gap', time: this.#lastTime(), connection: 0, side: 'client', offset: this.#writtenEnd, bytes: loss.bytes, reason };
    const encoder = new BatchEncoder(Buffer.alloc(BatchEncoder.blockLength(roomFor(gap)) + 1), this.#eventsOnDisk);
    encoder.add(gap);
    const record = encoder.finish();
    seal(record, this.#writtenEnd, 'evt', 'plain', record.length - FRAME_LENGTH);
    try {
      await this.#file.truncate(this.#writtenEnd);
      await writeAll(this.#file, [record], this.#writtenEnd);
      return this.#writtenEnd + record.length;
    } catch {
      await this.#file.truncate(this.#writtenEnd).catch(() => undefined);
      return this.#writtenEnd;
    }
  }

  #lastTime(): bigint {
    return this.#encoder.lastTime;
  }

  async #settled(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  /** Everything that was appended is on its way no more; returns where the file ends, and the events up to there. */
  async #flush(): Promise<{ readonly end: number; readonly events: number }> {
    clearTimeout(this.#timer);
    await this.#settled();
    if (this.#loss === undefined && this.#encoder.count > 0) {
      this.#seal();
      await this.#settled();
    }
    const end = this.#loss === undefined ? this.#writtenEnd : await this.#mark();
    return { end, events: this.#eventsOnDisk + (end > this.#writtenEnd ? 1 : 0) };
  }

  /** Written aside, and not whole: it is not put in its place. */
  get #isGivenUp(): boolean {
    return this.#aside !== undefined && this.#loss !== undefined;
  }

  async #leave(): Promise<Closed> {
    const { end, events } = await this.#flush();
    const path = this.#aside === undefined || this.#isGivenUp ? this.#path : await this.#place(this.#aside);
    return await this.#letGo(path, end, events);
  }

  async #close(facts: LateFacts): Promise<Closed> {
    const { end, events } = await this.#flush();
    if (this.#isGivenUp) return await this.#letGo(this.#path, 0, events);
    const packing = beside(this.#path, 'packing');
    try {
      await remove(this.#disk, packing);
      const packed = await packJournal(this.#file, end, { ...this.#header, ...facts }, packing, this.#disk);
      return await this.#letGo(await this.#place(packing), packed.bytes, events);
    } catch (error) {
      await remove(this.#disk, packing).catch(() => undefined);
      const failure = error instanceof Error ? error : new Error(String(error));
      if (this.#aside !== undefined) {
        this.#lose(failure, events, end);
        return await this.#letGo(this.#path, 0, events, failure);
      }
      const bytes = await this.#endJournal(end, events);
      if (!(await this.#stands())) this.#lose(new Error('the file is gone'), events, bytes);
      return await this.#letGo(this.#path, bytes, events, failure);
    }
  }

  /** Whether the file still has its name: its folder may have been removed, with all that was in it. */
  async #stands(): Promise<boolean> {
    const there = await this.#disk.look(this.#path).catch(() => undefined);
    return there !== undefined && key(there) === key(this.#identity);
  }

  /** Nothing of what was written can be had any more. */
  #lose(why: Error, events: number, bytes: number): void {
    const { error = why, events: before = 0, bytes: others = 0 } = this.#loss ?? {};
    this.#loss = { error, events: before + events, bytes: others + bytes };
  }

  /** Lets go of the file. */
  async #letGo(path: string, bytes: number, events: number, packFailure?: Error): Promise<Closed> {
    recording.delete(key(this.#identity));
    await this.#file.close().catch(() => undefined);
    if (this.#aside !== undefined) await remove(this.#disk, this.#aside).catch(() => undefined);
    const loss = this.#loss;
    return { path, bytes, events, calls: this.#calls, ...(loss === undefined ? {} : { loss }), ...(packFailure === undefined ? {} : { packFailure }) };
  }

  /** Puts a file where the journal stands or is to stand, unless by now something else stands there. */
  async #place(file: string): Promise<string> {
    let path = this.#path;
    let there = await this.#disk.look(path);
    const isOurs = (identity: FileIdentity): boolean => key(identity) === key(this.#identity) || (this.#aside !== undefined && this.#isForced);
    for (let n = 1; there !== undefined && !isOurs(there); n++) {
      path = beside(this.#path, String(n), 'visible');
      there = await this.#disk.look(path);
    }
    await this.#disk.rename(file, path);
    return path;
  }

  async #endJournal(end: number, events: number): Promise<number> {
    const content = encodeEnd({ indexOffset: 0, indexRecords: 0, events, calls: this.#calls, connections: 0, payloads: 0, duration: this.#lastTime() });
    const record = frame(content, end, 'end', 'plain', content.length);
    try {
      await writeAll(this.#file, [record], end);
      return end + record.length;
    } catch {
      await this.#file.truncate(end).catch(() => undefined);
      return end;
    }
  }
}

function headerContent(header: NewHeader): Uint8Array {
  if (Number.isNaN(header.startedAt.getTime())) throw new BridgetapeError('bad-argument', 'The start of the recording is not a time.', 'Pass the wall clock as a valid Date.');
  try {
    return encodeHeader(header, process.pid);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw new BridgetapeError('bad-argument', `The cassette's header cannot be written: ${error.message}.`, 'Leave out the command (--no-command), or shorten it.', { cause: error });
  }
}
