/**
 * Faults: what can be made to go wrong in a replay, where, and how each is written. What a row here says is what the
 * parser takes, what an error suggests, and what the help shows.
 */
import { STATUS_NAMES } from '../bridge/index.js';
import { ErrorCode } from '../wire/index.js';

/** When, in the course of a call, its fault sets in. */
export type Point =
  /** So long after the call has come. */
  | { readonly kind: 'time'; readonly ms: number }
  /** When it was sent so many messages. */
  | { readonly kind: 'messages'; readonly count: number }
  /** When it was sent so many bytes of messages, of which the last one may be cut in two. */
  | { readonly kind: 'bytes'; readonly count: number };

export type Effect =
  | { readonly kind: 'status'; readonly code: number; readonly message: string | undefined }
  | { readonly kind: 'end' }
  | { readonly kind: 'RST_STREAM'; readonly code: number }
  | { readonly kind: 'GOAWAY'; readonly code: number }
  | { readonly kind: 'reset' }
  | { readonly kind: 'hang' }
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'delay-each'; readonly ms: number }
  | { readonly kind: 'slow-read'; readonly bytesPerSecond: number };

export interface Fault {
  /** As it was written: `*`, `ReadFile`, `LLBBridge/Solve`, or a whole `:path`. */
  readonly method: string;
  /** Which call of the method, from 1; undefined for every one. */
  readonly nth: number | undefined;
  /** Undefined: as soon as the call has come. */
  readonly point: Point | undefined;
  readonly effect: Effect;
}

export const DAY_MS = 24 * 60 * 60 * 1000;
/** Nobody means more, and everything that is counted stays exact below it. */
export const MOST = 1_000_000_000_000;

export interface PointForm {
  readonly kind: Point['kind'];
  readonly form: string;
  readonly about: string;
}

export const POINTS: readonly PointForm[] = [
  { kind: 'time', form: '@1500ms, @2s, @1min', about: 'so long after the call has come' },
  { kind: 'messages', form: '@1message, @3messages', about: 'when so many messages were sent to the client' },
  { kind: 'bytes', form: '@100B, @64KiB, @1MiB', about: 'when so many bytes of messages were sent, in the middle of one if need be' },
];

/** What stands behind the colon. */
export type Argument =
  | { readonly kind: 'none' }
  | { readonly kind: 'message' }
  /** An error code of HTTP/2, by name or number. */
  | { readonly kind: 'error-code'; readonly default: number }
  | { readonly kind: 'duration' }
  | { readonly kind: 'rate' };

export interface FaultKind {
  /** As it is written; statuses are written by their own names. */
  readonly kind: Effect['kind'];
  readonly form: string;
  readonly about: string;
  readonly argument: Argument;
  /** Which points it can set in at. */
  readonly points: readonly Point['kind'][];
}

const ANY_POINT: readonly Point['kind'][] = ['time', 'messages', 'bytes'];
/** What lets the call go on cannot leave half a message behind. */
const BETWEEN_MESSAGES: readonly Point['kind'][] = ['time', 'messages'];

export const FAULT_KINDS: readonly FaultKind[] = [
  { kind: 'status', form: 'UNAVAILABLE[:text]', about: 'ends the call with this status of gRPC, by name or number', argument: { kind: 'message' }, points: ANY_POINT },
  { kind: 'end', form: 'end', about: 'ends the call without a status', argument: { kind: 'none' }, points: ANY_POINT },
  { kind: 'RST_STREAM', form: 'RST_STREAM[:CODE]', about: 'resets the stream with an error code of HTTP/2, by name or number (INTERNAL_ERROR)', argument: { kind: 'error-code', default: ErrorCode.INTERNAL_ERROR }, points: ANY_POINT },
  { kind: 'GOAWAY', form: 'GOAWAY[:CODE]', about: 'the connection takes no new calls and lets the open ones end (NO_ERROR), or with any other code ends with all of them', argument: { kind: 'error-code', default: ErrorCode.NO_ERROR }, points: BETWEEN_MESSAGES },
  { kind: 'reset', form: 'reset', about: 'breaks the connection off without a word, with all its calls', argument: { kind: 'none' }, points: ANY_POINT },
  { kind: 'hang', form: 'hang', about: 'sends nothing more, until the deadline of the client, or until it gives up', argument: { kind: 'none' }, points: ANY_POINT },
  { kind: 'delay', form: 'delay:2s', about: 'what comes next goes out so much later, and what follows behind it', argument: { kind: 'duration' }, points: BETWEEN_MESSAGES },
  { kind: 'delay-each', form: 'delay-each:50ms', about: 'every message goes out so much later, one after the other', argument: { kind: 'duration' }, points: BETWEEN_MESSAGES },
  { kind: 'slow-read', form: 'slow-read:1KiB/s', about: 'what the client sends is read so slowly, and its window stays small', argument: { kind: 'rate' }, points: [] },
];

export function kindOf(effect: Effect): FaultKind {
  const kind = FAULT_KINDS.find((row) => row.kind === effect.kind);
  if (kind === undefined) throw new Error(`no row for faults of the kind ${effect.kind}`);
  return kind;
}

/** Error codes of HTTP/2 by number: there are no holes. */
export const ERROR_CODE_NAMES: readonly string[] = Object.keys(ErrorCode);

/** All that can stand behind the `=`, but its argument. */
export const EFFECT_NAMES: readonly string[] = [...FAULT_KINDS.map(({ kind }) => kind).filter((kind) => kind !== 'status'), ...STATUS_NAMES];
