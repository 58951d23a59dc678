/**
 * The replayer: takes live calls from a transport, finds the build that each belongs to, and has it played from
 * the cassette. It answers at once, with an error that explains itself, whatever the cassette cannot answer.
 */
import { buildIdOf, canonicalRequest, solveFacts, statusRef } from '../bridge/index.js';
import type { Call, CallHandler } from './call.js';
import type { Scope } from './causality.js';
import { systemClock, type Clock } from './clock.js';
import { ExecCall } from './exec-call.js';
import { LiveBuild } from './live-build.js';
import { MatchedCall, bindWhatMatched } from './matched-call.js';
import { isMiss, Matcher, type Reuse } from './matcher.js';
import { explainMiss, type Miss } from './miss.js';
import { Player, RecordedAnswers } from './player.js';
import { BRIDGE, EXEC_PROCESS, isAwaited, PING, requestOf, RETURN, SESSION, SOLVE, STATUS, type RecordedBuild, type RecordedCall, type Script } from './script.js';
import { serveSession } from './session-peer.js';
import { OK, Status, statusTrailers } from './status.js';
import { Bindings } from './bindings.js';

export interface ReplayerOptions {
  /** 0: each answer at once (default); 1: as recorded; 2: twice as slow. */
  readonly pace?: number;
  /** After so long without anything from a client that the recording waits for, its calls fail: ms; 0 = never. */
  readonly stallMs?: number;
  readonly onMiss?: (miss: Pick<Miss, 'path' | 'text'>) => void;
  readonly clock?: Clock;
}

/** Long enough for a client that computes, short enough that a test run does not sit there. */
export const DEFAULT_STALL_MS = 10_000;
const NS_PER_MS = 1_000_000n;
/** A client may take so many times the recorded pause before it counts as stalled. */
const PATIENCE = 2n;

const HEALTH_CHECK = '/grpc.health.v1.Health/Check';
const TRACE_EXPORT = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
/** HealthCheckResponse { status: SERVING } (grpc/health/v1/health.proto) */
const SERVING = Uint8Array.of(0x08, 0x01);

/** Outside of builds, clients poll: workers, version, health. */
const reuseOutside = (): Reuse => 'repeat-last';

export class Replayer {
  private readonly pace: number;
  private readonly stall: bigint;
  private readonly clock: Clock;
  private readonly missed: (miss: Pick<Miss, 'path' | 'text'>) => void;
  private readonly others: Matcher;
  private readonly otherBindings = new Bindings();
  /** How often each recorded build was played. */
  private readonly played = new Map<RecordedBuild, number>();
  private readonly builds = new Map<string, BuildSlot>();
  private stopWatching: (() => void) | undefined;

  constructor(
    private readonly script: Script,
    options: ReplayerOptions = {},
  ) {
    this.pace = options.pace ?? 0;
    this.stall = BigInt(options.stallMs ?? DEFAULT_STALL_MS) * NS_PER_MS;
    this.clock = options.clock ?? systemClock;
    this.missed = options.onMiss ?? ((): void => undefined);
    this.others = new Matcher(script.others, reuseOutside);
  }

  /** Takes a live call. What its client sends goes to the handler that comes back. */
  accept = (call: Call): CallHandler => {
    if (call.path === SESSION) return serveSession(call);
    if (call.path === SOLVE) return this.acceptSolve(call);
    if (call.path === STATUS) return this.acceptStatus(call);
    if (call.path.startsWith(BRIDGE)) return this.acceptBridgeCall(call);
    return this.acceptOther(call);
  };

  /** Stops watching for stalls; calls that are open stay so. */
  close(): void {
    this.stopWatching?.();
    this.stopWatching = undefined;
  }

  private acceptSolve(call: Call): CallHandler {
    let player: Player | undefined;
    let slot: BuildSlot | undefined;
    return {
      message: (payload) => {
        if (slot !== undefined) return;
        const facts = solveFacts(payload);
        if (facts === undefined) {
          this.reject(call, { path: SOLVE, text: 'bridgetape: the client sent bytes that are no SolveRequest' });
          return;
        }
        const { ref } = facts;
        const live = canonicalRequest(SOLVE, payload, new Map());
        const candidates = this.candidatesFor(live.text);
        if (candidates.length === 0) {
          const miss = explainMiss(SOLVE, live, this.script.builds.flatMap(({ solve }) => solve ?? []), new Set());
          this.reject(call, miss);
          this.slot(ref).fail(miss.text);
          return;
        }
        slot = this.slot(ref);
        slot.offer(candidates, (recorded) => {
          this.played.set(recorded, (this.played.get(recorded) ?? 0) + 1);
          const build = new LiveBuild(recorded, this.clock);
          const request = recorded.solve && requestOf(recorded.solve);
          if (request !== undefined) bindWhatMatched(build.bindings, { live, recorded: canonicalRequest(SOLVE, request, new Map()) });
          return build;
        });
        slot.whenReady((build) => {
          const { solve } = build.recorded;
          if (solve === undefined) return;
          build.matcher.use(solve);
          for (const event of solve.events) if (isAwaited(event)) build.mark(event.seq);
          player = this.play(call, solve, build, build.buildScope());
        });
      },
      halfClose: () => undefined,
      cancelled: () => player?.cancel(),
    };
  }

  private acceptStatus(call: Call): CallHandler {
    let player: Player | undefined;
    let gone = false;
    return {
      message: (payload) => {
        const slot = this.slot(statusRef(payload) ?? '');
        slot.whenReady((build) => {
          if (gone) return;
          const recorded = build.matcher.next(STATUS);
          if (recorded !== undefined) player = this.play(call, recorded, build, build.buildScope());
          else call.end(OK);
        }, (reason) => call.end(statusTrailers(Status.failedPrecondition, reason)));
      },
      halfClose: () => undefined,
      cancelled: () => {
        gone = true;
        player?.cancel();
      },
    };
  }

  private acceptBridgeCall(call: Call): CallHandler {
    const slot = this.slot(buildIdOf(call.headers) ?? '');
    const handler = new HeldCall();
    const begin = (build: LiveBuild): void => {
      build.bridgeCallOpened();
      handler.release(this.bridgeCall(call, build));
    };
    const refuse = (reason: string): void => {
      if (!handler.isCancelled) call.end(statusTrailers(Status.failedPrecondition, reason));
    };
    if (call.path === PING) slot.whenOffered((build) => handler.release(this.pingOf(call, build, slot)), refuse);
    else {
      handler.onFirstMessage = (payload) => slot.decide((recorded) => this.hasAnswer(recorded, call.path, payload));
      slot.whenReady(begin, refuse);
    }
    return handler;
  }

  private bridgeCall(call: Call, build: LiveBuild): CallHandler {
    const { clock, pace } = this;
    const missed = (miss: Pick<Miss, 'path' | 'text'>): void => {
      this.missed(miss);
      // A client that returns something else than recorded is at its end: so is the build.
      if (call.path === RETURN) build.fail(Status.failedPrecondition, miss.text);
    };
    if (call.path === EXEC_PROCESS) {
      return new ExecCall({ call, build, clock, pace, missed, done: () => build.bridgeCallClosed() });
    }
    let own: Player | undefined;
    return new MatchedCall({
      call,
      matcher: build.matcher,
      bindings: build.bindings,
      clock,
      pace,
      missed,
      matched: (_recorded, player) => {
        own = player;
        build.join(player);
      },
      happened: (seq) => {
        build.mark(seq);
        build.advance();
      },
      done: () => {
        if (own !== undefined) build.leave(own);
        build.bridgeCallClosed();
        if (call.path === RETURN) build.clientReturned();
      },
    });
  }

  /** Ping comes first and asks nothing that tells builds apart: it is answered before the build is decided. */
  private pingOf(call: Call, recorded: RecordedBuild, slot: BuildSlot): CallHandler {
    const { clock, pace } = this;
    const matcher = new Matcher(recorded.calls, () => 'repeat-last');
    return new MatchedCall({
      call,
      matcher,
      bindings: new Bindings(),
      clock,
      pace,
      missed: this.missed,
      done: () =>
        slot.whenReady((build) => {
          const ping = build.matcher.next(PING);
          for (const event of ping?.events ?? []) if (isAwaited(event)) build.mark(event.seq);
          build.advance();
        }),
    });
  }

  private acceptOther(call: Call): CallHandler {
    const { clock, pace, others, otherBindings } = this;
    if (others.of(call.path).length === 0) {
      if (call.path === TRACE_EXPORT) return answerWith(call, new Uint8Array());
      if (call.path === HEALTH_CHECK) return answerWith(call, SERVING);
    }
    if (call.path === TRACE_EXPORT) return answerWith(call, new Uint8Array());
    return new MatchedCall({ call, matcher: others, bindings: otherBindings, clock, pace, missed: this.missed });
  }

  private play(call: Call, recorded: RecordedCall, build: LiveBuild, scope: Scope): Player | undefined {
    if (build.failure !== undefined) {
      call.end(statusTrailers(Status.failedPrecondition, build.failure));
      return undefined;
    }
    const player: Player = new Player({
      call,
      recorded,
      scope,
      clock: this.clock,
      pace: this.pace,
      // Status speaks of vertices by the digests of this client's own ops. Other answers hold whole definitions,
      // whose digests and contents belong together: those are given back as they were.
      answers: recorded.path === STATUS ? new RecordedAnswers(recorded, build.bindings.toLive) : new RecordedAnswers(recorded),
      rewriteDetails: build.bindings.toLive,
      done: () => build.leave(player),
    });
    build.join(player);
    return player;
  }

  /** Recorded builds that a Solve like this began: those not yet played, else all of them again. */
  private candidatesFor(solve: string): readonly RecordedBuild[] {
    const alike = this.script.builds.filter((build) => this.solveKey(build) === solve);
    const fewest = Math.min(...alike.map((build) => this.played.get(build) ?? 0));
    return alike.filter((build) => (this.played.get(build) ?? 0) === fewest);
  }

  private readonly solveKeys = new Map<RecordedBuild, string | undefined>();

  private solveKey(build: RecordedBuild): string | undefined {
    if (!this.solveKeys.has(build)) {
      const request = build.solve && requestOf(build.solve);
      this.solveKeys.set(build, request && canonicalRequest(SOLVE, request, new Map()).text);
    }
    return this.solveKeys.get(build);
  }

  private hasAnswer(recorded: RecordedBuild, path: string, payload: Uint8Array): boolean {
    return !isMiss(new Matcher(recorded.calls, () => 'once').match(path, payload, new Bindings()));
  }

  private slot(ref: string): BuildSlot {
    const known = this.builds.get(ref);
    if (known !== undefined) return known;
    const slot = new BuildSlot(this.clock.now());
    this.builds.set(ref, slot);
    this.watch();
    return slot;
  }

  private reject(call: Call, miss: Pick<Miss, 'path' | 'text'>): void {
    this.missed(miss);
    call.end(statusTrailers(Status.failedPrecondition, miss.text));
  }

  /** Looks, as long as there are builds, whether one of them waits for what does not come. */
  private watch(): void {
    if (this.stall === 0n || this.stopWatching !== undefined) return;
    this.stopWatching = this.clock.at(this.clock.now() + this.stall / 4n, () => {
      this.stopWatching = undefined;
      const now = this.clock.now();
      let alive = false;
      for (const [ref, slot] of this.builds) {
        alive = slot.check(now, this.stall, (text) => this.missed({ path: SOLVE, text }), ref) || alive;
      }
      if (alive) this.watch();
    });
  }
}

/** The place of one live build id: what waits for the build, and the build once it is known. */
class BuildSlot {
  private candidates: readonly RecordedBuild[] = [];
  private begin: ((recorded: RecordedBuild) => LiveBuild) | undefined;
  private build: LiveBuild | undefined;
  private failure: string | undefined;
  private readonly forCandidate: Waiting<RecordedBuild>[] = [];
  private readonly forBuild: Waiting<LiveBuild>[] = [];

  constructor(private readonly since: bigint) {}

  /** Names the recorded builds that this one may be. A single one, or one with no bridge calls to tell it by, is taken at once. */
  offer(candidates: readonly RecordedBuild[], begin: (recorded: RecordedBuild) => LiveBuild): void {
    const [first] = candidates;
    if (this.build !== undefined || first === undefined) return;
    this.candidates = candidates;
    this.begin = begin;
    for (const { run } of this.forCandidate.splice(0)) run(first);
    if (candidates.length === 1 || !first.calls.some(tellsApart)) this.take(first);
    else for (const decide of this.undecided.splice(0)) decide();
  }

  private readonly undecided: (() => void)[] = [];

  /** The first request that can tell builds apart decides: the first candidate that has an answer to it. */
  decide(hasAnswer: (recorded: RecordedBuild) => boolean): void {
    if (this.build !== undefined || this.failure !== undefined) return;
    const [first] = this.candidates;
    if (first === undefined) this.undecided.push(() => this.decide(hasAnswer));
    else this.take(this.candidates.find(hasAnswer) ?? first);
  }

  whenOffered(run: (recorded: RecordedBuild) => void, refuse: (reason: string) => void): void {
    const first = this.build?.recorded ?? this.candidates[0];
    if (this.failure !== undefined) refuse(this.failure);
    else if (first !== undefined) run(first);
    else this.forCandidate.push({ run, refuse });
  }

  whenReady(run: (build: LiveBuild) => void, refuse: (reason: string) => void = (): void => undefined): void {
    if (this.failure !== undefined) refuse(this.failure);
    else if (this.build !== undefined) run(this.build);
    else this.forBuild.push({ run, refuse });
  }

  fail(reason: string): void {
    this.failure = reason;
    for (const { refuse } of this.forCandidate.splice(0)) refuse(reason);
    for (const { refuse } of this.forBuild.splice(0)) refuse(reason);
  }

  /** @returns whether this build can still stall */
  check(now: bigint, stall: bigint, missed: (text: string) => void, ref: string): boolean {
    if (this.failure !== undefined) return false;
    const { build } = this;
    const seconds = Number(stall / 1_000_000n) / 1000;
    if (build === undefined) {
      if (this.forCandidate.length + this.forBuild.length === 0) return true;
      if (now - this.since < stall) return true;
      const text = `bridgetape: for ${seconds} s the client waited with calls of the build ${ref} for which it sent no Control/Solve that the cassette knows`;
      missed(text);
      this.fail(text);
      return false;
    }
    const waiting = build.waiting();
    if (build.hasScheduled()) return true;
    for (const player of waiting) {
      const { state } = player;
      if (state.kind !== 'waiting') continue;
      const pause = player.recordedPause() * PATIENCE;
      if (now - build.lastActivity < (pause > stall ? pause : stall)) continue;
      const what = state.event === 'cancel' ? 'the client cancelling the call' : build.describe(state.event);
      const text = `bridgetape: the recording goes on with ${what}, and for ${seconds} s nothing came`;
      missed(text);
      player.fail(Status.failedPrecondition, text);
    }
    return true;
  }

  private take(recorded: RecordedBuild): void {
    if (this.begin === undefined) return;
    const build = this.begin(recorded);
    this.build = build;
    for (const { run } of this.forBuild.splice(0)) run(build);
  }
}

interface Waiting<T> {
  readonly run: (value: T) => void;
  readonly refuse: (reason: string) => void;
}

function tellsApart({ path }: RecordedCall): boolean {
  return path.startsWith(BRIDGE) && path !== PING;
}

/** Keeps what a client sends until it is known who takes it. */
class HeldCall implements CallHandler {
  onFirstMessage: ((payload: Uint8Array) => void) | undefined;
  isCancelled = false;
  private handler: CallHandler | undefined;
  private readonly held: ((handler: CallHandler) => void)[] = [];

  release(handler: CallHandler): void {
    this.handler = handler;
    for (const give of this.held.splice(0)) give(handler);
    if (this.isCancelled) handler.cancelled();
  }

  message(payload: Uint8Array): void {
    this.onFirstMessage?.(payload);
    this.onFirstMessage = undefined;
    this.give((handler) => handler.message(payload));
  }

  halfClose(): void {
    this.give((handler) => handler.halfClose());
  }

  cancelled(): void {
    this.isCancelled = true;
    this.handler?.cancelled();
  }

  private give(give: (handler: CallHandler) => void): void {
    if (this.handler === undefined) this.held.push(give);
    else give(this.handler);
  }
}

/** A method that the cassette need not hold: accepted, and answered the same each time. */
function answerWith(call: Call, payload: Uint8Array): CallHandler {
  let open = true;
  return {
    message: () => undefined,
    halfClose: () => {
      if (!open) return;
      open = false;
      call.sendHeaders([]);
      call.send(payload);
      call.end(OK);
    },
    cancelled: () => {
      open = false;
    },
  };
}
