/** The calls of a cassette as a table: a line a call, grouped by build when there are several. */
import { cassetteHead, type ViewOptions } from './cassette-head.js';
import { cutEnd, cutStart, legible, padEnd, padStart, width as columnsOf, wrap } from './legible.js';
import { callName, outcomeNote, outcomePaint, outcomeWord } from './outcome.js';
import { plainPainter, type Painter } from './painter.js';
import { duration, plural, seconds, shortSize, size } from '../quantity.js';
import type { Survey, SurveyedBuild, SurveyedCall } from './survey.js';

const GAP = '  ';
/** What a name keeps when the screen is narrow; below that, lines grow wider than it. */
const NARROWEST_METHOD = 20;
const NARROWEST_STATUS = 12;
/** A failing build's message can be as long as its Dockerfile. */
const MAX_NOTE_LINES = 2;

const COLUMNS = ['number', 'start', 'took', 'method', 'clientMessages', 'clientBytes', 'serverMessages', 'serverBytes', 'status'] as const;
type Column = (typeof COLUMNS)[number];
type Cells = Readonly<Record<Column, string>>;
type Widths = Record<Column, number>;

const TITLES: Cells = {
  number: '#',
  start: 'AT (s)',
  took: 'TOOK',
  method: 'METHOD',
  clientMessages: 'MSG',
  clientBytes: 'BYTES',
  serverMessages: 'MSG',
  serverBytes: 'BYTES',
  status: 'STATUS',
};

/** Words line up at their start, numbers at their end. */
const WORDS: ReadonlySet<Column> = new Set(['method', 'status']);

/** The head and the table: what `bridgetape show FILE` prints. */
export function showCassette(survey: Survey, options: ViewOptions = {}): string[] {
  return [...cassetteHead(survey, options), '', ...callTable(survey, options)];
}

/** The table alone. */
export function callTable(survey: Survey, { width = 80, painter = plainPainter }: ViewOptions = {}): string[] {
  if (survey.calls.length === 0) return ['No calls.'];
  const layout = layOut(survey.calls, width);
  const rows = (calls: readonly SurveyedCall[]): string[] => calls.flatMap((call) => callLines(call, layout, width, painter));
  const marks = survey.calls.some(({ leftOut }) => leftOut > 0) ? [painter.dim('* message bodies left out of the cassette')] : [];
  return [...titleLines(layout.widths, painter), ...(survey.builds.length > 1 ? groups(survey, painter, rows) : rows(survey.calls)), ...marks];
}

function groups({ calls, builds }: Survey, painter: Painter, rows: (calls: readonly SurveyedCall[]) => string[]): string[] {
  const others = calls.filter(({ build }) => build === undefined);
  return [
    ...(others.length === 0 ? [] : [painter.bold('outside of the builds'), ...rows(others)]),
    ...builds.flatMap((build) => [painter.bold(buildTitle(build)), ...rows(build.calls)]),
  ];
}

function buildTitle({ ref, facts, calls }: SurveyedBuild): string {
  const by = facts === undefined ? '' : facts.frontend !== '' ? `, ${legible(facts.frontend)}` : facts.hasDefinition ? ', a definition' : ', a client';
  return `build ${legible(ref)}${by}, ${plural(calls.length, 'call')}`;
}

interface Layout {
  readonly widths: Readonly<Widths>;
  readonly sizeText: (bytes: number) => string;
}

/** The widest of each column; sizes in their short form, then names cut, when that is too much. */
function layOut(calls: readonly SurveyedCall[], width: number): Layout {
  for (const sizeText of [size, shortSize]) {
    const widths = widest(calls, sizeText);
    if (lineWidth(widths) <= width) return { widths, sizeText };
  }
  const widths = widest(calls, shortSize);
  const over = (): number => Math.max(0, lineWidth(widths) - width);
  widths.status = Math.max(Math.min(widths.status, NARROWEST_STATUS), widths.status - over());
  widths.method = Math.max(Math.min(widths.method, NARROWEST_METHOD), widths.method - over());
  return { widths, sizeText: shortSize };
}

function widest(calls: readonly SurveyedCall[], sizeText: Layout['sizeText']): Widths {
  const widths: Widths = { number: 0, start: 0, took: 0, method: 0, clientMessages: 0, clientBytes: 0, serverMessages: 0, serverBytes: 0, status: 0 };
  const take = (cells: Cells): void => {
    for (const column of COLUMNS) widths[column] = Math.max(widths[column], columnsOf(cells[column]));
  };
  take(TITLES);
  for (const call of calls) take(cellsOf(call, sizeText));
  return widths;
}

const lineWidth = (widths: Readonly<Widths>): number =>
  // Between messages and bytes of one side stands one blank.
  COLUMNS.reduce((sum, column) => sum + widths[column], 0) + GAP.length * (COLUMNS.length - 1) - 2;

function cellsOf(call: SurveyedCall, sizeText: Layout['sizeText']): Cells {
  return {
    number: String(call.id),
    start: seconds(call.start, 3),
    took: call.end === undefined ? '' : duration(call.end - call.start),
    method: `${legible(callName(call))}${call.leftOut > 0 ? '*' : ''}`,
    clientMessages: String(call.clientMessages),
    clientBytes: sizeText(call.clientBytes),
    serverMessages: String(call.serverMessages),
    serverBytes: sizeText(call.serverBytes),
    status: outcomeWord(call.outcome),
  };
}

function line(cells: Cells, widths: Readonly<Widths>, paint: (column: Column, text: string) => string): string {
  return COLUMNS.map((column) => {
    const text = cells[column];
    const last = column === 'status';
    const padded = last ? text : WORDS.has(column) ? padEnd(text, widths[column]) : padStart(text, widths[column]);
    return paint(column, padded) + (last ? '' : column.endsWith('Messages') ? ' ' : GAP);
  }).join('');
}

function titleLines(widths: Readonly<Widths>, painter: Painter): string[] {
  const until = widths.number + widths.start + widths.took + widths.method + 4 * GAP.length;
  const side = widths.clientMessages + 1 + widths.clientBytes + GAP.length;
  return [
    painter.dim(`${' '.repeat(until)}${padEnd('CLIENT', side)}SERVER`),
    painter.dim(line(TITLES, widths, (_column, text) => text)),
  ];
}

function callLines(call: SurveyedCall, { widths, sizeText }: Layout, width: number, painter: Painter): string[] {
  const whole = cellsOf(call, sizeText);
  const cells: Cells = { ...whole, method: cutStart(whole.method, widths.method), status: cutEnd(whole.status, widths.status) };
  const paintStatus = outcomePaint(call.outcome, painter);
  const indent = ' '.repeat(widths.number + GAP.length);
  const note = (text: string, paint: (text: string) => string): string[] => noteLines(text, width - indent.length).map((part) => indent + paint(part));
  const said = legible(outcomeNote(call.outcome));
  const message = cells.status === whole.status ? said : `${whole.status}${said === '' ? '' : `: ${said}`}`;
  return [
    line(cells, widths, (column, text) => (column === 'status' ? paintStatus(text) : column === 'number' ? painter.dim(text) : text)),
    ...(message === '' ? [] : note(message, paintStatus)),
    ...(call.gaps === 0 ? [] : note(`${plural(call.gaps, 'gap')}: a part of this call is missing`, painter.red)),
  ];
}

function noteLines(text: string, width: number): string[] {
  const lines = wrap(text, width);
  const last = lines.slice(MAX_NOTE_LINES - 1).join(' ');
  return [...lines.slice(0, MAX_NOTE_LINES - 1), ...(last === '' ? [] : [last])].map((line) => cutEnd(line, width));
}
