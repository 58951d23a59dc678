/** A cassette sorted for comparing: its builds, the calls of each, and what stands around them. */
import { BRIDGE, buildIdOf, buildOfCall, CONTROL, headerText, SOLVE, solveFacts, type SolveFacts } from '../bridge/index.js';
import { HeldCall, HeldCalls, outcomeOf, type Beginning, type CallEvent, type CallOutcome, type Cassette, type EventSource, type FrontendRun, type HeaderEvent, type HeaderField, type MessageEvent, type Nanoseconds, type Reset } from '../cassette/index.js';
import { BadCompression, decompressor, DEFAULT_LIMITS } from '../wire/index.js';

/** A call with all of it that is compared. What crossed on it is looked up each time that it is asked for. */
export class RecordedCall extends HeldCall {
  constructor(
    beginning: Beginning,
    /** `:path` */
    readonly path: string,
    private readonly outcomeIn: (trailer: readonly HeaderField[]) => CallOutcome,
  ) {
    super(beginning);
  }

  /** When its outcome came; undefined for a call that was open at the end of the recording. */
  get end(): Nanoseconds | undefined {
    return this.last?.time;
  }

  get outcome(): CallOutcome {
    const { last } = this;
    if (last === undefined) return OPEN;
    return last.kind === 'reset' ? outcomeOf(last) : this.outcomeIn(last.headers);
  }

  /** What ended it: the first trailer, or reset. */
  private get last(): (HeaderEvent & { readonly kind: 'server-trailer' }) | Reset | undefined {
    return this.find('server-trailer', 'reset');
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

  get messageCount(): number {
    return this.count('client-message', 'server-message');
  }

  /** The server sent more than an answer. */
  get hasStreamed(): boolean {
    return this.count('server-message') > 1;
  }

  /** Empty when the call did not end with a trailer. */
  get trailer(): readonly HeaderField[] {
    const trailer = this.headersOf('server-trailer');
    if (trailer !== undefined) return trailer;
    // An answer of nothing but trailers.
    const headers = this.headersOf('server-header') ?? [];
    return headerText(headers, 'grpc-status') === undefined ? [] : headers;
  }

  /** Whether a message crosses compressed is between two transports. One that cannot be read here is compared as it crossed. */
  private dataOf(message: MessageEvent | undefined): Uint8Array | undefined {
    const data = message?.data;
    if (message?.compressed !== true || data === undefined) return data;
    const headers = this.headersOf(message.kind === 'client-message' ? 'client-header' : 'server-header') ?? [];
    try {
      return decompressor(headerText(headers, 'grpc-encoding') ?? '')?.(data, DEFAULT_LIMITS.messageBytes) ?? data;
    } catch (error) {
      if (error instanceof BadCompression) return data;
      throw error;
    }
  }
}

const OPEN: CallOutcome = { kind: 'open' };

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
export function readSide(cassette: Pick<Cassette, 'header'> & EventSource): RecordedSide {
  const said = oncePerList((headers) => ({ path: headerText(headers, ':path') ?? '', buildId: buildIdOf(headers) }));
  const outcomeIn = oncePerList((headers) => outcomeOf({ kind: 'server-trailer', headers }));
  const held = new HeldCalls((beginning) => {
    const { path } = said(beginning.header.headers);
    return beginning.isExchange || !isCompared(path) || SESSION_LIKE.test(path) ? undefined : new RecordedCall(beginning, path, outcomeIn);
  }).addAll(cassette);

  const builds = new Map<string | number, { readonly calls: RecordedCall[]; readonly control: RecordedCall[] }>();
  const around: RecordedCall[] = [];
  for (const call of held.calls) {
    const { path, connection, headers } = call;
    const build = buildOfCall({ path, connection, buildId: said(headers).buildId }, () => call.request);
    if (build === undefined) {
      around.push(call);
      continue;
    }
    const members = builds.get(build) ?? { calls: [], control: [] };
    builds.set(build, members);
    (path.startsWith(BRIDGE) ? members.calls : members.control).push(call);
  }
  const { frontend } = cassette.header;
  return { builds: Array.from(builds.values(), ({ calls, control }, index) => ({ number: index + 1, facts: factsOf(control), frontend, calls, control })), around, leftOut: held.leftOut, gaps: held.gaps };
}

/** What is read in header lists, of which most are one object that comes again. */
function oncePerList<T>(read: (headers: readonly HeaderField[]) => T): (headers: readonly HeaderField[]) => T {
  const known = new Map<readonly HeaderField[], T>();
  return (headers) => {
    let found = known.get(headers);
    if (found === undefined) {
      found = read(headers);
      known.set(headers, found);
    }
    return found;
  };
}

function factsOf(control: readonly RecordedCall[]): SolveFacts | undefined {
  const request = control.find(({ path }) => path === SOLVE)?.request;
  return request && solveFacts(request);
}
