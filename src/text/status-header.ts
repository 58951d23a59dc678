/** grpc-status-details-bin opened: a google.rpc.Status in base64, as grpc-go writes it. */
import { writeMessage, type LiteralMap } from '../bridge/index.js';

export const STATUS_DETAILS = 'grpc-status-details-bin';
export const STATUS_TYPE = 'google.rpc.Status';

/** Base64 without padding, as gRPC has it in headers. */
export const headerBase64 = (bytes: Uint8Array): Uint8Array => Buffer.from(Buffer.from(bytes).toString('base64').replaceAll('=', ''));

/** undefined for another field, and for one that the literal would not give again. */
export function statusLiteral(name: string, value: Uint8Array): LiteralMap | undefined {
  if (name !== STATUS_DETAILS) return undefined;
  const bytes = Buffer.from(Buffer.from(value).toString('latin1'), 'base64');
  if (Buffer.compare(headerBase64(bytes), value) !== 0) return undefined;
  const { literal, exact } = writeMessage(STATUS_TYPE, bytes);
  return exact ? literal : undefined;
}
