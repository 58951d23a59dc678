/** What somebody may have meant by a name that there is not. */

/** Longer ones are not compared: it takes as many steps as both lengths multiplied. */
const MAX_NAME_CHARS = 200;

/** The known name that takes the fewest changes to get to, whatever its case; undefined when all are far off. */
export function closestName(name: string, known: readonly string[]): string | undefined {
  if (name.length > MAX_NAME_CHARS) return undefined;
  const written = name.toLowerCase();
  let closest: string | undefined;
  // More than a third of it changed is another name.
  let fewest = Math.floor(name.length / 3) + 1;
  for (const candidate of known) {
    const changes = changesBetween(written, candidate.toLowerCase());
    if (changes >= fewest) continue;
    closest = candidate;
    fewest = changes;
  }
  return closest;
}

/** Letters to put in, leave out or replace (Levenshtein's distance). */
function changesBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 0; i < a.length; i += 1) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j += 1) {
      const replaced = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
