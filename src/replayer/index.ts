/** Serving a cassette in place of a daemon. */
export { MAX_KEPT_MISSES, replay, type Replay, type ReplayOptions } from './replay.js';
export { DEFAULT_STALL_MS } from './replayer.js';
export type { Told } from './player.js';
export type { Miss } from './miss.js';
