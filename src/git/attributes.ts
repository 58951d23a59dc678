/** The line of a .gitattributes file: put in, taken out, and nothing else of the file touched. */

export const ATTRIBUTES_FILE = '.gitattributes';
export const ATTRIBUTES_LINE = '*.cassette binary diff=bridgetape merge=bridgetape';
const MARK = '# Cassettes as text in git diff: bridgetape git install, and uninstall takes these two lines back.';
const BLOCK = `${MARK}\n${ATTRIBUTES_LINE}`;

const lines = (text: string): readonly string[] => text.split(/\r?\n/).map((line) => line.trim());

export function hasLine(text: string): boolean {
  return lines(text).includes(ATTRIBUTES_LINE);
}

/** At the end, where it counts more than what stands above. A text without a last line end is left without one. */
export function withLine(text: string): string {
  if (hasLine(text)) return text;
  return text === '' || text.endsWith('\n') ? `${text}${BLOCK}\n` : `${text}\n${BLOCK}`;
}

/** Only a line that was put in by `withLine`. */
export function withoutLine(text: string): string {
  if (text.includes(`${BLOCK}\n`)) return text.replace(`${BLOCK}\n`, '');
  return text.endsWith(`\n${BLOCK}`) ? text.slice(0, -BLOCK.length - 1) : text;
}

/** Whether a file says something else about how cassettes are shown or merged. */
export function saysOtherwise(text: string): boolean {
  return lines(text).some((line) => {
    const [pattern = '', ...attributes] = line.split(/\s+/);
    const meansCassettes = pattern.endsWith('.cassette') || /^[*/]*\*$/.test(pattern);
    return meansCassettes && !pattern.startsWith('#') && attributes.some((attribute) => /^[-!]?(binary|diff|merge)(=|$)/.test(attribute));
  });
}
