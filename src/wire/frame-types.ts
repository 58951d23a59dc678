/** Frame types (RFC 9113 §6) and the flags that change how a payload is read. */

export const DATA = 0x0;
export const HEADERS = 0x1;
export const PRIORITY = 0x2;
export const RST_STREAM = 0x3;
export const SETTINGS = 0x4;
export const PUSH_PROMISE = 0x5;
export const PING = 0x6;
export const GOAWAY = 0x7;
export const WINDOW_UPDATE = 0x8;
export const CONTINUATION = 0x9;

/** On DATA and HEADERS. */
export const END_STREAM = 0x1;
/** On SETTINGS. */
export const ACK = 0x1;
/** On HEADERS, PUSH_PROMISE and CONTINUATION. */
export const END_HEADERS = 0x4;
/** On DATA, HEADERS and PUSH_PROMISE. */
export const PADDED = 0x8;
/** On HEADERS. */
export const PRIORITY_FLAG = 0x20;

const NAMES = [
  'DATA',
  'HEADERS',
  'PRIORITY',
  'RST_STREAM',
  'SETTINGS',
  'PUSH_PROMISE',
  'PING',
  'GOAWAY',
  'WINDOW_UPDATE',
  'CONTINUATION',
] as const;

export function frameName(type: number): string {
  return NAMES[type] ?? `type 0x${type.toString(16)}`;
}
