/** Reads everything in a cassette and says what is whole, what is not, and what was never written. */
import { openReader, type OpenOptions } from './cassette.js';
import type { CassetteHeader } from './header.js';
import { type Inspection, inspect } from './v1/inspect.js';

export interface VerifyReport extends Inspection {
  readonly path: string;
  /** Size of the file. */
  readonly bytes: number;
  readonly header: CassetteHeader;
}

/**
 * Checks every checksum, every digest, every reference and the index against the events.
 *
 * @throws BridgetapeError when the file can't be opened as a cassette at all
 */
export function verify(path: string, options: OpenOptions = {}): VerifyReport {
  const { reader, source } = openReader(path, options);
  try {
    return { path, bytes: source.size, header: reader.header, ...inspect(reader, source) };
  } finally {
    reader.close();
  }
}
