/**
 * The one family of errors that bad input, files and networks raise. A message has three parts:
 * what happened, where (file and offset, call and field, flag and value), and what to do about it.
 * Anything thrown that is not of this family is a bug in bridgetape.
 */

/** Stable identifiers, safe to test for in code and scripts. */
export type ErrorCode =
  | 'bad-argument'
  | 'bad-address'
  | 'bad-config'
  | 'address-in-use'
  | 'insecure-listener'
  | 'client-refused'
  | 'upstream-unreachable'
  | 'nothing-recorded'
  | 'cassette-not-found'
  | 'cassette-exists'
  | 'cassette-not-writable'
  | 'cassette-damaged'
  | 'cassette-version'
  | 'not-a-cassette'
  | 'ambiguous-cassettes'
  | 'recording-refused'
  | 'call-not-found'
  | 'bad-text'
  | 'text-exists'
  | 'text-not-writable'
  | 'git-failed'
  | 'command-not-found'
  | 'replay-miss'
  | 'runtime-exists'
  | 'runtime-not-writable';

/** The command is several scripts, each with its own copy of the class: an error of one is known to the others by this. */
const FAMILY = Symbol.for('bridgetape.error');

export class BridgetapeError extends Error {
  override readonly name = 'BridgetapeError';
  readonly [FAMILY] = true;

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && FAMILY in value;
  }

  /**
   * @param code what kind of failure, stable across releases
   * @param what one sentence: what happened and where
   * @param hint what the reader can do about it
   */
  constructor(
    readonly code: ErrorCode,
    readonly what: string,
    readonly hint: string,
    options?: ErrorOptions,
  ) {
    super(`${what}\n${hint}`, options);
  }
}
