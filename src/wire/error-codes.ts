/** The error codes of RST_STREAM and GOAWAY (RFC 9113 §7). */
export const ErrorCode = {
  NO_ERROR: 0x0,
  PROTOCOL_ERROR: 0x1,
  INTERNAL_ERROR: 0x2,
  FLOW_CONTROL_ERROR: 0x3,
  SETTINGS_TIMEOUT: 0x4,
  STREAM_CLOSED: 0x5,
  FRAME_SIZE_ERROR: 0x6,
  REFUSED_STREAM: 0x7,
  CANCEL: 0x8,
  COMPRESSION_ERROR: 0x9,
  CONNECT_ERROR: 0xa,
  ENHANCE_YOUR_CALM: 0xb,
  INADEQUATE_SECURITY: 0xc,
  HTTP_1_1_REQUIRED: 0xd,
} as const;

/** Why a connection has to end (RFC 9113 §5.4.1). */
export interface ConnectionError {
  readonly code: number;
  /** In words. */
  readonly reason: string;
}

/** By number: the codes have no holes. */
const NAMES = Object.keys(ErrorCode);

/** The name RFC 9113 §7 gives a code; `unknown error code 0x…` for one it doesn't. */
export function errorCodeName(code: number): string {
  return NAMES[code] ?? `unknown error code 0x${code.toString(16)}`;
}
