/**
 * Journal → packed cassette: events in compressed blocks, larger payloads once per digest in blocks of their own,
 * an index, an end record. Streams: what is in memory at once is a journal record, a block of each sort, a few
 * blocks under compression, the digests seen (bounded) and the summaries of the calls.
 */
import { whole } from '../events.js';
import { promisify } from 'node:util';
import { brotliCompress, constants } from 'node:zlib';
import { writeAll, type Disk, type DiskFile } from '../disk.js';
import type { NewHeader } from '../header.js';
import { Summariser } from '../summary.js';
import { type Batch, decodeBatch } from './batch-decoder.js';
import { BatchEncoder, type EncodableEvent, roomFor } from './batch-encoder.js';
import { type DecodedEvent, isMessage } from './event-cursor.js';
import {
  EVENT_BLOCK,
  JOURNAL_BLOCK,
  MAX_CALLS,
  MAX_CONNECTIONS,
  MAX_DIGESTS,
  MAX_INDEX_TEXT,
  PAYLOAD_BLOCK,
  SHARED_PAYLOAD,
} from './bounds.js';
import { checksum, frame, FRAME_LENGTH, parseFrame, preamble, PREAMBLE_LENGTH, type RecordKind } from './frame.js';
import { encodeHeader } from './header-record.js';
import { encodeEnd, encodeIndex, type EventBlock, type Index, type PayloadBlockPlace } from './index-record.js';
import { digestOf, DIGEST_LENGTH, encodePayloadTable } from './payload-block.js';

const compress = promisify(brotliCompress);

/** Blocks under compression at once: as many as the thread pool has threads. */
const IN_FLIGHT = 4;

/**
 * How hard to compress, by the size of the journal, so that closing a short recording takes a moment and a long one
 * seconds rather than minutes. Measured on real builds, one core: quality 11 packs 1 MiB/s to some 90 % of what
 * quality 5 leaves, 9 packs 12 MiB/s, 5 some 60, 4 some 100, 1 some 300.
 */
const qualities: readonly { readonly upTo: number; readonly quality: number }[] = [
  { upTo: 512 * 1024, quality: 11 },
  { upTo: 16 * 1024 * 1024, quality: 9 },
  { upTo: 128 * 1024 * 1024, quality: 5 },
  { upTo: 512 * 1024 * 1024, quality: 4 },
  { upTo: Infinity, quality: 1 },
];

export interface Packed {
  readonly bytes: number;
}

/**
 * @param journal where the recording stands, open for reading
 * @param end where its whole records end
 * @param path the new file; created, and whole when this resolves
 */
export async function packJournal(journal: DiskFile, end: number, header: NewHeader, path: string, disk: Disk): Promise<Packed> {
  const file = await disk.create(path);
  try {
    const quality = qualities.find(({ upTo }) => end <= upTo)?.quality ?? 1;
    const packer = new Packer(new RecordSink(file, quality));
    await packer.begin(header);
    for await (const batch of batches(journal, end)) for (const event of batch.events) await packer.add(event);
    const bytes = await packer.finish();
    await file.sync();
    return { bytes };
  } finally {
    await file.close();
  }
}

/** The events of the journal. Those of one batch are views of a buffer that the next one overwrites. */
async function* batches(journal: DiskFile, end: number): AsyncGenerator<Batch> {
  let buffer = Buffer.allocUnsafeSlow(2 * JOURNAL_BLOCK);
  let at = PREAMBLE_LENGTH;
  while (at < end) {
    await readExactly(journal, buffer.subarray(0, FRAME_LENGTH), at);
    const parsed = parseFrame(buffer);
    if (parsed === undefined) throw new Error(`the journal cannot be read back at byte ${at}`);
    const length = FRAME_LENGTH + parsed.storedLength;
    if (length > buffer.length) {
      const larger = Buffer.allocUnsafeSlow(length);
      buffer.copy(larger, 0, 0, FRAME_LENGTH);
      buffer = larger;
    }
    const record = buffer.subarray(0, length);
    await readExactly(journal, record.subarray(FRAME_LENGTH), at + FRAME_LENGTH);
    if (checksum(record, at) !== parsed.crc) throw new Error(`the journal cannot be read back at byte ${at}: its checksum is wrong`);
    if (parsed.kind === 'evt') yield decodeBatch(record.subarray(FRAME_LENGTH));
    at += length;
  }
}

async function readExactly(file: DiskFile, target: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < target.length) {
    const got = await file.read(target.subarray(done), position + done);
    if (got === 0) throw new Error(`the journal ends at byte ${position + done}`);
    done += got;
  }
}

/** Buffers of one size, used again and again: the collector frees such memory too late to keep it bounded. */
class BufferPool {
  readonly #size: number;
  readonly #free: Buffer[] = [];

  constructor(size: number) {
    this.#size = size;
  }

  take(least: number): Buffer {
    if (least > this.#size) return Buffer.allocUnsafeSlow(least);
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#size);
  }

  give(buffer: Buffer): void {
    if (buffer.length === this.#size) this.#free.push(buffer);
  }
}

/** Compresses records in the background and writes them in the order in which they were put. */
class RecordSink {
  readonly #file: DiskFile;
  readonly #quality: number;
  readonly #waiting: { readonly kind: RecordKind; readonly raw: Uint8Array; readonly packed: Promise<Uint8Array>; readonly written: (offset: number) => void }[] = [];
  #end = 0;

  constructor(file: DiskFile, quality: number) {
    this.#file = file;
    this.#quality = quality;
  }

  get end(): number {
    return this.#end;
  }

  async plain(bytes: Uint8Array): Promise<void> {
    await this.#write(bytes);
  }

  /** @param written told the record's offset when it stands there; `raw` must stay as it is until then */
  async put(kind: RecordKind, raw: Uint8Array, written: (offset: number) => void = () => undefined): Promise<void> {
    const params = {
      [constants.BROTLI_PARAM_QUALITY]: this.#quality,
      [constants.BROTLI_PARAM_SIZE_HINT]: raw.length,
    };
    const packed = compress(raw, { params });
    packed.catch(() => undefined); // awaited in order; until then it must not count as unhandled
    this.#waiting.push({ kind, raw, packed, written });
    while (this.#waiting.length >= IN_FLIGHT) await this.#writeFirst();
  }

  async drain(): Promise<void> {
    while (this.#waiting.length > 0) await this.#writeFirst();
  }

  async #writeFirst(): Promise<void> {
    const first = this.#waiting.shift();
    if (first === undefined) return;
    const packed = await first.packed;
    const offset = this.#end;
    const smaller = packed.length < first.raw.length;
    await this.#write(frame(smaller ? packed : first.raw, offset, first.kind, smaller ? 'brotli' : 'plain', first.raw.length));
    first.written(offset);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    await writeAll(this.#file, [bytes], this.#end);
    this.#end += bytes.length;
  }
}

class Packer {
  readonly #sink: RecordSink;
  readonly #eventBlocks: EventBlock[] = [];
  readonly #payloadBlocks: PayloadBlockPlace[] = [];
  readonly #summary = new Summariser({ calls: MAX_CALLS, connections: MAX_CONNECTIONS, text: MAX_INDEX_TEXT });
  readonly #pool = new BufferPool(EVENT_BLOCK);
  #block = this.#pool.take(EVENT_BLOCK);
  readonly #events = new BatchEncoder(this.#block);
  readonly #payloads = new PayloadCollector();
  #blocks = 0;
  #callEvents = 0;

  constructor(sink: RecordSink) {
    this.#sink = sink;
  }

  async begin(header: NewHeader): Promise<void> {
    await this.#sink.plain(preamble());
    await this.#sink.put('hdr', encodeHeader(header, undefined));
    await this.#sink.drain();
  }

  async add(event: DecodedEvent): Promise<void> {
    if ('size' in event && this.#payloads.size + event.size > 2 * PAYLOAD_BLOCK) await this.#flushPayloads();
    const ready = this.#encodable(event);
    const room = roomFor(ready);
    if (!this.#events.has(room)) {
      if (this.#events.count > 0) await this.#flushEvents();
      if (!this.#events.has(room)) {
        this.#pool.give(this.#block);
        this.#block = Buffer.allocUnsafeSlow(BatchEncoder.blockLength(room));
        this.#events.begin(this.#block);
      }
    }
    this.#events.add(ready);
    this.#summary.add(event, this.#blocks);
    if (event.kind === 'client-header') this.#callEvents++;
    if (this.#payloads.size >= PAYLOAD_BLOCK) await this.#flushPayloads();
  }

  #encodable(event: DecodedEvent): EncodableEvent {
    if (!isMessage(event)) return event;
    if ('stored' in event) throw new Error('a journal holds its payloads inline');
    if (event.data === undefined) return { ...event, data: undefined };
    return { ...event, data: event.data.length < SHARED_PAYLOAD ? [whole(event.data)] : this.#payloads.put(event.data) };
  }

  async #flushPayloads(): Promise<void> {
    const block = this.#payloads.take();
    if (block === undefined) return;
    const { first, count, content, release } = block;
    await this.#sink.put('pay', content, (offset) => {
      this.#payloadBlocks.push({ offset, first, count });
      release();
    });
  }

  /** Payload blocks go first: what is cut off at any point refers to nothing behind the cut. */
  async #flushEvents(): Promise<void> {
    await this.#flushPayloads();
    const { count } = this.#events;
    const firstSeq = this.#events.nextSeq - count;
    const content = this.#events.finish().subarray(FRAME_LENGTH);
    const block = this.#block;
    this.#block = this.#pool.take(EVENT_BLOCK);
    this.#events.begin(this.#block);
    this.#blocks++;
    await this.#sink.put('evt', content, (offset) => {
      this.#eventBlocks.push({ offset, firstSeq, count });
      this.#pool.give(block);
    });
  }

  async finish(): Promise<number> {
    if (this.#events.count > 0) await this.#flushEvents();
    await this.#sink.drain();
    const index: Index = { eventBlocks: this.#eventBlocks, payloadBlocks: this.#payloadBlocks, connections: this.#summary.connections(), calls: this.#summary.calls() };
    const indexOffset = this.#sink.end;
    let indexRecords = 0;
    for (const content of encodeIndex(index)) {
      await this.#sink.put('idx', content);
      indexRecords++;
    }
    await this.#sink.drain();
    const end = encodeEnd({
      indexOffset,
      indexRecords,
      events: this.#summary.eventCount,
      calls: this.#callEvents,
      connections: index.connections.length,
      payloads: this.#payloads.count,
      duration: this.#summary.duration,
    });
    await this.#sink.plain(frame(end, this.#sink.end, 'end', 'plain', end.length));
    return this.#sink.end;
  }
}

interface FullBlock {
  readonly first: number;
  readonly count: number;
  readonly content: Uint8Array;
  /** To be called when the content is no longer needed. */
  readonly release: () => void;
}

/** Room in front of the payloads of a block for their lengths and digests: at most 2,048 of them. */
const TABLE_ROOM = 2 * (PAYLOAD_BLOCK / SHARED_PAYLOAD) * (DIGEST_LENGTH + 5) + 64;

/** Gives each distinct payload a number and gathers them, as copies, into blocks. */
class PayloadCollector {
  readonly #numbers = new Map<string, number>();
  readonly #pool = new BufferPool(TABLE_ROOM + 2 * PAYLOAD_BLOCK);
  #block: Buffer | undefined;
  #next = 0;
  #blockFirst = 0;
  #lengths: number[] = [];
  #digests: Uint8Array[] = [];
  #size = 0;

  /** Distinct payloads so far. */
  get count(): number {
    return this.#next;
  }

  /** Bytes in the block that is being filled. */
  get size(): number {
    return this.#size;
  }

  /** The caller takes the block before it holds more than twice PAYLOAD_BLOCK, or a single larger payload. */
  put(payload: Uint8Array): number {
    const digest = digestOf(payload);
    const key = digest.toString('latin1');
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    if (this.#numbers.size >= MAX_DIGESTS) {
      const oldest = this.#numbers.keys().next();
      if (oldest.done !== true) this.#numbers.delete(oldest.value);
    }
    const number = this.#next++;
    this.#numbers.set(key, number);
    this.#block ??= this.#pool.take(TABLE_ROOM + payload.length);
    this.#block.set(payload, TABLE_ROOM + this.#size);
    this.#lengths.push(payload.length);
    this.#digests.push(digest);
    this.#size += payload.length;
    return number;
  }

  take(): FullBlock | undefined {
    const block = this.#block;
    if (block === undefined) return undefined;
    const first = this.#blockFirst;
    const count = this.#lengths.length;
    const table = encodePayloadTable(first, this.#lengths, Buffer.concat(this.#digests, count * DIGEST_LENGTH), this.#size);
    const start = TABLE_ROOM - table.length;
    block.set(table, start);
    const content = block.subarray(start, TABLE_ROOM + this.#size);
    this.#block = undefined;
    this.#blockFirst = this.#next;
    this.#lengths = [];
    this.#digests = [];
    this.#size = 0;
    return { first, count, content, release: () => this.#pool.give(block) };
  }
}
