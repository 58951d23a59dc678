/** `identity.NewID()`, as builds, sessions, containers, refs and workers are named (BuildKit identity/randomid.go). */

/** What such an id looks like, as the source of a regular expression. */
export const ID_SHAPE = '[0-9a-z]{25}';
/** One that is not a part of a longer word. */
export const LONE_ID_SHAPE = `(?<![0-9a-z])${ID_SHAPE}(?![0-9a-z])`;

const IDS = new RegExp(LONE_ID_SHAPE, 'g');

/** The ids in a text, in their order. */
export function idsIn(text: string): readonly string[] {
  return text.match(IDS) ?? [];
}

/** The same text with something else in the place of each id. */
export function replaceIds(text: string, by: string | ((id: string) => string)): string {
  return typeof by === 'string' ? text.replace(IDS, by) : text.replace(IDS, by);
}
