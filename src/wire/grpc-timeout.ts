/** The grpc-timeout field (gRPC over HTTP/2, "Requests": at most eight digits and a unit). */

import type { Nanoseconds } from './events.js';

const UNITS: Readonly<Record<string, bigint>> = { H: 3_600_000_000_000n, M: 60_000_000_000n, S: 1_000_000_000n, m: 1_000_000n, u: 1000n, n: 1n };

/** How long the client waits; undefined when the text says nothing. */
export function readTimeout(text: string): Nanoseconds | undefined {
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(text) ?? [];
  const factor = unit === undefined ? undefined : UNITS[unit];
  return digits === undefined || factor === undefined ? undefined : BigInt(digits) * factor;
}
