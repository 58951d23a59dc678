/**
 * JSON within a message (BuildKit's error details) as a literal, and back. Whoever wrote it had a style: Go's encoding/json
 * escapes what HTML would take for its own, protobuf's leaves that alone and, in some programs, puts blanks behind commas.
 */
import { isList, isMap, LiteralError, Plain, type Literal, type LiteralPath } from './literal.js';
import { textOf } from './message.js';

/** Deeper JSON stays bytes. Error details are a few levels deep. */
const MAX_JSON_DEPTH = 64;

interface Style {
  readonly comma: string;
  readonly colon: string;
  readonly html: boolean;
}

/** Go's comes first: it is what is meant where nothing is said. */
export const JSON_STYLES: Readonly<Record<string, Style>> = {
  go: { comma: ',', colon: ':', html: true },
  plain: { comma: ',', colon: ':', html: false },
  spaced: { comma: ', ', colon: ':', html: false },
  airy: { comma: ', ', colon: ': ', html: false },
};
export const USUAL_STYLE = 'go';

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/;

/** Whether an unquoted scalar means something else than a text in JSON. */
export const isJsonWord = (source: string): boolean => source === 'true' || source === 'false' || source === 'null' || NUMBER.test(source);

function textJson(text: string, html: boolean): string {
  const json = JSON.stringify(text);
  return html ? json.replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`) : json;
}

/** @throws LiteralError */
export function writeJson(literal: Literal, styleName: string, at: LiteralPath): string {
  const style = Object.hasOwn(JSON_STYLES, styleName) ? JSON_STYLES[styleName] : undefined;
  if (style === undefined) throw new LiteralError(`there is no JSON style ${styleName}; there are ${Object.keys(JSON_STYLES).join(', ')}`, at.slice(0, -1));
  const write = (value: Literal, place: LiteralPath): string => {
    if (value instanceof Plain) return isJsonWord(value.source) ? value.source : textJson(value.source, style.html);
    if (typeof value === 'string') return textJson(value, style.html);
    if (isList(value)) return `[${value.map((item, index) => write(item, [...place, index])).join(style.comma)}]`;
    if (isMap(value)) return `{${Array.from(value, ([key, item]) => `${textJson(key, style.html)}${style.colon}${write(item, [...place, key])}`).join(style.comma)}}`;
    const text = textOf(value);
    if (text === undefined) throw new LiteralError('is bytes that are no text, which JSON cannot hold', place);
    return textJson(text, style.html);
  };
  return write(literal, at);
}

function literalOf(json: unknown, depth: number): Literal | undefined {
  if (depth > MAX_JSON_DEPTH) return undefined;
  if (typeof json === 'string') return json;
  if (json === null || typeof json === 'boolean' || typeof json === 'number') return new Plain(String(json));
  if (Array.isArray(json)) {
    const items = json.map((item: unknown) => literalOf(item, depth + 1));
    return items.every((item) => item !== undefined) ? items : undefined;
  }
  const members: [string, Literal][] = [];
  for (const [key, value] of Object.entries(json as object)) {
    const member = literalOf(value, depth + 1);
    if (member === undefined) return undefined;
    members.push([key, member]);
  }
  return new Map(members);
}

/**
 * JSON as a literal and the style in which it is written; undefined when these don't give the same bytes again, as with
 * other white space, numbers that JavaScript rounds, or one name twice.
 */
export function jsonLiteral(bytes: Uint8Array): { readonly literal: Literal; readonly style: string } | undefined {
  const text = textOf(bytes);
  if (text === undefined) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const literal = literalOf(json, 0);
  if (literal === undefined) return undefined;
  const style = Object.keys(JSON_STYLES).find((name) => writeJson(literal, name, []) === text);
  return style === undefined ? undefined : { literal, style };
}
