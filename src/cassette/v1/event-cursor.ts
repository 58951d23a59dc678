/**
 * Walks the events of a batch and tells of the one at which it stands. Everything is checked; anything unexpected is
 * `Malformed`. Whoever holds all events of a cassette reads them here, without an object for each (bench: diff, replay).
 */
import type { CallEvent, CassetteEvent, EventKind, HeaderField, MessageEvent, Nanoseconds, Side } from '../events.js';
import type { PassingEvent } from '../passing-event.js';
import { eventKinds } from './batch-encoder.js';
import { MAX_UINT32 } from './bounds.js';
import { Malformed } from './msgpack.js';
import { Row } from './row.js';

/** A message whose payload stands in a payload block. */
export interface StoredMessage extends Omit<MessageEvent, 'data'> {
  readonly stored: number;
}

export type DecodedEvent = CassetteEvent | StoredMessage;

export function isMessage(event: DecodedEvent): event is MessageEvent | StoredMessage {
  return event.kind === 'client-message' || event.kind === 'server-message';
}

/** How header lists are read: views of the content, unless told otherwise. */
export interface HeaderSource {
  /** @param end of the row that the list is the last of; undefined when more stands behind it */
  read(content: Uint8Array, row: Row, end: number | undefined): readonly HeaderField[];
}

export const viewedHeaders: HeaderSource = {
  read: (_content, row) => readFields(row, (name, value) => ({ name, value })),
};

export function readFields(row: Row, field: (name: string, value: Uint8Array) => HeaderField): readonly HeaderField[] {
  const count = row.list('header list');
  if (count % 2 !== 0) throw new Malformed('a header list has a name without a value');
  const headers: HeaderField[] = [];
  for (let i = 0; i < count; i += 2) headers.push(field(row.text('header name'), row.bytes('header value')));
  return headers;
}

export interface BatchContent {
  readonly content: Uint8Array;
  /** Where each event begins, and where the last one ends. */
  readonly starts: readonly number[];
  readonly firstSeq: number;
  readonly base: Nanoseconds;
}

const NO_HEADERS: readonly HeaderField[] = [];

export class EventCursor implements PassingEvent {
  kind: CallEvent['kind'] = 'client-header';
  seq = 0;
  time: Nanoseconds | number;
  connection = 0;
  call = 0;
  headers = NO_HEADERS;
  compressed = false;
  size = 0;
  payload: Uint8Array | number | undefined = undefined;
  side: Side = 'client';
  code = 0;
  /** The event, when it is of no call, or a gap: of such a one the rest says nothing. */
  apart: CassetteEvent | undefined;
  private index = 0;
  private readonly row: Row;
  private readonly content: Uint8Array;
  private readonly starts: readonly number[];
  private readonly firstSeq: number;

  constructor(
    { content, starts, firstSeq, base }: BatchContent,
    private readonly source: HeaderSource,
  ) {
    this.row = new Row(content);
    this.content = content;
    this.starts = starts;
    this.firstSeq = firstSeq;
    this.time = sum(base, 0n);
  }

  /**
   * Goes on to the next event.
   *
   * @returns whether there is one
   * @throws Malformed
   */
  next(): boolean {
    const { index, row, starts } = this;
    if (index + 1 >= starts.length) return false;
    this.index = index + 1;
    row.open(starts[index] ?? 0, 'event');
    const kind = eventKinds[row.count('event kind')];
    if (kind === undefined) throw new Malformed('an event kind is unknown');
    this.seq = this.firstSeq + index;
    this.time = sum(this.time, row.integer('time'));
    this.connection = row.count('connection');
    this.apart = undefined;
    this.read(kind, starts[index + 1] ?? 0);
    return true;
  }

  /** Later minor additions may append fields to a row: what is not known is read past. */
  private read(kind: EventKind, end: number): void {
    const { row } = this;
    switch (kind) {
      case 'client-header':
      case 'server-header':
      case 'server-trailer':
        this.begin(kind);
        this.headers = this.source.read(this.content, row, row.rest === 1 ? end : undefined);
        return;
      case 'client-message':
      case 'server-message':
        this.begin(kind);
        this.compressed = row.boolean('the compressed flag');
        this.size = row.count('message size');
        if (row.rest === 0) throw new Malformed('payload number is not a count');
        this.payload = readPayload(row, this.size);
        return;
      case 'client-half-close':
        this.begin(kind);
        return;
      case 'reset':
        this.begin(kind);
        this.side = readSide(row);
        this.code = row.count('error code');
        return;
      case 'connection-open':
      case 'connection-close':
      case 'goaway':
      case 'gap':
        this.apart = readApart(kind, row, { seq: this.seq, time: BigInt(this.time), connection: this.connection });
        return;
    }
  }

  private begin(kind: CallEvent['kind']): void {
    this.kind = kind;
    this.call = this.row.count('call');
  }

  /** The event as an object, which stays as it is. */
  get event(): DecodedEvent {
    if (this.apart !== undefined) return this.apart;
    const { kind, seq, connection, call } = this;
    const time = BigInt(this.time);
    switch (kind) {
      case 'client-header':
      case 'server-header':
      case 'server-trailer':
        return { kind, seq, time, connection, call, headers: this.headers };
      case 'client-message':
      case 'server-message': {
        const { compressed, size, payload } = this;
        const message = { kind, seq, time, connection, call, compressed, size };
        return typeof payload === 'number' ? { ...message, stored: payload } : { ...message, data: payload };
      }
      case 'client-half-close':
        return { kind, seq, time, connection, call };
      case 'reset':
        return { kind, seq, time, connection, call, side: this.side, code: this.code };
    }
  }
}

/** A bigint only where a number would not be exact. */
function sum(one: Nanoseconds | number, other: Nanoseconds | number): Nanoseconds | number {
  if (typeof one === 'number' && typeof other === 'number') {
    const total = one + other;
    if (Number.isSafeInteger(total)) return total;
  }
  const total = BigInt(one) + BigInt(other);
  const short = Number(total);
  return Number.isSafeInteger(short) ? short : total;
}

function readApart(kind: 'connection-open' | 'connection-close' | 'goaway' | 'gap', row: Row, placed: { readonly seq: number; readonly time: Nanoseconds; readonly connection: number }): CassetteEvent {
  switch (kind) {
    case 'connection-open': {
      const address = row.text('address');
      const protocol = row.isNone() ? undefined : row.text('protocol');
      const upgradeOf = row.isNone() ? undefined : row.count('call');
      return { kind, ...placed, address, ...(protocol === undefined ? {} : { protocol }), ...(upgradeOf === undefined ? {} : { upgradeOf }) };
    }
    case 'connection-close': {
      const side = row.isNone() ? undefined : readSide(row);
      return { kind, ...placed, side, ...(row.isNone() ? {} : { error: row.text('error') }) };
    }
    case 'goaway':
      return { kind, ...placed, side: readSide(row), code: row.count('error code'), debug: row.bytes('debug data') };
    case 'gap': {
      const call = row.isNone() ? undefined : row.count('call');
      const gap = { side: readSide(row), offset: row.count('offset'), bytes: row.count('bytes'), reason: row.text('reason') };
      return { kind, ...placed, ...(call === undefined ? {} : { call }), ...gap };
    }
  }
}

/** @returns the payload, or the number of a stored one; undefined when it was left out */
function readPayload(row: Row, size: number): Uint8Array | number | undefined {
  if (row.isNone()) return undefined;
  if (!row.isBytes) {
    const number = row.count('payload number');
    if (number > MAX_UINT32) throw new Malformed('a payload number is larger than any file has payloads');
    return number;
  }
  const data = row.bytes('payload');
  if (data.length !== size) throw new Malformed(`a message of ${size} bytes has ${data.length} bytes of payload`);
  return data;
}

function readSide(row: Row): Side {
  const value = row.count('side');
  if (value === 0) return 'client';
  if (value === 1) return 'server';
  throw new Malformed('a side is neither 0 nor 1');
}
