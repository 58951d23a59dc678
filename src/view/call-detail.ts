/** One call whole: its headers and trailers in order, every message decoded, how it ended. */
import { decodeContent, decodeMessage, decodeStatus, describeExec, EXEC_PROCESS, methodOf, parseExec, type CallStatus, type Decoded, type DecodedObject, type ExecInput } from '../bridge/index.js';
import type { CallSummary, CassetteEvent, HeaderEvent, HeaderField, MessageEvent } from '../cassette/index.js';
import { errorCodeName } from '../wire/index.js';
import type { ViewOptions } from './cassette-head.js';
import { isList, isObject } from './decoded-value.js';
import type { Extent } from './extent.js';
import { fieldText } from './header-field.js';
import { hexDump } from './hex-dump.js';
import { indented, legible } from './legible.js';
import { callName, outcomeNote, outcomePaint, outcomeWord } from './outcome.js';
import { outline } from './outline.js';
import { plainPainter, type Painter } from './painter.js';
import { duration, plural, seconds, size } from '../quantity.js';
import { buildNamedBy } from './survey.js';

export interface DetailOptions extends ViewOptions {
  /** Long values, lists and dumps whole. */
  readonly full?: boolean;
}

/** So many bytes of what nobody can decode are shown. */
const MAX_DUMP = 256;
const MAX_HEADER_CHARS = 240;
/** Below a line's time and arrow. */
const MARGIN = 12;

/**
 * What `bridgetape show FILE CALL` prints, part by part: a call can be as long as its cassette.
 *
 * @param events the call's, in order
 */
export function* showCall(call: CallSummary, events: readonly CassetteEvent[], { width = 80, painter = plainPainter, full = false }: DetailOptions = {}): Generator<string> {
  yield* callHead(call, buildNamedBy(call, events), painter);
  const context: Context = { call, processes: processesOf(call, events), painter, extent: { width: width - MARGIN, full } };
  for (const event of events) yield* eventLines(event, context);
  if (call.outcome.kind === 'open') yield painter.yellow('The recording ends with this call still open.');
}

interface Context {
  readonly call: CallSummary;
  readonly processes: ReadonlyMap<string, Process>;
  readonly painter: Painter;
  readonly extent: Extent;
}

function callHead(call: CallSummary, build: string | undefined, painter: Painter): string[] {
  const fact = (label: string, text: string): string => `${painter.dim(`  ${label}`.padEnd(MARGIN))}${text}`;
  const took = call.end === undefined ? '' : `, took ${duration(call.end - call.start)}`;
  const note = legible(outcomeNote(call.outcome)).slice(0, MAX_HEADER_CHARS);
  const sent = (messages: number, bytes: number): string => `${plural(messages, 'message')}, ${size(bytes)}`;
  return [
    `${painter.bold(`call ${call.id}`)}  ${call.method === undefined && call.path === '' ? '(its method was lost)' : legible(call.method === undefined ? call.path : callName(call))}`,
    ...(build === undefined ? [] : [fact('build', legible(build))]),
    fact('at', `${seconds(call.start, 3)} s${took}, on connection ${call.connection}`),
    fact('client', sent(call.clientMessages, call.clientBytes)),
    fact('server', sent(call.serverMessages, call.serverBytes)),
    fact('status', outcomePaint(call.outcome, painter)(`${outcomeWord(call.outcome)}${note === '' ? '' : `: ${note}`}`)),
    ...(call.gaps === 0 ? [] : [fact('gaps', painter.red(`${plural(call.gaps, 'part')} of this call could not be read`))]),
    ...(call.leftOut === 0 ? [] : [fact('left out', `the bodies of ${plural(call.leftOut, 'message')}`)]),
    '',
  ];
}

/** An ExecProcess stream can carry many processes; their ids are long, so they are numbered. */
interface Process {
  readonly number: number;
  readonly first: MessageEvent;
}

function processesOf(call: CallSummary, events: readonly CassetteEvent[]): ReadonlyMap<string, Process> {
  const processes = new Map<string, Process>();
  if (call.path !== EXEC_PROCESS) return processes;
  for (const event of events) {
    if (!isMessage(event) || event.data === undefined) continue;
    const id = parseExec(event.data)?.process;
    if (id !== undefined && !processes.has(id)) processes.set(id, { number: processes.size + 1, first: event });
  }
  return processes;
}

const isMessage = (event: CassetteEvent): event is MessageEvent => event.kind === 'client-message' || event.kind === 'server-message';

function eventLines(event: CassetteEvent, context: Context): string[] {
  const { painter, extent } = context;
  switch (event.kind) {
    case 'client-header':
    case 'server-header':
      return [stamped(event, side(event), 'headers', context), ...fieldLines(event.headers, extent)];
    case 'server-trailer':
      if (context.call.method !== undefined && event.headers.length === 0) return [stamped(event, 'server', 'ends', context)];
      return [stamped(event, 'server', 'trailers', context), ...fieldLines(event.headers, extent), ...statusLines(event, context)];
    case 'client-message':
    case 'server-message':
      return messageLines(event, context);
    case 'client-half-close':
      return [stamped(event, 'client', 'sends no more', context)];
    case 'reset':
      return [stamped(event, event.side, painter.yellow(`reset: ${errorCodeName(event.code)}`), context)];
    case 'gap':
      return [stamped(event, event.side, painter.red(`gap${event.bytes > 0 ? ` of ${size(event.bytes)}` : ''}: ${legible(event.reason)}`), context)];
    case 'goaway':
    case 'connection-open':
    case 'connection-close':
      return [];
  }
}

function side(event: HeaderEvent | MessageEvent): 'client' | 'server' {
  return event.kind === 'client-header' || event.kind === 'client-message' ? 'client' : 'server';
}

/** `  0.001234 → …`: seconds since the call began, and the way it went. */
function stamped({ time }: CassetteEvent, from: 'client' | 'server', text: string, { call, painter }: Context): string {
  const arrow = from === 'client' ? painter.cyan('→') : painter.green('←');
  // What stands for a lost part of the file can have no time of its own.
  const since = time > call.start ? time - call.start : 0n;
  return `${painter.dim(seconds(since, 6).padStart(MARGIN - 3))} ${arrow} ${text}`;
}

const below = (lines: readonly string[]): string[] => indented(lines, ' '.repeat(MARGIN));

function fieldLines(headers: readonly HeaderField[], { full }: Extent): string[] {
  return below(
    headers.map((field) => {
      const { text, encoding } = fieldText(field);
      const value = legible(text);
      const shown = full || value.length <= MAX_HEADER_CHARS ? value : `${value.slice(0, MAX_HEADER_CHARS)}… (${size(field.value.length)} in all)`;
      return `${legible(field.name)}: ${shown}${encoding === 'base64' ? ' (base64)' : ''}`.trimEnd();
    }),
  );
}

function statusLines({ headers }: HeaderEvent, { extent, painter, call }: Context): string[] {
  if (call.method !== undefined) return [];
  const status = decodeStatus(headers, textLimit(extent));
  const paint = outcomePaint({ kind: 'status', code: status.code, message: '' }, painter);
  const value = statusValue(status, headers);
  if (Object.keys(value).length === 0) return call.outcome.kind === 'status' ? [] : below([paint(status.codeName)]);
  return below([paint(`status: ${status.codeName}`), ...indented(outline(value, narrower(extent, 2)))]);
}

/** What the status says beyond its code. */
function statusValue({ message, details, undecodable }: CallStatus, headers: readonly HeaderField[]): DecodedObject {
  // Percent-encoded where it is no plain ASCII.
  const asItCrossed = headers.some((field) => field.name === 'grpc-message' && fieldText(field).text === message);
  return {
    ...(message === '' || asItCrossed ? {} : { message }),
    ...(details.length === 0 ? {} : { details: details.map(({ typeUrl, value }) => ({ '@type': typeUrl, value })) }),
    ...(undecodable === undefined ? {} : { undecodable }),
  };
}

const narrower = ({ width, full }: Extent, by: number): Extent => ({ width: width - by, full });

const textLimit = ({ full }: Extent): { maxText?: number; maxValues?: number } => (full ? { maxText: Infinity, maxValues: Infinity } : {});

function messageLines(event: MessageEvent, context: Context): string[] {
  const { call, painter, extent } = context;
  const from = side(event);
  if (event.data === undefined) return [stamped(event, from, `message, ${size(event.size)} ${painter.dim('(body left out of the cassette)')}`, context)];
  if (event.compressed) {
    return [stamped(event, from, `message, ${size(event.size)}, compressed`, context), ...dump(event.data, extent)];
  }
  if (call.method !== undefined) return [stamped(event, from, `${painter.bold('content')}, ${size(event.size)}`, context), ...below(outline(decodeContent(event.data, textLimit(extent)), extent))];
  if (call.path === EXEC_PROCESS) return execLines(event, event.data, context);
  const title = stamped(event, from, `${painter.bold(messageType(call.path, from))}, ${size(event.size)}`, context);
  const decoded = decodeMessage(call.path, from, event.data, textLimit(extent));
  return [title, ...below(outline(decoded, extent)), ...(isUndecodable(decoded) ? dump(event.data, extent) : [])];
}

/** `SolveRequest` */
function messageType(path: string, from: 'client' | 'server'): string {
  const method = methodOf(path);
  const type = from === 'client' ? method?.requestType : method?.responseType;
  return type === undefined ? 'message' : type.slice(type.lastIndexOf('.') + 1);
}

function dump(bytes: Uint8Array, { full }: Extent): string[] {
  return below(hexDump(bytes, full ? Infinity : MAX_DUMP));
}

const isUndecodable = (value: Decoded): boolean => isObject(value) && typeof value['undecodable'] === 'string';

/** An ExecMessage in a line; below it what that line can't hold. */
function execLines(event: MessageEvent, data: Uint8Array, context: Context): string[] {
  const { processes, extent, painter, call } = context;
  const from = side(event);
  const { process: id, text } = describeExec(data, from);
  const process = processes.get(id);
  const label = processes.size < 2 || process === undefined ? '' : `${painter.cyan(`[${process.number}]`)} `;
  const lines = [stamped(event, from, label + legible(text), context)];
  const step = parseExec(data);
  if (step === undefined) return [...lines, ...dump(data, extent)];
  const decoded = decodeMessage(call.path, from, data, textLimit(extent));
  const whole = lineSaysAll(step.input, extent) && process?.first !== event && !hasUnknownFields(decoded);
  return whole ? lines : [...lines, ...below(outline(decoded, extent))];
}

function lineSaysAll(input: ExecInput, { full }: Extent): boolean {
  switch (input.kind) {
    case 'init':
    case 'unknown':
      return false;
    case 'file':
      return !full || input.data.length === 0;
    case 'exit':
      return input.error === undefined;
    case 'resize':
    case 'signal':
    case 'started':
    case 'done':
      return true;
  }
}

function hasUnknownFields(value: Decoded): boolean {
  if (isList(value)) return value.some(hasUnknownFields);
  return isObject(value) && Object.entries(value).some(([name, member]) => /^#\d+$/.test(name) || hasUnknownFields(member));
}
