/** Two texts on a line each, cut so that what differs first is still there. */
import { cutEnd, width } from '../view/index.js';

/** This part of the room shows what is equal before it. */
const LEAD = 1 / 3;

/** @param columns for each of the two, which are legible */
export function cutToFirstDifference(before: string, after: string, columns: number): readonly [before: string, after: string] {
  if (width(before) <= columns && width(after) <= columns) return [before, after];
  const [one, other] = [Array.from(before), Array.from(after)];
  let equal = 0;
  while (equal < one.length && one[equal] === other[equal]) equal += 1;
  const from = Math.max(0, equal - Math.floor(columns * LEAD));
  return [cut(one, from, columns), cut(other, from, columns)];
}

function cut(chars: readonly string[], from: number, columns: number): string {
  // Of a text that ends soon behind the place, more can stand before it.
  const start = Math.max(0, Math.min(from, chars.length - columns + 1));
  const text = chars.slice(start).join('');
  return start === 0 ? cutEnd(text, columns) : `…${cutEnd(text, columns - 1)}`;
}
