/** The streams of a connection that are not over, and what each side has said on them. */

import { PassingMap } from '../passing.js';
import type { MessageReader } from './message-reader.js';

export interface Stream {
  readonly id: number;
  readonly client: MessageReader;
  readonly server: MessageReader;
  /** That side sent END_STREAM. */
  clientEnded: boolean;
  serverEnded: boolean;
  /** The server's final (not 1xx) header went by. */
  serverHeaderSeen: boolean;
  /** Whether the request was one of gRPC. */
  readonly grpc: boolean;
}

export class StreamTable {
  private readonly open = new PassingMap<number, Stream>();
  /** The last stream looked up: most frames in a row are of one stream. */
  private latest: Stream | undefined;
  /** Ids at or below these were used (RFC 9113 §5.1.1): where the table has none, the stream is over. */
  private highestOpened = 0;
  private highestPromised = 0;

  constructor(private readonly limit: number) {}

  get(id: number): Stream | undefined {
    const { latest } = this;
    if (latest !== undefined && latest.id === id) return latest;
    return (this.latest = this.open.get(id));
  }

  get size(): number {
    return this.open.size;
  }

  get full(): boolean {
    return this.open.size >= this.limit;
  }

  /** Whether the stream was ever opened, by a request or a promise. */
  wasUsed(id: number): boolean {
    return id > 0 && id <= ((id & 1) === 1 ? this.highestOpened : this.highestPromised);
  }

  markUsed(id: number): void {
    if ((id & 1) === 1) this.highestOpened = Math.max(this.highestOpened, id);
    else this.highestPromised = Math.max(this.highestPromised, id);
  }

  add(stream: Stream): void {
    this.open.set(stream.id, stream);
  }

  remove(id: number): void {
    this.open.delete(id);
    this.latest = undefined;
  }

  values(): Iterable<Stream> {
    return this.open.values();
  }

  clear(): void {
    this.open.clear();
    this.latest = undefined;
  }
}
