/**
 * The events that a cassette holds: gRPC's vocabulary, one entry for everything that crossed, in the order in
 * which it was seen. The file format (docs/cassette-format.md) is one way to write these down.
 */

/** Nanoseconds since the recording began, monotonic. */
export type Nanoseconds = bigint;

/** Who sent it: the side that opened the connection, or the one that accepted it. */
export type Side = 'client' | 'server';

/** A header or trailer field: name as it crossed (lower case, latin-1), value as bytes. */
export interface HeaderField {
  readonly name: string;
  readonly value: Uint8Array;
}

interface Placed {
  /** Global sequence number within the cassette, from 0, without holes. */
  readonly seq: number;
  readonly time: Nanoseconds;
  /** Connection number within the cassette, from 1. */
  readonly connection: number;
}

interface OnCall extends Placed {
  /** Call number within the cassette, from 1, in the order of the client headers. */
  readonly call: number;
}

export interface ConnectionOpen extends Placed {
  readonly kind: 'connection-open';
  /** The address that the client dialled. */
  readonly address: string;
  /** {@link HTTP_1}; left out for HTTP/2. */
  readonly protocol?: string;
  /** The call, on a connection of HTTP/1.1, whose answer (101) made this connection of the bytes behind it. */
  readonly upgradeOf?: number;
}

/** The protocol of a connection whose calls are exchanges of HTTP/1.1. */
export const HTTP_1 = 'http/1.1';

export interface ConnectionClose extends Placed {
  readonly kind: 'connection-close';
  /** The side that ended first, or undefined when the recording stopped with the connection open. */
  readonly side: Side | undefined;
  /** Why, when it was not an orderly end. */
  readonly error?: string;
}

export interface HeaderEvent extends OnCall {
  readonly kind: 'client-header' | 'server-header' | 'server-trailer';
  readonly headers: readonly HeaderField[];
}

/** Octets `from` up to `to` of `bytes`. */
export interface Piece {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
}

/** All of some bytes, as a piece. */
export function whole(bytes: Uint8Array): Piece {
  return { bytes, from: 0, to: bytes.length };
}

export interface MessageEvent extends OnCall {
  readonly kind: 'client-message' | 'server-message';
  readonly compressed: boolean;
  /** Length in bytes of the payload that crossed. */
  readonly size: number;
  /** The payload; undefined when it was left out of the cassette. */
  readonly data: Uint8Array | undefined;
}

export interface HalfClose extends OnCall {
  readonly kind: 'client-half-close';
}

export interface Reset extends OnCall {
  readonly kind: 'reset';
  readonly side: Side;
  /** RFC 9113 §7 error code. */
  readonly code: number;
}

export interface GoAway extends Placed {
  readonly kind: 'goaway';
  readonly side: Side;
  readonly code: number;
  readonly debug: Uint8Array;
}

/** Bytes that crossed and could not be read, or events that could not be written. */
export interface Gap extends Placed {
  readonly kind: 'gap';
  readonly side: Side;
  readonly call?: number;
  readonly offset: number;
  readonly bytes: number;
  readonly reason: string;
}

export type CassetteEvent =
  | ConnectionOpen
  | ConnectionClose
  | HeaderEvent
  | MessageEvent
  | HalfClose
  | Reset
  | GoAway
  | Gap;

export type EventKind = CassetteEvent['kind'];

/** All that a cassette can hold of one call, but gaps. */
export type CallEvent = HeaderEvent | MessageEvent | HalfClose | Reset;
