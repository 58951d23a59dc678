/** Frames that only a client of a server sends, or that nobody should; the others are in test/wire/bytes.ts. */

import { concat, frame, hex, latin1, literals, type Pair, TYPE, uint32 } from '../wire/bytes.js';

export const windowUpdate = (stream: number, increment: number): Uint8Array => frame(TYPE.windowUpdate, 0, stream, uint32(increment));
export const ping = (payload = 'a ping..', flags = 0): Uint8Array => frame(TYPE.ping, flags, 0, latin1(payload));
export const priority = (stream: number, dependency = 0): Uint8Array => frame(TYPE.priority, 0, stream, concat(uint32(dependency), hex('10')));
export const continuation = (stream: number, fragment: Uint8Array, flags = 0): Uint8Array => frame(TYPE.continuation, flags, stream, fragment);

/** A frame's header alone: for payloads that need not come. */
export const frameHeader = (length: number, type: number, flags: number, stream: number): Uint8Array => frame(type, flags, stream, new Uint8Array(length)).subarray(0, 9);

/** A request's fields, with some of them changed (a value), left out (undefined) or added. */
export function requestFields(changes: Readonly<Record<string, string | undefined>> = {}): Pair[] {
  const fields = { ...REQUEST, ...changes };
  return Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
}

/** The same as a header block. */
export const requestBlock = (changes?: Readonly<Record<string, string | undefined>>): Uint8Array => literals(...requestFields(changes));

const REQUEST: Readonly<Record<string, string>> = { ':method': 'POST', ':scheme': 'http', ':path': '/service/Method', ':authority': 'localhost' };

/** Octets that can be told apart: 0 to 250, over and over. */
export const octets = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => at % 251);
