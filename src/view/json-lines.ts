/**
 * A cassette as JSON, an object a line, for programs. Times are numbers of ns since the recording began; bytes are
 * base64; what is not there has no member.
 */
import { decodeContent, decodeMessage, decodeStatus, type Decoded, type DecodedObject } from '../bridge/index.js';
import type { CallSummary, CassetteEvent, HeaderField, MessageEvent } from '../cassette/index.js';
import { errorCodeName } from '../wire/index.js';
import { fieldText } from './header-field.js';
import { statusName } from './outcome.js';
import type { Survey, SurveyedCall } from './survey.js';

/** A line for the cassette (`kind: 'cassette'`), then one for each call (`kind: 'call'`). */
export function* surveyJson(survey: Survey): Generator<string> {
  yield JSON.stringify(cassetteObject(survey));
  for (const call of survey.calls) yield JSON.stringify(callObject(call));
}

/**
 * A line for each event, in order, with the event's kind. Messages have their bytes and, where the method is known,
 * their meaning; a message whose body was left out has `leftOut: true`.
 *
 * @param calls the cassette's, for their methods
 */
export function* eventsJson(events: Iterable<CassetteEvent>, calls: readonly CallSummary[]): Generator<string> {
  const readings = new Map(calls.map((call) => [call.id, readingOf(call)]));
  for (const event of events) yield JSON.stringify(eventObject(event, ('call' in event ? readings.get(event.call ?? 0) : undefined) ?? UNKNOWN));
}

/** What the bytes of a call mean; its trailers have a status of gRPC, or none. */
interface Reading {
  readonly decode: (data: Uint8Array, side: 'client' | 'server') => Decoded;
  readonly isGrpc: boolean;
}

function readingOf({ method, path }: Pick<CallSummary, 'method' | 'path'>): Reading {
  return method === undefined ? { decode: (data, side) => decodeMessage(path, side, data), isGrpc: true } : { decode: (data) => decodeContent(data), isGrpc: false };
}

const UNKNOWN = readingOf({ path: '' });

/** What a line for a cassette says. */
export function cassetteObject({ name, header, state, damages, tail, connections, duration, eventCount, calls, builds, gaps }: Survey): object {
  return {
    kind: 'cassette',
    name,
    state,
    formatVersion: header.formatVersion,
    tool: header.tool,
    startedAt: Number.isNaN(header.startedAt.getTime()) ? null : header.startedAt.toISOString(),
    listen: header.listen,
    upstream: header.upstream,
    docker: header.docker,
    command: header.command,
    frontend: header.frontend && { ...header.frontend, files: header.frontend.files.map(({ path, data }) => ({ path, base64: base64(data) })) },
    buildkitVersion: header.buildkitVersion,
    bodiesLeftOut: header.bodiesLeftOut,
    durationNs: Number(duration),
    events: eventCount,
    calls: calls.length,
    builds: builds.map(({ ref, facts }) => ({ ref, session: facts?.session, frontend: facts?.frontend })),
    connections: connections.map(({ id, address, protocol, upgradeOf, open, close, side, error }) => ({
      id,
      address,
      protocol,
      upgradeOf,
      openNs: Number(open),
      closeNs: close === undefined ? undefined : Number(close),
      side,
      error,
    })),
    damages,
    tail,
    gaps: gaps.map(({ connection, time, side, offset, bytes, reason }) => ({ connection, timeNs: Number(time), side, offset, bytes, reason })),
  };
}

function callObject(call: SurveyedCall): object {
  return {
    kind: 'call',
    call: call.id,
    connection: call.connection,
    build: call.build,
    method: call.method,
    path: call.path,
    startNs: Number(call.start),
    endNs: call.end === undefined ? undefined : Number(call.end),
    client: { messages: call.clientMessages, bytes: call.clientBytes },
    server: { messages: call.serverMessages, bytes: call.serverBytes },
    leftOut: call.leftOut,
    gaps: call.gaps,
    outcome: outcomeObject(call.outcome),
  };
}

function outcomeObject(outcome: SurveyedCall['outcome']): object {
  switch (outcome.kind) {
    case 'status':
      return { kind: 'status', code: outcome.code, codeName: statusName(outcome.code), message: outcome.message };
    case 'http':
      return { kind: 'http', code: outcome.code };
    case 'reset':
      return { kind: 'reset', side: outcome.side, code: outcome.code, codeName: errorCodeName(outcome.code) };
    case 'open':
      return { kind: 'open' };
  }
}

function eventObject(event: CassetteEvent, { decode, isGrpc }: Reading): object {
  const { kind, seq, connection } = event;
  const placed = { kind, seq, timeNs: Number(event.time), connection, ...('call' in event ? { call: event.call } : {}) };
  switch (event.kind) {
    case 'client-header':
    case 'server-header':
      return { ...placed, headers: event.headers.map(fieldObject) };
    case 'server-trailer':
      return { ...placed, headers: event.headers.map(fieldObject), ...(isGrpc ? { status: decodeStatus(event.headers) } : {}) };
    case 'client-message':
    case 'server-message':
      return { ...placed, compressed: event.compressed, size: event.size, ...bodyMembers(event, decode) };
    case 'client-half-close':
      return placed;
    case 'reset':
      return { ...placed, side: event.side, code: event.code, codeName: errorCodeName(event.code) };
    case 'goaway':
      return { ...placed, side: event.side, code: event.code, codeName: errorCodeName(event.code), debug: base64(event.debug) };
    case 'gap':
      return { ...placed, side: event.side, offset: event.offset, bytes: event.bytes, reason: event.reason };
    case 'connection-open':
      return { ...placed, address: event.address, protocol: event.protocol, upgradeOf: event.upgradeOf };
    case 'connection-close':
      return { ...placed, side: event.side, error: event.error };
  }
}

function bodyMembers({ kind, data, compressed }: MessageEvent, decode: Reading['decode']): { readonly [name: string]: Decoded } {
  if (data === undefined) return { leftOut: true };
  const bytes = { base64: base64(data) };
  return compressed ? bytes : { ...bytes, decoded: decode(data, kind === 'client-message' ? 'client' : 'server') };
}

/** `{ name, value }`, or `{ name, base64 }` for a value that is no text. */
function fieldObject(field: HeaderField): DecodedObject {
  const { text, encoding } = fieldText(field);
  return encoding === 'text' ? { name: field.name, value: text } : { name: field.name, base64: text };
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
