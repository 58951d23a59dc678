/** bytes ↔ HTTP/2 frames ↔ headers (HPACK) ↔ gRPC messages ↔ events. Knows no BuildKit, does no I/O. */

export { ConnectionDecoder, type ConnectionDecoderOptions } from './connection-decoder.js';
export { ErrorCode, errorCodeName } from './error-codes.js';
export type {
  EndEvent,
  GapEvent,
  GoAwayEvent,
  HalfCloseEvent,
  HeaderEvent,
  HeaderField,
  MessageEvent,
  Nanoseconds,
  Piece,
  ResetEvent,
  Side,
  WireEvent,
} from './events.js';
export { type AcceptGrpc, GrpcCall, type GrpcHandler, grpcRequests } from './grpc-call.js';
export { OK, Status, statusTrailers, textField } from './grpc-status.js';
export { readTimeout } from './grpc-timeout.js';
export { Http1Decoder, type Http1DecoderOptions, type Tunnel } from './http1-decoder.js';
export type { Http1Event, Http1Request, Http1Response } from './http1-events.js';
export { DEFAULT_HTTP1_LIMITS, type Http1Limits } from './http1-limits.js';
export { IdleClient } from './idle-client.js';
export { DEFAULT_LIMITS, type Limits } from './limits.js';
export { BadCompression, decompressor } from './message-encoding.js';
export type { RequestLine } from './request-headers.js';
export { DEFAULT_SERVE_LIMITS, type ServeLimits } from './serve-limits.js';
export { ServerConnection, type ServerConnectionOptions, type ServerSink } from './server-connection.js';
export type { ServerStream, StreamHandler } from './server-stream.js';
