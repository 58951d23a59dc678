/** The grpc-timeout field (gRPC over HTTP/2, "Requests": at most eight digits and a unit). */

import type { Nanoseconds } from './events.js';

const UNITS: ReadonlyMap<string, bigint> = new Map([
  ['H', 3_600_000_000_000n],
  ['M', 60_000_000_000n],
  ['S', 1_000_000_000n],
  ['m', 1_000_000n],
  ['u', 1000n],
  ['n', 1n],
]);
const MOST_DIGITS = 8;
const ZERO = 0x30;

/** Hot path (bench: replay): once for each request. How long the client waits; undefined when the text says nothing. */
export function readTimeout(text: string): Nanoseconds | undefined {
  const digits = text.length - 1;
  const factor = UNITS.get(text.charAt(digits));
  if (factor === undefined || digits < 1 || digits > MOST_DIGITS) return undefined;
  let value = 0;
  for (let at = 0; at < digits; at += 1) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return BigInt(value) * factor;
}
