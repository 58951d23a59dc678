/**
 * The replayer: takes live calls from a transport, finds the build that each belongs to, and has it played from
 * the cassette. It answers at once, with an error that explains itself, whatever the cassette cannot answer.
 */
import { buildIdOf, canonicalRequest, solveFacts, statusRef } from '../bridge/index.js';
import { Bindings } from './bindings.js';
import { BuildSlot } from './build-slot.js';
import type { Call, CallHandler } from './call.js';
import { NS_PER_MS, systemClock, type Clock } from './clock.js';
import { ExecCall } from './exec-call.js';
import { HeldCall } from './held-call.js';
import { LiveBuild } from './live-build.js';
import { MatchedCall } from './matched-call.js';
import { Matcher } from './matcher.js';
import { BRIDGE, EXEC_PROCESS, PING, RETURN, SESSION, SOLVE, STATUS } from './methods.js';
import { explainMiss } from './miss.js';
import { OpenCalls } from './open-calls.js';
import { Player, RecordedAnswers, type Stage, type Told } from './player.js';
import type { RecordedBuild } from './recorded-build.js';
import type { RecordedCall } from './recorded-call.js';
import { RequestIndex } from './request-index.js';
import type { Script } from './script.js';
import { serveSession } from './session-peer.js';
import { OK, Status, statusTrailers } from './status.js';
import { answerWith, defaultAnswer, TRACE_EXPORT } from './well-known.js';

export interface ReplayerOptions {
  /** 0: each answer at once (default); 1: as recorded; 2: twice as slow. */
  readonly pace?: number;
  /** After so long without anything from a client that the recording waits for, its calls fail: ms; 0 = never. */
  readonly stallMs?: number;
  /** Told of each request that the cassette could not answer as recorded. */
  readonly onMiss?: (miss: Told) => void;
  /** Told of a bug in bridgetape; the call that met it has failed with INTERNAL. */
  readonly onCrash?: (error: unknown, path: string) => void;
  readonly clock?: Clock;
}

/** Long enough for a client that computes, short enough that a test run does not sit there. */
export const DEFAULT_STALL_MS = 10_000;
/** How often it is looked whether something has stalled, in parts of that time. */
const LOOKS_PER_STALL = 4n;
/** A client can ask about a build a little after its end; those that ended before so many others are forgotten. */
const MAX_ENDED_BUILDS = 64;

export class Replayer {
  private readonly stage: Stage;
  private readonly stall: bigint;
  private readonly others: { readonly matcher: Matcher; readonly bindings: Bindings; readonly open: OpenCalls };
  /** How often each recorded build was played. */
  private readonly played = new Map<RecordedBuild, number>();
  /** By live build id: what is going on, and what has ended lately. */
  private readonly builds = new Map<string, BuildSlot>();
  private readonly ended = new Map<string, BuildSlot>();
  private stopWatching: (() => void) | undefined;
  private closed = false;

  constructor(
    private readonly script: Script,
    { pace = 0, stallMs = DEFAULT_STALL_MS, clock = systemClock, onMiss, onCrash }: ReplayerOptions = {},
  ) {
    const missed = onMiss ?? ((): void => undefined);
    this.stage = { clock, pace, missed, crashed: onCrash ?? ((): void => undefined) };
    this.stall = BigInt(Math.round(stallMs)) * NS_PER_MS;
    // Outside of builds, clients poll: workers, version, health.
    const matcher = new Matcher(new RequestIndex(script.others), () => 'repeat-last');
    this.others = { matcher, bindings: new Bindings(), open: new OpenCalls(this.stage) };
  }

  /** How many builds are remembered, going on or ended. */
  get remembered(): number {
    return this.builds.size + this.ended.size;
  }

  /** Takes a live call. What its client sends goes to the handler that comes back. */
  accept = (call: Call): CallHandler => {
    if (call.path === SESSION) return serveSession(call);
    if (call.path === SOLVE) return this.acceptSolve(call);
    if (call.path === STATUS) return this.acceptStatus(call);
    if (call.path.startsWith(BRIDGE)) return this.acceptBridgeCall(call);
    return this.acceptOther(call);
  };

  /** Stops every timer; nothing more is sent. */
  close(): void {
    this.closed = true;
    this.stopWatching?.();
    this.stopWatching = undefined;
    for (const slot of [...this.builds.values(), ...this.ended.values()]) slot.close();
    this.others.open.cancelAll();
  }

  private acceptSolve(call: Call): CallHandler {
    const { stage } = this;
    let slot: BuildSlot | undefined;
    let player: Player | undefined;
    let gone = false;
    return {
      message: (payload) => {
        if (slot !== undefined) return;
        const facts = solveFacts(payload);
        if (facts === undefined) {
          this.reject(call, { path: SOLVE, text: 'bridgetape: the client sent bytes that are no SolveRequest' });
          return;
        }
        const own = this.slot(facts.ref, { anew: true });
        slot = own;
        const live = canonicalRequest(SOLVE, payload, new Map());
        const alike = this.script.builds.filter(({ solveRequest }) => solveRequest?.text === live.text);
        if (alike.length === 0) {
          const miss = explainMiss(SOLVE, live, this.script.builds.flatMap(({ solve }) => solve ?? []), new Set());
          this.reject(call, miss);
          own.fail(miss.text);
          own.solveEnded();
          return;
        }
        own.offer({
          candidates: () => this.leastPlayed(alike),
          begin: (recorded) => {
            this.played.set(recorded, (this.played.get(recorded) ?? 0) + 1);
            const build = new LiveBuild(recorded, stage);
            if (recorded.solveRequest !== undefined) build.bindings.bindNames(live, recorded.solveRequest);
            return build;
          },
        });
        own.whenReady((build) => {
          const { solve } = build.recorded;
          if (gone || solve === undefined) return;
          build.matcher.use(solve);
          player = this.playInBuild(call, solve, build, () => own.solveEnded());
        });
      },
      halfClose: () => undefined,
      cancelled: () => {
        gone = true;
        if (player !== undefined) player.cancel();
        else slot?.solveEnded();
      },
      drained: () => player?.drained(),
    };
  }

  private acceptStatus(call: Call): CallHandler {
    let slot: BuildSlot | undefined;
    let player: Player | undefined;
    let ended = false;
    const closed = (): void => {
      ended = true;
      slot?.callClosed();
    };
    return {
      message: (payload) => {
        if (slot !== undefined) return;
        const own = this.slot(statusRef(payload) ?? '');
        slot = own;
        own.callOpened();
        own.whenReady(
          (build) => {
            if (ended) return;
            const recorded = build.matcher.takeNext(STATUS);
            if (recorded !== undefined) {
              player = this.playInBuild(call, recorded, build, closed);
              return;
            }
            call.end(OK);
            closed();
          },
          (reason) => {
            if (ended) return;
            call.end(statusTrailers(Status.failedPrecondition, reason));
            closed();
          },
        );
      },
      halfClose: () => undefined,
      cancelled: () => {
        if (player !== undefined) player.cancel();
        else if (!ended) closed();
      },
      drained: () => player?.drained(),
    };
  }

  private acceptBridgeCall(call: Call): CallHandler {
    const slot = this.slot(buildIdOf(call.headers) ?? '');
    slot.callOpened();
    const decide = (payload: Uint8Array): void => {
      if (call.path === PING) return;
      let text: string | undefined;
      slot.decide((recorded) => recorded.requests.holds(call.path, (text ??= canonicalRequest(call.path, payload, new Map()).text)));
    };
    const handler = new HeldCall(decide, () => slot.callClosed());
    const take = (begin: () => CallHandler): void => {
      if (!handler.isAbandoned) handler.release(begin());
    };
    const refuse = (reason: string): void => {
      if (handler.isAbandoned) return;
      call.end(statusTrailers(Status.failedPrecondition, reason));
      slot.callClosed();
    };
    if (call.path === PING) slot.whenOffered((build) => take(() => (build instanceof LiveBuild ? this.bridgeCall(call, build, slot) : this.earlyPing(call, build, slot))), refuse);
    else slot.whenReady((build) => take(() => this.bridgeCall(call, build, slot)), refuse);
    return handler;
  }

  private bridgeCall(call: Call, build: LiveBuild, slot: BuildSlot): CallHandler {
    const { stage } = this;
    build.bridgeCallOpened();
    const closed = (): void => {
      build.bridgeCallClosed();
      slot.callClosed();
    };
    if (call.path === EXEC_PROCESS) return new ExecCall({ call, build, stage, missed: stage.missed, done: closed });
    const isReturn = call.path === RETURN;
    return new MatchedCall({
      call,
      matcher: build.matcher,
      bindings: build.bindings,
      stage,
      missed: (miss) => {
        stage.missed(miss);
        // A client that returns something else than recorded is at its end: so is the build.
        if (isReturn) build.fail(Status.failedPrecondition, miss.text);
      },
      began: (player) => build.open.join(player),
      happened: (seq) => build.mark(seq),
      done: (player) => {
        if (player !== undefined) build.open.leave(player);
        if (isReturn) build.clientReturned();
        closed();
      },
    });
  }

  /** Ping comes first and asks nothing that tells builds apart: it is answered before the build is decided. */
  private earlyPing(call: Call, likely: RecordedBuild, slot: BuildSlot): CallHandler {
    const { stage } = this;
    return new MatchedCall({
      call,
      matcher: new Matcher(likely.requests, () => 'repeat-last'),
      bindings: new Bindings(),
      stage,
      missed: stage.missed,
      done: () => {
        slot.whenReady((build) => {
          const ping = build.matcher.takeNext(PING);
          if (ping !== undefined) build.markCall(ping);
        });
        slot.callClosed();
      },
    });
  }

  private acceptOther(call: Call): CallHandler {
    const { stage, others } = this;
    const usual = defaultAnswer(call.path);
    if (usual !== undefined && (call.path === TRACE_EXPORT || others.matcher.of(call.path).length === 0)) return answerWith(call, usual);
    return new MatchedCall({
      call,
      matcher: others.matcher,
      bindings: others.bindings,
      stage,
      missed: stage.missed,
      began: (player) => {
        others.open.join(player);
        this.watch();
      },
      happened: () => others.open.touch(),
      done: (player) => {
        if (player !== undefined) others.open.leave(player);
      },
    });
  }

  /** Plays a Control call that speaks of the whole build. */
  private playInBuild(call: Call, recorded: RecordedCall, build: LiveBuild, done: () => void): Player | undefined {
    if (build.failure !== undefined) {
      call.end(statusTrailers(Status.failedPrecondition, build.failure));
      done();
      return undefined;
    }
    const { bindings } = build;
    // Status speaks of vertices by the digests of this client's own ops. Other answers hold whole definitions, whose
    // digests and contents belong together: those are given back as they were.
    const answers = recorded.path === STATUS ? new RecordedAnswers(recorded, bindings.toLive) : new RecordedAnswers(recorded);
    const player: Player = new Player({
      call,
      recorded,
      answers,
      scope: build.buildScope(recorded),
      stage: this.stage,
      bindings,
      done: () => {
        build.leave(player);
        done();
      },
    });
    build.watch(player);
    return player;
  }

  /** Of recorded builds that begin alike, those not yet played, or played less often than the others. */
  private leastPlayed(alike: readonly RecordedBuild[]): readonly RecordedBuild[] {
    const times = (build: RecordedBuild): number => this.played.get(build) ?? 0;
    const fewest = Math.min(...alike.map(times));
    return alike.filter((build) => times(build) === fewest);
  }

  /** @param anew a build that has ended does not count: its id is used again */
  private slot(ref: string, { anew } = { anew: false }): BuildSlot {
    const known = this.builds.get(ref) ?? (anew ? undefined : this.ended.get(ref));
    if (known !== undefined) return known;
    const slot: BuildSlot = new BuildSlot(ref, this.stage.clock.now(), () => this.forget(slot));
    this.builds.set(ref, slot);
    this.ended.delete(ref);
    this.watch();
    return slot;
  }

  /** A build is over: it is kept for a while, for those who ask late. */
  private forget(slot: BuildSlot): void {
    if (this.builds.get(slot.ref) !== slot) return;
    this.builds.delete(slot.ref);
    this.ended.set(slot.ref, slot);
    if (this.ended.size <= MAX_ENDED_BUILDS) return;
    const oldest = this.ended.keys().next();
    if (oldest.done !== true) this.ended.delete(oldest.value);
  }

  private reject(call: Call, miss: Told): void {
    this.stage.missed(miss);
    call.end(statusTrailers(Status.failedPrecondition, miss.text));
  }

  /** Looks, as long as something is going on, whether it waits for what does not come. */
  private watch(): void {
    if (this.stall === 0n || this.stopWatching !== undefined || this.closed) return;
    const { clock } = this.stage;
    this.stopWatching = clock.at(clock.now() + this.stall / LOOKS_PER_STALL, () => {
      this.stopWatching = undefined;
      try {
        this.failStalled();
      } catch (error) {
        this.stage.crashed(error, SOLVE);
      }
      if (this.builds.size + this.others.open.size > 0) this.watch();
    });
  }

  private failStalled(): void {
    const now = this.stage.clock.now();
    for (const slot of [...this.builds.values()]) slot.check(now, this.stall, (text) => this.stage.missed({ path: SOLVE, text }));
    this.others.open.failStalled(this.stall, () => 'a message of the client');
  }
}
