/** gRPC statuses that the replayer makes itself, as trailers. */
import type { HeaderField } from '../cassette/index.js';

/** gRPC status codes in use here (grpc/grpc doc/statuscodes.md). */
export const Status = { ok: 0, cancelled: 1, unknown: 2, failedPrecondition: 9, unimplemented: 12, internal: 13, unavailable: 14 } as const;

const text = (name: string, value: string): HeaderField => ({ name, value: Buffer.from(value, 'latin1') });

export const OK: readonly HeaderField[] = [text('grpc-status', '0')];

export function statusTrailers(code: number, message: string): readonly HeaderField[] {
  return [text('grpc-status', String(code)), text('grpc-message', percentEncode(message))];
}

/** What a client is told when its call met a bug in bridgetape. */
export function internalError(error: unknown): string {
  return `bridgetape: internal error: ${error instanceof Error ? error.message : String(error)}`;
}

/** "Percent-Encoded" of the gRPC-over-HTTP/2 specification: all but printable ASCII, and % itself. */
function percentEncode(message: string): string {
  return Buffer.from(message, 'utf8').reduce(
    (done, byte) => done + (byte >= 0x20 && byte <= 0x7e && byte !== 0x25 ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`),
    '',
  );
}
