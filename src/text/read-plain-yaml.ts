/**
 * HOT PATH of packing. The plainest YAML, which is what `unpack` writes and mostly what is left after editing: block maps
 * and lists, texts on one line, bare, in double quotes, or as lines behind `|`. Whatever else there is, and all that is
 * wrong, is left to a library that knows all of YAML and can say where, and takes many times as long.
 */
import { Plain, type Literal } from '../bridge/index.js';

/** What a tag with a text stands for; undefined for what is wrong. */
export type Tagged = (tag: '!!binary' | '!file', text: string) => Literal | undefined;

/** Nothing in YAML's own syntax, and nothing that could be taken for a line's end or for the mark of an encoding. */
// eslint-disable-next-line no-control-regex -- these are the characters that are meant
const UNUSUAL = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]/;
/** A document's marks, and directives. */
const MARKS = /^(?:---|\.\.\.|%)/m;
/** As in write-yaml.ts: first characters that mean nothing in YAML, and two that don't when something follows at once. */
const BARE_START = /^(?:[\p{L}\p{N}_/.$~^+(<=;]|[-:][\p{L}\p{N}/_])/u;
const ESCAPE = /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|(.))/gs;
const NAMED: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', n: '\n', t: '\t', r: '\r', e: '\x1b', 0: '\0', a: '\x07', b: '\b' };
const MAX_CODE_POINT = 0x10_ffff;
/** YAML's bound of a key on one line, with what stands around it. */
const MAX_KEY = 1000;

const [NEWLINE, SPACE, QUOTE, COMMENT, COLON, DASH, BACKSLASH] = [0x0a, 0x20, 0x22, 0x23, 0x3a, 0x2d, 0x5c];

/** Thrown and caught in here. */
class NotPlain extends Error {}

/**
 * @param maxDepth deeper nesting is not plain
 * @returns undefined for what is not plain, or wrong
 */
export function readPlainYaml(source: string, maxDepth: number, tagged: Tagged): Literal | undefined {
  if (UNUSUAL.test(source) || MARKS.test(source) || (source !== '' && !source.endsWith('\n'))) return undefined;
  try {
    return new Reader(source, maxDepth, tagged).read();
  } catch (error) {
    if (error instanceof NotPlain) return undefined;
    throw error;
  }
}

class Reader {
  /** Where the current line begins, its contents begin, and it ends; its contents' column. At the end all are the end. */
  #line = 0;
  #start = 0;
  #end = -1;
  #indent = 0;

  constructor(
    readonly source: string,
    readonly maxDepth: number,
    readonly tagged: Tagged,
  ) {}

  read(): Literal {
    this.#next();
    if (this.#indent < 0) return new Plain('');
    const literal = this.#block(0);
    if (this.#indent >= 0) throw new NotPlain();
    return literal;
  }

  /** To the next line that holds something. At the end, the indent is -1: less than that of anything. */
  #next(): void {
    const { source } = this;
    do {
      this.#line = this.#end + 1;
      if (this.#line >= source.length) {
        [this.#start, this.#end, this.#indent] = [source.length, source.length, -1];
        return;
      }
      this.#end = source.indexOf('\n', this.#line);
      this.#start = this.#line;
      while (source.charCodeAt(this.#start) === SPACE) this.#start++;
    } while (this.#start === this.#end || source.charCodeAt(this.#start) === COMMENT);
    this.#indent = this.#start - this.#line;
  }

  #isItem(): boolean {
    const { source } = this;
    if (source.charCodeAt(this.#start) !== DASH) return false;
    return this.#isBlank(this.#start + 1);
  }

  /** The map or list that begins here. */
  #block(depth: number): Literal {
    if (depth > this.maxDepth) throw new NotPlain();
    return this.#isItem() ? this.#list(this.#indent, depth) : this.#map(this.#indent, depth);
  }

  #list(indent: number, depth: number): Literal {
    const items: Literal[] = [];
    while (this.#indent === indent && this.#isItem()) {
      const content = this.#start + 2;
      if (content > this.#end) {
        this.#next();
        items.push(this.#below(indent, depth));
        continue;
      }
      if (this.source.charCodeAt(content) === SPACE) throw new NotPlain();
      // What stands behind the dash stands where it would on a line of its own.
      [this.#start, this.#indent] = [content, indent + 2];
      items.push(this.#isItem() || this.#keyEnd() !== -1 ? this.#block(depth + 1) : this.#value(content, indent, depth));
    }
    this.#nothingBelow(indent);
    return items;
  }

  #map(indent: number, depth: number): Literal {
    const members = new Map<string, Literal>();
    while (this.#indent === indent && !this.#isItem()) {
      const end = this.#keyEnd();
      if (end === -1) throw new NotPlain();
      const key = this.#scalarText(this.#start, end);
      if (members.has(key)) throw new NotPlain();
      let content = end + 1;
      while (this.source.charCodeAt(content) === SPACE) content++;
      if (content < this.#end) {
        members.set(key, this.#value(content, indent, depth));
        continue;
      }
      if (content !== end + 1) throw new NotPlain();
      this.#next();
      // A list may stand as far left as its key.
      members.set(key, this.#indent === indent && this.#isItem() ? this.#listBeside(indent, depth) : this.#below(indent, depth));
    }
    this.#nothingBelow(indent);
    return members;
  }

  #listBeside(indent: number, depth: number): Literal {
    if (depth >= this.maxDepth) throw new NotPlain();
    return this.#list(indent, depth + 1);
  }

  /** What stands on the lines below, further in; nothing where there is none. */
  #below(indent: number, depth: number): Literal {
    return this.#indent > indent ? this.#block(depth + 1) : new Plain('');
  }

  #nothingBelow(indent: number): void {
    if (this.#indent > indent) throw new NotPlain();
  }

  /** Where the colon of the key stands with which this line begins; -1 where it begins with none. */
  #keyEnd(): number {
    const { source } = this;
    if (source.charCodeAt(this.#start) === QUOTE) {
      const end = this.#closingQuote(this.#start) + 1;
      if (end === this.#end) return -1;
      if (source.charCodeAt(end) !== COLON || !this.#isBlank(end + 1) || end - this.#start > MAX_KEY) throw new NotPlain();
      return end;
    }
    for (let end = this.#start + 1; end < this.#end; end++) {
      // A colon with something behind it is a part of the key.
      if (source.charCodeAt(end) !== COLON || !this.#isBlank(end + 1)) continue;
      if (end - this.#start > MAX_KEY) throw new NotPlain();
      return end;
    }
    return -1;
  }

  #isBlank(at: number): boolean {
    const char = this.source.charCodeAt(at);
    return char === SPACE || char === NEWLINE;
  }

  #closingQuote(open: number): number {
    const { source } = this;
    let at = source.indexOf('"', open + 1);
    for (;;) {
      if (at === -1 || at > this.#end) throw new NotPlain();
      let escapes = at;
      while (source.charCodeAt(escapes - 1) === BACKSLASH) escapes--;
      if ((at - escapes) % 2 === 0) return at;
      at = source.indexOf('"', at + 1);
    }
  }

  /** A text on one line, bare or in quotes. */
  #scalarText(start: number, end: number): string {
    const { source } = this;
    if (source.charCodeAt(start) === QUOTE) return unquoted(source.slice(start + 1, end - 1));
    const text = source.slice(start, end);
    if (!BARE_START.test(text) || text.endsWith(' ') || text.includes(' #') || text.includes('\t')) throw new NotPlain();
    return text;
  }

  /**
   * A value that begins on this line, and what follows it: the lines of a text, or the next line.
   *
   * @param indent of what the value belongs to
   */
  #value(start: number, indent: number, depth: number): Literal {
    if (depth >= this.maxDepth) throw new NotPlain();
    const text = this.source.slice(start, this.#end);
    switch (text) {
      case '{}':
        this.#next();
        return new Map();
      case '[]':
        this.#next();
        return [];
      case '|':
      case '|-':
      case '|+':
        return this.#lines(indent, text);
      case '!!binary |':
        return this.#tagged('!!binary', this.#lines(indent, '|'));
      case '!!binary ""':
        this.#next();
        return this.#tagged('!!binary', '');
      default:
        break;
    }
    const value = this.#scalar(text, start);
    this.#next();
    return value;
  }

  #scalar(text: string, start: number): Literal {
    if (text.startsWith('!!binary ')) return this.#tagged('!!binary', this.#bare(text.slice('!!binary '.length)));
    if (text.startsWith('!file ')) return this.#tagged('!file', this.#bare(text.slice('!file '.length)));
    if (text.charCodeAt(0) !== QUOTE) return new Plain(this.#bare(text));
    if (this.#closingQuote(start) !== this.#end - 1) throw new NotPlain();
    return unquoted(text.slice(1, -1));
  }

  #bare(text: string): string {
    if (!BARE_START.test(text) || text.endsWith(' ') || text.endsWith(':') || text.includes(': ') || text.includes(' #') || text.includes('\t')) throw new NotPlain();
    return text;
  }

  #tagged(tag: '!!binary' | '!file', text: string): Literal {
    const value = this.tagged(tag, text);
    if (value === undefined) throw new NotPlain();
    return value;
  }

  /** What stands behind `|`: the first line says how far in. */
  #lines(indent: number, style: string): string {
    const { source } = this;
    let at = this.#end + 1;
    let inner = 0;
    while (source.charCodeAt(at + inner) === SPACE) inner++;
    if (inner <= indent || at + inner >= source.length || source.charCodeAt(at + inner) === NEWLINE) throw new NotPlain();
    const lines: string[] = [];
    // How many there are but for blank ones at the end.
    let filled = 0;
    while (at < source.length) {
      const end = source.indexOf('\n', at);
      let content = at;
      while (content < at + inner && source.charCodeAt(content) === SPACE) content++;
      if (content < at + inner && content !== end) break;
      const line = source.slice(content, end);
      // Of such a line at the end not everybody thinks the same.
      if (content !== end && line.trim() === '') throw new NotPlain();
      lines.push(line);
      if (content !== end) filled = lines.length;
      at = end + 1;
    }
    this.#end = at - 1;
    this.#next();
    // Further in than what is around it, and less than the text: a mistake.
    if (this.#indent > indent && this.#line === at) throw new NotPlain();
    if (style === '|+') return `${lines.join('\n')}\n`;
    const text = lines.slice(0, filled).join('\n');
    return style === '|-' ? text : `${text}\n`;
  }
}

function unquoted(text: string): string {
  if (text.includes('\t')) throw new NotPlain();
  if (!text.includes('\\')) return text;
  return text.replace(ESCAPE, (_escape, x: string | undefined, u: string | undefined, long: string | undefined, name: string | undefined) => {
    const code = parseInt(x ?? u ?? long ?? '', 16);
    const char = name === undefined ? (code <= MAX_CODE_POINT ? String.fromCodePoint(code) : undefined) : NAMED[name];
    if (char === undefined) throw new NotPlain();
    return char;
  });
}
