/** What stands above a table: what the cassette is, where it came from, what it holds and what it lacks. */
import { frontendOptions, shortMethod } from '../bridge/index.js';
import type { CassetteHeader, FrontendExit, FrontendRun } from '../cassette/index.js';
import { callNumbers, damageFacts, paintedState } from './damage.js';
import { factLines, type Fact } from './facts.js';
import { cutEnd, legible } from './legible.js';
import { plainPainter, type Painter } from './painter.js';
import { duration, grouped, instant, plural, seconds, size } from '../quantity.js';
import type { Survey } from './survey.js';

export interface ViewOptions {
  /** Columns to fit into; 80 unless told. */
  readonly width?: number;
  readonly painter?: Painter;
}

/** A command can hold a whole script. */
const MAX_COMMAND = 400;
/** Build arguments and named contexts stand among the options. */
const MAX_OPTIONS = 800;
const MAX_FILES = 8;
const MAX_GAPS = 8;

export function cassetteHead(survey: Survey, { width = 80, painter = plainPainter }: ViewOptions = {}): string[] {
  const { header } = survey;
  const buildkit = header.buildkitVersion === undefined ? 'version unknown' : legible(header.buildkitVersion);
  const facts: Fact[] = [
    { label: 'recorded', text: `${instant(header.startedAt)}, ${duration(survey.duration)}, by ${legible(header.tool)}` },
    { label: 'BuildKit', text: `${buildkit}, at ${legible(header.upstream)}` },
    ...(header.docker === undefined ? [] : [{ label: 'Docker', text: `at ${legible(header.docker)}` }]),
    ...(header.command === undefined ? [] : [{ label: 'command', text: cutEnd(commandText(header.command), MAX_COMMAND) }]),
    ...(header.frontend === undefined ? [] : frontendFacts(header.frontend)),
    { label: 'holds', text: contents(survey) },
    ...bodiesFacts(header),
    ...lossFacts(survey),
  ];
  return [`${painter.bold(legible(survey.name))}: ${paintedState(survey.state, painter)}`, ...factLines(facts, width, painter)];
}

/** What was run in the container, what it was asked for, and how it ended. */
function frontendFacts(run: FrontendRun): Fact[] {
  const { directory, user, environment, files, exit } = run;
  const options = frontendOptions(environment).map(({ key, value }) => `${key}=${value}`);
  const others = plural(environment.length - options.length, 'other variable');
  return [
    { label: 'frontend', text: `${cutEnd(commandText(run.arguments), MAX_COMMAND)} in ${legible(directory)} as ${user.uid}:${user.gid}, ${exit === undefined ? 'its end not seen' : exitText(exit)}` },
    { label: 'options', text: `${options.length === 0 ? 'none' : cutEnd(commandText(options), MAX_OPTIONS)}; ${others}` },
    ...(files.length === 0 ? [] : [{ label: 'files', text: files.slice(0, MAX_FILES).map(({ path, data }) => `${legible(path)} (${size(data.length)})`).join(', ') + (files.length > MAX_FILES ? ` and ${files.length - MAX_FILES} more` : '') }]),
  ];
}

const exitText = (exit: FrontendExit): string => ('signal' in exit ? `ended by ${legible(exit.signal)}` : `exit status ${exit.status}`);

/** As it could be typed, on one line. */
function commandText(command: readonly string[]): string {
  return command.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : legible(`'${word.replaceAll("'", `'\\''`)}'`))).join(' ');
}

function contents({ calls, builds, connections, eventCount }: Survey): string {
  const ofBuilds = builds.length === 0 ? '' : ` of ${plural(builds.length, 'build')}`;
  return `${plural(calls.length, 'call')}${ofBuilds} on ${plural(connections.length, 'connection')}, ${plural(eventCount, 'event')}`;
}

/** A pattern with a `!` before it names what is kept all the same. */
function bodiesFacts({ bodiesLeftOut, docker }: CassetteHeader): Fact[] {
  const kept = bodiesLeftOut.filter((pattern) => pattern.startsWith('!')).map((pattern) => pattern.slice(1));
  const out = bodiesLeftOut.filter((pattern) => !pattern.startsWith('!'));
  const fact = (label: string, patterns: readonly string[]): Fact[] =>
    patterns.length === 0 ? [] : [{ label, text: `message bodies of ${patterns.map((pattern) => legible(shortMethod(pattern))).join(', ')}` }];
  const ofDocker: Fact[] = docker === undefined ? [] : [{ label: out.length === 0 ? 'left out' : '', text: "what Docker's clients send, and all answers but to _ping, version and info" }];
  return [...fact('left out', out), ...ofDocker, ...fact('kept', kept)];
}

function lossFacts(survey: Survey): Fact[] {
  const facts: Fact[] = [];
  if (survey.state === 'interrupted') {
    const open = survey.calls.filter(({ outcome }) => outcome.kind === 'open').map(({ id }) => id);
    const lost = survey.tail === undefined ? '' : `; ${size(survey.tail.bytes)} from byte ${grouped(survey.tail.offset)} on are no whole record`;
    facts.push({ label: 'cut off', text: `the recording was not brought to its end${lost}${open.length === 0 ? '' : `; still open: ${callNumbers(open)}`}`, alarming: true });
  }
  facts.push(...damageFacts(survey.damages), ...gapFacts(survey));
  for (const { id, error } of survey.connections) {
    if (error !== undefined) facts.push({ label: 'ended', text: `connection ${id} by an error: ${legible(error)}` });
  }
  return facts;
}

/** Where the file is damaged, gaps of no connection stand for that, and it is told already. */
function gapFacts({ gaps, damages }: Survey): Fact[] {
  const told = gaps.filter(({ connection }) => connection !== 0 || damages.length === 0);
  const facts = told.slice(0, MAX_GAPS).map(({ connection, time, side, bytes, reason }) => ({
    label: connection === 0 ? 'lost' : 'gap',
    text: connection === 0 ? `${size(bytes)} at ${seconds(time, 3)} s: ${legible(reason)}` : `${size(bytes)} from the ${side} at ${seconds(time, 3)} s, connection ${connection}: ${legible(reason)}`,
    alarming: true,
  }));
  return told.length <= MAX_GAPS ? facts : [...facts, { label: '', text: `and ${plural(told.length - MAX_GAPS, 'more gap')} at least`, alarming: true }];
}
