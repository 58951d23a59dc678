/** The differences of calls as lines for people. */
import { plural } from '../quantity.js';
import { legible, plainPainter, width, type Painter } from '../view/index.js';
import type { Page, Segment } from './page.js';
import { againText, callNumbersText, callText, otherOpsText, signOf, sourceText, type Sign } from './place-text.js';
import type { CallDifferences, Difference, OpPlace, Pair } from './report.js';
import { chapters, commonAgain, isInNames, isText, isWholeCall, isWholeOp, isWholeProcess, restricted, type Subject } from './subject.js';
import { textDiffLines } from './text-diff-lines.js';

/** So much is shown unless all is wanted: a review is read from its beginning. */
const MAX_SUBJECTS = 24;
const MAX_FIELDS = 12;
const MAX_ANNOTATIONS = 4;
const MAX_ALIKE = 6;

const INDENT = 2;
/** Fields stand below the thing that they are of, and apart from the next one. */
const DEEP = 4;

/**
 * The calls of a build, or those outside of builds. Calls that only one recording has stand in one line when they come
 * one after the other and are alike.
 */
export function* callsLines(calls: readonly CallDifferences[], page: Page): Generator<string> {
  for (const alike of runs(calls)) {
    const [first] = alike;
    if (first === undefined) continue;
    if (!isOneSided(first)) yield* callLines(first, page);
    else {
      yield oneSidedLine(first, alike, page);
      for (const call of alike) yield* page.inset(INDENT, (inner) => bodyLines(withoutItself(call), inner));
    }
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

function oneSidedLine({ calls, method, about }: CallDifferences, alike: readonly CallDifferences[], page: Page): string {
  const sign = signOf(calls);
  const all = alike.flatMap((call) => [call.calls, ...call.differences.filter(isWholeCall).flatMap(({ again }) => again)]);
  const named = page.some(all, MAX_ALIKE);
  const numbers = named.map(callNumbersText).join(', ');
  const more = named.length === all.length ? '' : ` and ${all.length - named.length} more`;
  return page.line([`${sign} ${legible(method)}`, paintOf(sign, page.painter)], [`  ${all.length === 1 ? 'call' : 'calls'} ${numbers}${more}`], [about === undefined ? '' : `  ${legible(about)}`]);
}

/** What there is to say of a call beside that only one recording has it. */
function withoutItself(call: CallDifferences): CallDifferences {
  return { ...call, differences: call.differences.filter((difference) => !isWholeCall(difference)) };
}

function* callLines(call: CallDifferences, page: Page): Generator<string> {
  const { bold, dim } = page.painter;
  const [name, ...others] = new Set(call.differences.filter(({ isAnnotation }) => !isAnnotation).map((difference) => difference.class));
  const [method, calls, which] = [legible(call.method), `  ${callText(call.calls)}`.trimEnd(), name === undefined || others.length > 0 ? '' : `  ${name}`];
  // The class has to be seen; of a long path its beginning will do.
  const room = Math.max(3, page.columns - width(method) - width(calls) - width(which));
  yield page.line([method, bold], [calls], [call.about === undefined ? '' : page.fit(`  ${legible(call.about)}`, room)], [which, dim]);
  yield* page.inset(INDENT, (inner) => bodyLines(call, inner));
}

function* bodyLines(call: CallDifferences, page: Page): Generator<string> {
  const { dim } = page.painter;
  const deciding = chapters(restricted(call, ({ isAnnotation }) => !isAnnotation)?.differences ?? []);
  for (const { class: name, subjects } of deciding) {
    if (deciding.length === 1) yield* subjectsLines(subjects, MAX_SUBJECTS, page);
    else {
      yield page.line([name, dim]);
      yield* page.inset(INDENT, (inner) => subjectsLines(subjects, MAX_SUBJECTS, inner));
    }
  }
  const describing = chapters(restricted(call, ({ isAnnotation }) => isAnnotation)?.differences ?? []).flatMap(({ subjects }) => subjects);
  if (describing.length === 0) return;
  yield page.line(['only describes', dim]);
  yield* page.inset(INDENT, (inner) => subjectsLines(describing, MAX_ANNOTATIONS, inner), plainPainter).map(dim);
}

function* subjectsLines(subjects: readonly Subject[], most: number, page: Page): Generator<string> {
  const shown = page.some(subjects, most);
  for (const subject of shown) yield* subjectLines(subject, page);
  yield* restLine(subjects.slice(shown.length).reduce((sum, { differences }) => sum + differences.length, 0), page);
}

function restLine(rest: number, page: Page): readonly string[] {
  return rest === 0 ? [] : [page.line([`… ${plural(rest, 'more difference')}`, page.painter.dim])];
}

function* subjectLines({ op, process, differences }: Subject, page: Page): Generator<string> {
  const common = commonAgain(differences);
  const again = againText(common ?? []);
  const told = differences.filter((difference) => !isWholeOp(difference) && !isWholeProcess(difference) && !isInNames(difference));
  const shown = page.some(told, MAX_FIELDS);
  const fields = (on: Page, isTold: boolean): readonly string[] => [
    ...shown.flatMap((difference) => [...fieldLines(difference, common === undefined || !isTold ? againText(difference.again) : undefined, on)]),
    ...restLine(told.length - shown.length, on),
  ];
  if (op === undefined && process === undefined) return yield* fields(page, false);
  // A text that differs says line by line what its beginning in a name would; and some differences name an op by one side alone.
  const isWhole = differences.some(isWholeOp);
  const byOneName = !isWhole && (told.some(isText) || (op !== undefined && signOf(op) !== '~'));
  if (op !== undefined) yield* headingLines(names(byOneName ? inBoth(op) : op), sourceText(op), again, page);
  else if (process !== undefined) yield* headingLines(process, undefined, again, page);
  yield* page.inset(DEEP, (inner) => fields(inner, true));
}

function names({ before, after }: Pair<OpPlace>): Pair<string> {
  return { ...(before === undefined ? {} : { before: before.name }), ...(after === undefined ? {} : { after: after.name }) };
}

/** The op by one name, as one that both recordings have. */
function inBoth({ before, after }: Pair<OpPlace>): Pair<OpPlace> {
  const named = after ?? before;
  return named === undefined ? {} : { before: named, after: named };
}

/** The two names on one line, or below each other where that is too short. */
function* headingLines({ before, after }: Pair<string>, source: string | undefined, again: string | undefined, page: Page): Generator<string> {
  const { dim, cyan, red, green } = page.painter;
  const sign = signOf({ before, after });
  const [where, also] = [source === undefined ? '' : `  ${source}`, again === undefined ? '' : `  ${again}`];
  const behind: readonly Segment[] = [[where, cyan], [also, dim]];
  const [was, is] = [legible(before ?? after ?? ''), legible(after ?? before ?? '')];
  if (was === is) {
    const paint = paintOf(sign, page.painter);
    const name = page.fit(is, Math.max(1, page.columns - 2 - width(where)));
    yield page.line([`${sign} `, paint], sign === '~' ? [name] : [name, paint], ...behind);
  } else if (page.hasRoom('~  → ', was, is, where)) {
    yield page.line([`${sign} `, paintOf(sign, page.painter)], [was, red], [' → '], [is, green], ...behind);
  } else {
    yield* removedAndAdded(was, is, page);
    if (where + also !== '') yield page.line(...behind);
  }
}

function* removedAndAdded(was: string, is: string, page: Page): Generator<string> {
  const [cutWas, cutIs] = page.fitPair(was, is, page.columns - 2);
  yield page.painter.red(`- ${cutWas}`);
  yield page.painter.green(`+ ${cutIs}`);
}

function* fieldLines(difference: Difference, again: string | undefined, page: Page): Generator<string> {
  const { dim, red, green } = page.painter;
  const { before, after } = difference.value;
  const sign = before === undefined && after === undefined ? '~' : signOf(difference.value);
  const paint = paintOf(sign, page.painter);
  const at = legible(difference.at);
  const others = otherOpsText(difference.otherOps);
  const label: readonly Segment[] = [[`${sign} `, paint], [at]];
  const behind: readonly Segment[] = [[others === undefined ? '' : `  ${others}`, dim], [again === undefined ? '' : `  ${again}`, dim]];
  if (isText(difference)) {
    yield page.line(...label, ...behind);
    yield* page.inset(INDENT, (inner) => textDiffLines(before, after, inner));
  } else if (before === undefined || after === undefined) {
    const value = shown(after ?? before ?? '');
    if (after === before) yield page.line(...label, ...behind);
    // The end of a long path matters as much as the value.
    else if (page.hasRoom('~   ', at, value) || width(at) < page.columns / 2) yield page.line(...label, [`  ${value}`, paint], ...behind);
    else {
      yield page.line(...label, ...behind);
      yield* page.inset(INDENT, (inner) => [inner.line([value, paint])]);
    }
  } else if (page.hasRoom('~   → ', at, shown(before), shown(after))) {
    yield page.line(...label, [`  ${shown(before)}`, red], [' → '], [shown(after), green], ...behind);
  } else {
    yield page.line(...label, ...behind);
    yield* page.inset(INDENT, (inner) => removedAndAdded(shown(before), shown(after), inner));
  }
}

/** A value as it stands on a line. */
function shown(value: string): string {
  return value === '' ? '""' : legible(value);
}

export function paintOf(sign: Sign, { red, yellow, green }: Painter): (text: string) => string {
  return sign === '+' ? green : sign === '-' ? red : yellow;
}
