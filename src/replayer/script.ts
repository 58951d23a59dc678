/** A cassette sorted for playing: the builds that it holds, and the calls around them. */
import { buildIdOf, buildOfCall, BUILT_IN_RULES, headerText, type Rules } from '../bridge/index.js';
import { HeldCall, HeldCalls, type Beginning, type EventSource } from '../cassette/index.js';
import { withPlainMessages } from './plain-messages.js';
import type { Origin } from './origin.js';
import { RecordedBuild } from './recorded-build.js';
import { eventsOf, requestOf, withoutDeadlineReset, type RecordedCall } from './recorded-call.js';

export interface Script {
  readonly builds: readonly RecordedBuild[];
  /** Calls that belong to no build: workers, version, health. */
  readonly others: readonly RecordedCall[];
  /** By which a live request is compared with a recorded one. */
  readonly rules: Rules;
  /** Exchanges of HTTP/1.1 with a Docker Engine. */
  readonly exchanges: readonly RecordedCall[];
  /** The cassette of all of them. */
  readonly origin: Origin | undefined;
}

/** @param cassette to be kept open as long as the script is played: large answers stay in the file until they are sent */
export function readScript(cassette: EventSource, rules = BUILT_IN_RULES, origin?: Origin): Script {
  const calls: RecordedCall[] = [];
  const exchanges: RecordedCall[] = [];
  /** One text for all calls of a method. */
  const paths = new Map<string, string>();
  new HeldCalls((beginning) => {
    const path = headerText(beginning.header.headers, ':path') ?? '';
    if (!paths.has(path)) paths.set(path, path);
    const call = new ScriptedCall(beginning, paths.get(path) ?? path, origin);
    (beginning.isExchange ? exchanges : calls).push(call);
    return call;
  }).addAll(cassette);
  return { ...scriptOf(calls, rules, origin), exchanges };
}

/** Its events are made when they are asked for, and gone when the call is over (bench: many). */
class ScriptedCall extends HeldCall implements RecordedCall {
  constructor(
    beginning: Beginning,
    readonly path: string,
    readonly origin: Origin | undefined,
  ) {
    super(beginning);
  }
}

/** @param recorded calls in the order of their client headers */
export function scriptOf(recorded: readonly RecordedCall[], rules = BUILT_IN_RULES, origin?: Origin): Script {
  const calls = recorded.map((call) => withPlainMessages(withoutDeadlineReset(call)));
  /** By their id; by their connection, as a number, when a frontend on stdio made them, which names no build. */
  const builds = new Map<string | number, RecordedCall[]>();
  const others: RecordedCall[] = [];
  for (const call of calls) {
    const ref = recordedBuildOf(call);
    if (ref === undefined) {
      others.push(call);
      continue;
    }
    const members = builds.get(ref);
    if (members === undefined) builds.set(ref, [call]);
    else members.push(call);
  }
  return {
    builds: Array.from(builds, ([ref, members]) => new RecordedBuild(typeof ref === 'string' ? ref : undefined, members, rules)),
    others,
    rules,
    exchanges: [],
    origin,
  };
}

/** The build that a recorded call belongs to; undefined when it belongs to none. */
function recordedBuildOf(call: RecordedCall): string | number | undefined {
  const [first] = eventsOf(call);
  return buildOfCall({ path: call.path, connection: first?.connection, buildId: buildIdOf(call.headers) }, () => requestOf(call));
}

