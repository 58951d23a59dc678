/** What two recordings differ in, for people: as a review of a change reads. */
import { instant, plural } from '../quantity.js';
import { indented, legible, plainPainter, wrap, type Painter } from '../view/index.js';
import { callsLines, paintOf } from './call-lines.js';
import { Page, type Segment } from './page.js';
import { buildTitle, signOf } from './place-text.js';
import { isWholeBuild, restricted } from './subject.js';
import { callsTold, DIFFERENCE_CLASSES, isSame, type BuildDifferences, type CallDifferences, type DiffReport, type Recording } from './report.js';

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
  if (isSame(report)) {
    yield painter.green(sameText(report));
    yield* noteLines(report, page);
    return;
  }
  yield recordingLine(['--- ', painter.red], report.before, page);
  yield recordingLine(['+++ ', painter.green], report.after, page);
  yield* partLines('outside of builds', report.environment, page);
  for (const build of report.builds) yield* buildLines(build, page);
  yield* noteLines(report, page);
  yield '';
  const [first = '', ...rest] = wrap(countsText(report), page.columns - INDENT);
  yield* [first, ...indented(rest)].map(painter.bold);
  if (page.isCut) yield painter.dim('What is cut (…) is whole with --full.');
}

/** With as many facts as have room; the first ones matter most. */
function recordingLine(sign: Segment, { path, startedAt, buildkitVersion, builds, calls, isWhole }: Recording, page: Page): string {
  const facts = [
    ...(isWhole ? [] : ['not whole']),
    ...(buildkitVersion === undefined ? [] : [`BuildKit ${legible(buildkitVersion)}`]),
    `${plural(calls, 'call')} of ${plural(builds, 'build')}`,
    instant(startedAt),
  ];
  const name = legible(path);
  while (facts.length > 0 && !page.hasRoom(sign[0], name, '  ', facts.join(', '))) facts.pop();
  return page.line(sign, [name, page.painter.bold], [facts.length === 0 ? '' : `  ${facts.join(', ')}`, page.painter.dim]);
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
  const calls = build.calls.flatMap((call) => restricted(call, (difference) => !isWholeBuild(difference)) ?? []);
  yield* page.inset(INDENT, (inner) => callsLines(calls, inner));
}

function* noteLines(report: DiffReport, page: Page): Generator<string> {
  const { notes } = report;
  if (notes.length === 0) return;
  yield '';
  for (const note of notes) {
    const [first = '', ...rest] = wrap(legible(note), Math.max(20, page.columns - 6));
    yield `${page.painter.yellow('note')}  ${first}`;
    yield* indented(rest, ' '.repeat(6));
  }
}

/** `same: 1 build, 10 calls, 96 messages compared` */
export function sameText(report: DiffReport): string {
  const { builds, calls, messages } = report.compared;
  return `same: ${plural(builds, 'build')}, ${plural(calls, 'call')}, ${plural(messages, 'message')} compared`;
}

/** `5 differences: requests 3, responses 1, order 1; 2 of them only describe` */
export function countsText(report: DiffReport): string {
  const { counts } = report;
  const total = DIFFERENCE_CLASSES.reduce((sum, name) => sum + counts[name], 0);
  const each = DIFFERENCE_CLASSES.filter((name) => counts[name] > 0).map((name) => `${name} ${counts[name]}`);
  const described = countAnnotations(report);
  const which = described === total ? (total === 1 ? 'it' : 'all of them') : `${described} of them`;
  return `${plural(total, 'difference')}: ${each.join(', ')}${described === 0 ? '' : `; ${which} only ${described === 1 ? 'describes' : 'describe'}`}`;
}

function countAnnotations(report: DiffReport): number {
  return callsTold(report).reduce((sum, { differences }) => sum + differences.filter(({ isAnnotation }) => isAnnotation).length, 0);
}
