/** A header block that is spread over a HEADERS or PUSH_PROMISE frame and its CONTINUATIONs (RFC 9113 §4.3). */

import { ByteCollector } from './byte-collector.js';

export class HeaderBlock {
  /** The stream whose CONTINUATION must come next; -1 when no block is open. */
  stream = -1;
  /** A PUSH_PROMISE's block: only of use to the table. */
  promised = false;
  endStream = false;
  /** Where its first frame begins in its side's bytes. */
  offset = 0;
  /** Why the block can't be read, although its frames can be told apart. */
  unreadable: string | undefined;
  readonly fragments = new ByteCollector();

  constructor(private readonly limit: number) {}

  get isOpen(): boolean {
    return this.stream >= 0;
  }

  open(stream: number, offset: number, promised: boolean, endStream: boolean): void {
    this.stream = stream;
    this.offset = offset;
    this.promised = promised;
    this.endStream = endStream;
    this.unreadable = undefined;
  }

  add(bytes: Uint8Array, from: number, to: number): void {
    if (this.unreadable !== undefined) return;
    if (this.fragments.length + to - from > this.limit) {
      this.unreadable = `a header block over the limit of ${this.limit} bytes`;
      this.fragments.clear();
    } else {
      this.fragments.add(bytes, from, to);
    }
  }

  close(): void {
    this.stream = -1;
    this.fragments.clear();
  }
}
