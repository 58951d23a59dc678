/** A cassette sorted for comparing: its builds, the calls of each, and what stands around them. */
import { BRIDGE, buildIdOf, buildOfCall, CONTROL, headerText, SOLVE, solveFacts, type SolveFacts } from '../bridge/index.js';
import { HeldCall, HeldCalls, type Beginning, type CallEvent, type CallSummary, type Cassette, type FrontendRun, type HeaderField, type MessageEvent } from '../cassette/index.js';
import { BadCompression, decompressor, DEFAULT_LIMITS } from '../wire/index.js';

/** A call with all of it that is compared. What crossed on it is looked up each time that it is asked for. */
export class RecordedCall extends HeldCall {
  constructor(
    beginning: Beginning,
    readonly summary: CallSummary,
  ) {
    super(beginning);
  }

  /** `:path` */
  get path(): string {
    return this.summary.path;
  }

  /** The client's first message; undefined when none came or its body was left out. */
  get request(): Uint8Array | undefined {
    return this.dataOf(this.find('client-message'));
  }

  /** The server's first message. */
  get answer(): Uint8Array | undefined {
    return this.dataOf(this.find('server-message'));
  }

  /** Of both sides, in their order, without compression. */
  get messages(): readonly MessageEvent[] {
    return this.events.flatMap((event) => (isMessage(event) ? [event.compressed ? { ...event, data: this.dataOf(event) } : event] : []));
  }

  /** Empty when the call did not end with a trailer. */
  get trailer(): readonly HeaderField[] {
    const trailer = this.find('server-trailer')?.headers;
    if (trailer !== undefined) return trailer;
    // An answer of nothing but trailers.
    const headers = this.find('server-header')?.headers ?? [];
    return headerText(headers, 'grpc-status') === undefined ? [] : headers;
  }

  /** Whether a message crosses compressed is between two transports. One that cannot be read here is compared as it crossed. */
  private dataOf(message: MessageEvent | undefined): Uint8Array | undefined {
    const data = message?.data;
    if (message?.compressed !== true || data === undefined) return data;
    const headers = this.find(message.kind === 'client-message' ? 'client-header' : 'server-header')?.headers ?? [];
    try {
      return decompressor(headerText(headers, 'grpc-encoding') ?? '')?.(data, DEFAULT_LIMITS.messageBytes) ?? data;
    } catch (error) {
      if (error instanceof BadCompression) return data;
      throw error;
    }
  }
}

const isMessage = (event: CallEvent): event is MessageEvent => event.kind === 'client-message' || event.kind === 'server-message';

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

const isCompared = (path: string): boolean => path.startsWith(BRIDGE) || path.startsWith(CONTROL);
const SESSION_LIKE = /\/(?:Session|ListenBuildHistory)$/;

/** @param cassette to be kept open as long as the calls are looked at: large answers stay in the file until then */
export function readSide(cassette: Pick<Cassette, 'header' | 'calls' | 'events'>): RecordedSide {
  const summaries = new Map<number, CallSummary>();
  for (const summary of cassette.calls) {
    if (summary.method === undefined && isCompared(summary.path) && !SESSION_LIKE.test(summary.path)) summaries.set(summary.id, summary);
  }
  const held = new HeldCalls((beginning) => {
    const summary = summaries.get(beginning.header.call);
    return summary && new RecordedCall(beginning, summary);
  });
  for (const event of cassette.events({ answersApart: true })) held.add(event);

  const builds = new Map<string | number, { readonly calls: RecordedCall[]; readonly control: RecordedCall[] }>();
  const around: RecordedCall[] = [];
  const buildIds = buildIdReader();
  let [leftOut, gaps] = [0, 0];
  for (const call of held.calls) {
    gaps += call.summary.gaps;
    if (call.summary.leftOut > 0) leftOut += call.messages.filter(({ size, data }) => size > 0 && data === undefined).length;
    const build = buildOfCall({ path: call.path, connection: call.connection, buildId: buildIds(call.headers) }, () => call.request);
    if (build === undefined) {
      around.push(call);
      continue;
    }
    const members = builds.get(build) ?? { calls: [], control: [] };
    builds.set(build, members);
    (call.path.startsWith(BRIDGE) ? members.calls : members.control).push(call);
  }
  const { frontend } = cassette.header;
  return { builds: Array.from(builds.values(), ({ calls, control }, index) => ({ number: index + 1, facts: factsOf(control), frontend, calls, control })), around, leftOut, gaps };
}

/** Most header lists are one object that comes again. */
function buildIdReader(): (headers: readonly HeaderField[]) => string | undefined {
  const known = new Map<readonly HeaderField[], string | undefined>();
  return (headers) => {
    if (!known.has(headers)) known.set(headers, buildIdOf(headers));
    return known.get(headers);
  };
}

function factsOf(control: readonly RecordedCall[]): SolveFacts | undefined {
  const request = control.find(({ path }) => path === SOLVE)?.request;
  return request && solveFacts(request);
}
