/**
 * A longest part of a list of numbers, in its order, in which they grow from one to the next (patience sorting).
 *
 * @returns places in the list
 */
export function increasing(numbers: ArrayLike<number>): Int32Array {
  /** Of the best parts of each length: the last number's place. */
  const lasts: number[] = [];
  const previous = new Int32Array(numbers.length);
  const at = (place: number | undefined): number => (place === undefined ? -Infinity : (numbers[place] ?? -Infinity));
  for (let place = 0; place < numbers.length; place += 1) {
    let [low, high] = [0, lasts.length];
    // Most numbers go on where the last one stopped.
    if (at(lasts.at(-1)) < at(place)) low = high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (at(lasts[middle]) < at(place)) low = middle + 1;
      else high = middle;
    }
    previous[place] = lasts[low - 1] ?? -1;
    lasts[low] = place;
  }
  const found = new Int32Array(lasts.length);
  let place = lasts.at(-1) ?? -1;
  for (let index = found.length - 1; index >= 0; index -= 1) {
    found[index] = place;
    place = previous[place] ?? -1;
  }
  return found;
}
