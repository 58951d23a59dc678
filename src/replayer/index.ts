export { replay, type Replay, type ReplayOptions } from './replay.js';
export { DEFAULT_STALL_MS } from './replayer.js';
export type { Miss } from './miss.js';
