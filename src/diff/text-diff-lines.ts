/** A unified diff as lines on a page. */
import { plural } from '../quantity.js';
import type { Painter } from '../view/index.js';
import type { Page } from './page.js';
import { SIGNS, textDiff, type TextLine } from './text-diff.js';

/** So many are shown unless all is wanted. */
const MAX_LINES = 30;

/** @param before undefined: there was no such text */
export function* textDiffLines(before: string | undefined, after: string | undefined, page: Page): Generator<string> {
  const all = textDiff(before, after);
  const lines = page.some(all, MAX_LINES);
  const texts = fitTexts(lines, page);
  for (const [index, line] of lines.entries()) yield paintOfLine(line, page.painter)(`${SIGNS[line.kind]}${texts[index] ?? ''}`.trimEnd());
  if (lines.length < all.length) yield page.line([`… ${plural(all.length - lines.length, 'more line')}`, page.painter.dim]);
}

/** Where as many lines were put in as were taken out before them, each pair is cut to where it differs. */
function fitTexts(lines: readonly TextLine[], page: Page): readonly string[] {
  const texts = lines.map(({ kind, text }) => ({ text, room: page.columns - SIGNS[kind].length }));
  const fitted: string[] = [];
  const runFrom = (start: number, kind: TextLine['kind']): number => {
    let end = start;
    while (lines[end]?.kind === kind) end += 1;
    return end - start;
  };
  while (fitted.length < lines.length) {
    const start = fitted.length;
    const removed = runFrom(start, 'removed');
    const added = runFrom(start + removed, 'added');
    const count = Math.max(1, removed + added);
    const part = texts.slice(start, start + count);
    if (removed > 0 && removed === added) {
      const pairs = part.slice(0, removed).map(({ text, room }, index) => page.fitPair(text, part[removed + index]?.text ?? '', room));
      fitted.push(...pairs.map(([was]) => was), ...pairs.map(([, is]) => is));
    } else fitted.push(...part.map(({ text, room }) => page.fit(text, room)));
  }
  return fitted;
}

function paintOfLine({ kind }: TextLine, { cyan, red, green, dim }: Painter): (text: string) => string {
  switch (kind) {
    case 'place':
      return cyan;
    case 'removed':
      return red;
    case 'added':
      return green;
    case 'remark':
      return dim;
    case 'kept':
      return (text) => text;
  }
}
