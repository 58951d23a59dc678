/**
 * The calls of a cassette held all at once, packed: an event is a row of numbers, and an object only as long as somebody looks
 * at it. (Held as objects, 100,000 short calls are a million of them, through which each collection of the heap walks.)
 */
import { Memo } from '../passing.js';
import { HTTP_1, type CallEvent, type CassetteEvent, type HeaderEvent, type HeaderField, type Nanoseconds } from './events.js';
import { LateMessage, type Payloads } from './late-message.js';
import type { EventListener, PassingEvent } from './passing-event.js';

const KINDS = ['client-header', 'server-header', 'server-trailer', 'client-message', 'server-message', 'client-half-close', 'reset'] as const satisfies readonly CallEvent['kind'][];
const KIND_BITS = 0x07;
const COMPRESSED = 0x08;
const LEFT_OUT = 0x10;
const FROM_SERVER = 0x08;

/** Some kinds of events, to look for them among others. */
export class Kinds<K extends CallEvent['kind']> {
  /** One for each of {@link KINDS}. */
  private readonly bits: number;

  constructor(...kinds: readonly K[]) {
    this.bits = kinds.reduce((bits, kind) => bits | (1 << KINDS.indexOf(kind)), 0);
  }

  /** @param index among {@link KINDS} */
  hasAt(index: number): boolean {
    return ((this.bits >> index) & 1) === 1;
  }

  has(event: CallEvent): event is CallEvent & { readonly kind: K } {
    return this.hasAt(KINDS.indexOf(event.kind));
  }
}

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
  /** NaN for one that a number does not hold. */
  readonly times = new Float64Array(PAGE_ROWS);
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
  private readonly largeTimes = new Map<number, Nanoseconds>();
  private readonly payloads: Payloads[] = [];
  private slab: Slab | undefined;
  private length = 0;
  /** Some message crossed compressed; in most recordings none does. */
  haveCompressed = false;

  /** How many there are: the row of the next one. */
  get count(): number {
    return this.length;
  }

  /**
   * @param payloads has the message's payload when that is stored apart
   * @returns its row
   */
  add(event: PassingEvent, payloads: Payloads | undefined): number {
    const row = this.length;
    const index = row % PAGE_ROWS;
    if (index === 0) this.pages.push(new Page());
    this.length += 1;
    const page = this.pageOf(row);
    page.kinds[index] = KINDS.indexOf(event.kind) | this.filled(page, row, event, payloads);
    page.seqs[index] = event.seq;
    page.times[index] = this.shortTime(row, event.time);
    return row;
  }

  /** @returns its flags */
  private filled(page: Page, row: number, event: PassingEvent, payloads: Payloads | undefined): number {
    const index = row % PAGE_ROWS;
    switch (event.kind) {
      case 'client-header':
      case 'server-header':
      case 'server-trailer':
        page.where[index] = this.listed(event.headers);
        return 0;
      case 'client-message':
      case 'server-message': {
        const { payload } = event;
        page.numbers[index] = this.short(row, event.size);
        if (event.compressed) this.haveCompressed = true;
        const flags = event.compressed ? COMPRESSED : 0;
        if (payload === undefined) return flags | LEFT_OUT;
        page.at[index] = typeof payload === 'number' ? payload : this.kept(payload);
        page.where[index] = this.whereIs(typeof payload === 'number' ? payloads : this.slab);
        return flags;
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

  private shortTime(row: number, time: Nanoseconds | number): number {
    const short = Number(time);
    if (Number.isSafeInteger(short)) return short;
    this.largeTimes.set(row, BigInt(time));
    return NaN;
  }

  /** @returns where the payload is in the slab */
  private kept(payload: Uint8Array): number {
    if (this.slab?.hasRoom(payload.length) !== true) this.slab = new Slab(payload.length);
    return this.slab.add(payload);
  }

  private whereIs(payloads: Payloads | undefined): number {
    if (payloads === undefined) throw new Error('a payload is stored nowhere');
    if (this.payloads.at(-1) !== payloads) this.payloads.push(payloads);
    return this.payloads.length - 1;
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

  isOf(row: number, kinds: Kinds<CallEvent['kind']>): boolean {
    return kinds.hasAt((this.pageOf(row).kinds[row % PAGE_ROWS] ?? 0) & KIND_BITS);
  }

  isCompressed(row: number): boolean {
    const flags = this.pageOf(row).kinds[row % PAGE_ROWS] ?? 0;
    const kind = this.kindOf(row);
    return (flags & COMPRESSED) !== 0 && (kind === 'client-message' || kind === 'server-message');
  }

  timeOf(row: number): Nanoseconds {
    const time = this.pageOf(row).times[row % PAGE_ROWS] ?? 0;
    return Number.isNaN(time) ? (this.largeTimes.get(row) ?? 0n) : BigInt(time);
  }

  /** Of a row that has some. */
  headersOf(row: number): readonly HeaderField[] {
    return this.lists[this.pageOf(row).where[row % PAGE_ROWS] ?? 0] ?? [];
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
        return { kind, seq, time, connection, call, headers: this.headersOf(row) };
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
    for (let row: number | undefined = this.first; row !== undefined; row = this.rows.after(row)) yield this.rows.event(row, this);
  }

  /** Those of some kinds; the others are not made. */
  *only<K extends CallEvent['kind']>(kinds: Kinds<K>): Generator<CallEvent & { readonly kind: K }> {
    const reader = this.reader(kinds);
    for (let event = reader.next(); event !== undefined; event = reader.next()) yield event;
  }

  /** The same, for who asks for one after the other. */
  reader<K extends CallEvent['kind']>(kinds: Kinds<K>): EventReader<CallEvent & { readonly kind: K }> {
    return new RowReader(this, this.rows, this.first, kinds);
  }

  /** The last event. */
  get lastEvent(): CallEvent {
    let last = this.first;
    for (let row = this.rows.after(last); row !== undefined; row = this.rows.after(row)) last = row;
    return this.rows.event(last, this);
  }

  /** Whether a message of it crossed compressed. */
  get hasCompressed(): boolean {
    if (!this.rows.haveCompressed) return false;
    for (let row: number | undefined = this.first; row !== undefined; row = this.rows.after(row)) if (this.rows.isCompressed(row)) return true;
    return false;
  }

  /** How many events of some kinds there are. */
  count(...kinds: readonly CallEvent['kind'][]): number {
    const wanted = new Kinds(...kinds);
    let count = 0;
    for (let row: number | undefined = this.first; row !== undefined; row = this.rows.after(row)) if (this.rows.isOf(row, wanted)) count += 1;
    return count;
  }

  /** The first event of one of these kinds. */
  find<K extends CallEvent['kind']>(...kinds: readonly K[]): (CallEvent & { readonly kind: K }) | undefined {
    return this.reader(new Kinds(...kinds)).next();
  }

  /** The header list of the first event of a kind. */
  headersOf(kind: HeaderEvent['kind']): readonly HeaderField[] | undefined {
    for (let row: number | undefined = this.first; row !== undefined; row = this.rows.after(row)) if (this.rows.kindOf(row) === kind) return this.rows.headersOf(row);
    return undefined;
  }
}

/** Events one after the other. */
export interface EventReader<E extends CallEvent> {
  /** Undefined at the end. */
  next(): E | undefined;
}

/** No generator: two for each call that is replayed cost it a tenth of its time (bench: 32 callers). */
class RowReader<K extends CallEvent['kind']> implements EventReader<CallEvent & { readonly kind: K }> {
  constructor(
    private readonly call: HeldCall,
    private readonly rows: Rows,
    private row: number | undefined,
    private readonly kinds: Kinds<K>,
  ) {}

  next(): (CallEvent & { readonly kind: K }) | undefined {
    while (this.row !== undefined) {
      const { row } = this;
      this.row = this.rows.after(row);
      if (!this.rows.isOf(row, this.kinds)) continue;
      const event = this.rows.event(row, this.call);
      if (this.kinds.has(event)) return event;
    }
    return undefined;
  }
}

/** What an event has that is not of its kind. */
const NOTHING = { headers: [], compressed: false, size: 0, payload: undefined, side: 'client', code: 0 } as const satisfies Partial<PassingEvent>;

/** A recording: its events as objects, or told as they lie. */
export interface EventSource {
  events(): Iterable<CassetteEvent>;
  tell?(listener: EventListener): void;
}

/** Builds up the calls; to be let go of when they are all there. */
export class HeldCalls<C extends HeldCall> implements EventListener {
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

  /** @param source to be kept open as long as the calls are looked at: large answers stay in the file until then */
  addAll(source: EventSource): this {
    if (source.tell === undefined) for (const event of source.events()) this.add(event);
    else source.tell(this);
    return this;
  }

  /** Of connections, and of calls that did not begin with a client header, nothing is held. */
  add(event: CassetteEvent): void {
    switch (event.kind) {
      case 'connection-open':
        if (event.protocol === HTTP_1) this.exchanging.add(event.connection);
        return;
      case 'connection-close':
      case 'goaway':
        return;
      case 'gap':
        if (event.call !== undefined && this.lasts.has(event.call)) this.gaps += 1;
        return;
      case 'client-message':
      case 'server-message':
        this.pass({ ...NOTHING, ...event, payload: event.data });
        return;
      case 'client-header':
      case 'server-header':
      case 'server-trailer':
      case 'client-half-close':
      case 'reset':
        this.pass({ ...NOTHING, ...event });
    }
  }

  pass(event: PassingEvent, payloads?: Payloads): void {
    const { kind, call } = event;
    const last = this.lasts.get(call);
    if (last === undefined) {
      if (kind === 'client-header') this.begin(event);
      return;
    }
    if (event.payload === undefined && event.size > 0 && (kind === 'client-message' || kind === 'server-message')) this.leftOut += 1;
    const row = this.rows.add(event, payloads);
    this.rows.chain(last, row);
    this.lasts.set(call, row);
  }

  private begin(event: PassingEvent): void {
    const { seq, time, connection, call: id, headers } = event;
    const header = { kind: 'client-header', seq, time: BigInt(time), connection, call: id, headers } as const;
    const call = this.make({ header, isExchange: this.exchanging.has(connection), rows: this.rows, row: this.rows.count });
    if (call === undefined) return;
    this.calls.push(call);
    this.lasts.set(id, this.rows.add(event, undefined));
  }
}
