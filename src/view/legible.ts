/**
 * Text from the wire made safe and fit for a terminal: control characters escaped (a recorded message must not be
 * able to move the cursor or to recolour what follows), widths counted in columns, long lines cut.
 */

/** What a terminal acts on, and what reorders the text around it: C0 and C1 controls, DEL, line and bidi controls. */
// eslint-disable-next-line no-control-regex -- these are the characters that are meant
const UNSAFE = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Cs}/gu;

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** The text on one line, with everything a terminal would act on as an escape. */
export function legible(text: string): string {
  return text.replace(UNSAFE, (char) => NAMED[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const MARK = /^\p{M}$|^\u200d$/u;
/** East Asian wide and fullwidth forms, and emoji: two columns. */
const WIDE = /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]$|^\p{Emoji_Presentation}$/u;

function columnsOf(char: string): number {
  if (char <= '\u02ff') return 1;
  if (MARK.test(char)) return 0;
  return WIDE.test(char) ? 2 : 1;
}

/** How many columns a line of legible text takes. */
export function width(text: string): number {
  let columns = 0;
  for (const char of text) columns += columnsOf(char);
  return columns;
}

/** As much of the text as fits, with an ellipsis in place of its end. */
export function cutEnd(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  let kept = '';
  let left = columns - 1;
  for (const char of text) {
    left -= columnsOf(char);
    if (left < 0) break;
    kept += char;
  }
  return `${kept}…`;
}

/** As much of the text as fits, with an ellipsis in place of its start. */
export function cutStart(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  const kept: string[] = [];
  let left = columns - 1;
  for (const char of Array.from(text).reverse()) {
    left -= columnsOf(char);
    if (left < 0) break;
    kept.push(char);
  }
  return `…${kept.reverse().join('')}`;
}

export function padStart(text: string, columns: number): string {
  return ' '.repeat(Math.max(0, columns - width(text))) + text;
}

export function padEnd(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - width(text)));
}

/** Legible text broken at blanks into lines of at most so many columns; a word that is longer stands alone. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && width(line) + 1 + width(word) > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines;
}

export function indented(lines: readonly string[], by = '  '): string[] {
  return lines.map((line) => by + line);
}
