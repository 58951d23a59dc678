/** A request as the normaliser sees it: what decides which recorded call it is, what only describes it, and which rule took what out. */
import { canonicalRequest, EXEC_PROCESS, parseExec, ruleReason, shortMethod, type Canonical, type CanonicalField, type Rules } from '../bridge/index.js';
import type { CallSummary, CassetteEvent } from '../cassette/index.js';
import { cutEnd, legible } from './legible.js';
import { plainPainter, type Painter } from './painter.js';

export interface ExplanationOptions {
  /** Columns. */
  readonly width?: number;
  readonly painter?: Painter;
  /** Long values whole. */
  readonly full?: boolean;
}

/** One message of a client, explained. */
interface Explained {
  /** Its number among the client's messages, from 1. */
  readonly message: number;
  /** Undefined when its body was left out of the cassette. */
  readonly canonical: Pick<Canonical, 'fields' | 'annotations' | 'volatile' | 'ignored'> | undefined;
}

function* explained(call: CallSummary, events: Iterable<CassetteEvent>, rules: Rules): Generator<Explained> {
  let message = 0;
  const names = new Map<string, string>();
  for (const event of events) {
    if (event.kind !== 'client-message') continue;
    message += 1;
    const { data } = event;
    if (data === undefined) {
      yield { message, canonical: undefined };
      continue;
    }
    const started = call.path === EXEC_PROCESS ? nameProcess(data, names) : undefined;
    const { fields, annotations, volatile, ignored } = canonicalRequest(call.path, data, names, rules);
    const named = started === undefined ? fields : fields.map(([at, value]): CanonicalField => [at, at === 'ProcessID' ? JSON.stringify(started) : value]);
    yield { message, canonical: { fields: named, annotations, volatile, ignored } };
  }
}

/**
 * Ids of processes and containers are their client's, and bound when it makes them: none of them decides.
 *
 * @returns the name of the process that the message starts
 */
function nameProcess(data: Uint8Array, names: Map<string, string>): string | undefined {
  const step = parseExec(data);
  if (step?.input.kind !== 'init') return undefined;
  names.set(step.input.containerId, '⟨container⟩');
  const name = `⟨process ${[...names.values()].filter((other) => other.startsWith('⟨process')).length + 1}⟩`;
  names.set(step.process, name);
  return name;
}

/** What is compared otherwise than message by message. */
const OF_PROCESSES = 'What a client writes to a process counts as bytes, however it is cut into messages, and may be mixed with other processes in any order.';

/**
 * What `bridgetape explain FILE CALL` prints.
 *
 * @param events the call's, in order
 */
export function* showExplanation(call: CallSummary, events: Iterable<CassetteEvent>, rules: Rules, { width = 80, painter = plainPainter, full = false }: ExplanationOptions = {}): Generator<string> {
  yield `${painter.bold(`call ${call.id}`)}  ${legible(shortMethod(call.path))}`;
  if (call.path === EXEC_PROCESS) yield painter.dim(OF_PROCESSES);
  const line = (text: string): string => (full ? `  ${legible(text)}` : cutEnd(`  ${legible(text)}`, width));
  const fieldLines = (fields: readonly CanonicalField[]): readonly string[] => fields.map(([path, value]) => line(`${path} = ${value}`));
  for (const { message, canonical } of explained(call, events, rules)) {
    yield '';
    if (canonical === undefined) {
      yield `${painter.bold(`message ${message}`)}: its body was left out of the cassette`;
      continue;
    }
    const { fields, annotations, volatile, ignored } = canonical;
    yield painter.bold(`message ${message}: what decides`);
    yield* fields.length === 0 ? [painter.dim('  nothing: it has no fields')] : fieldLines(fields);
    if (annotations.length > 0) {
      yield painter.bold('what only describes');
      yield* fieldLines(annotations);
    }
    const taken = [...volatile.map(({ at, rule, value }) => ({ rule, text: `${at} was ${JSON.stringify(value)}` })), ...ignored.map(({ at, rule }) => ({ rule, text: `${at} is ignored` }))];
    if (taken.length > 0) yield painter.bold('what rules took out');
    for (const name of new Set(taken.map(({ rule }) => rule))) {
      const reason = ruleReason(name);
      yield line(reason === undefined ? name : `${name}: ${reason}`);
      yield* taken.filter(({ rule }) => rule === name).map(({ text }) => line(`  ${text}`));
    }
  }
}

/** The same for programs: an object for each message. */
export function* explanationJson(call: CallSummary, events: Iterable<CassetteEvent>, rules: Rules): Generator<string> {
  for (const { message, canonical } of explained(call, events, rules)) {
    const { id, path } = call;
    yield JSON.stringify(
      canonical === undefined
        ? { call: id, method: path, message, leftOut: true }
        : {
            call: id,
            method: path,
            message,
            decides: Object.fromEntries(canonical.fields),
            describes: Object.fromEntries(canonical.annotations),
            volatile: canonical.volatile.map(({ at, rule, value }) => ({ at, rule, value })),
            ignored: canonical.ignored,
          },
    );
  }
}
