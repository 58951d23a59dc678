/** What waits to be sent on a stream, because its window or the connection's is used up, or nobody reads. */

import type { HeaderField } from './events.js';

export type QueueItem =
  | { readonly kind: 'headers'; readonly fields: readonly HeaderField[]; readonly endStream: boolean }
  | { readonly kind: 'data'; readonly bytes: Uint8Array };

/** A queue that never runs empty must not keep for ever what it has sent. */
const SENT_ITEMS_KEPT = 1024;

export class SendQueue {
  /** Of the data in it. */
  bytes = 0;
  private items: QueueItem[] = [];
  private first = 0;
  /** How much of the first item was sent. */
  private sent = 0;

  get isEmpty(): boolean {
    return this.first === this.items.length;
  }

  peek(): QueueItem | undefined {
    return this.items[this.first];
  }

  /** Where the unsent part of the first item begins. */
  get offset(): number {
    return this.sent;
  }

  add(item: QueueItem): void {
    this.items.push(item);
    if (item.kind === 'data') this.bytes += item.bytes.length;
  }

  /** So much more of the first item, which is data, was sent; all of it: the next one is first. */
  advance(bytes: number): void {
    const item = this.items[this.first];
    if (item?.kind !== 'data') return;
    this.bytes -= bytes;
    this.sent += bytes;
    if (this.sent >= item.bytes.length) this.drop();
  }

  /** The first item is done with. */
  drop(): void {
    this.sent = 0;
    this.first += 1;
    if (this.first === this.items.length) {
      this.items = [];
      this.first = 0;
    } else if (this.first === SENT_ITEMS_KEPT) {
      this.items = this.items.slice(this.first);
      this.first = 0;
    }
  }

  clear(): void {
    this.items = [];
    this.first = 0;
    this.sent = 0;
    this.bytes = 0;
  }
}
