/** Serving a cassette in place of a daemon. */
export { describeReannotations, type Reannotation } from './reannotation.js';
export { MAX_KEPT_MISSES, replay, type Replay, type ReplayOptions } from './replay.js';
export { DEFAULT_STALL_MS } from './replayer.js';
export type { Told } from './player.js';
export type { Difference, Miss } from './miss.js';
