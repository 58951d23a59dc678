/** docs/buildkit-versions.md, made of the recordings in cassettes/versions/ and of what is known of why they differ. */
import { BUILDS, VERSIONS, type VersionedBuild } from './builds.js';
import { lineOf, stepBetween, type Change } from './changes.js';
import { EXPLANATIONS, type Explanation } from './explanations.js';

export interface Page {
  readonly text: string;
  /** Changes that nobody has explained, with where they are. */
  readonly unexplained: readonly string[];
  /** Explanations of what is not in the recordings. */
  readonly idle: readonly Explanation[];
}

const KINDS = { api: '', find: ' *(find)*', setup: ' *(recording)*' } as const;
const MAX_TEXT = 60;
const MAX_LIST = 600;

const HEAD = `# What changed between BuildKit versions

Two builds, each recorded with seven versions of BuildKit, and each version held against the one before it with
\`bridgetape diff\`. Made by \`npm run versions\` from the cassettes in [cassettes/versions](../cassettes/versions): edit
test/versions/explanations.ts, not this page. \`npm run versions -- --record\` makes the cassettes anew.

Every row is one thing that changed, with an example of how it shows. What is marked *(find)* is in no history of the API
(gateway.proto): it was seen in these recordings. *(recording)* is what comes of how they were made.

Not in the tables, because it means the same: from v0.17 on ops are encoded with their fields in another order, so that all their
digests are others; what differs from run to run (docs/rules.md); and the order of what is asked for at once.
`;

export function versionsPage(): Page {
  const unexplained: string[] = [];
  const used = new Set<Explanation>();
  const parts = BUILDS.map((build) => buildPart(build, unexplained, used));
  return { text: [HEAD, ...parts].join('\n'), unexplained, idle: EXPLANATIONS.filter((one) => !used.has(one)) };
}

function buildPart(build: VersionedBuild, unexplained: string[], used: Set<Explanation>): string {
  const steps = VERSIONS.slice(1).map((to, index) => stepPart(build, VERSIONS[index] ?? to, to, unexplained, used));
  const how = build.by === 'runtime' ? 'recorded by `bridgetape runtime`; client, daemon and frontend are of the version' : 'recorded by `bridgetape record`; the client is always of v0.32.2, the daemon of the version';
  return [`## ${build.title}`, '', `\`${build.command.join(' ')}\`, ${how}.`, '', ...steps].join('\n');
}

function stepPart({ name }: VersionedBuild, from: string, to: string, unexplained: string[], used: Set<Explanation>): string {
  const { changes, notes } = stepBetween(name, from, to);
  const rows = new Map<Explanation, Change[]>();
  for (const change of changes) {
    const line = lineOf(change);
    const found = EXPLANATIONS.find((one) => (one.in ?? to) === to && one.pattern.test(line));
    if (found === undefined) unexplained.push(`${name}, ${to}: ${line}`);
    else rows.set(found, [...(rows.get(found) ?? []), change]);
  }
  for (const one of rows.keys()) used.add(one);
  const table = [...rows].map(([one, all]) => `| ${one.what} | ${example(all)} | ${one.why}${KINDS[one.kind]} |`);
  const counted = changes.filter(({ onlyDescribes }) => !onlyDescribes).length;
  return [
    `### ${from} → ${to}`,
    '',
    ...(table.length === 0 ? ['Nothing.'] : ['| what | how it shows | why |', '| --- | --- | --- |', ...table]),
    '',
    `${counted === 1 ? '1 difference' : `${counted} differences`}${counted === changes.length ? '' : `, and ${changes.length - counted} in what only describes`}.`,
    ...notes.map((note) => `\n${plain(note)}`),
    '',
  ].join('\n');
}

/** The first change of several that are one thing. */
function example(all: readonly Change[]): string {
  const [first] = all;
  if (first === undefined) return '';
  const more = all.length > 1 ? `, and ${all.length - 1} more` : '';
  return `${code(first.call)} ${code(first.where)}: ${value(first)}${more}`;
}

/** What is new or gone is a list at times, of which every name counts. */
function value({ before, after }: Change): string {
  if (before === undefined) return `+ ${code(after ?? '', MAX_LIST)}`;
  if (after === undefined) return `− ${code(before, MAX_LIST)}`;
  const from = firstDifference(before, after);
  return `${code(excerpt(before, from))} → ${code(excerpt(after, from))}`;
}

function firstDifference(one: string, other: string): number {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at += 1;
  return at;
}

/** Begins where it is seen what differs. */
function excerpt(text: string, from: number): string {
  return from + 20 < MAX_TEXT || text.length <= MAX_TEXT ? text : `…${text.slice(from - 20)}`;
}

/** In an element of HTML: a table's cell takes no backtick in backticks and no bar. */
function code(text: string, most = MAX_TEXT): string {
  const shown = text.length > most ? `${text.slice(0, most - 1)}…` : text;
  return `<code>${plain(shown.replace(/\s+/g, ' '))}</code>`;
}

function plain(text: string): string {
  return text.replace(/[&<>|`*_[\]\\]/g, (char) => `&#${char.charCodeAt(0)};`);
}

export function lineOfIdle({ in: version, what, pattern }: Explanation): string {
  return `${version ?? 'any'}, ${what}: ${String(pattern)}`;
}
