/**
 * What header lists, DATA and resets mean for the calls of a connection; shared by its two sides.
 * Not told, because the receiver has no use for it either: frames on a stream that is over, 1xx responses,
 * pushed streams.
 */

import { findField, notGrpc } from './content-type.js';
import type { HeaderField, Nanoseconds, Side, WireEvent } from './events.js';
import type { HeldBytes } from './held-bytes.js';
import type { Limits } from './limits.js';
import { MessageReader } from './message-reader.js';
import { type Stream, StreamTable } from './stream.js';

/** Tells that nothing can be told of the header block at hand. */
type BlockGap = (stream: number, reason: string) => void;

const SECOND_HEADER = 'a second header block that does not end the stream';
const CUT_BY_END = 'cut off by the end of the stream';
const CUT_BY_RESET = 'cut off by a reset';

export class Calls {
  readonly streams: StreamTable;

  constructor(
    private readonly sink: (event: WireEvent) => void,
    private readonly limits: Limits,
    private readonly held: HeldBytes,
    private readonly wantsBody: (stream: number, headers: readonly HeaderField[]) => boolean,
  ) {
    this.streams = new StreamTable(limits.openStreams);
  }

  /** Whether frames on this stream have no place: nobody opened or promised it. */
  neverOpened(id: number): boolean {
    return this.streams.get(id) === undefined && !this.streams.wasUsed(id);
  }

  /** The server announced that it will push a stream (RFC 9113 §8.4); nothing of it is told. */
  promise(id: number): void {
    this.streams.markUsed(id);
  }

  /** A header block of the client; `fields` is undefined when it couldn't be read, which a gap has told. */
  requestHeaders(
    id: number,
    endStream: boolean,
    fields: readonly HeaderField[] | undefined,
    time: Nanoseconds,
    blockGap: BlockGap,
  ): void {
    const { streams } = this;
    const known = streams.get(id);
    if (known !== undefined) {
      if (known.clientEnded) return;
      if (fields !== undefined && (fields.length > 0 || !endStream)) {
        blockGap(id, endStream ? 'client trailers, which gRPC has no use for' : SECOND_HEADER);
      }
      if (endStream) this.endClient(known, time);
      return;
    }
    if (streams.wasUsed(id)) return;
    if (id % 2 === 0) {
      if (fields !== undefined) blockGap(id, `a request header on ${neverOpened(id)}`);
      return;
    }
    streams.markUsed(id);
    if (streams.full) {
      if (fields !== undefined) blockGap(id, `a stream that is not followed: ${this.limits.openStreams} are open`);
      return;
    }
    const stream = this.open(id, fields);
    if (fields !== undefined) this.sink({ kind: 'client-header', time, stream: id, headers: fields });
    if (endStream) this.endClient(stream, time);
  }

  /** A header block of the server: 1xx, header, trailer, or both in one. */
  responseHeaders(
    id: number,
    endStream: boolean,
    fields: readonly HeaderField[] | undefined,
    time: Nanoseconds,
    blockGap: BlockGap,
  ): void {
    const stream = this.streams.get(id);
    if (stream === undefined) {
      if (fields !== undefined && !this.streams.wasUsed(id)) blockGap(id, `a response header on ${neverOpened(id)}`);
    } else if (stream.serverEnded) {
      return;
    } else if (endStream) {
      this.endServer(stream, fields, time);
    } else if (stream.serverHeaderSeen) {
      if (fields !== undefined) blockGap(id, SECOND_HEADER);
    } else if (fields === undefined || !isInformational(fields)) {
      stream.serverHeaderSeen = true;
      stream.server.setUnread(notGrpcResponse(stream, fields));
      if (fields !== undefined) this.sink({ kind: 'server-header', time, stream: id, headers: fields });
    }
  }

  /** A piece of DATA content. Hot path. */
  data(side: Side, id: number, bytes: Uint8Array, from: number, to: number, offset: number, time: Nanoseconds): void {
    const stream = this.streams.get(id);
    if (stream === undefined) return;
    if (side === 'client') {
      if (!stream.clientEnded) stream.client.push(bytes, from, to, offset, time);
    } else if (!stream.serverEnded) {
      stream.server.push(bytes, from, to, offset, time);
    }
  }

  /** DATA content of that side was lost, and with it where its messages begin. */
  loseData(side: Side, id: number, reason: string): void {
    this.streams.get(id)?.[side].loseBoundaries(`no message boundaries after ${reason}`);
  }

  /** END_STREAM on DATA. */
  endStream(side: Side, id: number, time: Nanoseconds): void {
    const stream = this.streams.get(id);
    if (stream === undefined) return;
    if (side === 'client') this.endClient(stream, time);
    else this.endServer(stream, [], time);
  }

  reset(side: Side, id: number, code: number, time: Nanoseconds): void {
    const stream = this.streams.get(id);
    if (stream === undefined) return;
    stream.client.finish(CUT_BY_RESET, time);
    stream.server.finish(CUT_BY_RESET, time);
    this.streams.remove(id);
    this.sink({ kind: 'reset', time, stream: id, side, code });
  }

  /** That side's bytes are over. @returns the streams on which something of it was unfinished */
  endSide(side: Side, ending: string, time: Nanoseconds): readonly number[] {
    const told: number[] = [];
    for (const stream of this.streams.values()) {
      if (stream[side].finish(ending, time)) told.push(stream.id);
    }
    return told;
  }

  private open(id: number, fields: readonly HeaderField[] | undefined): Stream {
    const unread = fields === undefined ? 'its request header could not be read' : notGrpc(findField(fields, 'content-type'));
    const wantsBody = fields !== undefined && unread === undefined && this.wantsBody(id, fields);
    const stream: Stream = {
      id,
      client: this.reader('client', id, wantsBody),
      server: this.reader('server', id, wantsBody),
      clientEnded: false,
      serverEnded: false,
      serverHeaderSeen: false,
      grpc: unread === undefined,
    };
    if (unread !== undefined) stream.client.setUnread(`DATA of a stream that is not gRPC: ${unread}`);
    stream.server.setUnread('DATA before the response header');
    this.streams.add(stream);
    return stream;
  }

  private reader(side: Side, id: number, wantsBody: boolean): MessageReader {
    return new MessageReader(side, id, wantsBody, this.sink, this.held, this.limits.messageBytes);
  }

  private endClient(stream: Stream, time: Nanoseconds): void {
    if (stream.clientEnded) return;
    stream.client.finish(CUT_BY_END, time);
    stream.clientEnded = true;
    this.sink({ kind: 'client-half-close', time, stream: stream.id });
    if (stream.serverEnded) this.streams.remove(stream.id);
  }

  private endServer(stream: Stream, trailer: readonly HeaderField[] | undefined, time: Nanoseconds): void {
    if (stream.serverEnded) return;
    stream.server.finish(CUT_BY_END, time);
    stream.serverEnded = true;
    if (trailer !== undefined) this.sink({ kind: 'server-trailer', time, stream: stream.id, headers: trailer });
    if (stream.clientEnded) this.streams.remove(stream.id);
  }
}

export function neverOpened(id: number): string {
  return id === 0 ? 'stream 0, which is the connection' : `stream ${id}, which was never opened`;
}

/** A 1xx response comes before the final one and says nothing about it (RFC 9110 §15.2). */
function isInformational(fields: readonly HeaderField[]): boolean {
  const status = findField(fields, ':status');
  return status !== undefined && status.length === 3 && status[0] === 0x31;
}

/** A response to a gRPC request is read as gRPC unless its header says otherwise. */
function notGrpcResponse(stream: Stream, fields: readonly HeaderField[] | undefined): string | undefined {
  if (!stream.grpc) return 'DATA of a response to a request that is not gRPC';
  const contentType = fields === undefined ? undefined : findField(fields, 'content-type');
  const unread = contentType === undefined ? undefined : notGrpc(contentType);
  return unread === undefined ? undefined : `DATA of a response that is not gRPC: ${unread}`;
}
