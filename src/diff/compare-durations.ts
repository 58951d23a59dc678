import type { Nanoseconds } from '../cassette/index.js';
import { duration } from '../quantity.js';
import type { CallPair } from './align-calls.js';
import type { RecordedCall } from './recorded.js';
import type { Difference } from './report.js';

/**
 * How long two calls took.
 *
 * @param threshold what a difference has to come up to; nothing is compared without one
 */
export function compareDurations({ before, after }: CallPair, threshold: Nanoseconds | undefined): readonly Difference[] {
  if (threshold === undefined) return [];
  const [was, is] = [tookOf(before), tookOf(after)];
  if (was === undefined || is === undefined) return [];
  if ((was > is ? was - is : is - was) < threshold) return [];
  return [{ class: 'time', at: 'duration', value: { before: duration(was), after: duration(is) }, isText: false, isAnnotation: false, otherOps: [], again: [] }];
}

function tookOf({ start, end }: RecordedCall): Nanoseconds | undefined {
  return end === undefined ? undefined : end - start;
}
