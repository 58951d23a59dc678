/** Time as the scheduler sees it; handed in, so that tests need not wait. */
export interface Clock {
  /** Monotonic nanoseconds. */
  now(): bigint;
  /** Runs a function at a time, in ns, or at once when it has passed. Returns what takes it back. */
  at(due: bigint, run: () => void): () => void;
}

export const NS_PER_MS = 1_000_000n;
/** setTimeout takes no more (2^31 - 1 ms); a later time is reached in steps. */
const LONGEST_TIMER_MS = 2_147_483_647;

/**
 * Node's timers have a grain of 1 ms: what is due within a part of it goes out now rather than a whole one late. More than
 * half of it, because to wake up and to reach the client takes some 0.2 ms as well (bench: pace).
 */
export const TIMER_SLACK_NS = 700_000n;

const SLACK_MS = Number(TIMER_SLACK_NS) / Number(NS_PER_MS);

export const systemClock: Clock = {
  now: () => process.hrtime.bigint(),
  at: (due, run) => {
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      const ms = Number(due - process.hrtime.bigint()) / Number(NS_PER_MS);
      timer = setTimeout(() => (ms > LONGEST_TIMER_MS ? arm() : run()), Math.min(Math.max(0, Math.ceil(ms - SLACK_MS)), LONGEST_TIMER_MS));
    };
    arm();
    return () => clearTimeout(timer);
  },
};
