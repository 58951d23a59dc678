/**
 * A cassette seen as something to be played: calls with their events, and the builds that they belong to.
 */
import { buildIdOf, solveFacts, statusRef } from '../bridge/index.js';
import type { Cassette, HalfClose, HeaderEvent, HeaderField, MessageEvent, Reset } from '../cassette/index.js';

export const CONTROL = '/moby.buildkit.v1.Control/';
export const BRIDGE = '/moby.buildkit.v1.frontend.LLBBridge/';
export const SOLVE = `${CONTROL}Solve`;
export const STATUS = `${CONTROL}Status`;
export const SESSION = `${CONTROL}Session`;
export const PING = `${BRIDGE}Ping`;
export const RETURN = `${BRIDGE}Return`;
export const EXEC_PROCESS = `${BRIDGE}ExecProcess`;
export const NEW_CONTAINER = `${BRIDGE}NewContainer`;
export const RELEASE_CONTAINER = `${BRIDGE}ReleaseContainer`;

/** All that a cassette can hold of one call, but gaps. */
export type CallEvent = HeaderEvent | MessageEvent | HalfClose | Reset;
export type ServerEvent = (HeaderEvent & { readonly kind: 'server-header' | 'server-trailer' }) | (MessageEvent & { readonly kind: 'server-message' }) | Reset;

export interface RecordedCall {
  readonly id: number;
  readonly path: string;
  readonly headers: readonly HeaderField[];
  /** In sequence order, from the client header on. */
  readonly events: readonly CallEvent[];
}

export interface RecordedBuild {
  /** The id under which it was built, as in `Control.SolveRequest.Ref`. */
  readonly ref: string;
  readonly solve: RecordedCall | undefined;
  /** Every call of the build, Solve and Status among them, in the order of their client headers. */
  readonly calls: readonly RecordedCall[];
}

export interface Script {
  readonly builds: readonly RecordedBuild[];
  /** Calls that belong to no build: workers, version, health. */
  readonly others: readonly RecordedCall[];
  /** Every method in the cassette. */
  readonly paths: ReadonlySet<string>;
}

export function readScript(cassette: Cassette): Script {
  const calls = new Map<number, { headers: readonly HeaderField[]; path: string; events: CallEvent[] }>();
  for (const event of cassette.events()) {
    if (event.kind === 'gap' || !('call' in event)) continue;
    const call = calls.get(event.call);
    if (call !== undefined) call.events.push(event);
    else if (event.kind === 'client-header') calls.set(event.call, { headers: event.headers, path: pathOf(event.headers), events: [event] });
  }
  const builds = new Map<string, { solve: RecordedCall | undefined; calls: RecordedCall[] }>();
  const others: RecordedCall[] = [];
  const paths = new Set<string>();
  for (const [id, { headers, path, events }] of calls) {
    const call: RecordedCall = { id, path, headers, events };
    paths.add(path);
    const ref = recordedBuildOf(call);
    if (ref === undefined) {
      others.push(call);
      continue;
    }
    const build = builds.get(ref) ?? { solve: undefined, calls: [] };
    builds.set(ref, build);
    build.calls.push(call);
    if (path === SOLVE) build.solve ??= call;
  }
  return { builds: Array.from(builds, ([ref, build]) => ({ ref, ...build })), others, paths };
}

/** The build that a recorded call belongs to; undefined when it belongs to none. A frontend on stdio names none: `''`. */
function recordedBuildOf(call: RecordedCall): string | undefined {
  const request = requestOf(call);
  if (call.path === SOLVE) return request && solveFacts(request)?.ref;
  if (call.path === STATUS) return request && statusRef(request);
  return call.path.startsWith(BRIDGE) ? (buildIdOf(call.headers) ?? '') : undefined;
}

/** The first message of the client; undefined when none came or its body was left out. */
export function requestOf(call: RecordedCall): Uint8Array | undefined {
  for (const event of call.events) if (event.kind === 'client-message') return event.data;
  return undefined;
}

export function isServerEvent(event: CallEvent): event is ServerEvent {
  return event.kind === 'server-header' || event.kind === 'server-message' || event.kind === 'server-trailer' || (event.kind === 'reset' && event.side === 'server');
}

/**
 * Whether something else may wait for this event of the client: its messages and its half-close. Not the header,
 * which nobody answers, and not a cancel, which comes whenever it comes.
 */
export function isAwaited(event: CallEvent): boolean {
  return event.kind === 'client-message' || event.kind === 'client-half-close';
}

function pathOf(headers: readonly HeaderField[]): string {
  const value = headers.find((field) => field.name === ':path')?.value;
  return value === undefined ? '' : Buffer.from(value).toString('latin1');
}
