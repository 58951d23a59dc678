/** A miss for people, on lines of its own. */
import { EXEC_PROCESS, shortMethod, type Difference } from '../bridge/index.js';
import { plural } from '../quantity.js';
import { fieldInOp, isWholeOp, usedUpText, type Closest, type Told } from './miss.js';
import type { Origin } from './origin.js';
import { placeName, type ProcessMiss } from './process-miss.js';

type Paint = (text: string) => string;

export interface MissPainter {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly green: Paint;
}

export const PLAIN: MissPainter = { bold: same, dim: same, red: same, green: same };

/** So many differences are shown; reports have more. */
const MAX_SHOWN = 10;
/** What stands before the facts. */
const LABEL_COLUMNS = 12;

/**
 * @example What it comes to
 * ```
 * bridgetape: no answer for LLBBridge/Solve in build.cassette
 *   closest   call 6, not used yet
 *   differs   op[2] RUN make → op[2] RUN make test
 *               exec.meta.args[2]
 *                 recorded  "make"
 *                 got       "make test"
 *   used up   call 4
 *   record    bridgetape record -o build.cassette --force -- go test ./…
 * ```
 */
export function missLines({ path, text, comparison, process }: Told, painter: MissPainter = PLAIN): readonly string[] {
  if (process !== undefined) return processLines(process, painter);
  if (comparison === undefined) return [legible(text)];
  const { origin, closest, candidates, usedUp, same } = comparison;
  const facts: Fact[] = [];
  if (closest === undefined) {
    facts.push(['why', [candidates === 0 ? 'no call of that method was recorded' : `the requests of that method (${plural(candidates, 'call')}) were left out: record them with --bodies ${path}`]]);
  } else {
    const process = closest.process === undefined ? '' : `, process ${legible(closest.process)}`;
    facts.push(['closest', [`call ${closest.call}${process}, ${closest.alreadyUsed ? 'already used' : 'not used yet'}`]]);
    facts.push(closest.distance === 0 ? ['why', [legible(usedUpText(closest, same))]] : ['differs', differenceLines(closest, painter)]);
  }
  if (usedUp.length > 0) facts.push(['used up', [`${usedUp.length === 1 ? 'call' : 'calls'} ${usedUp.join(', ')}`]]);
  return withFacts(`no answer for ${painter.bold(legible(shortMethod(path)))}`, origin, facts);
}

/**
 * @example What it comes to
 * ```
 * bridgetape: not as recorded: LLBBridge/ExecProcess in build.cassette
 *   process   cat (call 9)
 *   differs   byte 6 of stdin
 *               recorded  "hello world"
 *               got       "hello mars"
 *   record    bridgetape record -o build.cassette --force -- go test ./…
 * ```
 */
function processLines({ origin, call, command, at, recorded, live, silentFor }: ProcessMiss, painter: MissPainter): readonly string[] {
  const place = legible(placeName(at));
  const facts: readonly Fact[] = [
    ['process', [`${legible(command)} (call ${call})`]],
    silentFor === undefined ? ['differs', [place, ...valueLines(recorded, live, '', painter)]] : ['waited', [`${silentFor} s for ${place}`, ...(recorded === undefined ? [] : [`  recorded  ${painter.red(legible(recorded))}`])]],
  ];
  return withFacts(`not as recorded: ${painter.bold(shortMethod(EXEC_PROCESS))}`, origin, facts);
}

type Fact = readonly [label: string, lines: readonly string[]];

function withFacts(head: string, origin: Origin | undefined, facts: readonly Fact[]): readonly string[] {
  const all: readonly Fact[] = origin === undefined ? facts : [...facts, ['record', [origin.reRecord]]];
  return [`bridgetape: ${head}${origin === undefined ? '' : ` in ${legible(origin.file)}`}`, ...all.flatMap(([label, lines]) => lines.map((line, index) => `  ${(index === 0 ? label : '').padEnd(LABEL_COLUMNS - 2)}${line}`))];
}

function differenceLines({ differences, distance }: Closest, painter: MissPainter): readonly string[] {
  const lines: string[] = [];
  let lastOp = '';
  for (const difference of differences.slice(0, MAX_SHOWN)) {
    const op = opLine(difference, painter);
    if (op !== undefined && op !== lastOp) lines.push(op);
    lastOp = op ?? '';
    if (!isWholeOp(difference)) lines.push(...fieldLines(difference, op === undefined ? '' : '  ', painter));
  }
  if (distance > MAX_SHOWN) lines.push(`and ${distance - MAX_SHOWN} more`);
  return lines;
}

function opLine(difference: Difference, { red, green }: MissPainter): string | undefined {
  const { op } = difference;
  if (op === undefined) return undefined;
  const [recorded, live] = [legible(op.recorded ?? ''), legible(op.live ?? '')];
  if (isWholeOp(difference)) return op.live === undefined ? `${red(recorded)}: only recorded` : `${green(live)}: not recorded`;
  return recorded === '' || live === '' || recorded === live ? recorded || live : `${red(recorded)} → ${green(live)}`;
}

function fieldLines({ field, recorded, live, op }: Difference, indent: string, painter: MissPainter): readonly string[] {
  return [`${indent}${legible(op === undefined ? field : fieldInOp(field))}`, ...valueLines(recorded, live, indent, painter)];
}

function valueLines(recorded: string | undefined, live: string | undefined, indent: string, { dim, red, green }: MissPainter): readonly string[] {
  const none = dim('nothing');
  return [`${indent}  recorded  ${recorded === undefined ? none : red(legible(recorded))}`, `${indent}  got       ${live === undefined ? none : green(legible(live))}`];
}

function same(text: string): string {
  return text;
}

/** What clients send is shown on a terminal: nothing of it may be an order to that. */
function legible(text: string): string {
  // eslint-disable-next-line no-control-regex -- these are the characters that are meant
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
