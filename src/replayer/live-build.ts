/**
 * One build of a live client, played from one recorded build: its bindings, what has happened of it so far, and
 * the calls that wait for more.
 */
import { canonicalRequest, describeExec } from '../bridge/index.js';
import { Bindings } from './bindings.js';
import { Happened, Scope, type ClientEvent } from './causality.js';
import type { Clock } from './clock.js';
import { readExec, type RecordedExec } from './exec-script.js';
import { Matcher, type Reuse } from './matcher.js';
import { shortName } from './miss.js';
import type { Player } from './player.js';
import { BRIDGE, EXEC_PROCESS, isAwaited, NEW_CONTAINER, PING, RELEASE_CONTAINER, requestOf, type RecordedBuild, type RecordedCall } from './script.js';

/** Within a build every answer is given once, but for Ping, which asks for what doesn't change. */
const reuseInBuild = (path: string): Reuse => (path === PING ? 'repeat-last' : 'once');

export class LiveBuild {
  readonly bindings = new Bindings();
  readonly happened = new Happened();
  readonly matcher: Matcher;
  /** When this build's client last did something, or was sent something: ns. */
  lastActivity: bigint;
  private readonly players = new Set<Player>();
  private readonly buildScopeEvents: readonly ClientEvent[];
  /** By its recorded id: the call that made a container, and what it asked for. */
  private readonly containers: ReadonlyMap<string, { readonly call: RecordedCall; readonly text: string }>;
  private readonly execs = new Map<RecordedCall, RecordedExec>();
  private openBridgeCalls = 0;
  private returned = false;
  /** Why the build can't end as recorded, once its client's Return was no recorded one. */
  private broken: string | undefined;

  constructor(
    readonly recorded: RecordedBuild,
    private readonly clock: Clock,
  ) {
    this.matcher = new Matcher(recorded.calls, reuseInBuild);
    this.lastActivity = clock.now();
    this.containers = containersOf(recorded.calls);
    this.buildScopeEvents = awaitedOf(recorded.calls.filter(({ path }) => path.startsWith(BRIDGE)));
  }

  /** Solve's end and Status wait for all that the client did on the bridge before. */
  buildScope(): Scope {
    return new Scope(this.buildScopeEvents, this.happened);
  }

  /** A process can end because its container is released, which crosses on another call. */
  execScope(recorded: RecordedCall): Scope {
    const releases = this.recorded.calls.filter(({ path }) => path === RELEASE_CONTAINER);
    return new Scope(awaitedOf([recorded, ...releases]), this.happened);
  }

  execOf(recorded: RecordedCall): RecordedExec {
    const known = this.execs.get(recorded);
    if (known !== undefined) return known;
    const exec = readExec(recorded);
    this.execs.set(recorded, exec);
    return exec;
  }

  /** A recorded event of the client has happened again. */
  mark(seq: number): void {
    this.lastActivity = this.clock.now();
    this.happened.mark(seq, this.lastActivity);
  }

  unmark(seq: number): void {
    this.happened.unmark(seq);
  }

  /** Whether two recorded containers came from requests that differ in nothing but the id. */
  areMadeAlike(one: string, other: string): boolean {
    const madeOf = (id: string): string | undefined => this.containers.get(id)?.text;
    return madeOf(one) !== undefined && madeOf(one) === madeOf(other);
  }

  /** Lets a live container stand for another recorded one, and the live one that stood for that for the first one's. */
  swapContainers(live: string, wanted: string): void {
    const { bindings } = this;
    const held = bindings.recorded.get(live);
    if (held === undefined) return;
    const other = [...bindings.recorded].find(([, recorded]) => recorded === wanted)?.[0];
    bindings.bind('container', live, wanted);
    if (other !== undefined) {
      bindings.bind('container', other, held);
      return;
    }
    // Nobody has asked for the wanted one yet: whoever comes next gets the one that became free.
    const taken = this.containers.get(wanted)?.call;
    const freed = this.containers.get(held)?.call;
    if (taken === undefined || freed === undefined) return;
    this.matcher.use(taken);
    this.matcher.free(freed);
    for (const event of freed.events) this.unmark(event.seq);
    for (const event of taken.events) if (isAwaited(event)) this.mark(event.seq);
  }

  join(player: Player): void {
    this.players.add(player);
    this.advance();
  }

  leave(player: Player): void {
    this.players.delete(player);
    this.lastActivity = this.clock.now();
  }

  advance(): void {
    if (this.broken !== undefined) return;
    for (const player of this.players) player.advance();
  }

  bridgeCallOpened(): void {
    this.openBridgeCalls += 1;
  }

  bridgeCallClosed(): void {
    this.openBridgeCalls -= 1;
    this.endIfOver();
  }

  /** The client has said what its build came to: what it did not do by then it will not do. */
  clientReturned(): void {
    this.returned = true;
    this.endIfOver();
  }

  /** The client's result is not the recorded one, so neither can the build's end be. */
  fail(code: number, reason: string): void {
    this.broken = reason;
    for (const player of [...this.players]) player.fail(code, reason);
  }

  get failure(): string | undefined {
    return this.broken;
  }

  waiting(): readonly Player[] {
    return [...this.players].filter(({ state }) => state.kind === 'waiting');
  }

  /** Whether something goes out without the client doing anything. */
  hasScheduled(): boolean {
    return [...this.players].some(({ state }) => state.kind === 'scheduled');
  }

  /** In words, what the recording goes on with. */
  describe(event: ClientEvent): string {
    for (const call of this.recorded.calls) {
      const found = call.events.find(({ seq }) => seq === event.seq);
      if (found === undefined) continue;
      const name = `${shortName(call.path)} (call ${call.id})`;
      if (found.kind === 'client-half-close') return `the end of the client's messages on ${name}`;
      if (found.kind !== 'client-message' || call.path !== EXEC_PROCESS || found.data === undefined) return `a message on ${name}`;
      const { process, text } = describeExec(found.data, 'client');
      return `${text} for process ${process} on ${name}`;
    }
    return 'a message of the client';
  }

  private endIfOver(): void {
    if (!this.returned || this.openBridgeCalls > 0) return;
    this.happened.markEverything();
    this.advance();
  }
}

function containersOf(calls: readonly RecordedCall[]): ReadonlyMap<string, { readonly call: RecordedCall; readonly text: string }> {
  const containers = new Map<string, { call: RecordedCall; text: string }>();
  for (const call of calls) {
    const request = call.path === NEW_CONTAINER ? requestOf(call) : undefined;
    if (request === undefined) continue;
    const { defines, text } = canonicalRequest(call.path, request, new Map());
    for (const { id } of defines) containers.set(id, { call, text });
  }
  return containers;
}

function awaitedOf(calls: readonly RecordedCall[]): readonly ClientEvent[] {
  return calls
    .flatMap(({ events }) => events.filter(isAwaited).map(({ seq, time }) => ({ seq, time })))
    .sort((a, b) => a.seq - b.seq);
}
