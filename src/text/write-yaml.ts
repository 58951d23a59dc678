/**
 * Literals as lines of YAML 1.2, of its plainest part: block maps and lists, no anchors, one way to write each value. So
 * the same literal is the same text, whatever version of a YAML library reads it.
 */
import { isJsonWord, isList, isMap, Plain, type Literal, type LiteralMap } from '../bridge/index.js';

/** What stands for a larger text or bytes that are kept elsewhere: a tag and a name; undefined where they stand in the text. */
export type Store = (content: string | Uint8Array) => string | undefined;

const BASE64_LINE = 76;
/** YAML allows 1,024 characters for a key that is followed by a colon on its line. */
const MAX_KEY = 1000;

/** Letters, digits and signs; what is not seen, and what YAML takes for a line's end, is escaped. */
const VISIBLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]*$/u;
const UNSEEN = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;
const VISIBLE_LINES = /^[\p{L}\p{M}\p{N}\p{P}\p{S} \t\n]*$/u;
/** First characters that mean nothing in YAML, and two that don't when something follows at once. */
const PLAIN_START = /^([\p{L}\p{N}_/.$~^+(<=;]|[-:](?=[\p{L}\p{N}/_]))/u;
/** What YAML's own schemas, 1.1 among them, take for something else than a text. */
const WORDS = /^(true|false|null|yes|no|on|off|y|n|~|nan|infinity)$/i;
const LIKE_A_NUMBER = /^[-+]?\.?\d[\d_.:,eExXoOa-fA-FtTzZ +-]*$|^[-+]?\.(inf|nan)?$/i;

/** `key: value` lines of a map, indented. */
export function mapLines(map: LiteralMap, indent: string, store: Store): readonly string[] {
  const writer = new LineWriter(store);
  writer.map(map, indent);
  return writer.lines;
}

/** A list's items, each behind a dash. */
export function listLines(list: readonly Literal[], indent: string, store: Store): readonly string[] {
  const writer = new LineWriter(store);
  writer.list(list, indent);
  return writer.lines;
}

/** HOT PATH of unpacking: a list that grows, and no generator within another for each level. */
class LineWriter {
  readonly lines: string[] = [];

  constructor(readonly store: Store) {}

  map(map: LiteralMap, indent: string): void {
    for (const [key, value] of map) {
      const name = scalar(key);
      if (name.length > MAX_KEY) {
        this.lines.push(`${indent}? ${name}`);
        this.#headed(`${indent}:`, value, indent);
      } else this.#headed(`${indent}${name}:`, value, indent);
    }
  }

  list(list: readonly Literal[], indent: string): void {
    const inner = `${indent}  `;
    for (const item of list) {
      const first = this.lines.length;
      if (isMap(item) && item.size > 0) this.map(item, inner);
      else if (isList(item) && item.length > 0) this.list(item, inner);
      else {
        this.#headed(`${indent}-`, item, indent);
        continue;
      }
      // The first line stands behind the dash.
      this.lines[first] = `${indent}- ${this.lines[first]?.slice(inner.length) ?? ''}`;
    }
  }

  #headed(head: string, value: Literal, indent: string): void {
    const inner = `${indent}  `;
    if (isMap(value)) {
      this.lines.push(value.size === 0 ? `${head} {}` : head);
      this.map(value, inner);
    } else if (isList(value)) {
      this.lines.push(value.length === 0 ? `${head} []` : head);
      this.list(value, inner);
    } else if (value instanceof Plain) this.lines.push(`${head} ${value.source}`);
    else {
      const elsewhere = this.store(value);
      if (elsewhere !== undefined) this.lines.push(`${head} ${elsewhere}`);
      else if (typeof value === 'string') this.#text(head, value, inner);
      else this.#binary(head, value, inner);
    }
  }

  #binary(head: string, bytes: Uint8Array, inner: string): void {
    const base64 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
    if (base64.length <= BASE64_LINE) {
      this.lines.push(`${head} !!binary ${base64 === '' ? '""' : base64}`);
      return;
    }
    this.lines.push(`${head} !!binary |`);
    for (let at = 0; at < base64.length; at += BASE64_LINE) this.lines.push(inner + base64.slice(at, at + BASE64_LINE));
  }

  /** Several lines as they are, where YAML would give them back so. */
  #text(head: string, text: string, inner: string): void {
    if (!text.includes('\n') || !VISIBLE_LINES.test(text) || /^[ \t\n]/.test(text)) {
      this.lines.push(`${head} ${scalar(text)}`);
      return;
    }
    const lines = text.split('\n');
    if (lines.some((line) => line !== '' && line.trim() === '')) {
      this.lines.push(`${head} ${scalar(text)}`);
      return;
    }
    const ending = !text.endsWith('\n') ? '-' : text.endsWith('\n\n') ? '+' : '';
    this.lines.push(`${head} |${ending}`);
    for (const line of ending === '-' ? lines : lines.slice(0, -1)) this.lines.push(line === '' ? '' : inner + line);
  }
}

/** A text on one line: bare where nothing could be read into it. */
function scalar(text: string): string {
  const isBare =
    PLAIN_START.test(text) && VISIBLE.test(text) && !/: |:$| #| $/.test(text) && !isJsonWord(text) && !WORDS.test(text) && !LIKE_A_NUMBER.test(text);
  return isBare ? text : quoted(text);
}

const ESCAPES: Readonly<Record<string, string>> = { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\x1b': '\\e', '\0': '\\0', '\x07': '\\a', '\b': '\\b' };

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, escaped).replace(UNSEEN, escaped)}"`;
}

/** For messages: what could act on a terminal is escaped. */
export const visible = (text: string): string => text.replace(UNSEEN, escaped);

function escaped(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  const hex = (width: number): string => code.toString(16).padStart(width, '0');
  return ESCAPES[char] ?? (code < 0x100 ? `\\x${hex(2)}` : code < 0x10000 ? `\\u${hex(4)}` : `\\U${hex(8)}`);
}
