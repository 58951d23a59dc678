/** SETTINGS (RFC 9113 §6.5): the identifiers, and the one that changes how a tap reads. */

import { uint32, uint8 } from './octets.js';

export const SETTING_BYTES = 6;

export const Setting = {
  HEADER_TABLE_SIZE: 0x1,
  ENABLE_PUSH: 0x2,
  MAX_CONCURRENT_STREAMS: 0x3,
  INITIAL_WINDOW_SIZE: 0x4,
  MAX_FRAME_SIZE: 0x5,
  MAX_HEADER_LIST_SIZE: 0x6,
} as const;

/** The largest table size a SETTINGS payload names; undefined when it names none. */
export function headerTableSize(bytes: Uint8Array, from: number, to: number): number | undefined {
  let largest: number | undefined;
  for (let at = from; at + SETTING_BYTES <= to; at += SETTING_BYTES) {
    if (uint8(bytes, at) !== 0 || uint8(bytes, at + 1) !== Setting.HEADER_TABLE_SIZE) continue;
    largest = Math.max(largest ?? 0, uint32(bytes, at + 2));
  }
  return largest;
}

/** RFC 9113 §6.5: a SETTINGS payload is a list of six-octet settings. */
export function isSettingsLength(length: number): boolean {
  return length % SETTING_BYTES === 0;
}
