/** The content of a `pay` record: payloads that events refer to by number, each with its SHA-256. */
import { hash } from 'node:crypto';
import { asArray, asBytes, asCount, decode, integer, Malformed } from './msgpack.js';
import { encode } from './msgpack-encoder.js';

export const DIGEST_LENGTH = 32;

export interface PayloadBlock {
  /** The number of the first payload in the block. */
  readonly first: number;
  /** Where each begins in `bytes`, and where the last one ends. */
  readonly starts: Uint32Array;
  /** 32 bytes for each payload. */
  readonly digests: Uint8Array;
  /** The payloads, end to end. */
  readonly bytes: Uint8Array;
}

export function digestOf(payload: Uint8Array): Buffer {
  return hash('sha256', payload, 'buffer');
}

/** All of the content but the payloads themselves, `bytes` of which follow it. */
export function encodePayloadTable(first: number, lengths: readonly number[], digests: Uint8Array, bytes: number): Uint8Array {
  const table = Buffer.concat([encode([integer(first), lengths, digests]), Uint8Array.of(0xc6, 0, 0, 0, 0)]);
  table[0] = 0x94; // a fourth element: binary, its length in four bytes
  table.writeUInt32BE(bytes, table.length - 4);
  return table;
}

/** The parts are views of `content`. */
export function decodePayloads(content: Uint8Array): PayloadBlock {
  const row = asArray(decode(content), 'payload block');
  const lengths = asArray(row[1], 'payload lengths').map((length) => asCount(length, 'payload length'));
  const digests = asBytes(row[2], 'digests');
  const bytes = asBytes(row[3], 'payloads');
  if (digests.length !== lengths.length * DIGEST_LENGTH) throw new Malformed('the digests of a payload block do not fit its payloads');
  if (lengths.reduce((sum, length) => sum + length, 0) !== bytes.length) throw new Malformed('the lengths of a payload block do not fit its bytes');
  const starts = new Uint32Array(lengths.length + 1);
  lengths.forEach((length, i) => (starts[i + 1] = (starts[i] ?? 0) + length));
  return { first: asCount(row[0], 'payload number'), starts, digests, bytes };
}

/** How many payloads a block holds. */
export const countOf = ({ starts }: PayloadBlock): number => starts.length - 1;

/** Length of a block's nth payload; undefined when it holds no such one. */
export function lengthAt({ starts }: PayloadBlock, n: number): number | undefined {
  const end = starts[n + 1];
  return end === undefined ? undefined : end - (starts[n] ?? 0);
}

/** A block's nth payload, as a view of it. */
export function payloadAt({ starts, bytes }: PayloadBlock, n: number): Uint8Array {
  return bytes.subarray(starts[n] ?? bytes.length, starts[n + 1] ?? bytes.length);
}
