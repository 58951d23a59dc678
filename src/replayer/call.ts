/**
 * What the replayer needs of a transport: one call, its client's side coming in, its server's side going out.
 * Everything that is known about serving gRPC stays behind this.
 */
import type { HeaderField } from '../cassette/index.js';

/** The server's side of one live call. What is sent after `end`, or after the call was cancelled, is dropped. */
export interface Call {
  /** `/package.Service/Method` */
  readonly path: string;
  readonly headers: readonly HeaderField[];
  sendHeaders(headers: readonly HeaderField[]): void;
  /**
   * @param payload is not to be written to any more: it may be sent from where it lies
   * @param head what the message begins with, before the payload; it is copied
   * @returns false when the client reads slower than this sends: wait for {@link CallHandler.drained}
   */
  send(payload: Uint8Array, head?: Uint8Array): boolean;
  /** Ends the call with its trailers, `grpc-status` among them. */
  end(trailers: readonly HeaderField[]): void;
  /** Ends the call with RST_STREAM and this RFC 9113 §7 error code. */
  reset(code: number): void;
}

/** The client's side of one live call, as it comes in. */
export interface CallHandler {
  message(payload: Uint8Array): void;
  halfClose(): void;
  /** The client cancelled, its deadline passed, or its connection is gone, before the call ended. Nothing comes after it. */
  cancelled(): void;
  /** What was sent has been read, after a `send` that returned false. */
  drained(): void;
}

export type Accept = (call: Call) => CallHandler;

/** A call, with what only its transport can do to it: what faults are made of. */
export interface TransportCall extends Call {
  /** Sends a message of which only the first so many bytes ever come. */
  sendPart(payload: Uint8Array, bytes: number): void;
  /** Sends GOAWAY. With NO_ERROR the connection takes no new calls; with any other code (RFC 9113 §7) it is over, and this call with it. */
  goAway(code: number): void;
  /** Breaks the connection off without a word, and this call with it. */
  breakOff(): void;
  /**
   * From here on the client can send only as much as it is given back.
   *
   * @param onRead so many bytes of the call were read
   */
  holdWindow(onRead: (bytes: number) => void): void;
  /** Lets the client send so many bytes more. */
  giveBack(bytes: number): void;
}

export type AcceptTransport = (call: TransportCall) => CallHandler;
