/** Which elements of one list stand for which of another: a longest common subsequence, and what lies between its parts. */

/** Longer lists are only aligned from their two ends: the work grows with the product of the lengths. */
const MAX_ALIGNED = 1000;

/** What stands in the one list and what in the other, between two places where they are equal. */
export interface Between {
  readonly one: readonly number[];
  readonly other: readonly number[];
}

export interface Alignment {
  /** Indices of equal elements. */
  readonly equal: readonly (readonly [one: number, other: number])[];
  readonly between: readonly Between[];
}

export function align(one: readonly string[], other: readonly string[]): Alignment {
  let start = 0;
  while (start < one.length && start < other.length && one[start] === other[start]) start += 1;
  let end = 0;
  while (end < one.length - start && end < other.length - start && one[one.length - 1 - end] === other[other.length - 1 - end]) end += 1;
  const [oneEnd, otherEnd] = [one.length - end, other.length - end];
  const equal: (readonly [number, number])[] = [
    ...range(0, start).map((index) => [index, index] as const),
    ...commonBetween(...numbered(one.slice(start, oneEnd), other.slice(start, otherEnd))).map(([a, b]) => [start + a, start + b] as const),
    ...range(0, end).map((index) => [oneEnd + index, otherEnd + index] as const),
  ];
  return { equal, between: gaps(equal, one.length, other.length) };
}

/** Equal numbers for equal texts: each is compared with each, and texts can be long and alike. */
function numbered(one: readonly string[], other: readonly string[]): readonly [one: readonly number[], other: readonly number[]] {
  const numbers = new Map<string, number>();
  const numberOf = (text: string): number => {
    const known = numbers.get(text) ?? numbers.size;
    numbers.set(text, known);
    return known;
  };
  return [one.map(numberOf), other.map(numberOf)];
}

function commonBetween(one: readonly number[], other: readonly number[]): readonly (readonly [number, number])[] {
  if (one.length === 0 || other.length === 0 || one.length > MAX_ALIGNED || other.length > MAX_ALIGNED) return [];
  const width = other.length + 1;
  /** Of the rests from `a` and from `b` on: the length of the longest that both have. */
  const longest = new Uint16Array((one.length + 1) * width);
  const at = (a: number, b: number): number => longest[a * width + b] ?? 0;
  for (let a = one.length - 1; a >= 0; a -= 1) {
    for (let b = other.length - 1; b >= 0; b -= 1) longest[a * width + b] = one[a] === other[b] ? at(a + 1, b + 1) + 1 : Math.max(at(a + 1, b), at(a, b + 1));
  }
  const common: (readonly [number, number])[] = [];
  for (let a = 0, b = 0; a < one.length && b < other.length; ) {
    if (one[a] === other[b]) common.push([a++, b++]);
    else if (at(a + 1, b) >= at(a, b + 1)) a += 1;
    else b += 1;
  }
  return common;
}

function gaps(equal: Alignment['equal'], oneLength: number, otherLength: number): readonly Between[] {
  const found: Between[] = [];
  let [a, b] = [0, 0];
  for (const [nextA, nextB] of [...equal, [oneLength, otherLength] as const]) {
    if (nextA > a || nextB > b) found.push({ one: range(a, nextA), other: range(b, nextB) });
    [a, b] = [nextA + 1, nextB + 1];
  }
  return found;
}

const range = (from: number, to: number): readonly number[] => Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);
