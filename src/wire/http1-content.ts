/** Where the content of an HTTP/1.1 message ends (RFC 9112 §6.3, §7.1). */

import type { HeaderField } from './events.js';
import type { Http1Request, Http1Response } from './http1-events.js';
import { listField, parseFields, SectionReader, Unreadable } from './http1-head.js';
import { CHUNK_SIZE_DIGITS, type Http1Limits, LENGTH_DIGITS } from './http1-limits.js';

export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  /** Only a response: it ends when its side of the connection does. */
  | { readonly kind: 'until-close' };

export function requestFraming(request: Http1Request): Framing | Unreadable {
  const codings = listField(request.fields, 'transfer-encoding');
  if (codings === undefined) return lengthOf(request.fields) ?? { kind: 'none' };
  return codings.at(-1) === 'chunked' ? { kind: 'chunked' } : new Unreadable('a request with a transfer coding that has no end');
}

export function responseFraming(response: Http1Response, { method }: Http1Request): Framing | Unreadable {
  const { status, fields } = response;
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return { kind: 'none' };
  const codings = listField(fields, 'transfer-encoding');
  if (codings !== undefined) return codings.at(-1) === 'chunked' ? { kind: 'chunked' } : { kind: 'until-close' };
  return lengthOf(fields) ?? { kind: 'until-close' };
}

/** Several equal lengths are one (RFC 9110 §8.6). */
function lengthOf(fields: readonly HeaderField[]): Framing | Unreadable | undefined {
  const lengths = new Set(listField(fields, 'content-length'));
  const [length] = lengths;
  if (length === undefined) return undefined;
  if (lengths.size > 1 || !/^\d+$/.test(length) || length.length > LENGTH_DIGITS) return new Unreadable('a content-length that is no length');
  return Number(length) === 0 ? { kind: 'none' } : { kind: 'length', bytes: Number(length) };
}

/** Takes the octets of one message's content out of its framing. */
export class ContentReader {
  private left: number;
  private state: 'data' | 'size' | 'data-end' | 'trailers';
  private readonly trailerLines: SectionReader;
  private line = '';

  isDone = false;
  trailers: readonly HeaderField[] = [];

  /** @param take gets each run of content */
  constructor(
    private readonly framing: Exclude<Framing, { kind: 'none' }>,
    private readonly limits: Http1Limits,
    private readonly take: (bytes: Uint8Array, from: number, to: number) => void,
  ) {
    this.left = framing.kind === 'length' ? framing.bytes : Infinity;
    this.state = framing.kind === 'chunked' ? 'size' : 'data';
    this.trailerLines = new SectionReader(false, limits.headBytes);
  }

  /** It has no end of its own. */
  get isUntilClose(): boolean {
    return this.framing.kind === 'until-close';
  }

  /** @returns the index behind what was taken; what is left belongs to the next message */
  push(bytes: Uint8Array, from: number, to: number): number | Unreadable {
    let at = from;
    while (at < to && !this.isDone) {
      const next = this.step(bytes, at, to);
      if (next instanceof Unreadable) return next;
      at = next;
    }
    return at;
  }

  private step(bytes: Uint8Array, at: number, to: number): number | Unreadable {
    switch (this.state) {
      case 'data': {
        const end = Math.min(to, at + this.left);
        this.take(bytes, at, end);
        this.left -= end - at;
        if (this.left === 0) {
          if (this.framing.kind === 'chunked') this.state = 'data-end';
          else this.isDone = true;
        }
        return end;
      }
      case 'size':
      case 'data-end': {
        const lf = bytes.indexOf(0x0a, at);
        const end = lf === -1 || lf >= to ? to : lf;
        if (this.line.length + end - at > this.limits.chunkLineBytes) return new Unreadable(`a chunk's line of more than ${this.limits.chunkLineBytes} bytes`);
        for (let i = at; i < end; i += 1) this.line += String.fromCharCode(bytes[i] ?? 0);
        if (end === to) return to;
        const refused = this.endLine();
        return refused ?? end + 1;
      }
      case 'trailers': {
        const end = this.trailerLines.push(bytes, at, to);
        if (this.trailerLines.isTooLong) return new Unreadable(`trailers of more than ${this.limits.headBytes} bytes`);
        if (this.trailerLines.isWhole) {
          const trailers = parseFields(this.trailerLines.lines(), this.limits.fields);
          if (trailers instanceof Unreadable) return trailers;
          this.trailers = trailers;
          this.isDone = true;
        }
        return end;
      }
    }
  }

  private endLine(): Unreadable | undefined {
    const line = this.line.endsWith('\r') ? this.line.slice(0, -1) : this.line;
    this.line = '';
    if (this.state === 'data-end') {
      if (line !== '') return new Unreadable('a chunk that is longer than it says');
      this.state = 'size';
      return undefined;
    }
    // Extensions stand behind the size and say nothing that is known (§7.1.1).
    const [, digits] = /^([0-9A-Fa-f]+)[ \t]*(?:;|$)/.exec(line) ?? [];
    if (digits === undefined || digits.replace(/^0+/, '').length > CHUNK_SIZE_DIGITS) return new Unreadable('a chunk without a size');
    this.left = parseInt(digits, 16);
    this.state = this.left === 0 ? 'trailers' : 'data';
    return undefined;
  }
}
