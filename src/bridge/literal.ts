/**
 * A message written out so that it can be read back: names in place of numbers, text in place of bytes, and nothing
 * lost or rounded. What view.ts makes is for looking at; this is for editing.
 */

/**
 * A scalar that is written without quotes. Its source is kept as it was written: only what it is read for says
 * whether it is a number, a name or a text.
 */
export class Plain {
  constructor(readonly source: string) {}
}

/** Members in the order in which they were written, which is the order of their fields on the wire. */
export type LiteralMap = ReadonlyMap<string, Literal>;
export type Literal = string | Plain | Uint8Array | readonly Literal[] | LiteralMap;

/** Where in a literal: names of members and places in lists. */
export type LiteralPath = readonly (string | number)[];

/** Why a literal is no message, and where. */
export class LiteralError extends Error {
  override readonly name = 'LiteralError';

  constructor(
    readonly reason: string,
    readonly at: LiteralPath,
  ) {
    super(reason);
  }
}

export const isList = (literal: Literal | undefined): literal is readonly Literal[] => Array.isArray(literal);
export const isMap = (literal: Literal | undefined): literal is LiteralMap => literal instanceof Map;

/** The text of a scalar; undefined for what is none. */
export function scalarText(literal: Literal | undefined): string | undefined {
  return literal instanceof Plain ? literal.source : typeof literal === 'string' ? literal : undefined;
}

/** What somebody wrote, for a message about it. */
export function kindOf(literal: Literal): string {
  if (literal instanceof Uint8Array) return 'bytes';
  if (isList(literal)) return 'a list';
  if (isMap(literal)) return 'a map';
  const text = scalarText(literal) ?? '';
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
