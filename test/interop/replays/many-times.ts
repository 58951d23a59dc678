/** `npm run soak` makes a thousand. */
export const REPLAYS = Number(process.env['BRIDGETAPE_REPLAYS'] ?? 100);

/** Each may take so long, in ms, on a machine that has much else to do. */
export const REPLAYS_TIMEOUT = REPLAYS * 6000;

/** As many cores as any machine here has. */
const AT_ONCE = 2;

/**
 * Runs something many times, two at once.
 *
 * @param run told which time it is, from 1 on
 * @returns what each came to
 */
export async function manyTimes<T>(run: (time: number) => Promise<T>, times = REPLAYS): Promise<readonly T[]> {
  const results: T[] = [];
  let begun = 0;
  const next = async (): Promise<void> => {
    while (begun < times) {
      begun += 1;
      results.push(await run(begun));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  return results;
}
