/** JSON that came from outside. */
import { textOf } from './message.js';

const STRING = /"(?:[^"\\]|\\.)*"/g;

/** JSON.parse of bytes, but undefined for what is no JSON, and for numbers so long that JavaScript would round them. */
export function parseJson(bytes: Uint8Array): { readonly json: unknown } | undefined {
  const text = textOf(bytes);
  if (text === undefined || /\d{16}/.test(text.replace(STRING, ''))) return undefined;
  try {
    return { json: JSON.parse(text) };
  } catch {
    return undefined;
  }
}
