/** Many cassettes, a line each. */
import type { ViewOptions } from './cassette-head.js';
import { cassetteObject } from './json-lines.js';
import { cutEnd, cutStart, legible, padEnd, padStart, width as columnsOf } from './legible.js';
import { plainPainter } from './painter.js';
import { duration, grouped, plural, shortSize } from '../quantity.js';
import type { Survey } from './survey.js';

export type Listed =
  | { readonly path: string; /** Size of the file. */ readonly bytes: number; readonly survey: Survey }
  /** One that cannot be read, and why. */
  | { readonly path: string; readonly code: string; readonly reason: string };

const COLUMNS = ['path', 'recorded', 'buildkit', 'build', 'calls', 'took', 'size', 'state'] as const;
type Column = (typeof COLUMNS)[number];
type Cells = Readonly<Record<Column, string>>;

const TITLES: Cells = { path: 'CASSETTE', recorded: 'RECORDED', buildkit: 'BUILDKIT', build: 'BUILD', calls: 'CALLS', took: 'TOOK', size: 'SIZE', state: '' };
/** Numbers line up at their end. */
const NUMBERS: ReadonlySet<Column> = new Set(['calls', 'took', 'size']);
const GAP = '  ';
/** What a name keeps when the screen is narrow; below that, lines grow wider than it. */
const NARROWEST_PATH = 20;
const NARROWEST_BUILD = 12;

/** What `bridgetape ls` prints. */
export function showListing(listed: readonly Listed[], { width = 80, painter = plainPainter }: ViewOptions = {}): string[] {
  const rows = listed.map((entry) => ('survey' in entry ? cellsOf(entry) : entry));
  const cells = [TITLES, ...rows.filter((row) => 'build' in row)];
  const widths = Object.fromEntries(COLUMNS.map((column) => [column, Math.max(...cells.map((row) => columnsOf(row[column])))])) as Record<Column, number>;
  const over = (): number => Math.max(0, COLUMNS.reduce((sum, column) => sum + widths[column] + (widths[column] === 0 ? 0 : GAP.length), -GAP.length) - width);
  widths.build = Math.max(Math.min(widths.build, NARROWEST_BUILD), widths.build - over());
  widths.path = Math.max(Math.min(widths.path, NARROWEST_PATH), widths.path - over());
  const line = (row: Cells, paint: (column: Column, text: string) => string): string =>
    COLUMNS.flatMap((column) => {
      if (widths[column] === 0) return [];
      const text = column === 'path' ? cutStart(row.path, widths.path) : cutEnd(row[column], widths[column]);
      return [paint(column, NUMBERS.has(column) ? padStart(text, widths[column]) : padEnd(text, widths[column]))];
    }).join(GAP).trimEnd();
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
    buildkit: header.buildkitVersion === undefined ? '?' : legible(header.buildkitVersion),
    build: legible(buildText(survey)),
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
