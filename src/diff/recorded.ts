/** A cassette sorted for comparing: its builds, the calls of each, and what stands around them. */
import { BRIDGE, buildIdOf, buildOfCall, CONTROL, headerText, SOLVE, solveFacts, type SolveFacts } from '../bridge/index.js';
import type { CallSummary, Cassette, FrontendRun, HeaderField, MessageEvent } from '../cassette/index.js';
import { Plain } from './plain.js';

/** A call with all of it that is compared. */
export interface RecordedCall {
  readonly id: number;
  /** `:path` */
  readonly path: string;
  readonly connection: number;
  readonly summary: CallSummary;
  /** Of both sides, in their order, without compression. */
  readonly messages: readonly MessageEvent[];
  /** Empty when the call did not end with a trailer. */
  readonly trailer: readonly HeaderField[];
}

export interface RecordedBuild {
  /** Position among the builds of the recording, from 1. */
  readonly number: number;
  /** What Control/Solve asked for; undefined for a frontend on stdio, and when nobody recorded it. */
  readonly facts: SolveFacts | undefined;
  /** How the frontend on stdio was run that made the calls. */
  readonly frontend: FrontendRun | undefined;
  /** LLBBridge, in the order of their starts. */
  readonly calls: readonly RecordedCall[];
  /** Control/Solve and Control/Status. */
  readonly control: readonly RecordedCall[];
}

export interface RecordedSide {
  readonly builds: readonly RecordedBuild[];
  /** Control calls outside of builds. */
  readonly around: readonly RecordedCall[];
  /** Messages whose bodies are not in the cassette, of calls that are compared. */
  readonly leftOut: number;
  readonly gaps: number;
}

type Draft = { -readonly [K in keyof RecordedCall]: RecordedCall[K] } & { readonly messages: MessageEvent[]; readonly plain: Plain; buildId: string | undefined };

const isCompared = (path: string): boolean => path.startsWith(BRIDGE) || path.startsWith(CONTROL);
const SESSION_LIKE = /\/(?:Session|ListenBuildHistory)$/;

/** @param cassette to be kept open as long as the calls are looked at: large answers stay in the file until then */
export function readSide(cassette: Pick<Cassette, 'header' | 'calls' | 'events'>): RecordedSide {
  const drafts = new Map<number, Draft>();
  const said = headerReader();
  for (const summary of cassette.calls) {
    if (summary.method !== undefined || !isCompared(summary.path) || SESSION_LIKE.test(summary.path)) continue;
    drafts.set(summary.id, { id: summary.id, path: summary.path, connection: summary.connection, summary, messages: [], trailer: [], plain: new Plain(), buildId: undefined });
  }
  for (const event of cassette.events({ answersApart: true })) {
    const draft = 'call' in event ? drafts.get(event.call) : undefined;
    if (draft === undefined) continue;
    switch (event.kind) {
      case 'client-header':
        draft.plain.encoding('client', said(event.headers).encoding);
        draft.buildId = said(event.headers).buildId;
        break;
      case 'server-header':
        draft.plain.encoding('server', said(event.headers).encoding);
        // An answer of nothing but trailers.
        if (said(event.headers).isStatus) draft.trailer = event.headers;
        break;
      case 'server-trailer':
        draft.trailer = event.headers;
        break;
      case 'client-message':
      case 'server-message':
        draft.messages.push(draft.plain.message(event));
        break;
      default:
        // What a call came to is in its summary.
        break;
    }
  }
  return sideOf([...drafts.values()], cassette.header.frontend);
}

/** What is looked for in header lists, of which most are one object that comes again. */
interface Said {
  readonly encoding: string | undefined;
  readonly buildId: string | undefined;
  readonly isStatus: boolean;
}

function headerReader(): (headers: readonly HeaderField[]) => Said {
  const known = new WeakMap<readonly HeaderField[], Said>();
  return (headers) => {
    let said = known.get(headers);
    if (said === undefined) {
      said = { encoding: headerText(headers, 'grpc-encoding'), buildId: buildIdOf(headers), isStatus: headerText(headers, 'grpc-status') !== undefined };
      known.set(headers, said);
    }
    return said;
  };
}

function sideOf(calls: readonly Draft[], frontend: FrontendRun | undefined): RecordedSide {
  const builds = new Map<string | number, { readonly calls: RecordedCall[]; readonly control: RecordedCall[] }>();
  const around: RecordedCall[] = [];
  for (const call of calls) {
    const build = buildOfCall(call, () => requestOf(call.messages));
    if (build === undefined) {
      around.push(call);
      continue;
    }
    const members = builds.get(build) ?? { calls: [], control: [] };
    builds.set(build, members);
    (call.path.startsWith(BRIDGE) ? members.calls : members.control).push(call);
  }
  return {
    builds: Array.from(builds.values(), ({ calls: bridge, control }, index) => ({ number: index + 1, facts: factsOf(control), frontend, calls: bridge, control })),
    around,
    leftOut: calls.reduce((sum, { messages }) => sum + messages.filter(({ size, data }) => size > 0 && data === undefined).length, 0),
    gaps: calls.reduce((sum, { summary }) => sum + summary.gaps, 0),
  };
}

function factsOf(control: readonly RecordedCall[]): SolveFacts | undefined {
  const request = requestOf(control.find(({ path }) => path === SOLVE)?.messages ?? []);
  return request && solveFacts(request);
}

/** The client's first message; undefined when none came or its body was left out. */
export function requestOf(messages: readonly MessageEvent[]): Uint8Array | undefined {
  return messages.find(({ kind }) => kind === 'client-message')?.data;
}

/** The server's first message. */
export function answerOf(messages: readonly MessageEvent[]): Uint8Array | undefined {
  return messages.find(({ kind }) => kind === 'server-message')?.data;
}
