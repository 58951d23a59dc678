/** Ids of BuildKit in bytes: making new ones, and finding which live one stands for which recorded one. */
import { randomInt } from 'node:crypto';

import { idsIn } from '../bridge/index.js';

/** `identity.NewID()` (BuildKit identity/randomid.go): 25 characters of base 36. */
const ID_LENGTH = 25;
const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';

export function isId(text: string): boolean {
  return idsIn(text)[0] === text;
}

export function newId(): string {
  return Array.from({ length: ID_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
}

/** The ids in a message, in their order. */
export function idsOf(bytes: Uint8Array): readonly string[] {
  return idsIn(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1'));
}

/** Which id of a live message stands where the recorded one has which; nothing when they don't have the same number of them. */
export function pairIds(recorded: Uint8Array, live: Uint8Array): readonly (readonly [recorded: string, live: string])[] {
  const before = idsOf(recorded);
  const now = idsOf(live);
  if (before.length !== now.length) return [];
  return before.flatMap((id, index) => {
    const other = now[index];
    return other === undefined || other === id ? [] : [[id, other] as const];
  });
}
