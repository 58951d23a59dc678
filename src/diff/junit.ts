/** What two recordings differ in, as JUnit's XML has tests: a suite for each build, a test for each class. */
import { plural } from '../quantity.js';
import { legible, plainPainter } from '../view/index.js';
import { callsLines } from './call-lines.js';
import { Page } from './page.js';
import { buildTitle, signOf } from './place-text.js';
import { DIFFERENCE_CLASSES, type CallDifferences, type DifferenceClass, type DiffReport } from './report.js';
import { isWholeBuild, restricted } from './subject.js';

/** Columns of the texts in it. */
const WIDTH = 120;
/** What shows such files reads them into memory. */
const MAX_TEXT = 1_000_000;

interface Suite {
  readonly name: string;
  readonly calls: readonly CallDifferences[];
  /** Only one recording has the build: then that is what differs. */
  readonly onlyIn?: 'before' | 'after';
}

/** @param classes those that took part; the others are skipped tests */
export function* diffJunit(report: DiffReport, classes: readonly DifferenceClass[], { full = false }: { readonly full?: boolean } = {}): Generator<string> {
  const alike = report.compared.builds - report.builds.filter(({ builds }) => signOf(builds) === '~').length;
  const suites: readonly Suite[] = [
    { name: 'outside of builds', calls: report.environment },
    ...report.builds.map((build) => ({ name: buildTitle(build), calls: build.calls, ...onlyIn(build.builds) })),
    ...(alike > 0 ? [{ name: plural(alike, report.builds.length === 0 ? 'build' : 'other build'), calls: [] }] : []),
  ];
  const skipped = DIFFERENCE_CLASSES.filter((name) => !classes.includes(name)).length;
  const failed = suites.map(failuresOf);
  const counts = (suites: number, failures: number): string => `tests="${suites * DIFFERENCE_CLASSES.length}" failures="${failures}" errors="0" skipped="${suites * skipped}"`;
  yield '<?xml version="1.0" encoding="UTF-8"?>';
  yield `<testsuites name="bridgetape diff" ${counts(suites.length, failed.reduce((sum, names) => sum + names.size, 0))}>`;
  for (const [index, suite] of suites.entries()) {
    yield `  <testsuite name="${escaped(suite.name)}" ${counts(1, failed[index]?.size ?? 0)}>`;
    yield `    <properties><property name="before" value="${escaped(report.before.path)}"/><property name="after" value="${escaped(report.after.path)}"/></properties>`;
    for (const name of DIFFERENCE_CLASSES) yield* testCase(suite, name, classes.includes(name), full);
    const notes = index === 0 ? report.notes : [];
    if (notes.length > 0) yield `    <system-out>${notes.map(escaped).join('\n')}</system-out>`;
    yield '  </testsuite>';
  }
  yield '</testsuites>';
}

function onlyIn(builds: { readonly before?: number; readonly after?: number }): Pick<Suite, 'onlyIn'> {
  const sign = signOf(builds);
  return sign === '~' ? {} : { onlyIn: sign === '-' ? 'before' : 'after' };
}

/** The classes in which something differs. */
function failuresOf({ calls, onlyIn: side }: Suite): ReadonlySet<DifferenceClass> {
  const found = calls.flatMap(({ differences }) => differences.map((difference) => difference.class));
  return new Set(side === undefined ? found : [...found, 'order']);
}

function* testCase(suite: Suite, name: DifferenceClass, tookPart: boolean, full: boolean): Generator<string> {
  const head = `    <testcase classname="${escaped(`bridgetape diff.${suite.name}`)}" name="${name}"`;
  if (failuresOf(suite).has(name)) {
    const calls = suite.calls.flatMap((call) => restricted(call, (difference) => difference.class === name && !isWholeBuild(difference)) ?? []);
    const count = calls.reduce((sum, { differences }) => sum + differences.length, 0);
    const isMissing = suite.onlyIn !== undefined && name === 'order';
    const message = isMissing ? `only in the ${suite.onlyIn === 'before' ? 'first' : 'second'} recording` : plural(count, 'difference');
    yield `${head}>`;
    yield `      <failure message="${escaped(message)}" type="${name}">${textOf(calls, full)}</failure>`;
    yield '    </testcase>';
  } else if (tookPart) yield `${head}/>`;
  else yield `${head}><skipped/></testcase>`;
}

function textOf(calls: readonly CallDifferences[], full: boolean): string {
  let text = '';
  for (const line of callsLines(calls, new Page(WIDTH, plainPainter, full))) {
    text += `\n${escaped(line)}`;
    if (text.length > MAX_TEXT) return `${text}\n…`;
  }
  return text;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };

/** On one line; what XML 1.0 cannot carry even as a reference (§2.2) is an escape already, but for two. */
function escaped(text: string): string {
  return legible(text)
    .replace(/[\ufffe\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16)}`)
    .replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
}
