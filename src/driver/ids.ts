/** Ids of BuildKit in bytes: making new ones, and finding which live one stands for which recorded one. */
import { randomInt } from 'node:crypto';

/** `identity.NewID()` (BuildKit identity/randomid.go): 25 characters of base 36. */
const ID_LENGTH = 25;
const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';
const ID = /(?<![0-9a-z])[0-9a-z]{25}(?![0-9a-z])/g;

export function isId(text: string): boolean {
  return text.length === ID_LENGTH && /^[0-9a-z]+$/.test(text);
}

export function newId(): string {
  return Array.from({ length: ID_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
}

/** The ids in a message, in their order. */
export function idsIn(bytes: Uint8Array): readonly string[] {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1').match(ID) ?? [];
}

/** Which id of a live message stands where the recorded one has which; nothing when they don't have the same number of them. */
export function pairIds(recorded: Uint8Array, live: Uint8Array): readonly (readonly [recorded: string, live: string])[] {
  const before = idsIn(recorded);
  const now = idsIn(live);
  if (before.length !== now.length) return [];
  return before.flatMap((id, index) => {
    const other = now[index];
    return other === undefined || other === id ? [] : [[id, other] as const];
  });
}
