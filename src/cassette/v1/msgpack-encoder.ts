/** Values to msgpack, as format v1 has it. Apart from reading it: a replay loads no more than that. */
import { Packr } from 'msgpackr';

import type { Packable } from './msgpack.js';

const packr = new Packr({ useRecords: false, variableMapSize: true, int64AsType: 'bigint', moreTypes: false });

export function encode(value: Packable): Uint8Array {
  return new Uint8Array(packr.pack(value));
}
