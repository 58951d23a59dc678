/** The one setting that changes how a tap reads: SETTINGS_HEADER_TABLE_SIZE (RFC 9113 §6.5.2). */

import { uint32, uint8 } from './octets.js';

const SETTING_BYTES = 6;
const HEADER_TABLE_SIZE = 0x1;

/** The largest table size a SETTINGS payload names; undefined when it names none. */
export function headerTableSize(bytes: Uint8Array, from: number, to: number): number | undefined {
  let largest: number | undefined;
  for (let at = from; at + SETTING_BYTES <= to; at += SETTING_BYTES) {
    if (uint8(bytes, at) !== 0 || uint8(bytes, at + 1) !== HEADER_TABLE_SIZE) continue;
    largest = Math.max(largest ?? 0, uint32(bytes, at + 2));
  }
  return largest;
}

/** RFC 9113 §6.5: a SETTINGS payload is a list of six-octet settings. */
export function isSettingsLength(length: number): boolean {
  return length % SETTING_BYTES === 0;
}
