/**
 * gRPC on the streams of a server connection (grpc/grpc doc/PROTOCOL-HTTP2.md): requests are checked, messages framed,
 * and a call always ends with a status.
 */

import { Latest } from '../passing.js';
import { findField, notGrpc } from './content-type.js';
import { ErrorCode } from './error-codes.js';
import type { HeaderField, Nanoseconds } from './events.js';
import { Status, statusTrailers, textField } from './grpc-status.js';
import { readTimeout } from './grpc-timeout.js';
import { HeldBytes } from './held-bytes.js';
import { ACCEPTED_ENCODINGS, BadCompression, type Decompress, decompressor, isKnownEncoding } from './message-encoding.js';
import { latin1, view } from './octets.js';
import { type MessageSink, PREFIX_BYTES, RequestMessages } from './request-messages.js';
import { DEFAULT_SERVE_LIMITS, type ServeLimits } from './serve-limits.js';
import type { ServerSink } from './server-connection.js';
import type { ServerStream, StreamHandler } from './server-stream.js';

/** Takes the client's side of a call as it comes in. */
export interface GrpcHandler {
  /** Decompressed, and in one piece; it may be a part of what was pushed into the connection. */
  message(payload: Uint8Array): void;
  halfClose(): void;
  /** The call is over before it was ended: by the client, for an error of its, or because its connection is gone. Nothing comes after it. */
  cancelled(): void;
  /** There is room again, after a `send` that returned false. */
  drained(): void;
}

export type AcceptGrpc = (call: GrpcCall) => GrpcHandler;

/** The `request` of a {@link ServerSink}: what is no call of gRPC is refused, every other one accepted. */
export function grpcRequests(accept: AcceptGrpc, limits: Partial<ServeLimits> = {}): ServerSink['request'] {
  const { messageBytes, heldBytes } = { ...DEFAULT_SERVE_LIMITS, ...limits };
  const held = new HeldBytes(heldBytes);
  // A list that comes again is the same object.
  const latest = new Latest(readTerms);
  return (stream, line, headers) => {
    const terms = line.method === 'POST' ? latest.of(headers) : notPost(line.method);
    if (terms.refusal !== undefined) {
      stream.linger();
      stream.sendHeaders(terms.refusal, true);
      return REFUSED;
    }
    return new GrpcCall(stream, line.path, headers, terms, held, messageBytes).accepted(accept);
  };
}

/** Content of a request that was refused is read over. */
const REFUSED: StreamHandler = { data: () => undefined, ended: () => undefined, cancelled: () => undefined, drained: () => undefined };

const STATUS_200 = textField(':status', '200');
const CONTENT_TYPE = textField('content-type', 'application/grpc');

const PLAIN = 0;
const COMPRESSED = 1;

/** What the header list of a request says of the call. */
interface Terms {
  readonly timeout?: Nanoseconds | undefined;
  /** Undefined where messages are not compressed. */
  readonly decompress?: Decompress | undefined;
  /** The answer to a request that is no call. */
  readonly refusal?: readonly HeaderField[];
}

function notPost(method: string): Terms {
  return { refusal: [textField(':status', '405'), textField('allow', 'POST'), ...statusTrailers(Status.internal, `a gRPC request is a POST, and this is a ${method.slice(0, 32)}`)] };
}

function readTerms(headers: readonly HeaderField[]): Terms {
  const other = notGrpc(findField(headers, 'content-type'));
  if (other !== undefined) return { refusal: [textField(':status', '415'), ...statusTrailers(Status.invalidArgument, other)] };
  if (findField(headers, 'te') === undefined) return { refusal: trailersOnly(statusTrailers(Status.internal, 'a gRPC request has the field te: trailers, and this has none')) };
  const encoding = textOf(headers, 'grpc-encoding') ?? 'identity';
  if (!isKnownEncoding(encoding)) {
    return { refusal: trailersOnly([...statusTrailers(Status.unimplemented, `messages are compressed with ${encoding}, which can not be read here`), textField('grpc-accept-encoding', ACCEPTED_ENCODINGS)]) };
  }
  const given = textOf(headers, 'grpc-timeout');
  const timeout = given === undefined ? undefined : readTimeout(given);
  if (given !== undefined && timeout === undefined) {
    return { refusal: trailersOnly(statusTrailers(Status.internal, `a grpc-timeout that says nothing: ${given.slice(0, 32)}`)) };
  }
  return { timeout, decompress: decompressor(encoding) };
}

function textOf(headers: readonly HeaderField[], name: string): string | undefined {
  const value = findField(headers, name);
  return value && latin1(value, 0, value.length);
}

/** With the fields that a response's first header list has to have; one with a :status was a first one, and stays as it is. */
function responseHeaders(headers: readonly HeaderField[]): readonly HeaderField[] {
  if (findField(headers, ':status') !== undefined) return headers;
  return findField(headers, 'content-type') === undefined ? [STATUS_200, CONTENT_TYPE, ...headers] : [STATUS_200, ...headers];
}

const trailersOnly = responseHeaders;

/** The length prefix of the message at hand, of whichever call: copied when it is sent. */
const prefix = new Uint8Array(PREFIX_BYTES);

function setPrefix(length: number, compressed: boolean): void {
  prefix[0] = compressed ? COMPRESSED : PLAIN;
  prefix[1] = length >>> 24;
  prefix[2] = length >>> 16;
  prefix[3] = length >>> 8;
  prefix[4] = length;
}

/** One call, its client's side going to a handler, its server's side coming from the handler's owner. */
export class GrpcCall implements StreamHandler, MessageSink {
  private readonly messages: RequestMessages;
  private handler: GrpcHandler | undefined;
  private headersSent = false;
  private over = false;

  constructor(
    private readonly stream: ServerStream,
    /** `/package.Service/Method` */
    readonly path: string,
    readonly headers: readonly HeaderField[],
    private readonly terms: Terms,
    held: HeldBytes,
    private readonly maxMessageBytes: number,
  ) {
    this.messages = new RequestMessages(this, held, maxMessageBytes);
  }

  /** How long the client waits for the end of the call, from its beginning. */
  get timeout(): Nanoseconds | undefined {
    return this.terms.timeout;
  }

  accepted(accept: AcceptGrpc): this {
    this.handler = accept(this);
    return this;
  }

  /** Fields that HTTP/2 or gRPC ask for and that are not in the list are put before it. */
  sendHeaders(headers: readonly HeaderField[]): void {
    if (this.over || this.headersSent) return;
    this.headersSent = true;
    this.stream.sendHeaders(responseHeaders(headers), false);
  }

  /**
   * Hot path (bench: replay).
   *
   * @param payload is not to be written to any more: it may be sent from where it lies
   * @param compressed the flag of its length prefix
   * @param head what the message begins with, before the payload; it is copied
   * @returns false when the client reads slower than this sends: wait for `drained`
   */
  send(payload: Uint8Array, compressed = false, head?: Uint8Array): boolean {
    if (this.over) return true;
    if (!this.headersSent) this.sendHeaders([]);
    setPrefix(payload.length + (head?.length ?? 0), compressed);
    return this.stream.write(prefix, payload, head);
  }

  /** Sends a message of which only the first so many bytes ever come. */
  sendPart(payload: Uint8Array, bytes: number): void {
    if (this.over) return;
    if (!this.headersSent) this.sendHeaders([]);
    setPrefix(payload.length, false);
    this.stream.write(prefix, view(payload, 0, bytes));
  }

  /** The client can send only as much as is given back from here on; `onRead` is told how much was read. */
  holdWindow(onRead: (bytes: number) => void): void {
    this.stream.holdWindow(onRead);
  }

  giveBack(bytes: number): void {
    if (!this.over) this.stream.giveBack(bytes);
  }

  /**
   * Ends the call, without a header list when none was sent.
   *
   * @returns false when the client has announced that it takes no header list this long: nothing was sent
   */
  end(trailers: readonly HeaderField[]): boolean {
    if (this.over) return true;
    const fields = this.headersSent ? trailers : trailersOnly(trailers);
    if (!this.stream.takesHeaders(fields)) return false;
    this.close();
    this.stream.sendHeaders(fields, true);
    return true;
  }

  /** Ends the call with RST_STREAM and an error code of RFC 9113 §7. */
  reset(code: number): void {
    if (this.over) return;
    this.close();
    this.stream.reset(code);
  }

  private close(): void {
    this.over = true;
    this.messages.close();
  }

  /** Ends the call for an error of the client's. */
  private fail(code: number, message: string): void {
    if (!this.end(statusTrailers(code, message))) this.reset(ErrorCode.INTERNAL_ERROR);
    this.handler?.cancelled();
  }

  // ---- the stream's side

  data(bytes: Uint8Array, from: number, to: number): void {
    if (!this.over) this.messages.push(bytes, from, to);
  }

  ended(): void {
    if (this.over) return;
    if (this.messages.insideMessage) this.fail(Status.internal, 'the request ends in the middle of a message');
    else this.handler?.halfClose();
  }

  message(payload: Uint8Array, compressed: boolean): void {
    if (!compressed) {
      this.handler?.message(payload);
    } else if (this.terms.decompress === undefined) {
      this.fail(Status.internal, 'a message says that it is compressed, and grpc-encoding does not say how');
    } else {
      const plain = this.unzip(this.terms.decompress, payload);
      if (plain !== undefined) this.handler?.message(plain);
    }
  }

  unreadable(reason: string): void {
    this.fail(Status.internal, reason);
  }

  tooLarge(reason: string): void {
    this.fail(Status.resourceExhausted, reason);
  }

  cancelled(): void {
    if (this.over) return;
    this.close();
    this.handler?.cancelled();
  }

  drained(): void {
    if (!this.over) this.handler?.drained();
  }

  private unzip(decompress: Decompress, payload: Uint8Array): Uint8Array | undefined {
    try {
      return decompress(payload, this.maxMessageBytes);
    } catch (error) {
      if (!(error instanceof BadCompression)) throw error;
      if (error.kind === 'too-large') this.tooLarge(`a message of over ${this.maxMessageBytes} bytes when it is decompressed`);
      else this.unreadable(`a message that can't be decompressed: ${error.message}`);
      return undefined;
    }
  }
}
