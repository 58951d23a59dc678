/** Which header lists speak of gRPC (gRPC over HTTP/2: `Content-Type → "application/grpc" [("+proto" / "+json" / …)]`). */

import type { HeaderField } from './events.js';
import { latin1 } from './octets.js';

const GRPC = Uint8Array.from('application/grpc', (char) => char.charCodeAt(0));
const PLUS = 0x2b;
const SEMICOLON = 0x3b;

/** The first field of that name; header lists are short and names from the tables are shared, so this is a quick scan. */
export function findField(headers: readonly HeaderField[], name: string): Uint8Array | undefined {
  for (const field of headers) {
    if (field.name === name) return field.value;
  }
  return undefined;
}

/** Why DATA under this content type can't hold gRPC messages; undefined when it can. gRPC-Web is another protocol. */
export function notGrpc(contentType: Uint8Array | undefined): string | undefined {
  if (contentType === undefined) return 'no content-type';
  let at = 0;
  while (at < GRPC.length && contentType[at] === GRPC[at]) at += 1;
  const next = contentType[at];
  if (at === GRPC.length && (next === undefined || next === PLUS || next === SEMICOLON)) return undefined;
  return `content-type ${latin1(contentType, 0, Math.min(contentType.length, 100))} is not gRPC`;
}
