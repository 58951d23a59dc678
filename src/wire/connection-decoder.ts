/** The whole of one tapped HTTP/2 connection: bytes of both sides in, gRPC's events out. Does no I/O, holds no clock. */

import { Calls } from './calls.js';
import { Direction } from './direction.js';
import type { HeaderField, Nanoseconds, Side, WireEvent } from './events.js';
import { HeldBytes } from './held-bytes.js';
import { DEFAULT_LIMITS, type Limits } from './limits.js';

export interface ConnectionDecoderOptions {
  /**
   * Asked once per stream, at its client header: whether its messages' bodies are wanted.
   * False: they are only counted, and never held. Default: every body is wanted.
   */
  readonly wantsBody?: (stream: number, headers: readonly HeaderField[]) => boolean;
  readonly limits?: Partial<Limits>;
}

/**
 * Decodes a copy of what crosses a connection. Push the bytes of each side as they come, in the order in which
 * they were read; events come out during the call, in order. Message data are views of the pushed chunks (save
 * small pieces of messages that span chunks), so a pushed buffer must not be written to again.
 *
 * Whatever the bytes are, nothing throws: what can't be read becomes a `gap` event, and reading goes on wherever
 * the framing allows it.
 *
 * @example
 * const decoder = new ConnectionDecoder((event) => console.log(event.kind));
 * decoder.push('client', bytesFromClient, process.hrtime.bigint());
 * decoder.end('client', process.hrtime.bigint());
 */
export class ConnectionDecoder {
  private readonly client: Direction;
  private readonly server: Direction;
  private readonly calls: Calls;
  private readonly held: HeldBytes;

  /** @param sink gets each event, during `push` and `end`; the values in it are not to be changed */
  constructor(sink: (event: WireEvent) => void, options: ConnectionDecoderOptions = {}) {
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.held = new HeldBytes(limits.heldBytes);
    this.calls = new Calls(sink, limits, this.held, options.wantsBody ?? (() => true));
    this.client = new Direction('client', this.calls, sink, limits);
    this.server = new Direction('server', this.calls, sink, limits);
    this.client.peer = this.server;
    this.server.peer = this.client;
  }

  /** The next bytes that `side` sent, read at `time`. After `end` of that side they are ignored. */
  push(side: Side, bytes: Uint8Array, time: Nanoseconds): void {
    if (side === 'client') this.client.push(bytes, time);
    else this.server.push(bytes, time);
    this.held.settle();
  }

  /** `side` will send no more. What it had begun becomes a gap. */
  end(side: Side, time: Nanoseconds): void {
    (side === 'client' ? this.client : this.server).end(time);
    if (this.client.ended && this.server.ended) this.calls.streams.clear();
  }

  /** What the decoder holds on to, for those who watch memory: streams not over, bytes of unfinished messages. */
  get load(): { readonly openStreams: number; readonly heldBytes: number } {
    return { openStreams: this.calls.streams.size, heldBytes: this.held.bytes };
  }
}
