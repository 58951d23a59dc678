/** How messages can be compressed (grpc/grpc doc/compression.md). */

import { gunzipSync, inflateSync } from 'node:zlib';

/** The value of grpc-accept-encoding: what can be read here. */
export const ACCEPTED_ENCODINGS = 'identity,deflate,gzip';

/** A message that can't be decompressed, or not within its bound. */
export class BadCompression extends Error {
  constructor(
    readonly kind: 'unreadable' | 'too-large',
    message: string,
    options: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Undefined: not one that can be read here. Identity leaves messages as they are, and no message may say that it is compressed. */
export type Decompress = (bytes: Uint8Array, maxBytes: number) => Uint8Array;

const unzipped =
  (unzip: typeof gunzipSync): Decompress =>
  (bytes, maxBytes) => {
    try {
      return unzip(bytes, { maxOutputLength: maxBytes });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new BadCompression(code === 'ERR_BUFFER_TOO_LARGE' ? 'too-large' : 'unreadable', message, { cause: error });
    }
  };

/** No plain object: the names come from clients, and `constructor` is none of these. */
const DECOMPRESS: ReadonlyMap<string, Decompress> = new Map([
  ['gzip', unzipped(gunzipSync)],
  ['deflate', unzipped(inflateSync)],
]);

export function isKnownEncoding(name: string): boolean {
  return name === 'identity' || DECOMPRESS.has(name);
}

/** Undefined for identity, and for what is not known. */
export function decompressor(name: string): Decompress | undefined {
  return DECOMPRESS.get(name);
}
