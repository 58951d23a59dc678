/** A longest part of a list, in its order, in which a number grows from item to item (patience sorting). */
export function increasing<T>(items: readonly T[], numberOf: (item: T) => number): readonly T[] {
  /** Of the best parts of each length: the last item, by its index. */
  const lasts: number[] = [];
  const previous = new Int32Array(items.length);
  const numbers = items.map(numberOf);
  const at = (index: number | undefined): number => (index === undefined ? -Infinity : (numbers[index] ?? -Infinity));
  for (const index of items.keys()) {
    let [low, high] = [0, lasts.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (at(lasts[middle]) < at(index)) low = middle + 1;
      else high = middle;
    }
    previous[index] = lasts[low - 1] ?? -1;
    lasts[low] = index;
  }
  const found: T[] = [];
  for (let index = lasts.at(-1) ?? -1; index >= 0; index = previous[index] ?? -1) {
    const item = items[index];
    if (item !== undefined) found.push(item);
  }
  return found.reverse();
}
