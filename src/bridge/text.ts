/** Bytes and numbers as people read them. */
import { textOf } from './message.js';

/** Control characters that a terminal would act on, tab and line ends aside; what isn't printable is shown as base64. */
// eslint-disable-next-line no-control-regex -- these are the characters that are meant
const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/;

/** The text that bytes hold when a person can read it. */
export function printable(bytes: Uint8Array): string | undefined {
  const text = textOf(bytes);
  return text !== undefined && !CONTROL.test(text) ? text : undefined;
}

/** Bytes as a string literal, control characters and stray bytes escaped; cut after `limit` bytes. */
export function quoted(bytes: Uint8Array, limit: number): string {
  const shown = bytes.subarray(0, limit);
  let text = textOf(shown);
  if (bytes.length > limit) {
    // The cut can fall within a character, of which three bytes at most are left.
    for (let back = 1; text === undefined && back < Math.min(4, shown.length); back += 1) text = textOf(shown.subarray(0, -back));
  }
  const literal = JSON.stringify(text ?? Buffer.from(shown).toString('latin1')).replace(/[\x7f-\x9f]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
  return bytes.length > limit ? `${literal}…` : literal;
}

/** A command as it could be typed: arguments with blanks or quotes are quoted. */
export function commandLine(args: readonly string[]): string {
  return args.map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : JSON.stringify(arg))).join(' ');
}

/** gRPC's names of status codes, by number (grpc/grpc doc/statuscodes.md). */
export const STATUS_NAMES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;

/** gRPC's name of a status code, such as NOT_FOUND; the number when it has none. */
export const codeName = (code: number): string => STATUS_NAMES[code] ?? String(code);
