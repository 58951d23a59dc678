/** Time as the scheduler sees it; handed in, so that tests need not wait. */
import { Agenda } from './agenda.js';

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

/**
 * The machine's time. All that waits shares one timer: whenever it goes off, whatever else is due goes out as well, so that
 * twenty streams keep their times as well as one (bench: pace). With a timer each, every one is up to a grain late, as often as
 * another one wakes the loop in front of it.
 */
class SystemClock implements Clock {
  private readonly agenda = new Agenda();
  private timer: NodeJS.Timeout | undefined;
  /** What the timer is set for, in ns. */
  private armed: bigint | undefined;
  private isWaking = false;

  now(): bigint {
    return process.hrtime.bigint();
  }

  at(due: bigint, run: () => void): () => void {
    const takeBack = this.agenda.add(due, run);
    this.arm();
    return () => {
      takeBack();
      this.arm();
    };
  }

  private arm(): void {
    const due = this.agenda.first?.due;
    if (this.isWaking || due === this.armed) return;
    clearTimeout(this.timer);
    this.armed = due;
    if (due === undefined) return;
    const ms = Number(due - this.now()) / Number(NS_PER_MS);
    this.timer = setTimeout(() => this.wake(), Math.min(Math.max(0, Math.ceil(ms - SLACK_MS)), LONGEST_TIMER_MS));
  }

  private wake(): void {
    const until = this.now() + TIMER_SLACK_NS;
    this.isWaking = true;
    try {
      for (let { first } = this.agenda; first !== undefined && first.due <= until; { first } = this.agenda) {
        this.agenda.takeFirst();
        first.run();
      }
    } finally {
      this.isWaking = false;
      this.armed = undefined;
      this.arm();
    }
  }
}

export const systemClock: Clock = new SystemClock();
