/** Two values that differ, cut to where they begin to. */

/** So much that is equal is shown before what differs. */
const LEAD = 30;

export function excerpts(one: string | undefined, other: string | undefined, max: number): readonly [one: string | undefined, other: string | undefined] {
  const from = Math.max(0, equalChars(one ?? '', other ?? '') - LEAD);
  return [one === undefined ? undefined : excerpt(one, from, max), other === undefined ? undefined : excerpt(other, from, max)];
}

function excerpt(text: string, from: number, max: number): string {
  if (text.length <= max) return text;
  // The end of a text that is equal that far would be nothing at all.
  const start = Math.max(0, Math.min(from, text.length - max));
  const middle = text
    .slice(start, start + max)
    .replace(/^[\udc00-\udfff]/, '')
    .replace(/[\ud800-\udbff]$/, '');
  return `${start > 0 ? '…' : ''}${middle}${start + max < text.length ? '…' : ''} (${text.length} characters)`;
}

function equalChars(one: string, other: string): number {
  let count = 0;
  while (count < one.length && count < other.length && one[count] === other[count]) count += 1;
  return count;
}
