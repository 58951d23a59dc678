/** Values of a canonical form as a reader would write them, and what JSON is in them. */
import { align, printable } from '../bridge/index.js';

/** So long a text is taken apart as JSON; image configs and error details are far from it. */
const MAX_JSON = 1024 * 1024;
const MAX_JSON_DEPTH = 64;
const JSON_STRING = /"(?:[^"\\]|\\.)*"/g;

/** The text that a value holds; undefined for numbers, names and what is no text. */
export function textIn(value: string): string | undefined {
  const literal = value.startsWith('bytes "') ? value.slice('bytes '.length) : value;
  if (!literal.startsWith('"')) return undefined;
  try {
    const parsed: unknown = JSON.parse(literal);
    return typeof parsed === 'string' ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** `"make"` of `bytes "make"`: what a field's type is, its name says. */
export function shown(value: string): string {
  return value.replace(/^bytes (?=")/, '').replace(/^bytes base64 /, 'base64 ');
}

/** Texts of several lines, best compared line by line. */
export function isLines(value: string | undefined): boolean {
  return value !== undefined && /\n(?=[\s\S])/.test(textIn(value) ?? '') && printable(Buffer.from(textIn(value) ?? '')) !== undefined;
}

/**
 * An object or a list written as JSON, as a canonical form is: values by their paths.
 *
 * @returns undefined when the text is something else
 */
export function jsonFields(text: string): ReadonlyMap<string, string> | undefined {
  // Numbers of so many digits would be rounded.
  if (text.length > MAX_JSON || !/^\s*[[{]/.test(text) || /\d{16}/.test(text.replace(JSON_STRING, ''))) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const fields = new Map<string, string>();
  flatten('', json, 0, fields);
  return fields;
}

function flatten(at: string, value: unknown, depth: number, fields: Map<string, string>): void {
  if (depth <= MAX_JSON_DEPTH && Array.isArray(value) && value.length > 0) value.forEach((item: unknown, index) => flatten(`${at}[${index}]`, item, depth + 1, fields));
  else if (depth <= MAX_JSON_DEPTH && typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0) {
    for (const [name, item] of Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1))) flatten(memberOf(at, name), item, depth + 1, fields);
  } else if (value !== null) {
    // In Go, null is as good as nothing.
    fields.set(at, JSON.stringify(value));
  }
}

function memberOf(at: string, name: string): string {
  if (!/^[A-Za-z_][\w-]*$/.test(name)) return `${at}[${JSON.stringify(name)}]`;
  return at === '' ? name : `${at}.${name}`;
}

/** Where the lines of a text stand in another version of it. */
export function linesMoved(before: string, after: string): (line: number) => readonly number[] {
  const [was, is] = [before.split('\n'), after.split('\n')];
  const { equal, between } = align(was, is);
  const moved = new Map(equal.map(([one, other]) => [one + 1, [other + 1]]));
  // A line that was changed can be any of those that stand in its place, or next to it.
  for (const { one, other } of between) for (const line of one) moved.set(line + 1, other.length > 0 ? other.map((index) => index + 1) : []);
  return (line) => moved.get(line) ?? [];
}
