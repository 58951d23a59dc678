/** Heads of HTTP/1.1 messages and trailer sections (RFC 9112 §2.1, §3, §4, §5): bytes → lines → start line and fields. */

import { ByteCollector } from './byte-collector.js';
import type { HeaderField } from './events.js';
import type { Http1Request, Http1Response } from './http1-events.js';
import { copy, latin1 } from './octets.js';

const LF = 0x0a;
const CR = 0x0d;
const SP = 0x20;
const HTAB = 0x09;
const COLON = 0x3a;

/** RFC 9110 §5.6.2 */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21-\x7e\x80-\xff]+) HTTP\/1\.[01]$/;
const STATUS_LINE = /^HTTP\/1\.[01] ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
/** Why a head or trailer section can't be read. Never with a word of it: what was taken for a head can be anything. */
export class Unreadable {
  constructor(readonly reason: string) {}
}

/** Collects lines up to the empty one that ends a section. Empty lines in front of a start line don't count (§2.2). */
export class SectionReader {
  private readonly collected = new ByteCollector();
  private lineBytes = 0;

  /** @param startLine whether a start line is to come first */
  constructor(
    private readonly startLine: boolean,
    private readonly maxBytes: number,
  ) {}

  /** The section is there: `lines` has it. */
  isWhole = false;

  /** It is longer than is taken. */
  get isTooLong(): boolean {
    return this.collected.length > this.maxBytes;
  }

  /** How many bytes of a section were taken so far. */
  get taken(): number {
    return this.collected.length;
  }

  /** @returns the index behind what was taken */
  push(bytes: Uint8Array, from: number, to: number): number {
    let at = from;
    while (at < to && !this.isWhole && !this.isTooLong) {
      const lf = bytes.indexOf(LF, at);
      const end = lf === -1 || lf >= to ? to : lf + 1;
      this.take(bytes, at, end, lf !== -1 && lf < to);
      at = end;
    }
    return at;
  }

  /** The lines of a whole section without the empty one, each without its end. Makes the reader ready for the next. */
  lines(): Uint8Array[] {
    const { bytes, length } = this.collected;
    const lines: Uint8Array[] = [];
    for (let from = 0; from < length; ) {
      const lf = bytes.indexOf(LF, from);
      const end = bytes[lf - 1] === CR && lf > from ? lf - 1 : lf;
      if (end > from) lines.push(copy(bytes, from, end));
      from = lf + 1;
    }
    this.collected.clear();
    this.isWhole = false;
    return lines;
  }

  private take(bytes: Uint8Array, from: number, to: number, endsLine: boolean): void {
    this.collected.add(bytes, from, to);
    this.lineBytes += to - from;
    if (!endsLine) return;
    const { length } = this.collected;
    const isEmptyLine = this.lineBytes === 1 || (this.lineBytes === 2 && this.collected.bytes[length - 2] === CR);
    const isFirst = this.lineBytes === length;
    this.lineBytes = 0;
    if (!isEmptyLine) return;
    if (isFirst && this.startLine) this.collected.clear();
    else this.isWhole = true;
  }
}

export function parseRequest(lines: readonly Uint8Array[], maxFields: number): Http1Request | Unreadable {
  const [, method, target] = REQUEST_LINE.exec(text(lines[0])) ?? [];
  if (method === undefined || target === undefined) return new Unreadable('a head without a request line');
  const fields = parseFields(lines.slice(1), maxFields);
  return fields instanceof Unreadable ? fields : { method, target, fields };
}

export function parseResponse(lines: readonly Uint8Array[], maxFields: number): Http1Response | Unreadable {
  const [, status] = STATUS_LINE.exec(text(lines[0])) ?? [];
  if (status === undefined) return new Unreadable('a head without a status line');
  const fields = parseFields(lines.slice(1), maxFields);
  return fields instanceof Unreadable ? fields : { status: Number(status), fields };
}

/** Field lines (RFC 9112 §5). */
export function parseFields(lines: readonly Uint8Array[], maxFields: number): readonly HeaderField[] | Unreadable {
  if (lines.length > maxFields) return new Unreadable(`more than ${maxFields} header fields`);
  const fields: HeaderField[] = [];
  for (const line of lines) {
    if (line[0] === SP || line[0] === HTAB) {
      // A folded line goes on with the value before it (§5.2).
      const folded = fields.pop();
      if (folded === undefined) return new Unreadable('white space in front of the first header field');
      fields.push({ name: folded.name, value: joined(folded.value, trimmed(line, 0)) });
      continue;
    }
    const colon = line.indexOf(COLON);
    const name = latin1(line, 0, Math.max(0, colon));
    // White space between name and colon is an error that a proxy mends in responses and refuses in requests (§5.1).
    if (!TOKEN.test(name)) return new Unreadable('a header line that is no field');
    const value = trimmed(line, colon + 1);
    if (value.some((octet) => octet === 0 || octet === CR)) return new Unreadable('a header field with a character that none may have');
    fields.push({ name: name.toLowerCase(), value });
  }
  return fields;
}

/** The list that fields of one name make up together (RFC 9110 §5.3), in lower case; undefined when there is none. */
export function listField(fields: readonly HeaderField[], name: string): readonly string[] | undefined {
  const values = fields.filter((field) => field.name === name).map(({ value }) => text(value));
  if (values.length === 0) return undefined;
  return values.join(',').split(',').map((item) => item.trim().toLowerCase());
}

function text(line: Uint8Array | undefined): string {
  return line === undefined ? '' : latin1(line, 0, line.length);
}

function trimmed(line: Uint8Array, start: number): Uint8Array {
  let from = start;
  let to = line.length;
  while (from < to && isBlank(line[from])) from += 1;
  while (to > from && isBlank(line[to - 1])) to -= 1;
  return copy(line, from, to);
}

function isBlank(octet: number | undefined): boolean {
  return octet === SP || octet === HTAB;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const value = new Uint8Array(first.length + 1 + second.length);
  value.set(first);
  value[first.length] = SP;
  value.set(second, first.length + 1);
  return value;
}
