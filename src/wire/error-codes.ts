/** The error codes of RST_STREAM and GOAWAY (RFC 9113 §7), by number. */
const NAMES = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
] as const;

/** The name RFC 9113 §7 gives a code; `unknown error code 0x…` for one it doesn't. */
export function errorCodeName(code: number): string {
  return NAMES[code] ?? `unknown error code 0x${code.toString(16)}`;
}
