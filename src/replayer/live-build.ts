/**
 * One build of a live client, played from one recorded build: its bindings, what has happened of it so far, and
 * the calls that wait for more.
 */
import { BRIDGE, canonicalRequest, EXEC_PROCESS, PING, RETURN, STATUS } from '../bridge/index.js';
import { PassingSet } from '../passing.js';
import { OK, Status, statusTrailers } from '../wire/index.js';
import { awaitedOfProcess, awaitedOn, type Awaited } from './awaited.js';
import { Bindings } from './bindings.js';
import type { Call, CallHandler } from './call.js';
import { BuildScope, Happened, type Anchor, type ClientEvent, type Scope } from './causality.js';
import type { RecordedProcess } from './exec-script.js';
import type { LiveProcess } from './live-process.js';
import { Matcher, type Reuse } from './matcher.js';
import type { Told } from './miss.js';
import { OpenCalls } from './open-calls.js';
import { Player, RecordedAnswers, type PlayedCall, type Stage } from './player.js';
import type { RecordedBuild } from './recorded-build.js';
import { awaitedIn, eventsOf, type RecordedCall } from './recorded-call.js';

/** Within a build every answer is given once, but for Ping, which asks for what doesn't change. */
const reuseInBuild = (path: string): Reuse => (path === PING ? 'repeat-last' : 'once');

/** Whatever more a client was told, the first was what began it. */
const MAX_REMEMBERED_MISSES = 16;

/** For a call of which nothing that its client does matters. */
export const heedNothing: CallHandler = { message: () => undefined, halfClose: () => undefined, cancelled: () => undefined, drained: () => undefined };

export class LiveBuild {
  readonly bindings = new Bindings();
  readonly matcher: Matcher;
  readonly open: OpenCalls;
  /** Which live process stands for a recorded one. */
  readonly holders = new Map<RecordedProcess, LiveProcess>();
  private readonly happened: Happened;
  /** Those among the open calls that wait for events of other calls too. */
  private readonly watchers = new PassingSet<Player>();
  private openBridgeCalls = 0;
  private returned = false;
  /** What its client was told that the cassette had no answer for. */
  private readonly misses: string[] = [];
  /** Why the build can't end as recorded, once its client's Return was no recorded one. */
  private broken: string | undefined;

  constructor(
    readonly recorded: RecordedBuild,
    readonly stage: Stage,
  ) {
    this.matcher = new Matcher(recorded.requests, reuseInBuild);
    this.happened = new Happened(stage.pacing.isOn);
    this.open = new OpenCalls(stage);
  }

  /** Whether its client has done all that the recorded one did before it returned. */
  get isWhole(): boolean {
    return this.recorded.work.every((seq) => this.happened.has(seq));
  }

  /** Recorded calls on the bridge that its client has not made. */
  get unasked(): readonly RecordedCall[] {
    return this.recorded.calls.filter((call) => call.path.startsWith(BRIDGE) && !this.matcher.isUsed(call));
  }

  /** The recorded calls that its client has made again. */
  get asked(): readonly RecordedCall[] {
    return this.recorded.calls.filter((call) => this.matcher.isUsed(call));
  }

  /** What an exec stream waits for. */
  execScope(exec: RecordedCall): Scope {
    return new BuildScope(this.recorded.eventsAround(exec), this.happened, this.originOf(exec), false);
  }

  /** A recorded event of the client has happened again. */
  mark(seq: number): void {
    this.open.touch();
    this.happened.mark(seq, this.stage.heard());
    this.watchers.forEach((player) => {
      if (player.isWaitingFor(seq)) player.advance();
    });
  }

  markCall(call: RecordedCall): void {
    for (const { seq } of awaitedIn(call)) this.mark(seq);
  }

  /** It was another event that happened, not this one. */
  unmark(seq: number): void {
    this.happened.unmark(seq);
  }

  /** Whether two recorded containers came from requests that differ in nothing but the id. */
  areMadeAlike(one: string, other: string): boolean {
    const text = this.recorded.containers.get(one)?.text;
    return text !== undefined && text === this.recorded.containers.get(other)?.text;
  }

  /** Lets a live container stand for another recorded one, and the live one that stood for that for the first one's. */
  swapContainers(live: string, wanted: string): void {
    const { bindings, matcher } = this;
    const held = bindings.recorded.get(live);
    if (held === undefined) return;
    const other = [...bindings.recorded].find(([, recorded]) => recorded === wanted)?.[0];
    bindings.bind('container', live, wanted);
    if (other !== undefined) {
      bindings.bind('container', other, held);
      return;
    }
    // Nobody has asked for the wanted one yet: whoever comes next gets the one that became free.
    const taken = this.recorded.containers.get(wanted)?.call;
    const freed = this.recorded.containers.get(held)?.call;
    if (taken === undefined || freed === undefined) return;
    matcher.use(taken);
    matcher.free(freed);
    for (const { seq } of awaitedIn(freed)) this.unmark(seq);
    this.markCall(taken);
  }

  /**
   * Plays a Control call that speaks of the whole build.
   *
   * @param done told when it has ended, or was cancelled
   */
  play(call: PlayedCall, recorded: RecordedCall, done: () => void): CallHandler {
    const { bindings, stage } = this;
    if (this.broken !== undefined) return this.endAtOnce(call, done);
    // Status speaks of vertices by the digests of this client's own ops. Other answers hold whole definitions, whose
    // digests and contents belong together: those are given back as they were.
    const answers = new RecordedAnswers(recorded, recorded.path === STATUS ? bindings.toLive : undefined);
    const scope = new BuildScope(this.recorded.bridgeEvents, this.happened, this.originOf(recorded), this.recorded.hasBridgeCalls);
    const player: Player = new Player({
      ...{ call, recorded, answers, scope, stage, bindings },
      done: () => {
        this.leave(player);
        done();
      },
    });
    this.watch(player);
    return { ...heedNothing, cancelled: () => player.cancel(), drained: () => player.drained() };
  }

  /** Ends such a call of which the recording has no more: well, or with why the build failed. */
  endAtOnce(call: Call, done: () => void): CallHandler {
    call.end(this.broken === undefined ? OK : statusTrailers(Status.failedPrecondition, this.broken));
    done();
    return heedNothing;
  }

  /** @param player whose scope came from this build */
  watch(player: Player): void {
    this.open.join(player);
    this.watchers.add(player);
    player.advance();
  }

  leave(player: Player): void {
    this.watchers.delete(player);
    this.open.leave(player);
  }

  bridgeCallOpened(): void {
    this.openBridgeCalls += 1;
  }

  bridgeCallClosed(): void {
    this.openBridgeCalls -= 1;
    this.endIfOver();
  }

  /** The client was told so. */
  missed({ text }: Told): void {
    if (this.misses.length < MAX_REMEMBERED_MISSES) this.misses.push(text);
  }

  /**
   * The client returns something else than recorded. An error after it was told of a miss comes of that, in whatever words,
   * and is no miss of its own: the build fails by what the client was told.
   *
   * @returns what that was
   */
  failedBy(returned: Uint8Array): string | undefined {
    if (this.misses.length === 0) return undefined;
    const isError = canonicalRequest(RETURN, returned, new Map(), this.recorded.rules).fields.some(([field]) => field.startsWith('error.'));
    const request = Buffer.from(returned.buffer, returned.byteOffset, returned.byteLength);
    const told = isError ? (this.misses.find((text) => request.includes(text)) ?? this.misses[0]) : undefined;
    if (told !== undefined) this.fail(Status.failedPrecondition, told);
    return told;
  }

  /** The client has said what its build came to: what it did not do by then it will not do. */
  clientReturned(): void {
    this.returned = true;
    this.endIfOver();
  }

  /** The client's result is not the recorded one, so neither can the build's end be. */
  fail(code: number, reason: string): void {
    this.broken = reason;
    this.open.failAll(code, reason);
  }

  /** What the recording goes on with. */
  awaited = (event: ClientEvent, waiting: RecordedCall): Awaited => {
    const call = this.recorded.calls.find((one) => [...awaitedIn(one)].some(({ seq }) => seq === event.seq)) ?? waiting;
    return call.path === EXEC_PROCESS ? awaitedOfProcess(this.recorded.execOf(call), event, this.holders) : awaitedOn(call, event);
  };

  private originOf(call: RecordedCall): Anchor {
    const [first] = eventsOf(call);
    const [asked] = awaitedIn(call);
    return { recorded: (asked ?? first)?.time ?? 0n, live: this.stage.heard() };
  }

  private endIfOver(): void {
    if (!this.returned || this.openBridgeCalls > 0) return;
    this.happened.markEverything();
    for (const player of this.watchers) player.advance();
  }
}
