/** What makes a request's header list malformed (RFC 9113 §8.2, §8.3.1), and what a server needs of one that is not. */

import type { HeaderField } from './events.js';
import { latin1 } from './octets.js';

export interface RequestLine {
  readonly method: string;
  /** Empty for CONNECT, which has none. */
  readonly path: string;
  /** Of the content-length field. */
  readonly contentLength: number | undefined;
}

/** Why a header list is not one. */
export class Malformed {
  constructor(readonly reason: string) {}
}

const COLON = 0x3a;
const SPACE = 0x20;
const TAB = 0x09;

/** RFC 9113 §8.2.2: these speak of an HTTP/1 connection. */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set(['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade']);

/** Hot path: once for each request. */
export function readRequestLine(fields: readonly HeaderField[]): RequestLine | Malformed {
  let method: string | undefined;
  let scheme: string | undefined;
  let path: string | undefined;
  let authority: string | undefined;
  let contentLength: number | undefined;
  let regular = false;
  for (const field of fields) {
    const { name, value } = field;
    if (name.charCodeAt(0) !== COLON) {
      regular = true;
      const bad = checkField(field);
      if (bad !== undefined) return bad;
      if (name === 'content-length') {
        const length = readLength(value);
        if (length === undefined || (contentLength !== undefined && contentLength !== length)) return new Malformed('a content-length that is not one number');
        contentLength = length;
      }
      continue;
    }
    if (regular) return new Malformed(`the pseudo-header field ${name} after a regular field`);
    const bad = badValue(value);
    if (bad !== undefined) return new Malformed(`${bad} in the value of ${name}`);
    const text = latin1(value, 0, value.length);
    if (name === ':path' && path === undefined) path = text;
    else if (name === ':method' && method === undefined) method = text;
    else if (name === ':scheme' && scheme === undefined) scheme = text;
    else if (name === ':authority' && authority === undefined) authority = text;
    else return new Malformed(`a pseudo-header field ${name} that is unknown, or there twice`);
  }
  if (method === undefined || method === '') return new Malformed('a request without :method');
  if (method === 'CONNECT') {
    if (scheme !== undefined || path !== undefined) return new Malformed('a CONNECT request with :scheme or :path');
    return { method, path: '', contentLength };
  }
  if (scheme === undefined || scheme === '') return new Malformed('a request without :scheme');
  if (path === undefined || path === '') return new Malformed('a request without :path');
  if (!path.startsWith('/') && !(path === '*' && method === 'OPTIONS')) return new Malformed('a :path that does not begin with /');
  return { method, path, contentLength };
}

/** Trailers have no pseudo-header fields (RFC 9113 §8.1). */
export function checkTrailers(fields: readonly HeaderField[]): Malformed | undefined {
  for (const field of fields) {
    if (field.name.charCodeAt(0) === COLON) return new Malformed(`the pseudo-header field ${field.name} in a trailer`);
    const bad = checkField(field);
    if (bad !== undefined) return bad;
  }
  return undefined;
}

function checkField({ name, value }: HeaderField): Malformed | undefined {
  if (!isName(name)) return new Malformed('a field name with characters that it can not have');
  const bad = badValue(value);
  if (bad !== undefined) return new Malformed(`${bad} in the value of ${name}`);
  if (CONNECTION_FIELDS.has(name)) return new Malformed(`the connection-specific field ${name}`);
  if (name === 'te' && latin1(value, 0, value.length) !== 'trailers') return new Malformed('a te field other than "trailers"');
  return undefined;
}

/** RFC 9113 §8.2.1: visible ASCII without upper case; a colon only begins a pseudo-header field's name. */
function isName(name: string): boolean {
  for (let at = 0; at < name.length; at += 1) {
    const octet = name.charCodeAt(at);
    if (octet <= 0x20 || octet >= 0x7f || octet === COLON || (octet >= 0x41 && octet <= 0x5a)) return false;
  }
  return name.length > 0;
}

/** RFC 9113 §8.2.1 */
function badValue(value: Uint8Array): string | undefined {
  const { length } = value;
  for (let at = 0; at < length; at += 1) {
    const octet = value[at];
    if (octet === 0x00 || octet === 0x0a || octet === 0x0d) return 'NUL, CR or LF';
  }
  const first = value[0];
  const last = value[length - 1];
  if (first === SPACE || first === TAB || last === SPACE || last === TAB) return 'a space at an end';
  return undefined;
}

function readLength(value: Uint8Array): number | undefined {
  const text = latin1(value, 0, value.length);
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
