/** What two recordings differ in, for people: as a review of a change reads. */
import { instant, plural } from '../quantity.js';
import { indented, legible, plainPainter, wrap, type Painter } from '../view/index.js';
import { callsLines, paintOf } from './call-lines.js';
import { Page } from './page.js';
import { buildTitle, signOf } from './place-text.js';
import { DIFFERENCE_CLASSES, isSame, type BuildDifferences, type CallDifferences, type DiffReport, type Recording } from './report.js';

export interface DiffViewOptions {
  /** Columns to fit into; 80 unless told. */
  readonly width?: number;
  readonly painter?: Painter;
  /** Long values, texts and lists whole. */
  readonly full?: boolean;
}

const INDENT = 2;

/** What `bridgetape diff` prints. */
export function* showDiff(report: DiffReport, { width = 80, painter = plainPainter, full = false }: DiffViewOptions = {}): Generator<string> {
  const page = new Page(width, painter, full);
  if (isSame(report) && !full) {
    yield painter.green(sameText(report));
    yield* noteLines(report, page);
    return;
  }
  yield page.line(['--- ', painter.red], [legible(report.before.path), painter.bold], [`  ${recordingText(report.before)}`, painter.dim]);
  yield page.line(['+++ ', painter.green], [legible(report.after.path), painter.bold], [`  ${recordingText(report.after)}`, painter.dim]);
  yield* partLines('outside of builds', report.environment, page);
  for (const build of report.builds) yield* buildLines(build, page);
  yield* noteLines(report, page);
  yield '';
  const [first = '', ...rest] = wrap(isSame(report) ? sameText(report) : countsText(report), page.columns);
  const paint = isSame(report) ? painter.green : painter.bold;
  yield* [first, ...indented(rest)].map(paint);
  if (page.isCut) yield painter.dim('What is cut (…) is whole with --full.');
}

function recordingText({ startedAt, buildkitVersion, builds, calls, isWhole }: Recording): string {
  const version = buildkitVersion === undefined ? 'BuildKit' : `BuildKit ${legible(buildkitVersion)}`;
  return `${version}, ${plural(calls, 'call')} of ${plural(builds, 'build')}, ${instant(startedAt)}${isWhole ? '' : ', not whole'}`;
}

function* partLines(title: string, calls: readonly CallDifferences[], page: Page): Generator<string> {
  if (calls.length === 0) return;
  yield '';
  yield page.line([title, page.painter.bold]);
  yield* page.inset(INDENT, (inner) => callsLines(calls, inner));
}

function* buildLines(build: BuildDifferences, page: Page): Generator<string> {
  const sign = signOf(build.builds);
  if (sign === '~') {
    yield* partLines(buildTitle(build), build.calls, page);
    return;
  }
  yield '';
  yield page.line([`${sign} ${buildTitle(build)}`, paintOf(sign, page.painter)]);
  yield* page.inset(INDENT, (inner) => callsLines(build.calls, inner));
}

function* noteLines(report: DiffReport, page: Page): Generator<string> {
  const notes = allNotes(report);
  if (notes.length === 0) return;
  yield '';
  for (const note of notes) {
    const [first = '', ...rest] = wrap(legible(note), Math.max(20, page.columns - 6));
    yield `${page.painter.yellow('note')}  ${first}`;
    yield* indented(rest, ' '.repeat(6));
  }
}

/** The notes of the comparison, and what a reader has to know of a recording that was cut off. */
export function allNotes({ before, after, notes }: DiffReport): readonly string[] {
  const cutOff = [before, after].filter(({ isWhole }) => !isWhole).map(({ path }) => `${path} is not whole: what differs at its end can be due to that.`);
  return [...notes, ...cutOff];
}

/** `same: 1 build, 10 calls, 96 messages compared` */
export function sameText(report: DiffReport): string {
  const { builds, calls, messages } = report.compared;
  const described = countAnnotations(report);
  return `same: ${plural(builds, 'build')}, ${plural(calls, 'call')}, ${plural(messages, 'message')} compared${described === 0 ? '' : `; ${annotationsText(described)}`}`;
}

/** `5 differences: requests 3, responses 1, order 1` */
export function countsText(report: DiffReport): string {
  const { counts } = report;
  const total = DIFFERENCE_CLASSES.reduce((sum, name) => sum + counts[name], 0);
  const each = DIFFERENCE_CLASSES.filter((name) => counts[name] > 0).map((name) => `${name} ${counts[name]}`);
  const described = countAnnotations(report);
  return `${plural(total, 'difference')}: ${each.join(', ')}${described === 0 ? '' : `; ${annotationsText(described)}`}`;
}

const annotationsText = (count: number): string => `${plural(count, 'difference')} in what only describes`;

function countAnnotations({ builds, environment }: DiffReport): number {
  const calls = [...environment, ...builds.flatMap((build) => build.calls)];
  return calls.reduce((sum, { differences }) => sum + differences.filter(({ isAnnotation }) => isAnnotation).length, 0);
}
