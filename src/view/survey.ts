/** A cassette at one glance: what it says about itself, its calls, and the build that each belongs to. */
import { BRIDGE, buildIdOf, SESSION, sessionIdOf, SOLVE, solveFacts, STATUS, statusRef, type SolveFacts } from '../bridge/index.js';
import type { CallSummary, Cassette, CassetteEvent, CassetteHeader, CassetteState, ConnectionSummary, Damage, Gap, HeaderEvent, MessageEvent, Tail } from '../cassette/index.js';

export interface SurveyedCall extends CallSummary {
  /** The build's id: the Ref of its Control/Solve. */
  readonly build: string | undefined;
}

export interface SurveyedBuild {
  readonly ref: string;
  /** What its Control/Solve says; undefined when that is not in the cassette. */
  readonly facts: SolveFacts | undefined;
  /** In order of their start. */
  readonly calls: readonly SurveyedCall[];
}

/** Everything that the table of a cassette's calls is made of. */
export interface Survey {
  /** The name to show, such as the path as it was given. */
  readonly name: string;
  readonly header: CassetteHeader;
  readonly state: CassetteState;
  readonly damages: readonly Damage[];
  readonly tail: Tail | undefined;
  readonly connections: readonly ConnectionSummary[];
  readonly duration: bigint;
  readonly eventCount: number;
  readonly calls: readonly SurveyedCall[];
  /** In order of their first call. */
  readonly builds: readonly SurveyedBuild[];
  /** Gaps that are on no call: bytes of a connection that could not be read, events that could not be written. The first 100. */
  readonly gaps: readonly Gap[];
}

const MAX_GAPS = 100;

/** What the first events of a call say about its build. */
interface Origin {
  readonly ref?: string | undefined;
  readonly session?: string | undefined;
  readonly facts?: SolveFacts | undefined;
}

/**
 * Walks through an open cassette once, for what its index does not hold: builds and loose gaps.
 *
 * @param name what to call the cassette
 */
export function surveyCassette(cassette: Cassette, name: string = cassette.path): Survey {
  const origins = new Map<number, Origin>();
  const gaps: Gap[] = [];
  const paths = new Map(cassette.calls.filter(namesBuild).map((call) => [call.id, roleOf(call)]));
  for (const event of cassette.events()) {
    if (event.kind === 'gap') {
      if (event.call === undefined && gaps.length < MAX_GAPS) gaps.push(event);
    } else if (event.kind === 'client-header' || event.kind === 'client-message') {
      const path = paths.get(event.call);
      if (path === undefined) continue;
      const origin = originOf(path, event);
      if (origin !== undefined) origins.set(event.call, origin);
      // What a call says of its build stands in its header or its first message.
      if (origin !== undefined || event.kind === 'client-message') paths.delete(event.call);
    }
  }
  const sessions = refsBySession(origins.values());
  const calls = cassette.calls.map((call): SurveyedCall => {
    const { ref, session } = origins.get(call.id) ?? {};
    return { ...call, build: ref ?? (session === undefined ? undefined : sessions.get(session)) };
  });
  return {
    name,
    header: cassette.header,
    // Read last: the walk can have met damage.
    state: cassette.state,
    damages: cassette.damages,
    tail: cassette.tail,
    connections: cassette.connections,
    duration: cassette.duration,
    eventCount: cassette.eventCount,
    calls,
    builds: buildsOf(calls, origins),
    gaps,
  };
}

function namesBuild(call: CallSummary): boolean {
  const path = roleOf(call);
  return path.startsWith(BRIDGE) || path === SOLVE || path === STATUS || path === SESSION;
}

/** The path, but that an engine's session is one like BuildKit's own: its header names it in the same way. */
function roleOf({ method, path }: CallSummary): string {
  if (method === undefined) return path;
  return method === 'POST' && ENGINE_SESSION.test(path) ? SESSION : '';
}

/** Docker Engine API: StartSession */
const ENGINE_SESSION = /^(\/v\d+(\.\d+)*)?\/session$/;

function originOf(path: string, event: HeaderEvent | MessageEvent): Origin | undefined {
  if (event.kind === 'client-header') {
    if (path.startsWith(BRIDGE)) return { ref: named(buildIdOf(event.headers)) };
    return path === SESSION ? { session: named(sessionIdOf(event.headers)) } : undefined;
  }
  if (event.kind !== 'client-message' || event.data === undefined || event.compressed) return undefined;
  if (path === STATUS) return { ref: named(statusRef(event.data)) };
  const facts = path === SOLVE ? solveFacts(event.data) : undefined;
  return facts && { ref: named(facts.ref), facts };
}

const named = (id: string | undefined): string | undefined => (id === '' ? undefined : id);

/** The build that a call itself names; a session is told its build by a Control/Solve. */
export function buildNamedBy(call: CallSummary, events: readonly CassetteEvent[]): string | undefined {
  const path = roleOf(call);
  for (const event of events) {
    const origin = event.kind === 'client-header' || event.kind === 'client-message' ? originOf(path, event) : undefined;
    if (origin !== undefined) return origin.ref;
    if (event.kind === 'client-message') return undefined;
  }
  return undefined;
}

/** A session that serves several builds is nobody's. */
function refsBySession(origins: Iterable<Origin>): ReadonlyMap<string, string> {
  const refs = new Map<string, Set<string>>();
  for (const { ref, facts } of origins) {
    if (ref !== undefined && facts !== undefined && facts.session !== '') refs.set(facts.session, (refs.get(facts.session) ?? new Set()).add(ref));
  }
  return new Map(Array.from(refs).flatMap(([session, builds]) => (builds.size === 1 ? Array.from(builds, (ref): [string, string] => [session, ref]) : [])));
}

function buildsOf(calls: readonly SurveyedCall[], origins: ReadonlyMap<number, Origin>): readonly SurveyedBuild[] {
  const builds = new Map<string, { facts: SolveFacts | undefined; calls: SurveyedCall[] }>();
  for (const call of calls) {
    if (call.build === undefined) continue;
    const build = builds.get(call.build) ?? { facts: undefined, calls: [] };
    builds.set(call.build, build);
    build.calls.push(call);
    build.facts ??= origins.get(call.id)?.facts;
  }
  return Array.from(builds, ([ref, build]) => ({ ref, ...build }));
}
