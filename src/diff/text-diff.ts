/** Two texts line by line, as a unified diff has them: what was taken out and put in, with some lines around. */
import { structuredPatch } from 'diff';

import { legible } from '../view/index.js';

export interface TextLine {
  /** `place`: where in the texts the lines below it are. `remark`: something about the line above it. */
  readonly kind: 'place' | 'kept' | 'removed' | 'added' | 'remark';
  /** Legible, without the sign in front. */
  readonly text: string;
}

export const SIGNS: Readonly<Record<TextLine['kind'], string>> = { place: '', kept: ' ', removed: '-', added: '+', remark: '\\ ' };

/** Lines around each change. */
const CONTEXT = 3;
/** Texts in which more lines differ have little to do with each other, and are shown one after the other. */
const MAX_EDITS = 500;

/** @param before undefined: there was no such text */
export function textDiff(before: string | undefined, after: string | undefined): readonly TextLine[] {
  const [one, other] = sameLineEnds(before ?? '', after ?? '');
  if (one === '' || other === '') return [...whole('removed', one), ...whole('added', other)];
  const patch = structuredPatch('', '', one, other, undefined, undefined, { context: CONTEXT, maxEditLength: MAX_EDITS });
  if (patch === undefined) return [...whole('removed', one), ...whole('added', other)];
  // Without a line left out before, between or behind there is no place to tell.
  const [only] = patch.hunks;
  const isAll = patch.hunks.length === 1 && only !== undefined && only.oldStart <= 1 && only.newStart <= 1;
  return patch.hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => [
    ...(isAll ? [] : [{ kind: 'place', text: `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@` } as const]),
    ...lines.map(signed),
  ]);
}

const NO_LINE_END: TextLine = { kind: 'remark', text: 'No newline at end of file' };

function signed(line: string): TextLine {
  const text = legible(line.slice(1));
  switch (line[0]) {
    case '-':
      return { kind: 'removed', text };
    case '+':
      return { kind: 'added', text };
    case '\\':
      return { kind: 'remark', text: text.trimStart() };
    default:
      return { kind: 'kept', text };
  }
}

function whole(kind: 'removed' | 'added', text: string): readonly TextLine[] {
  if (text === '') return [];
  const lines = text.split('\n');
  const isEnded = lines.at(-1) === '';
  return [...lines.slice(0, isEnded ? -1 : undefined).map((line) => ({ kind, text: legible(line) })), ...(isEnded ? [] : [NO_LINE_END])];
}

/** What a process writes to a terminal ends its lines with CR LF. That is worth a word only where it is not so everywhere. */
function sameLineEnds(...texts: readonly [string, string]): readonly [string, string] {
  const [one, other] = texts;
  const isEverywhere = texts.some((text) => text.includes('\r\n')) && !texts.some((text) => /(?:^|[^\r])\n/.test(text));
  return isEverywhere ? [one.replaceAll('\r\n', '\n'), other.replaceAll('\r\n', '\n')] : texts;
}
