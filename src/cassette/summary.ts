/**
 * What a list of calls shows of each call and connection, gathered event by event: by the packer for the index,
 * by a reader for a file that has none. Knows gRPC's trailers (status, percent-encoded message) and HTTP's status, nothing
 * more.
 */
import { HTTP_1, type CassetteEvent, type HeaderEvent, type HeaderField, type Nanoseconds, type Reset, type Side } from './events.js';

export type CallOutcome =
  /** A trailer came; without a grpc-status in it the code is 2 (unknown), as a gRPC client would have it. */
  | { readonly kind: 'status'; readonly code: number; readonly message: string }
  /** An exchange of HTTP/1.1 came to its end; the code is 0 when the status was lost. */
  | { readonly kind: 'http'; readonly code: number }
  | { readonly kind: 'reset'; readonly side: Side; readonly code: number }
  /** Still running when the recording, or its readable part, ended. */
  | { readonly kind: 'open' };

export interface CallSummary {
  readonly id: number;
  readonly connection: number;
  /** The `:path` of the client header; empty when that was lost. */
  readonly path: string;
  /** The `:method` of an exchange of HTTP/1.1; undefined for calls of HTTP/2. */
  readonly method?: string;
  readonly start: Nanoseconds;
  /** When the outcome came; undefined for an open call. */
  readonly end: Nanoseconds | undefined;
  readonly clientMessages: number;
  readonly serverMessages: number;
  /** Payload bytes that crossed, kept or not. */
  readonly clientBytes: number;
  readonly serverBytes: number;
  /** Messages whose bodies are not in the cassette. */
  readonly leftOut: number;
  /** Gap events on this call. */
  readonly gaps: number;
  readonly outcome: CallOutcome;
}

export interface ConnectionSummary {
  readonly id: number;
  readonly address: string;
  /** As in its `connection-open`. */
  readonly protocol?: string;
  readonly upgradeOf?: number;
  readonly open: Nanoseconds;
  readonly close: Nanoseconds | undefined;
  readonly side: Side | undefined;
  readonly error?: string;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Which blocks hold a call's events, as runs: first block, number of blocks, first block, … in ascending order. */
export type BlockRuns = readonly number[];

export interface CallEntry {
  readonly summary: CallSummary;
  readonly blocks: BlockRuns;
}

interface OpenCallEntry {
  readonly summary: Mutable<CallSummary>;
  readonly blocks: number[];
}

/** Only what the summary needs of an event; a message's body may stand anywhere. */
export type SummarisedEvent =
  | Exclude<CassetteEvent, { readonly kind: 'client-message' | 'server-message' }>
  | {
      readonly kind: 'client-message' | 'server-message';
      readonly time: Nanoseconds;
      readonly connection: number;
      readonly call: number;
      readonly size: number;
      readonly data?: unknown;
      readonly stored?: number;
    };

export interface SummaryLimits {
  readonly calls: number;
  readonly connections: number;
  /** Longest text kept, in characters. */
  readonly text: number;
}

const SHARED_TEXTS = 500;
const succeeded: CallOutcome = { kind: 'status', code: 0, message: '' };

export class Summariser {
  readonly #calls = new Map<number, OpenCallEntry>();
  /** Of exchanges of HTTP/1.1 that were answered and have not ended. */
  readonly #httpStatus = new Map<number, number>();
  readonly #connections = new Map<number, Mutable<ConnectionSummary>>();
  readonly #limits: SummaryLimits;
  readonly #texts = new Map<string, string>();
  #last: Nanoseconds = 0n;
  #events = 0;

  constructor(limits: SummaryLimits) {
    this.#limits = limits;
  }

  get duration(): Nanoseconds {
    return this.#last;
  }

  get eventCount(): number {
    return this.#events;
  }

  /** In the order of their numbers. */
  calls(): CallEntry[] {
    return [...this.#calls.values()].sort((a, b) => a.summary.id - b.summary.id);
  }

  connections(): ConnectionSummary[] {
    return [...this.#connections.values()].sort((a, b) => a.id - b.id);
  }

  /** Calls that have begun and have no outcome yet. */
  openCalls(): number[] {
    return [...this.#calls.values()].filter((entry) => entry.summary.outcome.kind === 'open').map((entry) => entry.summary.id);
  }

  /** @param block the number of the block in which the event stands */
  add(event: SummarisedEvent, block: number): void {
    this.#events++;
    if (event.time > this.#last) this.#last = event.time;
    if (event.kind === 'connection-open') {
      const connection = this.#connection(event.connection, event.time);
      if (connection === undefined) return;
      connection.address = this.#cut(event.address);
      if (event.protocol !== undefined) connection.protocol = this.#cut(event.protocol);
      if (event.upgradeOf !== undefined) connection.upgradeOf = event.upgradeOf;
      return;
    }
    if (event.kind === 'connection-close') {
      const connection = this.#connection(event.connection, event.time);
      if (connection === undefined) return;
      connection.close = event.time;
      connection.side = event.side;
      if (event.error !== undefined) connection.error = this.#cut(event.error);
      return;
    }
    if (event.kind === 'goaway' || event.call === undefined) return;
    const entry = this.#call(event.call, event.connection, event.time, block);
    if (entry === undefined) return;
    addBlock(entry.blocks, block);
    this.#addToCall(entry.summary, event);
  }

  #addToCall(summary: Mutable<CallSummary>, event: Exclude<SummarisedEvent, { kind: 'connection-open' | 'connection-close' | 'goaway' }>): void {
    switch (event.kind) {
      case 'client-header':
        summary.path = this.#cut(headerText(event.headers, ':path') ?? '');
        if (this.#connections.get(event.connection)?.protocol === HTTP_1) summary.method = this.#cut(headerText(event.headers, ':method') ?? '');
        break;
      case 'client-message':
        summary.clientMessages++;
        summary.clientBytes = sum(summary.clientBytes, event.size);
        if (event.data === undefined && event.stored === undefined) summary.leftOut++;
        break;
      case 'server-message':
        summary.serverMessages++;
        summary.serverBytes = sum(summary.serverBytes, event.size);
        if (event.data === undefined && event.stored === undefined) summary.leftOut++;
        break;
      case 'server-trailer':
        this.#settle(summary, event.time, summary.method === undefined ? outcomeOf(event, this.#limits.text) : { kind: 'http', code: this.#httpStatus.get(summary.id) ?? 0 });
        this.#httpStatus.delete(summary.id);
        break;
      case 'reset':
        this.#settle(summary, event.time, outcomeOf(event));
        break;
      case 'gap':
        summary.gaps++;
        break;
      case 'server-header':
        if (summary.method !== undefined) this.#httpStatus.set(summary.id, httpStatusOf(event.headers));
        break;
      case 'client-half-close':
        break;
    }
  }

  /** The first outcome stands: a reset behind a trailer only tidies up. */
  #settle(summary: Mutable<CallSummary>, time: Nanoseconds, outcome: CallOutcome): void {
    if (summary.outcome.kind !== 'open') return;
    summary.end = time;
    summary.outcome = outcome;
  }

  #call(id: number, connection: number, start: Nanoseconds, block: number): OpenCallEntry | undefined {
    const known = this.#calls.get(id);
    if (known !== undefined || this.#calls.size >= this.#limits.calls) return known;
    const summary: Mutable<CallSummary> = {
      id,
      connection,
      path: '',
      start,
      end: undefined,
      clientMessages: 0,
      serverMessages: 0,
      clientBytes: 0,
      serverBytes: 0,
      leftOut: 0,
      gaps: 0,
      outcome: { kind: 'open' },
    };
    // A pair as a literal has the room of a pair; an empty list grows to seventeen at the first push.
    const entry = { summary, blocks: [block, 1] };
    this.#calls.set(id, entry);
    return entry;
  }

  #connection(id: number, time: Nanoseconds): Mutable<ConnectionSummary> | undefined {
    const known = this.#connections.get(id);
    if (known !== undefined || this.#connections.size >= this.#limits.connections) return known;
    const connection: Mutable<ConnectionSummary> = { id, address: '', open: time, close: undefined, side: undefined };
    this.#connections.set(id, connection);
    return connection;
  }

  /** Bounded, and one string for the many calls of the same method. */
  #cut(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    const cut = text.length > this.#limits.text ? text.slice(0, this.#limits.text) : text;
    if (this.#texts.size < SHARED_TEXTS && text.length <= 256) this.#texts.set(text, cut);
    return cut;
  }
}

function addBlock(runs: number[], block: number): void {
  const first = runs.at(-2);
  const count = runs.at(-1);
  if (first === undefined || count === undefined || block > first + count) runs.push(block, 1);
  else if (block === first + count) runs[runs.length - 1] = count + 1;
}

function headerText(headers: readonly HeaderField[], name: string): string | undefined {
  const field = headers.find((candidate) => candidate.name === name);
  return field === undefined ? undefined : Buffer.from(field.value).toString('latin1');
}

function httpStatusOf(headers: readonly HeaderField[]): number {
  const status = headerText(headers, ':status') ?? '';
  return /^\d{3}$/.test(status) ? Number(status) : 0;
}

/** As far as numbers are exact: a body that was left out can be said to have been of any size. */
const sum = (one: number, other: number): number => Math.min(one + other, Number.MAX_SAFE_INTEGER);

/**
 * What a call of gRPC came to, by the event that ended it.
 *
 * @param longest how much of a status message is kept, in characters
 */
export function outcomeOf(end: Pick<HeaderEvent, 'kind' | 'headers'> | Reset, longest = Infinity): CallOutcome {
  return end.kind === 'reset' ? { kind: 'reset', side: end.side, code: end.code } : statusOf(end.headers, longest);
}

function statusOf(trailers: readonly HeaderField[], longest: number): CallOutcome {
  const status = headerText(trailers, 'grpc-status');
  const message = percentDecode(headerText(trailers, 'grpc-message') ?? '').slice(0, longest);
  if (status === undefined) return { kind: 'status', code: 2, message: 'the trailer has no grpc-status' };
  if (!/^\d{1,9}$/.test(status)) return { kind: 'status', code: 2, message };
  return status === '0' && message === '' ? succeeded : { kind: 'status', code: Number(status), message };
}

/** gRPC's percent-encoding of status messages; what isn't well-formed stays as it crossed. */
function percentDecode(text: string): string {
  if (!text.includes('%')) return text;
  const bytes: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const hex = text.slice(i + 1, i + 3);
    if (text[i] === '%' && /^[0-9a-fA-F]{2}$/.test(hex)) {
      bytes.push(Number.parseInt(hex, 16));
      i += 2;
    } else bytes.push(text.charCodeAt(i) & 0xff);
  }
  return Buffer.from(bytes).toString('utf8');
}
