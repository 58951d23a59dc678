/** One build of a cassette: its calls, and what replaying it needs to know of them, found when first asked for. */
import { BRIDGE, type Canonical, canonicalRequest, EXEC_PROCESS, NEW_CONTAINER, PING, RELEASE_CONTAINER, RETURN, type Rules, SOLVE } from '../bridge/index.js';
import { ClientEvents } from './causality.js';
import { readExec, type RecordedExec } from './exec-script.js';
import type { Origin } from './origin.js';
import { requestOf, type RecordedCall } from './recorded-call.js';
import { RequestIndex } from './request-index.js';

/** The call that made a container, and what it asked for but the container's id. */
export interface RecordedContainer {
  readonly call: RecordedCall;
  readonly text: string;
}

export class RecordedBuild {
  /** The cassette that holds it. */
  readonly origin: Origin | undefined;
  readonly solve: RecordedCall | undefined;
  private index: RequestIndex | undefined;
  private request: Canonical | undefined;
  private bridge: ClientEvents | undefined;
  private done: ClientEvents | undefined;
  private made: ReadonlyMap<string, RecordedContainer> | undefined;
  private readonly execs = new Map<RecordedCall, RecordedExec>();
  private readonly execEvents = new Map<RecordedCall, ClientEvents>();

  /**
   * @param ref the id under which it was built, as in `Control.SolveRequest.Ref`; undefined: a frontend on stdio made its
   *   calls, which name none
   * @param calls every call of the build, Solve and Status among them, in the order of their client headers
   */
  constructor(
    readonly ref: string | undefined,
    readonly calls: readonly RecordedCall[],
    readonly rules: Rules,
  ) {
    this.origin = calls[0]?.origin;
    this.solve = calls.find(({ path }) => path === SOLVE);
  }

  get requests(): RequestIndex {
    this.index ??= new RequestIndex(this.calls, this.rules);
    return this.index;
  }

  /** What began the build; undefined when it is not in the cassette. */
  get solveRequest(): Canonical | undefined {
    const request = this.solve && requestOf(this.solve);
    if (request !== undefined) this.request ??= canonicalRequest(SOLVE, request, new Map(), this.rules);
    return this.request;
  }

  /** Whether the client took part in it; else the daemon built by itself. */
  get hasBridgeCalls(): boolean {
    return this.calls.some(({ path }) => path.startsWith(BRIDGE));
  }

  /** Solve's end and Status wait for all that the client did on the bridge before. */
  get bridgeEvents(): ClientEvents {
    this.bridge ??= new ClientEvents(this.calls.filter(({ path }) => path.startsWith(BRIDGE)));
    return this.bridge;
  }

  /** What the client did before it returned; Ping asks nothing about the build. */
  get work(): ClientEvents {
    this.done ??= new ClientEvents(this.calls.filter(({ path }) => path.startsWith(BRIDGE) && path !== PING && path !== RETURN));
    return this.done;
  }

  /** What the server's side of an exec stream waits for: a process can end because its container is released, on another call. */
  eventsAround(exec: RecordedCall): ClientEvents {
    const known = this.execEvents.get(exec);
    if (known !== undefined) return known;
    const events = new ClientEvents([exec, ...this.requests.of(RELEASE_CONTAINER)]);
    this.execEvents.set(exec, events);
    return events;
  }

  execOf(call: RecordedCall): RecordedExec {
    const known = this.execs.get(call);
    if (known !== undefined) return known;
    const exec = readExec(call, this.rules);
    this.execs.set(call, exec);
    return exec;
  }

  get allExecs(): readonly RecordedExec[] {
    return this.requests.of(EXEC_PROCESS).map((call) => this.execOf(call));
  }

  /** By their recorded ids. */
  get containers(): ReadonlyMap<string, RecordedContainer> {
    this.made ??= containersOf(this.requests.of(NEW_CONTAINER), this.rules);
    return this.made;
  }
}

function containersOf(calls: readonly RecordedCall[], rules: Rules): ReadonlyMap<string, RecordedContainer> {
  const containers = new Map<string, RecordedContainer>();
  for (const call of calls) {
    const request = requestOf(call);
    if (request === undefined) continue;
    const { defines, text } = canonicalRequest(call.path, request, new Map(), rules);
    for (const { id } of defines) containers.set(id, { call, text });
  }
  return containers;
}

