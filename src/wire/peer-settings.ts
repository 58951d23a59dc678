/** What a client has announced in its SETTINGS (RFC 9113 §6.5.2), as far as it binds a server. */

import { type ConnectionError, ErrorCode } from './error-codes.js';
import { INITIAL_WINDOW_BYTES, MAX_WINDOW_BYTES } from './flow-window.js';
import { INITIAL_HEADER_TABLE_BYTES } from './limits.js';
import { uint32, uint8 } from './octets.js';
import { MAX_FRAME_BYTES } from './serve-limits.js';
import { Setting, SETTING_BYTES } from './settings.js';

const MAX_MAX_FRAME_BYTES = 2 ** 24 - 1;

export class PeerSettings {
  headerTableBytes = INITIAL_HEADER_TABLE_BYTES;
  /** Of the sizes that the last SETTINGS frame went through. */
  smallestHeaderTableBytes = INITIAL_HEADER_TABLE_BYTES;
  initialWindowBytes = INITIAL_WINDOW_BYTES;
  maxFrameBytes = MAX_FRAME_BYTES;
  /** Undefined: as long as one likes. */
  maxHeaderListBytes: number | undefined;

  /** Takes on the values of a SETTINGS frame's payload, in order. @returns why one of them is not allowed */
  apply(bytes: Uint8Array, from: number, to: number): ConnectionError | undefined {
    this.smallestHeaderTableBytes = this.headerTableBytes;
    for (let at = from; at < to; at += SETTING_BYTES) {
      const bad = this.set((uint8(bytes, at) << 8) | uint8(bytes, at + 1), uint32(bytes, at + 2));
      if (bad !== undefined) return bad;
    }
    return undefined;
  }

  private set(setting: number, value: number): ConnectionError | undefined {
    switch (setting) {
      case Setting.HEADER_TABLE_SIZE:
        this.headerTableBytes = value;
        this.smallestHeaderTableBytes = Math.min(this.smallestHeaderTableBytes, value);
        return undefined;
      case Setting.ENABLE_PUSH:
        return value > 1 ? { code: ErrorCode.PROTOCOL_ERROR, reason: `SETTINGS_ENABLE_PUSH is ${value}` } : undefined;
      case Setting.INITIAL_WINDOW_SIZE:
        if (value > MAX_WINDOW_BYTES) return { code: ErrorCode.FLOW_CONTROL_ERROR, reason: `SETTINGS_INITIAL_WINDOW_SIZE is ${value}` };
        this.initialWindowBytes = value;
        return undefined;
      case Setting.MAX_FRAME_SIZE:
        if (value < MAX_FRAME_BYTES || value > MAX_MAX_FRAME_BYTES) return { code: ErrorCode.PROTOCOL_ERROR, reason: `SETTINGS_MAX_FRAME_SIZE is ${value}` };
        this.maxFrameBytes = value;
        return undefined;
      case Setting.MAX_HEADER_LIST_SIZE:
        this.maxHeaderListBytes = value;
        return undefined;
      default:
        // MAX_CONCURRENT_STREAMS limits pushes, and there are none; unknown settings are to be ignored.
        return undefined;
    }
  }
}
