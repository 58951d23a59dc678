/**
 * YAML as literals, with the line of everything. Files are untrusted: no aliases (which make small files large), no tags
 * but our own, bounded depth, and a long list is read in pieces, so that what is in memory at a time is bounded as well.
 */
import { isAlias, isMap as isYamlMap, isNode, isScalar, isSeq, LineCounter, parseDocument, Scalar, type Document, type ParsedNode, type YAMLError } from 'yaml';

import { Plain, type Literal, type LiteralPath } from '../bridge/index.js';

/** What is wrong with a text, and where. */
export class TextError extends Error {
  override readonly name = 'TextError';

  constructor(
    readonly reason: string,
    readonly line: number,
    readonly key: string,
  ) {
    super(reason);
  }
}

/** A definition in a source map in an error's details is some 30 deep. */
const MAX_NESTING = 200;
/** So many characters of a list are parsed at a time, and one item more. */
const PIECE = 256 * 1024;
/** No other way to write bytes: neither blanks within nor wrong ends. */
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** @throws TextError when there is no such file, or not to be had */
export type Files = (name: string) => Uint8Array;

/** A part of the text that was parsed in one go. */
export class Piece {
  readonly value: Literal;
  readonly #source: string;
  readonly #firstLine: number;
  readonly #lines = new LineCounter();
  readonly #document: Document.Parsed;

  /** @throws TextError */
  constructor(source: string, firstLine: number, files: Files) {
    this.#source = source;
    this.#firstLine = firstLine;
    this.#document = parsed(source, this.#lines, firstLine);
    const [broken] = [...this.#document.errors, ...this.#document.warnings.filter(({ code }) => code !== 'TAG_RESOLVE_FAILED')];
    if (broken !== undefined) throw this.#broken(broken);
    // Repeated keys are looked for here, in one pass.
    this.value = this.#literal(this.#document.contents, [], files);
  }

  #broken({ message, linePos }: YAMLError): TextError {
    const line = linePos?.[0].line ?? 1;
    const reason = message.split('\n')[0]?.replace(/ at line \d+.*$/, '').replace(/[.:]$/, '') ?? '';
    const isTab = /^ *\t/.test(this.#source.split('\n', line)[line - 1] ?? '');
    return new TextError(`is no YAML here: ${isTab ? 'a line is indented by blanks, never by a tab' : reason}`, this.#firstLine - 1 + line, '');
  }

  /** The line of a member, or of the nearest one around it. */
  lineOf(path: LiteralPath): number {
    for (let length = path.length; length > 0; length -= 1) {
      const parent: unknown = this.#document.getIn(path.slice(0, length - 1), true);
      const key = path[length - 1];
      const pair = isYamlMap(parent) ? parent.items.find((item) => isScalar(item.key) && item.key.value === key) : undefined;
      const node: unknown = pair === undefined ? this.#document.getIn(path.slice(0, length), true) : pair.key;
      if (isNode(node) && node.range) return this.#lineAt(node.range[0]);
    }
    return this.#firstLine;
  }

  /** @returns an error to be thrown */
  wrong(reason: string, path: LiteralPath): TextError {
    return new TextError(reason, this.lineOf(path), keyText(path));
  }

  #lineAt(offset: number): number {
    return this.#firstLine - 1 + this.#lines.linePos(offset).line;
  }

  #literal(node: ParsedNode | null, path: LiteralPath, files: Files): Literal {
    if (node === null) return new Plain('');
    const wrong = (reason: string): TextError => new TextError(reason, this.#lineAt(node.range[0]), keyText(path));
    if (path.length > MAX_NESTING) throw wrong(`is nested more than ${MAX_NESTING} deep`);
    if (isAlias(node)) throw wrong('is an alias; write out what it stands for');
    if (node.anchor !== undefined) throw wrong('has an anchor; there are no aliases here');
    if (isScalar(node)) {
      // The value of !!binary has been made of this by a reader that takes anything.
      const text = node.source;
      switch (node.tag) {
        case undefined:
        case 'tag:yaml.org,2002:str':
          return node.type === Scalar.PLAIN && node.tag === undefined ? new Plain(text) : text;
        case 'tag:yaml.org,2002:binary': {
          const bytes = base64Bytes(text);
          if (bytes === undefined) throw wrong('is !!binary, but no base64');
          return bytes;
        }
        case '!file':
          try {
            return files(text);
          } catch (error) {
            if (error instanceof TextError) throw wrong(error.reason);
            throw error;
          }
        default:
          throw wrong(`has the tag ${node.tag}; only !!binary and !file are known`);
      }
    }
    if (node.tag !== undefined && !['tag:yaml.org,2002:map', 'tag:yaml.org,2002:seq'].includes(node.tag)) throw wrong(`has the tag ${node.tag}, which is for a single value`);
    if (isSeq(node)) return node.items.map((item, index) => this.#literal(item, [...path, index], files));
    const members = new Map<string, Literal>();
    for (const { key, value } of node.items) {
      if (!isScalar(key) || typeof key.value !== 'string') throw wrong('has a key that is no text');
      if (members.has(key.value)) throw new TextError('stands twice', this.#lineAt(key.range[0]), keyText([...path, key.value]));
      members.set(key.value, this.#literal(value, [...path, key.value], files));
    }
    return members;
  }
}

/** undefined for what is no base64; white space in it means nothing. */
function base64Bytes(text: string): Uint8Array | undefined {
  const base64 = text.replaceAll(/\s/g, '');
  return BASE64.test(base64) && base64.length % 4 === 0 ? Buffer.from(base64, 'base64') : undefined;
}

function parsed(source: string, lines: LineCounter, firstLine: number): Document.Parsed {
  try {
    return parseDocument(source, { lineCounter: lines, schema: 'failsafe', uniqueKeys: false, keepSourceTokens: false });
  } catch (error) {
    // The library's stack is as deep as what it reads.
    if (error instanceof RangeError) throw new TextError('is nested too deep', firstLine, '');
    throw error;
  }
}

/** `message.Definition.def[3].exec` */
export function keyText(path: LiteralPath): string {
  return path.map((key, at) => (typeof key === 'number' ? `[${key}]` : at === 0 ? key : `.${key}`)).join('');
}

/** A text that is a map whose last member is a long list: the map, with nothing for the list, then that a piece at a time. */
export function* pieces(text: string, listKey: string, files: Files): Generator<Piece> {
  const key = new RegExp(`(?<![^\\n])${listKey}:[^\\S\\n]*(?:#.*)?(?![^\\n])`).exec(text);
  const list = key === null ? text.length : key.index + key[0].length + 1;
  yield new Piece(text.slice(0, list), 1, files);
  let line = 1 + linesIn(text.slice(0, list));
  let start = list;
  while (start < text.length) {
    // An item begins at the line's start; everything within one is indented.
    const next = text.indexOf('\n- ', start + PIECE);
    const source = text.slice(start, next === -1 ? text.length : next + 1);
    const behind = /(?<![^\n])[^\s#-].*/.exec(source);
    if (behind !== null) throw new TextError(`the list of ${listKey} is the last of the file; nothing can stand behind it`, line + linesIn(source.slice(0, behind.index)), behind[0].split(':')[0]?.trim() ?? '');
    yield new Piece(source, line, files);
    line += linesIn(source);
    start += source.length;
  }
}

function linesIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
