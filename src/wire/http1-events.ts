/** What the HTTP/1.1 decoder says about a connection: its exchanges, numbered from 1 in the order of their requests. */

import type { HeaderField, Nanoseconds, Side } from './events.js';

export interface Http1Request {
  readonly method: string;
  /** As it stands in the request line, latin-1. */
  readonly target: string;
  /** Names in lower case, in the order in which they crossed. */
  readonly fields: readonly HeaderField[];
}

export interface Http1Response {
  readonly status: number;
  readonly fields: readonly HeaderField[];
}

interface OnExchange {
  /** When the bytes that completed this event were read. */
  readonly time: Nanoseconds;
  readonly exchange: number;
}

export interface Http1RequestEvent extends OnExchange {
  readonly kind: 'request';
  readonly request: Http1Request;
}

/** The final response, or a 101; other 1xx are not told. */
export interface Http1ResponseEvent extends OnExchange {
  readonly kind: 'response';
  readonly response: Http1Response;
}

/**
 * All content of one side, when its end has come; none where there was none. What a client sends through a tunnel
 * comes as a second content of its side, behind `request-end`.
 */
export interface Http1ContentEvent extends OnExchange {
  readonly kind: 'content';
  readonly side: Side;
  /** Bytes of content that crossed, without the framing of chunks. */
  readonly size: number;
  /** The content; undefined when it was not wanted, or is longer than is kept. */
  readonly data: Uint8Array | undefined;
}

export interface Http1EndEvent extends OnExchange {
  readonly kind: 'request-end' | 'response-end';
  readonly trailers: readonly HeaderField[];
}

/** The connection ended before the exchange did. */
export interface Http1CutEvent extends OnExchange {
  readonly kind: 'cut';
  /** The side that ended first. */
  readonly side: Side;
}

/** Bytes that could not be read. They were forwarded all the same. */
export interface Http1GapEvent {
  readonly kind: 'gap';
  readonly time: Nanoseconds;
  readonly side: Side;
  readonly exchange?: number;
  /** Where in this side's byte stream the unreadable part begins. */
  readonly offset: number;
  readonly bytes: number;
  readonly reason: string;
}

export type Http1Event = Http1RequestEvent | Http1ResponseEvent | Http1ContentEvent | Http1EndEvent | Http1CutEvent | Http1GapEvent;
