/**
 * Which calls are made, how often and in which order. What two goroutines ask for crosses in any order, and most calls are
 * short; so two calls count as one after the other only where the second was made when the first had ended, and a
 * client that makes both at once would have made it long before.
 */
import type { Nanoseconds } from '../cassette/index.js';
import type { AlignedCalls, CallPair } from './align-calls.js';
import type { RecordedCall } from './recorded.js';
import type { Difference } from './report.js';

/** A client that makes two calls at once makes the second within this. Goroutines that were started together were seen up to 1 ms apart. */
const AT_ONCE: Nanoseconds = 5_000_000n;
/** Calls that take as long as this cannot miss each other by chance. */
const LONG: Nanoseconds = 20_000_000n;

export interface OrderDifference {
  readonly calls: CallPair;
  readonly difference: Difference;
}

/** When calls began and ended in one recording, and what a client can have waited for. */
class Timeline {
  /** Ends of calls, and what came on streams, by their times. */
  private readonly heard: readonly { readonly time: Nanoseconds; readonly call: RecordedCall; readonly isEnd: boolean }[];

  constructor(calls: readonly RecordedCall[]) {
    const ends = calls.flatMap((call) => {
      const { end } = call;
      return end === undefined ? [] : [{ time: end, call, isEnd: true }];
    });
    const streamed = calls
      .filter(({ hasStreamed }) => hasStreamed)
      .flatMap((call) => call.messages.filter(({ kind }) => kind === 'server-message').map(({ time }) => ({ time, call, isEnd: false })));
    this.heard = [...ends, ...streamed].sort((one, other) => (one.time < other.time ? -1 : 1));
  }

  /** The second was made because the first had ended, as far as a recording can show that: for some time before it, the client heard of nothing else. */
  isAfter(first: RecordedCall, second: RecordedCall): boolean {
    const at = this.heardBefore(second.start);
    const [last, before] = [this.heard[at - 1], this.heard[at - 2]];
    if (last?.call !== first || !last.isEnd || last.time - first.start < AT_ONCE) return false;
    return before === undefined || second.start - before.time >= AT_ONCE;
  }

  /** How many things. */
  private heardBefore(time: Nanoseconds): number {
    let [low, high] = [0, this.heard.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const heard = this.heard[middle];
      if (heard !== undefined && heard.time <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Both were made at once, and went on side by side for long. */
  isBeside(first: RecordedCall, second: RecordedCall): boolean {
    const [one, other] = first.start <= second.start ? [first, second] : [second, first];
    return other.start - one.start < AT_ONCE && isLong(one) && isLong(other);
  }
}

const FOREVER: Nanoseconds = 1n << 62n;
const isLong = (call: RecordedCall): boolean => endOf(call) - call.start >= LONG;
const endOf = ({ end }: RecordedCall): Nanoseconds => end ?? FOREVER;

export function compareOrder({ pairs, places }: AlignedCalls, before: readonly RecordedCall[], after: readonly RecordedCall[], nameOf: (call: RecordedCall) => string): readonly OrderDifference[] {
  const [was, is] = [new Timeline(before), new Timeline(after)];
  const found: OrderDifference[] = [];
  for (const [index, pair] of pairs.entries()) {
    const next = pairs[index + 1];
    if (next === undefined) break;
    const say = (calls: CallPair, before: string, after: string): void => {
      found.push({ calls, difference: { class: 'order', at: 'order', value: { before, after }, isText: false, isAnnotation: false, otherOps: [], again: [] } });
    };
    const isTurned = (places[index + 1] ?? 0) < (places[index] ?? 0);
    if (isTurned && was.isAfter(pair.before, next.before) && is.isAfter(next.after, pair.after)) say(next, `after ${nameOf(pair.before)}`, `before ${nameOf(pair.after)}`);
    else if (was.isBeside(pair.before, next.before) && isLong(pair.after) && is.isAfter(pair.after, next.after)) say(next, `beside ${nameOf(pair.before)}`, `after ${nameOf(pair.after)}`);
    else if (isLong(pair.before) && was.isAfter(pair.before, next.before) && is.isBeside(pair.after, next.after)) say(next, `after ${nameOf(pair.before)}`, `beside ${nameOf(pair.after)}`);
  }
  return found;
}
