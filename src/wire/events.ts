/**
 * What the wire layer says about a connection: gRPC's vocabulary (its binary log, proposal A16), plus the
 * connection's own events. Everything here is a plain value; nothing knows BuildKit.
 */

/** Who sent the bytes: the side that opened the connection, or the one that accepted it. */
export type Side = 'client' | 'server';

/** Monotonic nanoseconds, as taken at the socket. */
export type Nanoseconds = bigint;

/** A header or trailer field: the name as it crossed (lower case, latin-1), the value as bytes. */
export interface HeaderField {
  readonly name: string;
  readonly value: Uint8Array;
}

interface Stamped {
  /** When the bytes that completed this event were read. */
  readonly time: Nanoseconds;
}

interface OnStream extends Stamped {
  /** HTTP/2 stream id: odd, and unique within the connection. */
  readonly stream: number;
}

export interface HeaderEvent extends OnStream {
  readonly kind: 'client-header' | 'server-header' | 'server-trailer';
  readonly headers: readonly HeaderField[];
}

/** Octets `from` up to `to` of `bytes`: cheaper by far than a view, and there is one for every message. */
export interface Piece {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
}

export interface MessageEvent extends OnStream {
  readonly kind: 'client-message' | 'server-message';
  /** The compressed flag of the gRPC length prefix. */
  readonly compressed: boolean;
  /** Payload length in bytes, without the five-byte prefix. */
  readonly size: number;
  /**
   * The payload in order, as pieces of the bytes that were pushed (small pieces of a message that spans pushes are
   * copies); undefined when the body was not wanted.
   */
  readonly data: readonly Piece[] | undefined;
}

export interface HalfCloseEvent extends OnStream {
  readonly kind: 'client-half-close';
}

export interface ResetEvent extends OnStream {
  readonly kind: 'reset';
  readonly side: Side;
  /** RFC 9113 §7 error code. */
  readonly code: number;
}

export interface GoAwayEvent extends Stamped {
  readonly kind: 'goaway';
  readonly side: Side;
  readonly lastStream: number;
  readonly code: number;
  readonly debug: Uint8Array;
}

/** Bytes that could not be read. They were forwarded all the same. */
export interface GapEvent extends Stamped {
  readonly kind: 'gap';
  readonly side: Side;
  readonly stream?: number;
  /** Where in this side's byte stream the unreadable part begins. */
  readonly offset: number;
  readonly bytes: number;
  readonly reason: string;
}

/** One side will send no more bytes. */
export interface EndEvent extends Stamped {
  readonly kind: 'end';
  readonly side: Side;
}

export type WireEvent = HeaderEvent | MessageEvent | HalfCloseEvent | ResetEvent | GoAwayEvent | GapEvent | EndEvent;
