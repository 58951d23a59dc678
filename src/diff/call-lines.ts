/** The differences of a call as lines for people. */
import { plural } from '../quantity.js';
import { indented, legible, width, type Painter } from '../view/index.js';
import { Page, type Segment } from './page.js';
import { againText, callNumbersText, pairText, signOf, sourceText, type Sign } from './place-text.js';
import type { CallDifferences, CallPlace, Difference, OpPlace, Pair } from './report.js';
import { chapters, commonAgain, isInNames, isWholeOp, restricted, type Subject } from './subject.js';
import { SIGNS, textDiff, type TextLine } from './text-diff.js';

/** So much is shown unless all is wanted: a review is read from its beginning. */
const MAX_SUBJECTS = 24;
const MAX_FIELDS = 12;
const MAX_ANNOTATIONS = 4;
const MAX_TEXT_LINES = 30;
const MAX_ALIKE = 6;

const INDENT = '  ';

/**
 * The calls of a build, or those outside of builds. Calls that only one recording has stand in one line when they come
 * one after the other and are alike.
 */
export function* callsLines(calls: readonly CallDifferences[], page: Page): Generator<string> {
  for (const alike of runs(calls)) {
    const [first] = alike;
    if (first === undefined) continue;
    if (isOneSided(first)) yield oneSidedLine(alike, page);
    yield* isOneSided(first) ? alike.flatMap((call) => indented(bodyLines(withoutItself(call), page))) : callLines(first, page);
  }
}

function isOneSided({ calls }: CallDifferences): boolean {
  return signOf(calls) !== '~';
}

/** Calls that are only in one recording, with others that are alike behind them; any other call alone. */
function runs(calls: readonly CallDifferences[]): readonly (readonly CallDifferences[])[] {
  const all: CallDifferences[][] = [];
  for (const call of calls) {
    const last = all.at(-1);
    const before = last?.[0];
    const goesOn = before !== undefined && isOneSided(call) && signOf(before.calls) === signOf(call.calls) && before.method === call.method && before.about === call.about;
    if (goesOn) last?.push(call);
    else all.push([call]);
  }
  return all;
}

function oneSidedLine(alike: readonly CallDifferences[], page: Page): string {
  const [{ calls, method, about } = { calls: {}, method: '', about: undefined }] = alike;
  const sign = signOf(calls);
  const numbers = page.some(alike, MAX_ALIKE).map((call) => callNumbersText(call.calls)).join(', ');
  const rest = alike.length - MAX_ALIKE;
  const more = page.full || rest <= 0 ? '' : ` and ${rest} more`;
  const paint = paintOf(sign, page.painter);
  return page.line(INDENT, [[`${sign} ${legible(method)}`, paint], [`  ${alike.length === 1 ? 'call' : 'calls'} ${numbers}${more}`], [about === undefined ? '' : `  ${legible(about)}`]]);
}

/** What there is to say of a call beside that only one recording has it. */
function withoutItself(call: CallDifferences): CallDifferences {
  return { ...call, differences: call.differences.filter(({ class: name, at }) => name !== 'order' || at !== 'call') };
}

function callLines(call: CallDifferences, page: Page): readonly string[] {
  const { bold, dim } = page.painter;
  const named = [...new Set(call.differences.filter(({ isAnnotation }) => !isAnnotation).map((difference) => difference.class))];
  const heading = page.line(INDENT, [
    [legible(call.method), bold],
    [`  call ${callNumbersText(call.calls)}`],
    [call.about === undefined ? '' : `  ${legible(call.about)}`],
    [named.length === 1 ? `  ${named[0] ?? ''}` : '', dim],
  ]);
  return [heading, ...indented(bodyLines(call, page))];
}

function bodyLines(call: CallDifferences, page: Page): readonly string[] {
  const deciding = chapters(restricted(call, ({ isAnnotation }) => !isAnnotation)?.differences ?? []);
  const lines: string[] = [];
  for (const { class: name, subjects } of deciding) {
    if (deciding.length > 1) lines.push(INDENT + page.painter.dim(name));
    lines.push(...subjectsLines(subjects, MAX_SUBJECTS, page));
  }
  const about = chapters(restricted(call, ({ isAnnotation }) => isAnnotation)?.differences ?? []).flatMap(({ subjects }) => subjects);
  if (about.length > 0) lines.push(INDENT + page.painter.dim('only describes'), ...onDimmed(page, (dimmed) => subjectsLines(about, MAX_ANNOTATIONS, dimmed)));
  return lines;
}

/** What is written on a page where everything is dim. */
function onDimmed(page: Page, write: (dimmed: Page) => readonly string[]): readonly string[] {
  const { dim } = page.painter;
  const dimmed = new Page(page.columns, { bold: dim, dim, red: dim, yellow: dim, green: dim, cyan: dim }, page.full);
  const lines = write(dimmed);
  page.isCut ||= dimmed.isCut;
  return lines;
}

function subjectsLines(subjects: readonly Subject[], most: number, page: Page): readonly string[] {
  const shown = page.some(subjects, most);
  const rest = subjects.slice(shown.length).reduce((sum, { differences }) => sum + differences.length, 0);
  return [...shown.flatMap((subject) => subjectLines(subject, page)), ...(rest === 0 ? [] : [`${INDENT}${page.painter.dim(`… ${plural(rest, 'more difference')}`)}`])];
}

function subjectLines({ op, process, differences }: Subject, page: Page): readonly string[] {
  const common = commonAgain(differences);
  const again = againText(common ?? []);
  const told = differences.filter((difference) => !isWholeOp(difference) && !isInNames(difference));
  // A text that differs says line by line what its beginning in a name would.
  const heading = op !== undefined ? opHeading(told.some(isText) ? withOneName(op) : op, again, page) : process !== undefined ? processHeading(process, again, page) : [];
  const shown = page.some(told, MAX_FIELDS);
  const inside = heading.length === 0 ? INDENT : INDENT.repeat(3);
  const fields = shown.flatMap((difference) => {
    const own = common === undefined ? againText(difference.again) : heading.length === 0 ? again : undefined;
    return fieldLines(difference, own, inside, page);
  });
  const rest = told.length - shown.length;
  return [...heading, ...fields, ...(rest === 0 ? [] : [`${inside}${page.painter.dim(`… ${plural(rest, 'more difference')}`)}`])];
}

function opHeading(op: Pair<OpPlace>, again: string | undefined, page: Page): readonly string[] {
  return namesLines(op.before?.name, op.after?.name, sourceText(op), again, page);
}

function withOneName({ before, after }: Pair<OpPlace>): Pair<OpPlace> {
  if (after === undefined) return before === undefined ? {} : { before };
  return before === undefined ? { after } : { before: { ...before, name: after.name }, after };
}

function processHeading(process: Pair<string>, again: string | undefined, page: Page): readonly string[] {
  const named = (command: string | undefined): string | undefined => (command === undefined ? undefined : `process ${command}`);
  return namesLines(named(process.before), named(process.after), undefined, again, page);
}

/** The two names on one line, or below each other where that is too short. */
function namesLines(before: string | undefined, after: string | undefined, source: string | undefined, again: string | undefined, page: Page): readonly string[] {
  const { dim, cyan, red, green } = page.painter;
  const sign = signOf({ ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) });
  const behind: readonly Segment[] = [[source === undefined ? '' : `  ${source}`, cyan], [again === undefined ? '' : `  ${again}`, dim]];
  const room = page.room(INDENT.length * 2 + 2 + (source === undefined ? 0 : width(source) + 2));
  const paint = paintOf(sign, page.painter);
  if (before === undefined || after === undefined || before === after) {
    const name = page.fit(legible(after ?? before ?? ''), room);
    return [page.line(INDENT, [[`${sign} `, paint], [name, sign === '~' ? undefined : paint], ...behind] as Segment[])];
  }
  const [was, is] = [legible(before), legible(after)];
  if (width(was) + width(is) + 3 <= room) return [page.line(INDENT, [[`${sign} `, paint], [was, red], [' → '], [is, green], ...behind])];
  const [cutWas, cutIs] = page.fitPair(was, is, page.room(INDENT.length * 2 + 2));
  return [page.line(INDENT, [[`- ${cutWas}`, red]]), page.line(INDENT, [[`+ ${cutIs}`, green]]), ...(source === undefined && again === undefined ? [] : [page.line(INDENT, behind)])];
}

function fieldLines(difference: Difference, again: string | undefined, indent: string, page: Page): readonly string[] {
  const { dim, red, green } = page.painter;
  const { before, after } = difference.value;
  const sign = before === undefined && after === undefined ? '~' : signOf(difference.value);
  const label: readonly Segment[] = [[`${sign} `, paintOf(sign, page.painter)], [legible(difference.at)]];
  const behind: readonly Segment[] = again === undefined ? [] : [[`  ${again}`, dim]];
  // Lines are indented once more by the call that they are of.
  const room = page.room(indent.length + INDENT.length + 4);
  if (isText(difference)) return [page.line(indent, [...label, ...behind]), ...textLines(textDiff(before, after), room, page).map((line) => `${indent}${INDENT}${line}`)];
  if (before === undefined || after === undefined) {
    const value = after ?? before;
    return [page.line(indent, [...label, [value === undefined ? '' : `  ${shown(value)}`, paintOf(sign, page.painter)], ...behind])];
  }
  const [was, is] = [shown(before), shown(after)];
  const isShort = width(legible(difference.at)) + width(was) + width(is) + 5 <= room;
  if (isShort) return [page.line(indent, [...label, [`  ${was}`, red], [' → '], [is, green], ...behind])];
  const [cutWas, cutIs] = page.fitPair(was, is, room - 2);
  return [page.line(indent, [...label, ...behind]), `${indent}${INDENT}${red(`- ${cutWas}`)}`, `${indent}${INDENT}${green(`+ ${cutIs}`)}`];
}

/** A value as it stands on a line. */
function shown(value: string): string {
  return value === '' ? '""' : legible(value);
}

export function isText({ isText: isKnownText, value: { before = '', after = '' } }: Difference): boolean {
  const hasLines = before.includes('\n') || after.includes('\n');
  return hasLines || (isKnownText && (before === '' || after === ''));
}

function textLines(all: readonly TextLine[], columns: number, page: Page): readonly string[] {
  const lines = page.some(all, MAX_TEXT_LINES);
  const rest = all.length - lines.length;
  const texts = fitTexts(lines, columns - 1, page);
  const written = lines.map((line, index) => paintLine(line, `${SIGNS[line.kind]}${texts[index] ?? ''}`, page.painter).trimEnd());
  return rest === 0 ? written : [...written, page.painter.dim(`… ${plural(rest, 'more line')}`)];
}

/** As many lines put in as were taken out before them: each pair is cut to where it differs. */
function fitTexts(lines: readonly TextLine[], columns: number, page: Page): readonly string[] {
  const texts = lines.map(({ text }) => text);
  let at = 0;
  const count = (kind: TextLine['kind']): number => {
    const start = at;
    while (lines[at]?.kind === kind) at += 1;
    return at - start;
  };
  while (at < lines.length) {
    const start = at;
    const removed = count('removed');
    const added = count('added');
    if (removed !== added) continue;
    if (removed === 0) at += 1;
    for (let index = start; index < start + removed; index += 1) {
      [texts[index], texts[index + removed]] = page.fitPair(texts[index] ?? '', texts[index + removed] ?? '', columns);
    }
  }
  return texts.map((text) => page.fit(text, columns));
}

function paintLine({ kind }: TextLine, text: string, painter: Painter): string {
  switch (kind) {
    case 'place':
      return painter.cyan(text);
    case 'removed':
      return painter.red(text);
    case 'added':
      return painter.green(text);
    case 'remark':
      return painter.dim(text);
    case 'kept':
      return text;
  }
}

export function paintOf(sign: Sign, { red, yellow, green }: Painter): (text: string) => string {
  return sign === '+' ? green : sign === '-' ? red : yellow;
}
