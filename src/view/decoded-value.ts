/** What the bridge's plain values are, asked of one at hand. */
import type { Decoded, DecodedObject } from '../bridge/index.js';

export function isList(value: Decoded | undefined): value is readonly Decoded[] {
  return Array.isArray(value);
}

export function isObject(value: Decoded | undefined): value is DecodedObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function without(object: DecodedObject, ...names: readonly string[]): DecodedObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
}
