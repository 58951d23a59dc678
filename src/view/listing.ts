/** Many cassettes, a line each. */
import { cassetteObject } from './json-lines.js';
import { cutEnd, legible, padEnd, padStart, width as columnsOf } from './legible.js';
import { plainPainter, type Painter } from './painter.js';
import { duration, grouped, plural, shortSize } from '../quantity.js';
import type { Survey } from './survey.js';

export type Listed =
  | { readonly path: string; /** Size of the file. */ readonly bytes: number; readonly survey: Survey }
  /** One that cannot be read, and why. */
  | { readonly path: string; readonly code: string; readonly reason: string };

/** The path last, as ls has it: it is never cut, so that it can be copied. */
const COLUMNS = ['recorded', 'buildkit', 'build', 'calls', 'took', 'size', 'state', 'path'] as const;
type Column = (typeof COLUMNS)[number];
type Cells = Readonly<Record<Column, string>>;

const TITLES: Cells = { recorded: 'RECORDED', buildkit: 'BUILDKIT', build: 'BUILD', calls: 'CALLS', took: 'TOOK', size: 'SIZE', state: '', path: 'CASSETTE' };
/** Numbers line up at their end. */
const NUMBERS: ReadonlySet<Column> = new Set(['calls', 'took', 'size']);
const GAP = '  ';
/** Versions and frontends' names come from the wire, and can be as long as somebody likes. */
const WIDEST = 24;

/** What `bridgetape ls` prints. */
export function showListing(listed: readonly Listed[], painter: Painter = plainPainter): string[] {
  const rows = listed.map((entry) => ('survey' in entry ? cellsOf(entry) : entry));
  const cells = [TITLES, ...rows.filter((row) => 'build' in row)];
  const widthOf = (column: Column): number => Math.max(...cells.map((row) => columnsOf(row[column])));
  const widths = new Map(COLUMNS.map((column) => [column, column === 'path' ? 1 : widthOf(column)]));
  const line = (row: Cells, paint: (column: Column, text: string) => string): string =>
    [...widths].flatMap(([column, width]) => (width === 0 ? [] : [paint(column, (NUMBERS.has(column) ? padStart : padEnd)(row[column], width))])).join(GAP);
  return [
    ...(cells.length > 1 ? [painter.dim(line(TITLES, (_column, text) => text))] : []),
    ...rows.map((row) => ('build' in row ? line(row, (column, text) => (column === 'state' ? painter.yellow(text) : text)) : painter.red(legible(row.reason)))),
  ];
}

/** The same for programs. */
export function listingJson(listed: readonly Listed[]): string[] {
  return listed.map((entry) => JSON.stringify('survey' in entry ? { ...cassetteObject(entry.survey), path: entry.path, bytes: entry.bytes } : { kind: 'unreadable', ...entry }));
}

function cellsOf({ path, bytes, survey }: Extract<Listed, { readonly survey: Survey }>): Cells {
  const { header, calls, state } = survey;
  return {
    path: legible(path),
    recorded: Number.isNaN(header.startedAt.getTime()) ? '?' : header.startedAt.toISOString().slice(0, 16).replace('T', ' '),
    buildkit: header.buildkitVersion === undefined ? '?' : cutEnd(legible(header.buildkitVersion), WIDEST),
    build: cutEnd(legible(buildText(survey)), WIDEST),
    calls: grouped(calls.length),
    took: duration(survey.duration),
    size: shortSize(bytes),
    state: state === 'whole' ? '' : state,
  };
}

/** Who builds: the frontend that was asked for, or the client by itself. */
function buildText({ header, builds }: Survey): string {
  const [program] = header.frontend?.arguments ?? [];
  if (program !== undefined) return program.slice(program.lastIndexOf('/') + 1);
  const [build, another] = builds;
  if (build === undefined) return '-';
  if (another !== undefined) return plural(builds.length, 'build');
  const { facts } = build;
  return facts === undefined ? '1 build' : facts.frontend !== '' ? facts.frontend : facts.hasDefinition ? 'a definition' : 'a client';
}
