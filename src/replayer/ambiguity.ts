/**
 * Several cassettes at once: a client is told apart by what it asks for. Where two cassettes hold builds that ask for the
 * same and are answered differently, nobody can know which is meant, and that is found before a client comes: each such
 * build is tried as the client of the other.
 */
import { BRIDGE, canonicalRequest, PING, shortMethod, STATUS } from '../bridge/index.js';
import { BridgetapeError } from '../errors.js';
import type { Call } from './call.js';
import { Part, type Perform } from './part.js';
import { Pacing } from './pacing.js';
import type { RecordedBuild } from './recorded-build.js';
import { awaitedIn, requestOf, type RecordedCall } from './recorded-call.js';
import { Rendition, type Entry } from './rendition.js';

/**
 * @param builds of all cassettes
 * @param performed how a call of that method is played
 * @throws BridgetapeError `ambiguous-cassettes`
 */
export function refuseAmbiguous(builds: readonly RecordedBuild[], performed: (path: string) => Perform): void {
  const alike = new Map<string, RecordedBuild[]>();
  for (const build of builds) {
    const key = openingOf(build);
    alike.set(key, [...(alike.get(key) ?? []), build]);
  }
  for (const group of alike.values()) {
    for (const [index, one] of group.entries()) {
      for (const other of group.slice(index + 1)) {
        if (one.origin?.file === other.origin?.file) continue;
        const path = answeredOtherwise(one, other, performed) ?? answeredOtherwise(other, one, performed);
        if (path !== undefined) throw ambiguous(one, other, path);
      }
    }
  }
}

/** What a client asks before it has had any answer. */
function openingOf(build: RecordedBuild): string {
  const asked = build.calls.filter(({ path }) => path.startsWith(BRIDGE) && path !== PING);
  const [first] = asked.flatMap((call) => [...awaitedIn(call)].filter(({ kind }) => kind === 'client-message').map(({ seq }) => ({ call, seq }))).toSorted((a, b) => a.seq - b.seq);
  const request = first && requestOf(first.call);
  const opening = first === undefined || request === undefined ? '' : `${first.call.path} ${canonicalRequest(first.call.path, request, new Map(), build.rules).text}`;
  return JSON.stringify([build.solveRequest?.text, opening]);
}

/** The method whose answer tells the two apart, to a client that does as the one recorded in `client` did. */
function answeredOtherwise(client: RecordedBuild, other: RecordedBuild, performed: (path: string) => Perform): string | undefined {
  const nothing = (): undefined => undefined;
  const rendition = new Rendition(other, { clock: { now: () => 0n, at: () => nothing }, heard: () => 0n, pacing: new Pacing(), missed: nothing, reannotated: nothing, crashed: (error) => crash(error) }, true);
  if (client.solveRequest !== undefined && other.solveRequest !== undefined) rendition.build.bindings.bindNames(client.solveRequest, other.solveRequest);
  rendition.canBe(client.calls.filter(({ path }) => path !== STATUS).flatMap((call) => deedsOn(call, performed(call.path))).toSorted((a, b) => a.seq - b.seq));
  rendition.drop();
  return rendition.failure?.why === 'answered' ? rendition.failure.path : undefined;
}

/** What a recorded client did on a call, and what it was answered. */
function deedsOn(call: RecordedCall, perform: Perform): readonly (Entry & { readonly seq: number })[] {
  const part = new Part(silent(call), perform, { did: () => undefined, keeps: () => true, missed: () => false, closed: () => undefined });
  const deeds: (Entry & { readonly seq: number })[] = [];
  for (const event of call.events) {
    const at = { part, time: event.time, seq: event.seq };
    switch (event.kind) {
      case 'client-header':
        deeds.push({ ...at, deed: { kind: 'open' } });
        break;
      case 'client-message':
        // What was left out cannot have told anything apart.
        if (event.data === undefined) return deeds;
        deeds.push({ ...at, deed: { kind: 'message', payload: event.data } });
        break;
      case 'client-half-close':
        deeds.push({ ...at, deed: { kind: 'half-close' } });
        break;
      case 'server-message':
        if (event.data !== undefined) part.send(event.data);
        break;
      case 'server-trailer':
        part.finish({ kind: 'trailers', trailers: event.headers });
        break;
      case 'reset':
        if (event.side === 'server') part.finish({ kind: 'reset', code: event.code });
        else {
          part.cancelled();
          deeds.push({ ...at, deed: { kind: 'cancel' } });
        }
        break;
      case 'server-header':
    }
  }
  return deeds;
}

/** A call whose client nobody is. */
function silent({ path, headers }: RecordedCall): Call {
  return { path, headers, sendHeaders: () => undefined, send: () => true, end: () => undefined, reset: () => undefined };
}

function ambiguous(one: RecordedBuild, other: RecordedBuild, path: string): BridgetapeError {
  const named = ({ origin, solve, calls }: RecordedBuild): string => `${origin?.file ?? 'a cassette'} (the build of call ${(solve ?? calls[0])?.id ?? 0})`;
  return new BridgetapeError(
    'ambiguous-cassettes',
    `${named(one)} and ${named(other)} ask for the same and are answered differently, by ${shortMethod(path)}: a client of theirs could be either's.`,
    'Replay them one at a time, or leave one of them out.',
  );
}

function crash(error: unknown): never {
  throw error;
}
