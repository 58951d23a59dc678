/**
 * Every bound of the HTTP/1.1 decoder. As with HTTP/2 (limits.ts), each is at or above what a peer of this kind accepts,
 * and what passes one becomes a gap, never an error.
 */

const KiB = 1024;
const MiB = 1024 * KiB;

export interface Http1Limits {
  /** Bytes of one head, or of one trailer section. */
  readonly headBytes: number;
  /** Fields of one head, or of one trailer section. */
  readonly fields: number;
  /** Bytes of the line in front of a chunk. */
  readonly chunkLineBytes: number;
  /** Requests that wait for their responses. */
  readonly pipelined: number;
  /** Bytes that a client sends before it knows whether its upgrade is granted. */
  readonly aheadBytes: number;
  /** Content that is kept, where it is wanted; of a longer one only the size is told. */
  readonly contentBytes: number;
}

export const DEFAULT_HTTP1_LIMITS: Http1Limits = {
  // Go's server takes heads of 1 MiB, and Docker's clients put the credentials of all registries into one field.
  headBytes: MiB,
  // Past anything that is written by hand or program; at some 150 bytes of heap a field this is 1.5 MB.
  fields: 10_000,
  // Go's limit, for a number of a few digits.
  chunkLineBytes: 4 * KiB,
  // Clients that pipeline at all do so by the ten.
  pipelined: 1000,
  // RFC 9110 §7.8 has a client send nothing of the new protocol; one that does so all the same greets, no more.
  aheadBytes: 64 * KiB,
  // Answers that describe something; an engine's longest is some 10 KiB.
  contentBytes: MiB,
};

/** The longest Content-Length that is still exact as a number, in digits; a chunk's size has as many bits. */
export const LENGTH_DIGITS = 15;
export const CHUNK_SIZE_DIGITS = 13;
