/** What a fault that is under way has of the replay around it. */
export interface Cues {
  /** The fault as it is written. */
  readonly spec: string;
  /** Monotonic ns. */
  now(): bigint;
  /** Runs a function so much later; what it throws fails no one else. Returns what takes it back. */
  after(ms: number, path: string, run: () => void): () => void;
  /** The fault happens to its call; of one call it counts once. */
  fired(): void;
  /** A client is being kept waiting, so that nobody counts its silence against it. Returns what ends that. */
  hold(): () => void;
}
