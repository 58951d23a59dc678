/**
 * The calls of a cassette held all at once, packed: an event is a row of numbers, and an object only as long as somebody looks
 * at it. (Held as objects, 100,000 short calls are a million of them, through which each collection of the heap walks.)
 */
import { Memo } from '../passing.js';
import { HTTP_1, type CassetteEvent, type HalfClose, type HeaderEvent, type HeaderField, type MessageEvent, type Nanoseconds, type Reset } from './events.js';
import { LateMessage, type Payloads } from './late-message.js';

/** All that a cassette can hold of one call, but gaps. */
export type CallEvent = HeaderEvent | MessageEvent | HalfClose | Reset;

const KINDS = ['client-header', 'server-header', 'server-trailer', 'client-message', 'server-message', 'client-half-close', 'reset'] as const satisfies readonly CallEvent['kind'][];
const KIND_BITS = 0x07;
const COMPRESSED = 0x08;
const LEFT_OUT = 0x10;
const FROM_SERVER = 0x08;

const PAGE_ROWS = 4096;
/** A number that fits stands for itself below this. */
const TOO_LARGE = 0xffff_ffff;
/** So many header lists are remembered to be held once. */
const LATELY = 4096;
/** What follows the last row of a call: the first row of all follows no other. */
const NONE = 0;

class Page {
  readonly kinds = new Uint8Array(PAGE_ROWS);
  readonly seqs = new Float64Array(PAGE_ROWS);
  readonly times = new BigInt64Array(PAGE_ROWS);
  /** The next row of the same call. */
  readonly next = new Uint32Array(PAGE_ROWS);
  /** The header list, or who has the payload, by its index. */
  readonly where = new Uint32Array(PAGE_ROWS);
  /** Where the payload is among those. */
  readonly at = new Uint32Array(PAGE_ROWS);
  /** A message's size, a reset's code; the largest number that fits for all that are larger. */
  readonly numbers = new Uint32Array(PAGE_ROWS);
}

const SLAB_BYTES = 256 * 1024;

/** Short payloads, end to end. */
class Slab implements Payloads {
  private readonly bytes: Uint8Array;
  private used = 0;

  constructor(atLeast: number) {
    this.bytes = new Uint8Array(Math.max(SLAB_BYTES, atLeast));
  }

  hasRoom(length: number): boolean {
    return length <= this.bytes.length - this.used;
  }

  /** @returns where it is */
  add(payload: Uint8Array): number {
    const at = this.used;
    this.bytes.set(payload, at);
    this.used += payload.length;
    return at;
  }

  payload(at: number, { size }: { readonly size: number }): Uint8Array {
    return new Uint8Array(this.bytes.buffer, at, size);
  }
}

/** The events of many calls, each a row. */
export class Rows {
  private readonly pages: Page[] = [];
  private readonly lists: (readonly HeaderField[])[] = [];
  /** Lists that came lately, by their index. */
  private readonly lately = new Memo<readonly HeaderField[], number>(LATELY);
  /** By their rows. */
  private readonly largeNumbers = new Map<number, number>();
  private readonly payloads: Payloads[] = [];
  private slab: Slab | undefined;
  private length = 0;
  /** Some message crossed compressed; in most recordings none does. */
  haveCompressed = false;

  /** How many there are: the row of the next one. */
  get count(): number {
    return this.length;
  }

  /** @returns its row */
  add(event: CallEvent): number {
    const row = this.length;
    const index = row % PAGE_ROWS;
    if (index === 0) this.pages.push(new Page());
    this.length += 1;
    const page = this.pageOf(row);
    page.kinds[index] = KINDS.indexOf(event.kind) | this.filled(page, index, event, row);
    page.seqs[index] = event.seq;
    page.times[index] = event.time;
    return row;
  }

  /** @returns its flags */
  private filled(page: Page, index: number, event: CallEvent, row: number): number {
    switch (event.kind) {
      case 'client-header':
      case 'server-header':
      case 'server-trailer':
        page.where[index] = this.listed(event.headers);
        return 0;
      case 'client-message':
      case 'server-message': {
        page.numbers[index] = this.short(row, event.size);
        if (event.compressed) this.haveCompressed = true;
        const place = this.placeOf(event);
        if (place !== undefined) {
          if (this.payloads.at(-1) !== place.payloads) this.payloads.push(place.payloads);
          page.where[index] = this.payloads.length - 1;
          page.at[index] = place.at;
        }
        return (event.compressed ? COMPRESSED : 0) | (place === undefined ? LEFT_OUT : 0);
      }
      case 'reset':
        page.numbers[index] = this.short(row, event.code);
        return event.side === 'server' ? FROM_SERVER : 0;
      case 'client-half-close':
        return 0;
    }
  }

  private listed(headers: readonly HeaderField[]): number {
    const known = this.lately.get(headers);
    if (known !== undefined) return known;
    const index = this.lists.push(headers) - 1;
    this.lately.set(headers, index);
    return index;
  }

  private short(row: number, number: number): number {
    if (number < TOO_LARGE) return number;
    this.largeNumbers.set(row, number);
    return TOO_LARGE;
  }

  private placeOf(message: MessageEvent): { readonly payloads: Payloads; readonly at: number } | undefined {
    if (message instanceof LateMessage) return message.place;
    const { data } = message;
    if (data === undefined) return undefined;
    if (this.slab?.hasRoom(data.length) !== true) this.slab = new Slab(data.length);
    return { payloads: this.slab, at: this.slab.add(data) };
  }

  /** The second row comes next on the call of the first. */
  chain(row: number, next: number): void {
    this.pageOf(row).next[row % PAGE_ROWS] = next;
  }

  after(row: number): number | undefined {
    const next = this.pageOf(row).next[row % PAGE_ROWS];
    return next === NONE ? undefined : next;
  }

  kindOf(row: number): CallEvent['kind'] {
    const kind = KINDS[(this.pageOf(row).kinds[row % PAGE_ROWS] ?? 0) & KIND_BITS];
    if (kind === undefined) throw new Error(`row ${row} is of no kind`);
    return kind;
  }

  isCompressed(row: number): boolean {
    const flags = this.pageOf(row).kinds[row % PAGE_ROWS] ?? 0;
    const kind = this.kindOf(row);
    return (flags & COMPRESSED) !== 0 && (kind === 'client-message' || kind === 'server-message');
  }

  timeOf(row: number): Nanoseconds {
    return this.pageOf(row).times[row % PAGE_ROWS] ?? 0n;
  }

  event(row: number, { id: call, connection }: HeldCall): CallEvent {
    const page = this.pageOf(row);
    const index = row % PAGE_ROWS;
    const kind = this.kindOf(row);
    const seq = page.seqs[index] ?? 0;
    const time = this.timeOf(row);
    const short = page.numbers[index] ?? 0;
    const number = short < TOO_LARGE ? short : (this.largeNumbers.get(row) ?? short);
    const where = page.where[index] ?? 0;
    const flags = page.kinds[index] ?? 0;
    switch (kind) {
      case 'client-header':
      case 'server-header':
      case 'server-trailer':
        return { kind, seq, time, connection, call, headers: this.lists[where] ?? [] };
      case 'client-message':
      case 'server-message': {
        const message = { kind, seq, time, connection, call, compressed: (flags & COMPRESSED) !== 0, size: number };
        const payloads = this.payloads[where];
        return (flags & LEFT_OUT) !== 0 || payloads === undefined ? { ...message, data: undefined } : new LateMessage(message, payloads, page.at[index] ?? 0);
      }
      case 'client-half-close':
        return { kind, seq, time, connection, call };
      case 'reset':
        return { kind, seq, time, connection, call, side: (flags & FROM_SERVER) === 0 ? 'client' : 'server', code: number };
    }
  }

  private pageOf(row: number): Page {
    const page = this.pages[Math.floor(row / PAGE_ROWS)];
    if (page === undefined) throw new Error(`there is no row ${row}`);
    return page;
  }
}

/** How a held call begins: for the constructors of {@link HeldCall} and what extends it. */
export interface Beginning {
  readonly header: HeaderEvent;
  /** It is an exchange of HTTP/1.1. */
  readonly isExchange: boolean;
  readonly rows: Rows;
  readonly row: number;
}

export class HeldCall {
  readonly id: number;
  readonly connection: number;
  /** The client's, from the event that began the call. */
  readonly headers: readonly HeaderField[];
  private readonly rows: Rows;
  private readonly first: number;

  constructor({ header, rows, row }: Beginning) {
    this.id = header.call;
    this.connection = header.connection;
    this.headers = header.headers;
    this.rows = rows;
    this.first = row;
  }

  /** When it began. */
  get start(): Nanoseconds {
    return this.rows.timeOf(this.first);
  }

  /** In sequence order, from the client header on; made anew each time. */
  get events(): CallEvent[] {
    return [...this.walk()];
  }

  /** The same, each made when it is come to. */
  *walk(): Generator<CallEvent> {
    for (const row of this.each()) yield this.rows.event(row, this);
  }

  /** Those of some kinds; the others are not made. */
  *only<K extends CallEvent['kind']>(...kinds: readonly K[]): Generator<CallEvent & { readonly kind: K }> {
    for (const row of this.each()) {
      if (!(kinds as readonly string[]).includes(this.rows.kindOf(row))) continue;
      const event = this.rows.event(row, this);
      if (isOf(event, kinds)) yield event;
    }
  }

  /** Whether a message of it crossed compressed. */
  get hasCompressed(): boolean {
    if (!this.rows.haveCompressed) return false;
    for (const row of this.each()) if (this.rows.isCompressed(row)) return true;
    return false;
  }

  /** How many events of a kind there are. */
  count(kind: CallEvent['kind']): number {
    let count = 0;
    for (const row of this.each()) if (this.rows.kindOf(row) === kind) count += 1;
    return count;
  }

  /** The first event of one of these kinds. */
  find<K extends CallEvent['kind']>(...kinds: readonly K[]): (CallEvent & { readonly kind: K }) | undefined {
    // No generator: for each request that is compared (bench: replay, diff).
    for (let row: number | undefined = this.first; row !== undefined; row = this.rows.after(row)) {
      if (!(kinds as readonly string[]).includes(this.rows.kindOf(row))) continue;
      const event = this.rows.event(row, this);
      if (isOf(event, kinds)) return event;
    }
    return undefined;
  }

  private *each(): Generator<number> {
    for (let row: number | undefined = this.first; row !== undefined; row = this.rows.after(row)) yield row;
  }
}

/** That of a late message is not to be fetched to know. */
function isLeftOut(message: MessageEvent): boolean {
  return message.size > 0 && !(message instanceof LateMessage) && message.data === undefined;
}

function isOf<K extends CallEvent['kind']>(event: CallEvent, kinds: readonly K[]): event is CallEvent & { readonly kind: K } {
  return (kinds as readonly string[]).includes(event.kind);
}

/** Builds up the calls; to be let go of when they are all there. */
export class HeldCalls<C extends HeldCall> {
  private readonly rows = new Rows();
  /** In the order of their client headers. */
  readonly calls: C[] = [];
  /** Gaps on these calls, of which nothing more is held. */
  gaps = 0;
  /** Messages of these calls whose bodies are not in the cassette, though they had some. */
  leftOut = 0;
  /** By the number of the call: its last row so far. */
  private readonly lasts = new Map<number, number>();
  /** Connections of HTTP/1.1. */
  private readonly exchanging = new Set<number>();

  /** @param make a call that begins, as whoever holds it wants to have it; undefined when it is not to be held */
  constructor(private readonly make: (beginning: Beginning) => C | undefined) {}

  /** Of connections, and of calls that did not begin with a client header, nothing is held. */
  add(event: CassetteEvent): void {
    if (event.kind === 'connection-open' && event.protocol === HTTP_1) this.exchanging.add(event.connection);
    if (!('call' in event)) return;
    const last = this.lasts.get(event.call);
    if (last === undefined) {
      if (event.kind === 'client-header') this.begin(event);
      return;
    }
    if (event.kind === 'gap') {
      this.gaps += 1;
      return;
    }
    if ((event.kind === 'client-message' || event.kind === 'server-message') && isLeftOut(event)) this.leftOut += 1;
    const row = this.rows.add(event);
    this.rows.chain(last, row);
    this.lasts.set(event.call, row);
  }

  private begin(header: HeaderEvent): void {
    const call = this.make({ header, isExchange: this.exchanging.has(header.connection), rows: this.rows, row: this.rows.count });
    if (call === undefined) return;
    this.calls.push(call);
    this.lasts.set(call.id, this.rows.add(header));
  }
}
