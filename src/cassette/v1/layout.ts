/** What a cassette holds and where: from the index when it has one, else from a walk over all of its records. */
import type { Source } from '../disk.js';
import { type BlockRuns, type CallEntry, Summariser } from '../summary.js';
import { type Batch, decodeBatch } from './batch-decoder.js';
import type { DecodedEvent } from './event-cursor.js';
import { MAX_BLOCKS, MAX_CALLS, MAX_CONNECTIONS, MAX_DAMAGES, MAX_INDEX, MAX_INDEX_TEXT, MAX_LISTED, RESYNC_WORK, scanWork } from './bounds.js';
import { FRAME_LENGTH, parseFrame, PREAMBLE_LENGTH } from './frame.js';
import { boundRuns, decodeIndex, emptyIndex, type End, type Index, listsCalls } from './index-record.js';
import { Malformed } from './msgpack.js';
import { countOf, decodePayloads, type PayloadBlock } from './payload-block.js';
import { type Damage, readRecord, tryRecord, Unreadable } from './records.js';

export type CassetteState = 'whole' | 'interrupted' | 'damaged';

/** What lies behind the last whole record of an interrupted file. */
export interface Tail {
  readonly offset: number;
  readonly bytes: number;
}

/** What a scan or the index says about the file. */
export interface Layout {
  readonly state: CassetteState;
  readonly index: Omit<Index, 'calls'>;
  /** Reads the list of calls, each time; undefined when an index holds none that fits the rest of it. */
  readonly calls: () => readonly CallEntry[] | undefined;
  readonly indexed: boolean;
  readonly eventCount: number;
  readonly callCount: number;
  readonly payloadCount: number;
  readonly duration: bigint;
  readonly damages: readonly Damage[];
  readonly tail: Tail | undefined;
}

/** A walk makes the list of calls by itself. */
export interface ScannedLayout extends Layout {
  readonly calls: () => readonly CallEntry[];
}

/** Whoever only plays a recording needs no list of its calls, which takes longer to read than all the rest of an index. */
export function layoutFromIndex(source: Source, end: End, endOffset: number): Layout | undefined {
  if (end.indexRecords === 0) return undefined;
  const index = readIndex(source, end, endOffset, false);
  if (index === undefined || !isConsistent(index, end)) return undefined;
  return {
    state: 'whole',
    index,
    calls: () => {
      const calls = readIndex(source, end, endOffset, true)?.calls;
      return calls?.every(({ blocks }) => isAscending(blocks, index.eventBlocks.length)) === true ? calls : undefined;
    },
    indexed: true,
    eventCount: end.events,
    callCount: end.calls,
    payloadCount: end.payloads,
    duration: end.duration,
    damages: [],
    tail: undefined,
  };
}

/** All records of the index, or all up to the list of calls. */
function readIndex(source: Source, end: End, endOffset: number, withCalls: boolean): Index | undefined {
  const index = emptyIndex();
  let at = end.indexOffset;
  let rawBytes = 0;
  let runs = 0;
  try {
    for (let i = 0; i < end.indexRecords; i++) {
      if (at < PREAMBLE_LENGTH || at >= endOffset) return undefined;
      const record = readRecord(source, at);
      rawBytes += record.raw.length;
      if (record.frame.kind !== 'idx' || rawBytes > MAX_INDEX) return undefined;
      if (!withCalls && listsCalls(record.raw)) return index;
      runs += decodeIndex(record.raw, index);
      boundRuns(runs);
      at = record.next;
    }
  } catch (error) {
    if (error instanceof Unreadable || error instanceof Malformed) return undefined;
    throw error;
  }
  return at === endOffset ? index : undefined;
}

/** The index must be one that a reader can walk without checking again: blocks without holes, runs inside them. */
function isConsistent(index: Index, end: End): boolean {
  let seq = 0;
  for (const block of index.eventBlocks) {
    if (block.firstSeq !== seq || block.count === 0) return false;
    seq += block.count;
  }
  let payload = 0;
  for (const block of index.payloadBlocks) {
    if (block.first !== payload || block.count === 0) return false;
    payload += block.count;
  }
  return seq === end.events && payload === end.payloads;
}

function isAscending(runs: BlockRuns, blocks: number): boolean {
  let from = 0;
  for (let i = 0; i < runs.length; i += 2) {
    const first = runs[i] ?? 0;
    const count = runs[i + 1] ?? 0;
    if (first < from || count === 0 || first + count > blocks) return false;
    from = first + count;
  }
  return true;
}

/** Told what a walk meets, for a reader that wants to check more than can be read. */
export interface Inspector {
  events(events: readonly DecodedEvent[]): void;
  /** May throw Malformed. */
  payloads(block: PayloadBlock): void;
}

/**
 * Walks all records of a file.
 *
 * @param closed whether an end record closes the file, so that what can't be read is damage, not a cut-off tail
 */
export function scan(source: Source, closed: boolean, inspector?: Inspector): ScannedLayout {
  return new Scan(source, closed, inspector).run();
}

class Scan {
  readonly #source: Source;
  readonly #closed: boolean;
  readonly #inspector: Inspector | undefined;
  readonly #index = emptyIndex();
  readonly #summary = new Summariser({ calls: MAX_CALLS, connections: MAX_CONNECTIONS, text: MAX_INDEX_TEXT });
  readonly #damages: Damage[] = [];
  #payloads = 0;
  #calls = 0;
  #nextSeq = 0;
  #ended = false;
  #tail: Tail | undefined;
  #unpacked = 0;
  #resyncWork = RESYNC_WORK;

  constructor(source: Source, closed: boolean, inspector: Inspector | undefined) {
    this.#source = source;
    this.#closed = closed;
    this.#inspector = inspector;
  }

  run(): ScannedLayout {
    let at: number | undefined = PREAMBLE_LENGTH;
    while (at !== undefined && at < this.#source.size) at = this.#step(at);
    const calls = this.#summary.calls();
    return {
      state: this.#damages.length > 0 ? 'damaged' : this.#ended ? 'whole' : 'interrupted',
      index: { ...this.#index, connections: this.#summary.connections() },
      calls: () => calls,
      indexed: false,
      eventCount: this.#summary.eventCount,
      callCount: this.#calls,
      payloadCount: this.#payloads,
      duration: this.#summary.duration,
      damages: this.#damages,
      tail: this.#tail,
    };
  }

  /** Reads the record at the offset, or steps over what can't be read; undefined when there is nothing more to read. */
  #step(at: number): number | undefined {
    try {
      if (this.#ended) throw new Malformed('it stands behind the end record');
      const record = readRecord(this.#source, at);
      this.#unpacked += record.raw.length;
      if (this.#unpacked > scanWork(this.#source.size)) {
        this.#damaged({ offset: at, bytes: this.#source.size - at, kind: 'unknown', reason: 'the file unpacks to more than a recording of its size would' });
        return undefined;
      }
      this.#take(record.frame.kind, record.raw, at);
      return record.next;
    } catch (error) {
      if (!(error instanceof Unreadable) && !(error instanceof Malformed)) throw error;
      return this.#stepOver(at, error);
    }
  }

  #stepOver(at: number, error: Unreadable | Malformed): number | undefined {
    const source = this.#source;
    const found = this.#damages.length < MAX_DAMAGES ? this.#resync(at + 1) : undefined;
    const bytes = (found ?? source.size) - at;
    if (found === undefined && !this.#ended && !this.#closed && this.#damages.length < MAX_DAMAGES) this.#tail = { offset: at, bytes };
    else this.#damaged({ offset: at, bytes, kind: error instanceof Unreadable ? error.damage.kind : 'unknown', reason: error.message });
    return found;
  }

  #damaged(damage: Omit<Damage, 'calls'>): void {
    this.#damages.push({ ...damage, calls: this.#summary.openCalls().slice(0, MAX_LISTED) });
  }

  #take(kind: string, raw: Uint8Array, offset: number): void {
    if (kind === 'evt') this.#takeEvents(decodeBatch(raw), offset);
    else if (kind === 'pay') this.#takePayloads(decodePayloads(raw), offset);
    else if (kind === 'end') this.#ended = true;
  }

  #takeEvents(batch: Batch, offset: number): void {
    const { firstSeq } = batch;
    const events = [...batch.events];
    if (firstSeq < this.#nextSeq) throw new Malformed('its sequence numbers were used before');
    if (events.length === 0) return;
    const block = this.#index.eventBlocks.length;
    if (block >= MAX_BLOCKS) throw new Malformed(`the file has more than ${MAX_BLOCKS} blocks of events`);
    this.#index.eventBlocks.push({ offset, firstSeq, count: events.length });
    for (const event of events) {
      this.#summary.add(event, block);
      if (event.kind === 'client-header') this.#calls++;
    }
    this.#nextSeq = firstSeq + events.length;
    this.#inspector?.events(events);
  }

  #takePayloads(block: PayloadBlock, offset: number): void {
    if (block.first < this.#payloads) throw new Malformed('its payload numbers were used before');
    this.#inspector?.payloads(block);
    if (this.#index.payloadBlocks.length >= MAX_BLOCKS) throw new Malformed(`the file has more than ${MAX_BLOCKS} blocks of payloads`);
    this.#index.payloadBlocks.push({ offset, first: block.first, count: countOf(block) });
    this.#payloads = block.first + countOf(block);
  }

  /** The next offset at which a whole record begins. The work is bounded: hostile bytes may look like frames everywhere. */
  #resync(from: number): number | undefined {
    const { size } = this.#source;
    const window = Buffer.alloc(Math.min(1024 * 1024, Math.max(size - from, FRAME_LENGTH)));
    for (let start = from; start + FRAME_LENGTH <= size; start += window.length - FRAME_LENGTH + 1) {
      const part = window.subarray(0, this.#source.read(window, start));
      for (let i = 0; i + FRAME_LENGTH <= part.length; i++) {
        const frame = parseFrame(part, i);
        if (frame === undefined || start + i + FRAME_LENGTH + frame.storedLength > size) continue;
        this.#resyncWork -= frame.storedLength + FRAME_LENGTH;
        if (this.#resyncWork < 0) return undefined;
        if (tryRecord(this.#source, start + i) !== undefined) return start + i;
      }
    }
    return undefined;
  }
}
