/** How messages can be compressed (grpc/grpc doc/compression.md). */

import { gunzipSync, inflateSync } from 'node:zlib';

/** The value of grpc-accept-encoding: what can be read here. */
export const ACCEPTED_ENCODINGS = 'identity,deflate,gzip';

/** A message that can't be decompressed. */
export class BadCompression extends Error {}

/** Undefined: not one that can be read here. Identity leaves messages as they are, and no message may say that it is compressed. */
export type Decompress = (bytes: Uint8Array, maxBytes: number) => Uint8Array;

const unzipped =
  (unzip: typeof gunzipSync): Decompress =>
  (bytes, maxBytes) => {
    try {
      return unzip(bytes, { maxOutputLength: maxBytes });
    } catch (error) {
      throw new BadCompression(error instanceof Error ? error.message : String(error), { cause: error });
    }
  };

const DECOMPRESS: Readonly<Record<string, Decompress>> = { gzip: unzipped(gunzipSync), deflate: unzipped(inflateSync) };

export function isKnownEncoding(name: string): boolean {
  return name === 'identity' || name in DECOMPRESS;
}

/** Undefined for identity, and for what is not known. */
export function decompressor(name: string): Decompress | undefined {
  return DECOMPRESS[name];
}
