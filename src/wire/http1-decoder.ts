/**
 * The whole of one tapped HTTP/1.1 connection: bytes of both sides in, exchanges out (RFC 9112). Does no I/O, holds no
 * clock. Where an exchange makes the connection a tunnel (101, CONNECT), the bytes behind it are handed on.
 */

import { ByteCollector } from './byte-collector.js';
import type { HeaderField, Nanoseconds, Side } from './events.js';
import { ContentReader, type Framing, requestFraming, responseFraming } from './http1-content.js';
import type { Http1Event, Http1Request, Http1Response } from './http1-events.js';
import { listField, parseRequest, parseResponse, SectionReader, Unreadable } from './http1-head.js';
import { DEFAULT_HTTP1_LIMITS, type Http1Limits } from './http1-limits.js';
import { copy, view } from './octets.js';

/** Takes the bytes that cross behind an upgrade, from the first one on. */
export interface Tunnel {
  push(side: Side, bytes: Uint8Array, time: Nanoseconds): void;
  end(side: Side, time: Nanoseconds): void;
}

export interface Http1DecoderOptions {
  /**
   * Asked once per content, at its message's head: whether its bytes are wanted. False: they are only counted. Default:
   * none is wanted.
   *
   * @param response undefined for the content of the request
   */
  readonly wantsContent?: (request: Http1Request, response: Http1Response | undefined) => boolean;
  /**
   * Asked when a tunnel begins, once its response was told. With a tunnel given, the exchange is over; without one, what
   * crosses is counted as the exchange's content.
   */
  readonly follow?: (exchange: number, request: Http1Request, response: Http1Response, time: Nanoseconds) => Tunnel | undefined;
  readonly limits?: Partial<Http1Limits>;
}

interface Exchange {
  readonly number: number;
  readonly request: Http1Request;
  readonly sent: Content;
  readonly received: Content;
  requestDone: boolean;
  /** What the client sends behind its request, when that is this exchange's too: a tunnel, or a response without an end. */
  behind: Expecting | undefined;
}

/** What is known of one content. */
interface Content {
  size: number;
  /** Undefined when it is not wanted, or too long. */
  kept: ByteCollector | undefined;
}

/** What one side's next byte belongs to. */
type Expecting =
  | { readonly kind: 'head' }
  | { readonly kind: 'content'; readonly exchange: Exchange; readonly reader: ContentReader }
  /** The client asked for an upgrade: what it sends next means one thing or another. */
  | { readonly kind: 'answer'; readonly exchange: Exchange; readonly ahead: ByteCollector }
  | { readonly kind: 'tunnel'; readonly tunnel: Tunnel }
  /** The rest of the connection, counted. */
  | { readonly kind: 'rest'; readonly exchange: Exchange }
  | { readonly kind: 'unreadable'; bytes: number };

/** What can't be read, and from which byte of the chunk at hand on; a negative one stands in an earlier chunk. */
class Loss {
  constructor(
    readonly from: number,
    readonly reason: string,
  ) {}
}

const UPGRADE = 101;
const IN_HEAD: Expecting = { kind: 'head' };
const AFTERWARDS = 'behind what could not be read';

/**
 * Decodes a copy of what crosses a connection. Push the bytes of each side as they come, in the order in which they were
 * read. Whatever the bytes are, nothing throws: what can't be read becomes a gap, and so does what comes behind it, on
 * both sides, since responses can't be told apart without their requests.
 */
export class Http1Decoder {
  private readonly limits: Http1Limits;
  private readonly heads: Readonly<Record<Side, SectionReader>>;
  private readonly expecting: Record<Side, Expecting> = { client: IN_HEAD, server: IN_HEAD };
  private readonly received: Record<Side, number> = { client: 0, server: 0 };
  private readonly ended: Record<Side, boolean> = { client: false, server: false };
  /** Exchanges whose responses are still to come, in order. */
  private readonly waiting: Exchange[] = [];
  private firstEnd: Side | undefined;
  private exchanges = 0;

  /** @param sink gets each event, during `push` and `end` */
  constructor(
    private readonly sink: (event: Http1Event) => void,
    private readonly options: Http1DecoderOptions = {},
  ) {
    this.limits = { ...DEFAULT_HTTP1_LIMITS, ...options.limits };
    this.heads = { client: new SectionReader(true, this.limits.headBytes), server: new SectionReader(true, this.limits.headBytes) };
  }

  /** The next bytes that `side` sent, read at `time`. After `end` of that side they are ignored. */
  push(side: Side, bytes: Uint8Array, time: Nanoseconds): void {
    if (this.ended[side]) return;
    const start = this.received[side];
    this.received[side] += bytes.length;
    this.read(side, bytes, start, time);
  }

  /** `side` will send no more. */
  end(side: Side, time: Nanoseconds): void {
    if (this.ended[side]) return;
    this.ended[side] = true;
    this.firstEnd ??= side;
    const expecting = this.expecting[side];
    if (expecting.kind === 'tunnel') expecting.tunnel.end(side, time);
    if (side === 'server') this.endUntilClose(time);
    if (this.ended.client && this.ended.server) this.endAll(time);
  }

  /** @param start where in the side's byte stream `bytes` begins */
  private read(side: Side, bytes: Uint8Array, start: number, time: Nanoseconds): void {
    for (let at = 0; at < bytes.length; ) {
      const next = this.step(side, bytes, at, time);
      if (next instanceof Loss) {
        this.lose(side, start + next.from, bytes.length - next.from, next.reason, time);
        return;
      }
      at = next;
    }
  }

  private step(side: Side, bytes: Uint8Array, at: number, time: Nanoseconds): number | Loss {
    const to = bytes.length;
    const expecting = this.expecting[side];
    switch (expecting.kind) {
      case 'head': {
        const head = this.heads[side];
        const next = head.push(bytes, at, to);
        const from = next - head.taken;
        if (head.isTooLong) return new Loss(from, `a head of more than ${this.limits.headBytes} bytes`);
        if (!head.isWhole) return next;
        const refused = side === 'client' ? this.requestHead(head.lines(), time) : this.responseHead(head.lines(), time);
        return refused === undefined ? next : new Loss(from, refused.reason);
      }
      case 'content': {
        const next = expecting.reader.push(bytes, at, to);
        if (next instanceof Unreadable) return new Loss(at, next.reason);
        if (!expecting.reader.isDone) return next;
        if (side === 'client') this.endRequest(expecting.exchange, expecting.reader.trailers, time);
        else this.endResponse(expecting.exchange, expecting.reader.trailers, time);
        return next;
      }
      case 'answer':
        if (expecting.ahead.length + to - at > this.limits.aheadBytes) return new Loss(at - expecting.ahead.length, `more than ${this.limits.aheadBytes} bytes ahead of an upgrade`);
        expecting.ahead.add(bytes, at, to);
        return to;
      case 'tunnel':
        expecting.tunnel.push(side, view(bytes, at, to), time);
        return to;
      case 'rest':
        expecting.exchange[side === 'client' ? 'sent' : 'received'].size += to - at;
        return to;
      case 'unreadable':
        expecting.bytes += to - at;
        return to;
    }
  }

  private requestHead(lines: readonly Uint8Array[], time: Nanoseconds): Unreadable | undefined {
    const request = parseRequest(lines, this.limits.fields);
    if (request instanceof Unreadable) return request;
    const framing = requestFraming(request);
    if (framing instanceof Unreadable) return framing;
    if (this.waiting.length >= this.limits.pipelined) return new Unreadable(`more than ${this.limits.pipelined} requests ahead of their responses`);
    this.exchanges += 1;
    const exchange: Exchange = { number: this.exchanges, request, sent: this.content(request, undefined), received: { size: 0, kept: undefined }, requestDone: false, behind: undefined };
    this.waiting.push(exchange);
    this.sink({ kind: 'request', time, exchange: exchange.number, request });
    if (framing.kind === 'none') this.endRequest(exchange, [], time);
    else this.expecting.client = this.reading(exchange, framing, exchange.sent);
    return undefined;
  }

  private endRequest(exchange: Exchange, trailers: readonly HeaderField[], time: Nanoseconds): void {
    const { number, request, sent } = exchange;
    exchange.requestDone = true;
    this.tellContent(exchange, 'client', time);
    this.sink({ kind: 'request-end', time, exchange: number, trailers });
    sent.size = 0;
    sent.kept = undefined;
    if (exchange.behind !== undefined) this.expecting.client = exchange.behind;
    else if (this.waiting.includes(exchange) && asksForTunnel(request)) this.expecting.client = { kind: 'answer', exchange, ahead: new ByteCollector() };
    else this.expecting.client = IN_HEAD;
  }

  private responseHead(lines: readonly Uint8Array[], time: Nanoseconds): Unreadable | undefined {
    const response = parseResponse(lines, this.limits.fields);
    if (response instanceof Unreadable) return response;
    const [exchange] = this.waiting;
    if (exchange === undefined) return new Unreadable('a response that no request was seen for');
    const { number, request } = exchange;
    const { status } = response;
    if (status < 200 && status !== UPGRADE) return undefined;
    const framing = responseFraming(response, request);
    if (status === UPGRADE && !asksForTunnel(request)) return new Unreadable('an upgrade that was not asked for');
    const beginsTunnel = status === UPGRADE || (request.method === 'CONNECT' && status < 300);
    if (!beginsTunnel && framing instanceof Unreadable) return framing;
    this.sink({ kind: 'response', time, exchange: number, response });
    if (beginsTunnel) this.tunnel(exchange, response, time);
    else if (framing instanceof Unreadable || framing.kind === 'none') this.endResponse(exchange, [], time);
    else {
      exchange.received.kept = this.content(request, response).kept;
      this.expecting.server = this.reading(exchange, framing, exchange.received);
      if (framing.kind === 'until-close') this.goOn(exchange, { kind: 'rest', exchange }, time);
    }
    return undefined;
  }

  private endResponse(exchange: Exchange, trailers: readonly HeaderField[], time: Nanoseconds): void {
    this.tellContent(exchange, 'server', time);
    this.sink({ kind: 'response-end', time, exchange: exchange.number, trailers });
    this.waiting.shift();
    this.expecting.server = IN_HEAD;
    if (exchange.requestDone) this.goOn(exchange, IN_HEAD, time);
  }

  private tunnel(exchange: Exchange, response: Http1Response, time: Nanoseconds): void {
    const tunnel = this.options.follow?.(exchange.number, exchange.request, response, time);
    if (tunnel === undefined) {
      this.expecting.server = { kind: 'rest', exchange };
      this.goOn(exchange, this.expecting.server, time);
      return;
    }
    this.sink({ kind: 'response-end', time, exchange: exchange.number, trailers: [] });
    this.waiting.shift();
    this.expecting.server = { kind: 'tunnel', tunnel };
    this.goOn(exchange, this.expecting.server, time);
    if (this.ended.client) tunnel.end('client', time);
  }

  /** The answer says what the client sends behind its request, and sent ahead of the answer. */
  private goOn(exchange: Exchange, as: Expecting, time: Nanoseconds): void {
    if (!exchange.requestDone) {
      exchange.behind = as;
      return;
    }
    const { client } = this.expecting;
    if (client.kind === 'answer' && client.exchange === exchange) {
      this.expecting.client = as;
      const ahead = copy(client.ahead.bytes, 0, client.ahead.length);
      this.read('client', ahead, this.received.client - ahead.length, time);
    } else if (client.kind === 'head' && as.kind === 'rest') {
      exchange.sent.size += this.heads.client.taken;
      this.expecting.client = as;
    }
  }

  private content(request: Http1Request, response: Http1Response | undefined): Content {
    return { size: 0, kept: this.options.wantsContent?.(request, response) === true ? new ByteCollector() : undefined };
  }

  private reading(exchange: Exchange, framing: Exclude<Framing, { kind: 'none' }>, content: Content): Expecting {
    const { contentBytes } = this.limits;
    const reader = new ContentReader(framing, this.limits, (bytes, from, to) => {
      content.size += to - from;
      if (content.size > contentBytes) content.kept = undefined;
      content.kept?.add(bytes, from, to);
    });
    return { kind: 'content', exchange, reader };
  }

  private tellContent({ number, sent, received }: Exchange, side: Side, time: Nanoseconds): void {
    const { size, kept } = side === 'client' ? sent : received;
    if (size > 0) this.sink({ kind: 'content', time, exchange: number, side, size, data: kept && copy(kept.bytes, 0, kept.length) });
  }

  /** A response that ends with its side of the connection has ended well, as far as anybody can tell. */
  private endUntilClose(time: Nanoseconds): void {
    const { server } = this.expecting;
    if (server.kind !== 'content' || !server.reader.isUntilClose) return;
    if (server.exchange.requestDone) this.tellContent(server.exchange, 'client', time);
    this.endResponse(server.exchange, [], time);
  }

  private endAll(time: Nanoseconds): void {
    const { server } = this.expecting;
    if (server.kind === 'rest') {
      this.tellContent(server.exchange, 'client', time);
      this.endResponse(server.exchange, [], time);
    }
    for (const side of ['client', 'server'] as const) this.tellUnfinished(side, time);
    for (const { number } of this.waiting) this.sink({ kind: 'cut', time, exchange: number, side: this.firstEnd ?? 'client' });
    this.waiting.length = 0;
  }

  private tellUnfinished(side: Side, time: Nanoseconds): void {
    const expecting = this.expecting[side];
    const gap = (bytes: number, reason: string): void => {
      if (bytes > 0) this.sink({ kind: 'gap', time, side, offset: this.received[side] - bytes, bytes, reason });
    };
    switch (expecting.kind) {
      case 'head':
        gap(this.heads[side].taken, 'a head that has no end');
        break;
      case 'answer':
        gap(expecting.ahead.length, 'sent ahead of an upgrade that was not answered');
        break;
      case 'unreadable':
        gap(expecting.bytes, AFTERWARDS);
        break;
      case 'content':
        this.tellContent(expecting.exchange, side, time);
        this.sink({ kind: 'gap', time, side, exchange: expecting.exchange.number, offset: this.received[side], bytes: 0, reason: 'content that is cut off by the end of the connection' });
        break;
      case 'tunnel':
      case 'rest':
        break;
    }
  }

  /** From here on nothing is known of either side; what began and has not ended stays open. */
  private lose(side: Side, offset: number, bytes: number, reason: string, time: Nanoseconds): void {
    this.sink({ kind: 'gap', time, side, offset, bytes, reason });
    const other = side === 'client' ? 'server' : 'client';
    const expecting = this.expecting[other];
    const begun = expecting.kind === 'head' ? this.heads[other].taken : expecting.kind === 'answer' ? expecting.ahead.length : 0;
    this.expecting[side] = { kind: 'unreadable', bytes: 0 };
    this.expecting[other] = { kind: 'unreadable', bytes: begun };
    this.waiting.length = 0;
  }
}

function asksForTunnel({ method, fields }: Http1Request): boolean {
  return method === 'CONNECT' || (listField(fields, 'upgrade') !== undefined && (listField(fields, 'connection')?.includes('upgrade') ?? false));
}
