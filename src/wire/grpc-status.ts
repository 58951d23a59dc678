/** gRPC statuses that a server makes itself, as trailers (gRPC over HTTP/2, "Responses"). */

import type { HeaderField } from './events.js';

/** gRPC status codes in use here (grpc/grpc doc/statuscodes.md). */
export const Status = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  resourceExhausted: 8,
  failedPrecondition: 9,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;

export function textField(name: string, value: string): HeaderField {
  return { name, value: Uint8Array.from(value, (char) => char.charCodeAt(0)) };
}

export const OK: readonly HeaderField[] = [textField('grpc-status', '0')];

export function statusTrailers(code: number, message: string): readonly HeaderField[] {
  return [textField('grpc-status', String(code)), textField('grpc-message', percentEncode(message))];
}

/** "Percent-Encoded" of the specification: all but printable ASCII, and % itself. */
function percentEncode(message: string): string {
  let done = '';
  for (const byte of new TextEncoder().encode(message)) {
    done += byte >= 0x20 && byte <= 0x7e && byte !== 0x25 ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return done;
}
