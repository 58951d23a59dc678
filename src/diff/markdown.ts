/**
 * What two recordings differ in, as a comment on a pull request: a line that sums up, a table for each build, long texts
 * folded. All that was recorded stands in it as text: nothing of it is markup, a mention or a link.
 */
import { plural } from '../quantity.js';
import { cutEnd, legible } from '../view/index.js';
import { cutToFirstDifference } from './first-difference.js';
import { againText, buildTitle, callText, otherOpsText, signOf, sourceText } from './place-text.js';
import { isSame, type CallDifferences, type DiffReport, type Difference, type Recording } from './report.js';
import { chapters, isText, isWholeBuild, isWholeCall, isWholeOp, restricted } from './subject.js';
import { countsText, sameText } from './terminal-report.js';
import { SIGNS, textDiff } from './text-diff.js';

export interface DiffMarkdownOptions {
  /** Long values and texts whole, as far as there is room. */
  readonly full?: boolean;
}

/** GitHub takes no comment of more characters. */
const MAX_COMMENT = 65_536;
/** What is said when not everything has room. */
const RESERVE = 500;
const MAX_VALUE = 200;
const MAX_TEXT_LINES = 200;
const MAX_LINE = 400;

/** A part of the comment that is in it as a whole or not at all. */
interface Block {
  /** Made when it is known that there is room left. */
  readonly write: () => string;
  /** How many differences it tells. */
  readonly tells: number;
}

export function diffMarkdown(report: DiffReport, { full = false }: DiffMarkdownOptions = {}): readonly string[] {
  const parts = [...part('Outside of builds', report.environment, full), ...report.builds.flatMap((build) => part(upper(signed(buildTitle(build), signOf(build.builds))), build.calls.flatMap((call) => restricted(call, (difference) => !isWholeBuild(difference)) ?? []), full))];
  const lead = [`### bridgetape diff: ${isSame(report) ? 'same' : 'different'}`, '', `${recordingText(report.before)} → ${recordingText(report.after)}`, '', plain(isSame(report) ? sameText(report) : countsText(report))].join('\n');
  const notes = report.notes.map((note) => block(`\n> ${plain(cutEnd(legible(note), MAX_LINE))}`));
  return bounded([block(lead), ...notes, ...parts]).split('\n');
}

function block(text: string): Block {
  return { write: () => text, tells: 0 };
}

/** As many blocks, in their order, as have room; what has none is counted. */
function bounded(blocks: readonly Block[]): string {
  let text = '';
  let untold = 0;
  let isFull = false;
  for (const { write, tells } of blocks) {
    // Smaller ones behind one that has no room would be read without what they belong to.
    const next: string = isFull ? '' : `${text === '' ? '' : '\n'}${write()}`;
    isFull ||= text.length + next.length > MAX_COMMENT - RESERVE;
    if (isFull) untold += tells;
    else text += next;
  }
  return isFull ? `${text}\n\n**Cut:** ${plural(untold, 'more difference')} and the texts that go with them have no room in a comment of ${MAX_COMMENT} characters. \`bridgetape diff\` shows them in a terminal.` : text;
}

function part(title: string, calls: readonly CallDifferences[], full: boolean): readonly Block[] {
  if (calls.length === 0) return title.startsWith('+') || title.startsWith('-') ? [block(`\n#### ${plain(title)}`)] : [];
  const folded: Block[] = [];
  const rows = calls.flatMap((call) => chapters(call.differences).flatMap(({ subjects }) => subjects.flatMap(({ differences }) => differences.map((difference) => row(call, difference, full, folded)))));
  const head = `\n#### ${plain(title)}\n\n| | class | where | before | after |\n| --- | --- | --- | --- | --- |`;
  return [block(head), ...rows, ...folded];
}

function row(call: CallDifferences, difference: Difference, full: boolean, folded: Block[]): Block {
  const { op, process, value, at, again, isAnnotation } = difference;
  const isOneCall = signOf(call.calls) !== '~' && isWholeCall(difference);
  const sign = isOneCall ? signOf(call.calls) : isWholeOp(difference) && op !== undefined ? signOf(op) : value.before === undefined && value.after === undefined ? '~' : signOf(value);
  const source = op === undefined ? undefined : sourceText(op);
  const also = [otherOpsText(difference.otherOps), againText(again)].filter((text) => text !== undefined).join('; ');
  const name = op === undefined ? undefined : (op.after ?? op.before)?.name;
  const command = process?.after ?? process?.before;
  const where = [
    `${code(call.method, MAX_VALUE)} ${callText(call.calls)}${call.about === undefined ? '' : ` ${code(call.about, MAX_VALUE)}`}`,
    ...(name === undefined ? [] : [`${code(name, MAX_VALUE)}${source === undefined ? '' : ` ${plain(source)}`}`]),
    ...(command === undefined ? [] : [`process ${code(command, MAX_VALUE)}`]),
    ...(isOneCall || isWholeOp(difference) ? [] : [code(at, MAX_VALUE)]),
    ...(also === '' ? [] : [`<sub>${plain(also)}</sub>`]),
  ].join('<br>');
  const [was, is] = isOneCall || isWholeOp(difference) ? ['', ''] : isText(difference) ? ['', '<em>below</em>'] : values(difference, full);
  if (isText(difference)) folded.push({ tells: 0, write: () => foldedText(call, difference, full) });
  return { tells: 1, write: () => `| ${sign} | ${difference.class}${isAnnotation ? '<br><sub>only describes</sub>' : ''} | ${where} | ${was} | ${is} |` };
}

function values({ value: { before, after } }: Difference, full: boolean): readonly [string, string] {
  const most = full ? Infinity : MAX_VALUE;
  const [was, is] = [legible(before ?? ''), legible(after ?? '')];
  const [cutWas, cutIs] = before === undefined || after === undefined || full ? [was, is] : cutToFirstDifference(was, is, MAX_VALUE);
  return [before === undefined ? '' : code(cutWas, most), after === undefined ? '' : code(cutIs, most)];
}

function foldedText(call: CallDifferences, { at, op, process, value, isAnnotation }: Difference, full: boolean): string {
  const of = (op?.after ?? op?.before)?.name ?? process?.after ?? process?.before;
  const all = textDiff(value.before, value.after);
  const shown = full ? all : all.slice(0, MAX_TEXT_LINES);
  const lines = shown.map(({ kind, text }) => `${SIGNS[kind]}${full ? text : cutEnd(text, MAX_LINE)}`.trimEnd());
  if (all.length > shown.length) lines.push(`# … ${plural(all.length - shown.length, 'more line')}`);
  const fence = '`'.repeat(Math.max(3, longestRun(lines) + 1));
  const title = [`${plain(call.method)} ${callText(call.calls)}`, ...(of === undefined ? [] : [code(of, MAX_VALUE)]), code(at, MAX_VALUE), ...(isAnnotation ? ['(only describes)'] : [])].join(' ');
  return ['', `<details><summary>${title}</summary>`, '', `${fence}diff`, ...lines, fence, '', '</details>'].join('\n');
}

function longestRun(lines: readonly string[]): number {
  let longest = 0;
  for (const line of lines) for (const [run] of line.matchAll(/`+/g)) longest = Math.max(longest, run.length);
  return longest;
}

function recordingText({ path, buildkitVersion, calls, builds, isWhole }: Recording): string {
  const version = buildkitVersion === undefined ? '' : `BuildKit ${plain(buildkitVersion)}, `;
  return `${code(path, MAX_VALUE)} (${version}${plural(calls, 'call')} of ${plural(builds, 'build')}${isWhole ? '' : ', not whole'})`;
}

/** HTML's own element, and not backticks: within a table these cannot hold every text. */
function code(text: string, most: number): string {
  const shown = cutEnd(legible(text), most);
  return shown === '' ? '<code>""</code>' : `<code>${plain(shown)}</code>`;
}

/** Everything that Markdown, HTML or GitHub takes for more than a character, as the character's number. */
function plain(text: string): string {
  return legible(text).replace(/[&<>`|\\*_[\]#~$@:]|^[-+=]|(?<=^\d+)\.|(?<=\bwww)\./g, (char) => `&#${char.charCodeAt(0)};`);
}

const signed = (title: string, sign: string): string => (sign === '~' ? title : `${sign} ${title}`);
const upper = (title: string): string => title.replace(/^\w/, (char) => char.toUpperCase());
