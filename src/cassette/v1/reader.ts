/**
 * Reads a cassette of format v1, from the index when there is one, else by a scan of the whole file. Nothing in
 * the file is trusted: every length and count is bounded before anything is allocated for it, and what can't be
 * read is a `Damage` and, among the events, a gap in the place of what is missing.
 */
import { brotliDecompressSync, constants } from 'node:zlib';
import type { Source } from '../disk.js';
import type { CassetteEvent, HeaderField, Nanoseconds } from '../events.js';
import type { CassetteHeader } from '../header.js';
import { type BlockRuns, type CallEntry, type CallSummary, type ConnectionSummary, Summariser } from '../summary.js';
import { type DecodedEvent, decodeBatch } from './batch-decoder.js';
import { MAX_CALLS, MAX_CONNECTIONS, MAX_HEADER, MAX_INDEX, MAX_INDEX_TEXT, RESYNC_WORK } from './bounds.js';
import { checksum, type Frame, FRAME_LENGTH, parseFrame, PREAMBLE_LENGTH } from './frame.js';
import { decodeHeader, type HeaderRecord } from './header-record.js';
import {
  boundRuns,
  decodeEnd,
  decodeIndex,
  emptyIndex,
  type End,
  END_CONTENT_LENGTH,
  type EventBlock,
  type Index,
  type PayloadBlockPlace,
} from './index-record.js';
import { Malformed } from './msgpack.js';
import { decodePayloads, type PayloadBlock } from './payload-block.js';

/** A part of the file that can't be read. */
export interface Damage {
  readonly offset: number;
  readonly bytes: number;
  /** What stood there, as far as that can be known. */
  readonly kind: 'header' | 'events' | 'payloads' | 'index' | 'end' | 'unknown';
  readonly reason: string;
  /** Calls that are hit: of an indexed block those that it holds, else those that were running there. */
  readonly calls: readonly number[];
}

export type CassetteState = 'whole' | 'interrupted' | 'damaged';

/** What lies behind the last whole record of an interrupted file. */
export interface Tail {
  readonly offset: number;
  readonly bytes: number;
}

const kindNames = { hdr: 'header', evt: 'events', pay: 'payloads', idx: 'index', end: 'end' } as const;

interface RecordAt {
  readonly offset: number;
  readonly frame: Frame;
  /** Offset behind the record. */
  readonly next: number;
}

/** Thrown inside this folder when a record can't be read. */
class Unreadable extends Error {
  constructor(
    readonly damage: Omit<Damage, 'calls'>,
  ) {
    super(damage.reason);
  }
}

/** Reads the record whose frame stands at the offset: length, CRC, codec. */
export function readRecord(source: Source, offset: number): RecordAt & { readonly raw: Uint8Array } {
  const unreadable = (bytes: number, kind: Damage['kind'], reason: string): Unreadable => new Unreadable({ offset, bytes, kind, reason });
  const head = Buffer.alloc(FRAME_LENGTH);
  if (source.read(head, offset) < FRAME_LENGTH) throw unreadable(Math.max(0, source.size - offset), 'unknown', 'the file ends inside a record');
  const frame = parseFrame(head);
  if (frame === undefined) throw unreadable(FRAME_LENGTH, 'unknown', 'no record begins here');
  const kind = kindNames[frame.kind];
  const length = FRAME_LENGTH + frame.storedLength;
  if (offset + length > source.size) throw unreadable(source.size - offset, kind, 'the file ends inside the record');
  const record = Buffer.allocUnsafeSlow(length);
  record.set(head);
  if (source.read(record.subarray(FRAME_LENGTH), offset + FRAME_LENGTH) < frame.storedLength) throw unreadable(source.size - offset, kind, 'the file ends inside the record');
  if (checksum(record, offset) !== frame.crc) throw unreadable(length, kind, 'the checksum is wrong');
  try {
    return { offset, frame, next: offset + length, raw: unpack(record.subarray(FRAME_LENGTH), frame) };
  } catch (error) {
    throw unreadable(length, kind, `the record cannot be unpacked: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function unpack(content: Uint8Array, frame: Frame): Uint8Array {
  if (frame.codec === 'plain') return content;
  const raw = brotliDecompressSync(content, {
    maxOutputLength: Math.max(1, frame.rawLength),
    chunkSize: Math.min(Math.max(frame.rawLength, 1024), 1024 * 1024),
    params: { [constants.BROTLI_DECODER_PARAM_LARGE_WINDOW]: 0 },
  });
  if (raw.length !== frame.rawLength) throw new Malformed(`${raw.length} bytes came out, not ${frame.rawLength}`);
  return raw;
}

function tryRecord(source: Source, offset: number): (RecordAt & { readonly raw: Uint8Array }) | undefined {
  try {
    return readRecord(source, offset);
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}

/** The end record, when the file closes with one. */
function findEnd(source: Source): { readonly end: End; readonly offset: number } | undefined {
  const offset = source.size - FRAME_LENGTH - END_CONTENT_LENGTH;
  if (offset < PREAMBLE_LENGTH) return undefined;
  const record = tryRecord(source, offset);
  if (record?.frame.kind !== 'end' || record.next !== source.size) return undefined;
  try {
    return { end: decodeEnd(record.raw), offset };
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

function readHeader(source: Source): HeaderRecord {
  const record = readRecord(source, PREAMBLE_LENGTH);
  if (record.frame.kind !== 'hdr' || record.raw.length > MAX_HEADER) {
    throw new Unreadable({ offset: PREAMBLE_LENGTH, bytes: record.next - PREAMBLE_LENGTH, kind: 'header', reason: 'the first record is not a header' });
  }
  try {
    return decodeHeader(record.raw);
  } catch (error) {
    if (error instanceof Malformed) throw new Unreadable({ offset: PREAMBLE_LENGTH, bytes: record.next - PREAMBLE_LENGTH, kind: 'header', reason: error.message });
    throw error;
  }
}

/** The process that is (or was, when it died) recording to the file; undefined for anything else. */
export function recorderOf(path: string, open: (path: string) => Source): number | undefined {
  const source = open(path);
  try {
    if (findEnd(source) !== undefined) return undefined;
    return readHeader(source).recorder;
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  } finally {
    source.close();
  }
}

/** What a scan or the index says about the file. */
export interface Layout {
  readonly state: CassetteState;
  readonly index: Index;
  readonly indexed: boolean;
  readonly eventCount: number;
  readonly callCount: number;
  readonly payloadCount: number;
  readonly duration: bigint;
  readonly damages: readonly Damage[];
  readonly tail: Tail | undefined;
}

function layoutFromIndex(source: Source, end: End, endOffset: number): Layout | undefined {
  if (end.indexRecords === 0) return undefined;
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
      runs += decodeIndex(record.raw, index);
      boundRuns(runs);
      at = record.next;
    }
    if (at !== endOffset || !isConsistent(index, end)) return undefined;
  } catch (error) {
    if (error instanceof Unreadable || error instanceof Malformed) return undefined;
    throw error;
  }
  return {
    state: 'whole',
    index,
    indexed: true,
    eventCount: end.events,
    callCount: end.calls,
    payloadCount: end.payloads,
    duration: end.duration,
    damages: [],
    tail: undefined,
  };
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
  if (seq !== end.events || payload !== end.payloads) return false;
  return index.calls.every(({ blocks }) => isAscending(blocks, index.eventBlocks.length));
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

/** Walks the records of a file that has no usable index. */
function scan(source: Source, closing: boolean): Layout {
  const index = emptyIndex();
  const summary = new Summariser({ calls: MAX_CALLS, connections: MAX_CONNECTIONS, text: MAX_INDEX_TEXT });
  const damages: Damage[] = [];
  let payloads = 0;
  let calls = 0;
  let nextSeq = 0;
  let ended = false;
  let tail: Tail | undefined;
  let at = PREAMBLE_LENGTH;
  const damaged = (damage: Omit<Damage, 'calls'>): void => {
    damages.push({ ...damage, calls: summary.openCalls() });
  };
  while (at < source.size) {
    let next: number;
    try {
      const record = readRecord(source, at);
      next = record.next;
      if (record.frame.kind === 'evt') {
        const batch = decodeBatch(record.raw);
        if (batch.firstSeq < nextSeq) throw new Malformed('its sequence numbers were used before');
        if (batch.events.length > 0) {
          const block = index.eventBlocks.length;
          index.eventBlocks.push({ offset: at, firstSeq: batch.firstSeq, count: batch.events.length });
          for (const event of batch.events) {
            summary.add(event, block);
            if (event.kind === 'client-header') calls++;
          }
          nextSeq = batch.firstSeq + batch.events.length;
        }
      } else if (record.frame.kind === 'pay') {
        const block = decodePayloads(record.raw);
        if (block.first < payloads) throw new Malformed('its payload numbers were used before');
        index.payloadBlocks.push({ offset: at, first: block.first, count: block.lengths.length });
        payloads = block.first + block.lengths.length;
      } else if (record.frame.kind === 'end') ended = true;
    } catch (error) {
      if (!(error instanceof Unreadable) && !(error instanceof Malformed)) throw error;
      const found = resync(source, at + 1);
      const bytes = (found ?? source.size) - at;
      if (found === undefined && !ended && !closing) {
        tail = { offset: at, bytes };
        break;
      }
      damaged({ offset: at, bytes, kind: error instanceof Unreadable ? error.damage.kind : 'events', reason: error.message });
      if (found === undefined) break;
      next = found;
    }
    at = next;
  }
  if (ended && damages.length === 0 && !closing) {
    damaged({ offset: source.size, bytes: 0, kind: 'unknown', reason: 'there is something behind the end record' });
  }
  return {
    state: damages.length > 0 ? 'damaged' : ended ? 'whole' : 'interrupted',
    index: { ...index, calls: summary.calls(), connections: summary.connections() },
    indexed: false,
    eventCount: summary.eventCount,
    callCount: calls,
    payloadCount: payloads,
    duration: summary.duration,
    damages,
    tail,
  };
}

/** The next offset at which a whole record begins. The work is bounded: hostile bytes may look like frames everywhere. */
function resync(source: Source, from: number): number | undefined {
  const window = Buffer.alloc(1024 * 1024);
  let work = 0;
  for (let start = from; start + FRAME_LENGTH <= source.size; start += window.length - FRAME_LENGTH + 1) {
    const got = source.read(window, start);
    const part = window.subarray(0, got);
    for (let i = 0; i + FRAME_LENGTH <= part.length; i++) {
      const frame = parseFrame(part, i);
      if (frame === undefined || start + i + FRAME_LENGTH + frame.storedLength > source.size) continue;
      work += frame.storedLength + FRAME_LENGTH;
      if (work > RESYNC_WORK) return undefined;
      if (tryRecord(source, start + i) !== undefined) return start + i;
    }
  }
  return undefined;
}

interface DecodedBlock {
  readonly events: readonly DecodedEvent[];
  /** Made when the first call is asked for. */
  byCall: ReadonlyMap<number, readonly DecodedEvent[]> | undefined;
}

/** Blocks kept unpacked, so that reading call after call doesn't unpack each block again for every call. */
const CACHED_BLOCKS = 4;

export class ReaderV1 {
  readonly header: CassetteHeader;
  readonly layout: Layout;
  readonly #source: Source;
  readonly #damages: Damage[];
  readonly #runs = new Map<number, BlockRuns>();
  readonly #eventCache = new Map<number, DecodedBlock>();
  readonly #payloadCache = new Map<number, PayloadBlock | undefined>();

  /** @throws Unreadable when there is no header */
  constructor(source: Source) {
    this.#source = source;
    this.header = readHeader(source).header;
    const end = findEnd(source);
    const fromIndex = end === undefined ? undefined : layoutFromIndex(source, end.end, end.offset);
    const layout = fromIndex ?? scan(source, end !== undefined);
    // An end record that promises an index which can't be read is damage, though every event may be there.
    const lostIndex = fromIndex === undefined && end !== undefined && end.end.indexRecords > 0;
    this.#damages = [...layout.damages];
    if (lostIndex && !this.#damages.some(({ kind }) => kind === 'index')) {
      this.#damages.push({ offset: end.end.indexOffset, bytes: Math.max(0, end.offset - end.end.indexOffset), kind: 'index', reason: 'the index does not fit the file', calls: [] });
    }
    this.layout = layout;
    for (const { summary, blocks } of layout.index.calls) this.#runs.set(summary.id, blocks);
  }

  get state(): CassetteState {
    return this.#damages.length > 0 ? 'damaged' : this.layout.state;
  }

  /** Grows when reading meets more. */
  get damages(): readonly Damage[] {
    return this.#damages;
  }

  get calls(): readonly CallEntry[] {
    return this.layout.index.calls;
  }

  get connections(): readonly ConnectionSummary[] {
    return this.layout.index.connections;
  }

  summaries(): CallSummary[] {
    return this.calls.map(({ summary }) => summary);
  }

  close(): void {
    this.#eventCache.clear();
    this.#payloadCache.clear();
    this.#source.close();
  }

  has(id: number): boolean {
    return this.#runs.has(id);
  }

  call(id: number): CassetteEvent[] {
    const runs = this.#runs.get(id) ?? [];
    const events: CassetteEvent[] = [];
    for (let i = 0; i < runs.length; i += 2) {
      const first = runs[i] ?? 0;
      for (let number = first; number < first + (runs[i + 1] ?? 0); number++) {
        const place = this.layout.index.eventBlocks[number];
        if (place === undefined) continue;
        const block = this.#eventBlock(number, place);
        if (block === undefined) events.push(lost(place, events.at(-1)?.time, id));
        else for (const event of eventsOf(block, id)) events.push(this.#resolve(event));
      }
    }
    return events;
  }

  *events(): Generator<CassetteEvent> {
    let nextSeq = 0;
    let time: Nanoseconds | undefined;
    for (const [number, place] of this.layout.index.eventBlocks.entries()) {
      // A hole in a scanned file: the block that stood there is gone.
      if (place.firstSeq > nextSeq) yield lost({ offset: place.offset, firstSeq: nextSeq, count: place.firstSeq - nextSeq }, time);
      nextSeq = place.firstSeq + place.count;
      const block = this.#eventBlock(number, place);
      if (block === undefined) yield lost(place, time);
      else for (const event of block.events) yield this.#resolve(event);
      time = block?.events.at(-1)?.time ?? time;
    }
  }

  #eventBlock(number: number, place: EventBlock): DecodedBlock | undefined {
    const known = this.#eventCache.get(number);
    if (known !== undefined) {
      this.#eventCache.delete(number);
      this.#eventCache.set(number, known);
      return known;
    }
    const block = this.#guarded(place.offset, 'events', (): DecodedBlock => {
      const record = readRecord(this.#source, place.offset);
      const batch = decodeBatch(record.raw);
      if (record.frame.kind !== 'evt' || batch.firstSeq !== place.firstSeq || batch.events.length !== place.count) throw new Malformed('the block is not the one that the index names');
      return { events: batch.events, byCall: undefined };
    });
    if (block !== undefined) remember(this.#eventCache, number, block);
    return block;
  }

  #guarded<T>(offset: number, kind: 'events' | 'payloads', read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof Unreadable) && !(error instanceof Malformed)) throw error;
      if (this.#damages.some((damage) => damage.offset === offset)) return undefined;
      const bytes = error instanceof Unreadable ? error.damage.bytes : 0;
      this.#damages.push({ offset, bytes, kind, reason: error.message, calls: this.#callsAt(offset) });
      return undefined;
    }
  }

  #callsAt(offset: number): number[] {
    const number = this.layout.index.eventBlocks.findIndex((block) => block.offset === offset);
    if (number < 0) return [];
    return this.calls.filter(({ blocks }) => holds(blocks, number)).map(({ summary }) => summary.id);
  }

  /** A decoded event as others get it: the payload in place, nothing shared with a block. */
  #resolve(event: DecodedEvent): CassetteEvent {
    switch (event.kind) {
      case 'client-message':
      case 'server-message': {
        if (!('stored' in event)) return event.data === undefined ? event : { ...event, data: new Uint8Array(event.data) };
        const { stored, ...message } = event;
        const payload = this.payload(stored);
        if (payload?.length === event.size) return { ...message, data: new Uint8Array(payload) };
        const side = event.kind === 'client-message' ? 'client' : 'server';
        const reason = `the cassette is damaged: the payload of a ${event.kind} of ${event.size} bytes cannot be read`;
        return { kind: 'gap', seq: event.seq, time: event.time, connection: event.connection, call: event.call, side, offset: 0, bytes: event.size, reason };
      }
      case 'client-header':
      case 'server-header':
      case 'server-trailer':
        return { ...event, headers: event.headers.map(({ name, value }): HeaderField => ({ name, value: new Uint8Array(value) })) };
      case 'goaway':
        return { ...event, debug: new Uint8Array(event.debug) };
      case 'client-half-close':
      case 'reset':
      case 'connection-open':
      case 'connection-close':
      case 'gap':
        return event;
    }
  }

  /** A stored payload as a view of its block; undefined when it can't be read. */
  payload(number: number): Uint8Array | undefined {
    const at = findBlock(this.layout.index.payloadBlocks, number);
    const place = this.layout.index.payloadBlocks[at];
    if (place === undefined || number >= place.first + place.count) return undefined;
    const block = this.#payloadBlock(at, place);
    if (block === undefined) return undefined;
    let start = 0;
    for (let i = 0; i < number - place.first; i++) start += block.lengths[i] ?? 0;
    return block.bytes.subarray(start, start + (block.lengths[number - place.first] ?? 0));
  }

  #payloadBlock(at: number, place: PayloadBlockPlace): PayloadBlock | undefined {
    if (this.#payloadCache.has(at)) {
      const known = this.#payloadCache.get(at);
      this.#payloadCache.delete(at);
      this.#payloadCache.set(at, known);
      return known;
    }
    const block = this.#guarded(place.offset, 'payloads', (): PayloadBlock => {
      const record = readRecord(this.#source, place.offset);
      const decoded = decodePayloads(record.raw);
      if (record.frame.kind !== 'pay' || decoded.first !== place.first || decoded.lengths.length !== place.count) throw new Malformed('the block is not the one that the index names');
      return decoded;
    });
    remember(this.#payloadCache, at, block);
    return block;
  }
}

/** What stands in the place of events that can't be read; it has the time of the event before it. */
function lost(place: EventBlock, time: Nanoseconds = 0n, call?: number): CassetteEvent {
  const reason = `the cassette is damaged: ${place.count} events from number ${place.firstSeq} on cannot be read (byte ${place.offset} of the file)`;
  return { kind: 'gap', seq: place.firstSeq, time, connection: 0, ...(call === undefined ? {} : { call }), side: 'client', offset: place.offset, bytes: 0, reason };
}

function eventsOf(block: DecodedBlock, id: number): readonly DecodedEvent[] {
  block.byCall ??= groupByCall(block.events);
  return block.byCall.get(id) ?? [];
}

function groupByCall(events: readonly DecodedEvent[]): Map<number, DecodedEvent[]> {
  const groups = new Map<number, DecodedEvent[]>();
  for (const event of events) {
    if (!('call' in event)) continue;
    const group = groups.get(event.call);
    if (group === undefined) groups.set(event.call, [event]);
    else group.push(event);
  }
  return groups;
}

/** The last block that begins at or before the payload. */
function findBlock(blocks: readonly PayloadBlockPlace[], payload: number): number {
  let low = 0;
  let high = blocks.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((blocks[middle]?.first ?? 0) <= payload) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function holds(runs: BlockRuns, block: number): boolean {
  for (let i = 0; i < runs.length; i += 2) {
    const first = runs[i] ?? 0;
    if (block >= first && block < first + (runs[i + 1] ?? 0)) return true;
  }
  return false;
}

function remember<T>(cache: Map<number, T>, key: number, value: T): void {
  cache.set(key, value);
  if (cache.size <= CACHED_BLOCKS) return;
  const oldest = cache.keys().next();
  if (oldest.done !== true) cache.delete(oldest.value);
}

export { Unreadable };
