/** The header lists of a client's requests, out of its HEADERS and CONTINUATION frames (RFC 9113 §4.3, §6.2, §6.10). */

import { type ConnectionError, ErrorCode } from './error-codes.js';
import type { HeaderField } from './events.js';
import { END_HEADERS, END_STREAM, PADDED, PRIORITY_FLAG } from './frame-types.js';
import { HeaderBlock } from './header-block.js';
import { HpackDecoder, HpackFailure } from './hpack-decoder.js';
import { INITIAL_HEADER_TABLE_BYTES } from './limits.js';
import { uint31, uint8 } from './octets.js';
import type { ServeLimits } from './serve-limits.js';

/** A header block that is whole. */
export class RequestBlock {
  constructor(
    readonly stream: number,
    readonly endStream: boolean,
    /** Its priority names the stream itself, which is an error of that stream. */
    readonly dependsOnItself: boolean,
    readonly fields: readonly HeaderField[] | HpackFailure,
  ) {}
}

export class RequestBlocks {
  private readonly block: HeaderBlock;
  private readonly decoder: HpackDecoder;
  private continuations = 0;
  private dependsOnItself = false;

  constructor(private readonly limits: ServeLimits) {
    const { headerBlockBytes, headerFields, headerListBytes } = limits;
    this.block = new HeaderBlock(headerBlockBytes);
    this.decoder = new HpackDecoder({ headerFields, headerListBytes, headerTableBytes: INITIAL_HEADER_TABLE_BYTES });
  }

  /** Whether nothing but a CONTINUATION may come next. */
  get isOpen(): boolean {
    return this.block.isOpen;
  }

  /** The stream whose CONTINUATION must come next; -1 for none. */
  get stream(): number {
    return this.block.stream;
  }

  /** @returns the block, if this is all of it, or why there can't be one */
  readHeaders(flags: number, id: number, bytes: Uint8Array, start: number, end: number): RequestBlock | ConnectionError | undefined {
    let from = start;
    let to = end;
    if ((flags & PADDED) !== 0) {
      to -= uint8(bytes, from);
      from += 1;
    }
    if ((flags & PRIORITY_FLAG) !== 0) from += 5;
    if (from > end) return { code: ErrorCode.FRAME_SIZE_ERROR, reason: `a HEADERS frame of ${end - start} bytes` };
    if (from > to) return { code: ErrorCode.PROTOCOL_ERROR, reason: 'a HEADERS frame with more padding than it has room for' };
    const dependsOnItself = (flags & PRIORITY_FLAG) !== 0 && uint31(bytes, from - 5) === id;
    const endStream = (flags & END_STREAM) !== 0;
    if ((flags & END_HEADERS) !== 0) return this.decode(id, endStream, dependsOnItself, bytes, from, to);
    this.continuations = 0;
    this.dependsOnItself = dependsOnItself;
    this.block.open(id, 0, false, endStream);
    this.block.add(bytes, from, to);
    return undefined;
  }

  /** @returns as {@link readHeaders} */
  readContinuation(flags: number, bytes: Uint8Array, from: number, to: number): RequestBlock | ConnectionError | undefined {
    const { block } = this;
    this.continuations += 1;
    block.add(bytes, from, to);
    if (block.unreadable !== undefined || this.continuations > this.limits.continuations) {
      return { code: ErrorCode.ENHANCE_YOUR_CALM, reason: `too many ${block.unreadable ?? 'CONTINUATION frames'}` };
    }
    if ((flags & END_HEADERS) === 0) return undefined;
    const { stream, endStream, fragments } = block;
    const whole = this.decode(stream, endStream, this.dependsOnItself, fragments.bytes, 0, fragments.length);
    block.close();
    return whole;
  }

  private decode(id: number, endStream: boolean, dependsOnItself: boolean, bytes: Uint8Array, from: number, to: number): RequestBlock | ConnectionError {
    const fields = this.decoder.decode(bytes, from, to);
    if (fields instanceof HpackFailure && fields.poisons) return { code: ErrorCode.COMPRESSION_ERROR, reason: fields.reason };
    return new RequestBlock(id, endStream, dependsOnItself, fields);
  }
}
