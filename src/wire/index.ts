/** bytes ↔ HTTP/2 frames ↔ headers (HPACK) ↔ gRPC messages ↔ events. Knows no BuildKit, does no I/O. */

export { ConnectionDecoder, type ConnectionDecoderOptions } from './connection-decoder.js';
export { errorCodeName } from './error-codes.js';
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
export { DEFAULT_LIMITS, type Limits } from './limits.js';
