/**
 * Reads a cassette of format v1. Nothing in the file is trusted: every length and count is bounded before anything
 * is allocated for it, and what can't be read is a `Damage` and, among the events, a gap in the place of what is
 * missing.
 */
import { BridgetapeError } from '../../errors.js';
import type { Source } from '../disk.js';
import type { CassetteEvent, HeaderField, MessageEvent, Nanoseconds } from '../events.js';
import type { CassetteHeader } from '../header.js';
import type { Payloads } from '../late-message.js';
import type { EventListener } from '../passing-event.js';
import type { BlockRuns, CallEntry, CallSummary, ConnectionSummary } from '../summary.js';
import { type Batch, decodeBatch } from './batch-decoder.js';
import { MAX_LISTED } from './bounds.js';
import type { DecodedEvent, EventCursor, StoredMessage } from './event-cursor.js';
import type { EventBlock, PayloadBlockPlace } from './index-record.js';
import { type CassetteState, type Layout, layoutFromIndex, scan } from './layout.js';
import { Malformed } from './msgpack.js';
import { countOf, decodePayloads, payloadAt, type PayloadBlock } from './payload-block.js';
import { type Damage, findEnd, readHeader, readRecord, Unreadable } from './records.js';
import { SharedHeaders } from './shared-headers.js';

interface DecodedBlock {
  readonly events: readonly DecodedEvent[];
  /** Made when the first call is asked for. */
  byCall: ReadonlyMap<number, readonly DecodedEvent[]> | undefined;
}

/** Blocks of events kept decoded, so that reading call after call doesn't unpack each block again for every call. */
const CACHED_BLOCKS = 4;
/** Unpacked payloads kept: those of several builds that are replayed at once, each somewhere else in the file. */
const CACHED_PAYLOAD_BYTES = 16 * 1024 * 1024;

const unreadable = ({ kind, size }: { readonly kind: string; readonly size: number }): string => `the cassette is damaged: the payload of a ${kind} of ${size} bytes cannot be read`;

export class ReaderV1 implements Payloads {
  readonly header: CassetteHeader;
  readonly layout: Layout;
  readonly #source: Source;
  readonly #damages: Damage[];
  readonly #end: ReturnType<typeof findEnd>;
  #calls: readonly CallEntry[] | undefined;
  #runs: ReadonlyMap<number, BlockRuns> | undefined;
  readonly #eventCache = new Map<number, DecodedBlock>();
  readonly #payloadCache = new Map<number, PayloadBlock | undefined>();
  #cachedPayloadBytes = 0;
  #keptPayloadBytes = CACHED_PAYLOAD_BYTES;

  /** @throws Unreadable when there is neither a header nor anything behind it */
  constructor(source: Source) {
    this.#source = source;
    const end = findEnd(source);
    this.#end = end;
    const indexed = end === undefined ? undefined : layoutFromIndex(source, end.end, end.offset);
    this.layout = indexed ?? scan(source, end !== undefined);
    this.#damages = [...this.layout.damages];
    this.header = this.#header();
    if (indexed === undefined && end !== undefined && end.end.indexRecords > 0) this.#noteIndex();
  }

  /** The index that the end record promises can't be used, though every event may be there. */
  #noteIndex(): void {
    const end = this.#end;
    if (end === undefined || this.#damages.some(({ kind }) => kind === 'index')) return;
    this.#note({ offset: end.end.indexOffset, bytes: Math.max(0, end.offset - end.end.indexOffset), kind: 'index', reason: 'the index does not fit the file', calls: [] });
  }

  /** A file that has lost only its header is still read; what the header said is then unknown. */
  #header(): CassetteHeader {
    try {
      return readHeader(this.#source).header;
    } catch (error) {
      if (!(error instanceof Unreadable) || this.layout.index.eventBlocks.length === 0) throw error;
      this.#note({ ...error.damage, calls: [] });
      return { formatVersion: 1, tool: 'unknown', startedAt: new Date(0), listen: [], upstream: 'unknown', bodiesLeftOut: [] };
    }
  }

  #note(damage: Damage): void {
    if (!this.#damages.some(({ offset }) => offset === damage.offset)) this.#damages.push(damage);
  }

  get state(): CassetteState {
    return this.#damages.length > 0 ? 'damaged' : this.layout.state;
  }

  /** Grows when reading meets more. */
  get damages(): readonly Damage[] {
    return this.#damages;
  }

  /** Read when they are first asked for: whoever only walks the events needs no list of their calls. */
  get calls(): readonly CallEntry[] {
    this.#calls ??= this.layout.calls() ?? this.#callsWithoutIndex();
    return this.#calls;
  }

  #callsWithoutIndex(): readonly CallEntry[] {
    const { damages, calls } = scan(this.#source, true);
    for (const damage of damages) this.#note(damage);
    this.#noteIndex();
    return calls();
  }

  get #runsByCall(): ReadonlyMap<number, BlockRuns> {
    this.#runs ??= new Map(this.calls.map(({ summary, blocks }) => [summary.id, blocks]));
    return this.#runs;
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
    return this.#runsByCall.has(id);
  }

  call(id: number): CassetteEvent[] {
    const runs = this.#runsByCall.get(id) ?? [];
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
    const holes = new Holes();
    for (const [number, place] of this.layout.index.eventBlocks.entries()) {
      yield* holes.upTo(place.firstSeq, place.offset);
      for (const event of this.#eventBlock(number, place)?.events ?? []) {
        yield this.#resolve(event);
        holes.pass(event);
      }
      yield* holes.upTo(place.firstSeq + place.count, place.offset);
    }
  }

  /** All events without an object for each of a call's, those of a block up to the first that cannot be read. Payloads of the server's messages stay in the file. */
  tell(listener: EventListener): void {
    const headers = new SharedHeaders();
    const holes = new Holes();
    for (const place of this.layout.index.eventBlocks) {
      for (const gap of holes.upTo(place.firstSeq, place.offset)) listener.add(gap);
      this.#guarded(place.offset, 'events', () => {
        const cursor = this.#batch(place).cursor(headers);
        while (cursor.next()) {
          this.#tellOf(cursor, listener);
          holes.pass(cursor);
        }
      });
      for (const gap of holes.upTo(place.firstSeq + place.count, place.offset)) listener.add(gap);
    }
  }

  #tellOf(cursor: EventCursor, listener: EventListener): void {
    if (cursor.apart !== undefined) {
      listener.add(cursor.apart);
      return;
    }
    if (cursor.kind === 'client-message' && typeof cursor.payload === 'number') {
      const event = this.#resolve(cursor.event);
      if (event.kind !== 'client-message') {
        listener.add(event);
        return;
      }
      cursor.payload = event.data;
    }
    listener.pass(cursor, this);
  }

  #eventBlock(number: number, place: EventBlock): DecodedBlock | undefined {
    const known = this.#eventCache.get(number);
    if (known !== undefined) {
      this.#eventCache.delete(number);
      this.#eventCache.set(number, known);
      return known;
    }
    const events = this.#decoded(place);
    const block = events && { events, byCall: undefined };
    if (block !== undefined) remember(this.#eventCache, number, block);
    return block;
  }

  #decoded(place: EventBlock): readonly DecodedEvent[] | undefined {
    return this.#guarded(place.offset, 'events', () => [...this.#batch(place).events]);
  }

  #batch(place: EventBlock): Batch {
    const record = readRecord(this.#source, place.offset);
    const batch = decodeBatch(record.raw);
    if (record.frame.kind !== 'evt' || batch.firstSeq !== place.firstSeq || batch.count !== place.count) throw new Malformed('the block is not the one that the index names');
    return batch;
  }

  #guarded<T>(offset: number, kind: 'events' | 'payloads', read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      this.#noteUnreadable(error, offset, kind);
      return undefined;
    }
  }

  /** Whatever else went wrong is thrown again. */
  #noteUnreadable(error: unknown, offset: number, kind: 'events' | 'payloads'): void {
    if (!(error instanceof Unreadable) && !(error instanceof Malformed)) throw error;
    const bytes = error instanceof Unreadable ? error.damage.bytes : 0;
    this.#note({ offset, bytes, kind, reason: error.message, calls: this.callsAt(offset) });
  }

  /** The calls that have events in the block at the offset. */
  callsAt(offset: number): number[] {
    const number = this.layout.index.eventBlocks.findIndex((block) => block.offset === offset);
    if (number < 0) return [];
    return this.calls.filter(({ blocks }) => holds(blocks, number)).map(({ summary }) => summary.id).slice(0, MAX_LISTED);
  }

  /** A decoded event as others get it: the payload in place, nothing shared with a block. */
  #resolve(event: DecodedEvent): CassetteEvent {
    switch (event.kind) {
      case 'client-message':
      case 'server-message': {
        if (!('stored' in event)) return event.data === undefined ? event : { ...event, data: new Uint8Array(event.data) };
        const { stored, ...message } = event;
        const payload = this.#stored(stored);
        return this.#withPayload(message, payload && new Uint8Array(payload));
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

  #withPayload(message: Omit<StoredMessage, 'stored'>, payload: Uint8Array | undefined): CassetteEvent {
    const { kind, seq, time, connection, call, size } = message;
    if (payload?.length === size) return { ...message, data: payload };
    return { kind: 'gap', seq, time, connection, call, side: kind === 'client-message' ? 'client' : 'server', offset: 0, bytes: size, reason: unreadable(message) };
  }

  /** @throws BridgetapeError `cassette-damaged` */
  payload(at: number, message: Omit<MessageEvent, 'data'>): Uint8Array {
    const payload = this.#stored(at);
    if (payload?.length === message.size) return payload;
    throw new BridgetapeError('cassette-damaged', `${unreadable(message)} (call ${message.call}, event ${message.seq}).`, 'Check the cassette with: bridgetape verify FILE');
  }

  /** A stored payload as a view of its block; undefined when it can't be read. */
  #stored(number: number): Uint8Array | undefined {
    const at = findBlock(this.layout.index.payloadBlocks, number);
    const place = this.layout.index.payloadBlocks[at];
    if (place === undefined || number >= place.first + place.count) return undefined;
    const block = this.#payloadBlock(at, place);
    return block && payloadAt(block, number - place.first);
  }

  /** Unpacks payloads before they are asked for, from the first on: up to so many bytes, which are kept from here on. */
  unpackAhead(keptBytes: number): void {
    this.#keptPayloadBytes = keptBytes;
    for (const [at, place] of this.layout.index.payloadBlocks.entries()) {
      const bytes = this.#payloadBlock(at, place)?.bytes.length ?? 0;
      if (this.#cachedPayloadBytes + bytes > keptBytes) return;
    }
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
      if (record.frame.kind !== 'pay' || decoded.first !== place.first || countOf(decoded) !== place.count) throw new Malformed('the block is not the one that the index names');
      return decoded;
    });
    this.#payloadCache.set(at, block);
    this.#cachedPayloadBytes += block?.bytes.length ?? 0;
    for (const [oldest, dropped] of this.#payloadCache) {
      if (this.#cachedPayloadBytes <= this.#keptPayloadBytes || oldest === at) break;
      this.#payloadCache.delete(oldest);
      this.#cachedPayloadBytes -= dropped?.bytes.length ?? 0;
    }
    return block;
  }
}

/** Where events are missing between those that were read. */
class Holes {
  private next = 0;
  private time: Nanoseconds | number | undefined;

  pass({ seq, time }: { readonly seq: number; readonly time: Nanoseconds | number }): void {
    this.next = seq + 1;
    this.time = time;
  }

  /** What stands for those before an event, as far as they did not pass. @param offset of the block that should have them, or stands behind where they were */
  *upTo(seq: number, offset: number): Generator<CassetteEvent> {
    if (this.next < seq) yield lost({ offset, firstSeq: this.next, count: seq - this.next }, this.time === undefined ? undefined : BigInt(this.time));
    this.next = seq;
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

