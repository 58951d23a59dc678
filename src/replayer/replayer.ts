/**
 * The replayer: takes live calls from a transport, finds the build that each belongs to, and has it played from
 * the cassette. It answers at once, with an error that explains itself, whatever the cassette cannot answer.
 */
import { BRIDGE, buildIdOf, EXEC_PROCESS, RETURN, serviceOf, SESSION, sessionIdOf, SOLVE, STATUS } from '../bridge/index.js';
import { BridgetapeError } from '../errors.js';
import { Latest } from '../passing.js';
import { Status, statusTrailers } from '../wire/index.js';
import { Bindings } from './bindings.js';
import { BuildSlots } from './build-slots.js';
import type { Accept, Call, CallHandler } from './call.js';
import { NS_PER_MS, systemClock, type Clock } from './clock.js';
import { ExecCall } from './exec-call.js';
import { heedNothing, type LiveBuild } from './live-build.js';
import { MatchedCall } from './matched-call.js';
import { refuseAmbiguous } from './ambiguity.js';
import { Matcher } from './matcher.js';
import { firstOf, type Matching } from './matchers.js';
import { OpenCalls } from './open-calls.js';
import type { Role } from './part.js';
import type { Told } from './miss.js';
import type { PlacedFiles } from './placed-files.js';
import type { Stage } from './player.js';
import { Pacing, refuseTimes, type PacingOptions } from './pacing.js';
import type { Reannotation } from './reannotation.js';
import type { RecordedCall } from './recorded-call.js';
import { mustRecur } from './recurrence.js';
import { Repertoire } from './repertoire.js';
import { RequestIndex } from './request-index.js';
import type { Script } from './script.js';
import { serveSession } from './session-peer.js';
import { Sessions } from './sessions.js';
import { playSolve, SolveCall } from './solve-call.js';
import { StallWatch } from './stall-watch.js';
import { StatusCall } from './status-call.js';
import { answerWith, defaultAnswer, TRACE_EXPORT } from './well-known.js';

export interface ReplayerOptions extends PacingOptions {
  /** After so long without anything from a client that the recording waits for, its calls fail: ms; 0 = never. */
  readonly stallMs?: number;
  /** Files in place of recorded ones. */
  readonly files?: PlacedFiles;
  /** Told of each request that the cassette could not answer as recorded. */
  readonly onMiss?: (miss: Told) => void;
  /** Told of each request that was answered as recorded, though it is annotated in another way (source files, names of steps). */
  readonly onReannotation?: (difference: Reannotation) => void;
  /** Told of a bug in bridgetape; the call that met it has failed with INTERNAL. */
  readonly onCrash?: (error: unknown, path: string) => void;
  readonly clock?: Clock;
  /** When what is being handled came: monotonic ns. Left out: now. */
  readonly heard?: () => bigint;
  /** Whether clients are kept waiting on purpose: until then none of them counts as stalled. */
  readonly isHeld?: () => boolean;
}

/** One frontend that is served. Its calls name no build, and all belong to one. */
export interface Frontend {
  /** Takes its calls. */
  readonly accept: Accept;
  /** It has ended. */
  ended(): void;
  /** Recorded calls that it has not made; undefined as long as it has made none. */
  unasked(): readonly RecordedCall[] | undefined;
}

/** Long enough for a client that computes, short enough that a test run does not sit there. */
export const DEFAULT_STALL_MS = 10_000;

export class Replayer {
  private readonly scripts: readonly Script[];
  private readonly stage: Stage;
  private readonly repertoire: Repertoire;
  private readonly slots: BuildSlots;
  /** Calls outside of builds. */
  private readonly others: { readonly matcher: Matching; readonly bindings: Bindings; readonly open: OpenCalls };
  /** Those that the daemon is known to have, by full name. */
  private readonly services: ReadonlySet<string>;
  private readonly stalls: StallWatch;
  private readonly sessions: Sessions;
  /** A transport gives a list that comes again as the same object. */
  private readonly buildIds = new Latest(buildIdOf);

  /**
   * @param script of the cassette; of several, in the order in which they were named
   * @throws BridgetapeError `ambiguous-cassettes`, `bad-argument` for paces and times that are none
   */
  constructor(script: Script | readonly Script[], options: ReplayerOptions = {}) {
    const { files, stallMs = DEFAULT_STALL_MS, clock = systemClock, heard = () => clock.now(), isHeld = () => false, onMiss, onReannotation, onCrash } = options;
    const scripts = 'builds' in script ? [script] : script;
    refuseTimes({ ...options, stallMs });
    this.scripts = scripts;
    const missed = onMiss ?? ((): void => undefined);
    const stage: Stage = { clock, heard, pacing: new Pacing(options), files, missed, reannotated: onReannotation ?? ((): void => undefined), crashed: onCrash ?? ((): void => undefined) };
    this.stage = stage;
    this.sessions = new Sessions(clock);
    const builds = scripts.flatMap((one) => one.builds);
    if (scripts.length > 1) refuseAmbiguous(builds, (path) => (path === SOLVE ? playSolve : playBridgeCall));
    const [first] = scripts;
    if (first === undefined) throw new Error('no cassette is served');
    this.repertoire = new Repertoire(builds, first.rules, first.origin);
    this.stalls = new StallWatch(stage, BigInt(Math.ceil(stallMs)) * NS_PER_MS, (stall) => this.failStalled(stall), isHeld);
    this.slots = new BuildSlots(stage, this.repertoire, this.stalls.wake);
    this.services = new Set([BRIDGE, SOLVE, ...scripts.flatMap((one) => one.others.map(({ path }) => path))].map(serviceOf));
    // Outside of builds, clients poll: workers, version, health.
    const matcher = firstOf(scripts.map((one) => new Matcher(new RequestIndex(one.others, one.rules, one.origin), () => 'repeat-last')));
    this.others = { matcher, bindings: new Bindings(), open: new OpenCalls(stage) };
  }

  /** How many builds are remembered, going on or ended. */
  get remembered(): number {
    return this.slots.remembered;
  }

  /** Takes a live call. What its client sends goes to the handler that comes back. */
  readonly accept: Accept = (call) => {
    if (call.path === SESSION) return this.acceptSession(call);
    if (call.path === SOLVE) return new SolveCall(call, this.stage, this.slots, this.repertoire, this.sessions);
    if (call.path === STATUS) return new StatusCall(call, this.slots);
    if (call.path.startsWith(BRIDGE)) return this.acceptBridgeCall(call);
    return this.acceptOther(call);
  };

  /**
   * A frontend begins at the other end of a connection of its own, as buildkitd serves one on its stdin and stdout.
   *
   * @throws BridgetapeError `replay-miss` when the cassette holds no calls of a frontend
   */
  frontend(): Frontend {
    const builds = this.repertoire.ofFrontends;
    if (builds.length === 0) throw new BridgetapeError('replay-miss', 'The cassette holds no calls of a frontend.', 'Record one: of a container frontend through bridgetape runtime, of a client.Build one through bridgetape record.');
    const slot = this.slots.unnamed();
    slot.offer(builds);
    return {
      accept: (call) => (call.path.startsWith(BRIDGE) ? slot.join(call, playBridgeCall) : this.accept(call)),
      ended: () => slot.solveEnded(),
      unasked: () => slot.unasked,
    };
  }

  /** Recorded calls that no client has made so far, of those that a client that does the same again makes again. */
  get unasked(): readonly RecordedCall[] {
    const ofBuilds = this.scripts.flatMap(({ builds }) =>
      builds.flatMap((build) => {
        const isAsked = this.slots.askedOf(build);
        return build.calls.filter((call) => !isAsked(call));
      }),
    );
    const others = this.scripts.flatMap((script) => script.others.filter((call) => !this.others.matcher.isUsed(call)));
    return [...ofBuilds, ...others].filter(mustRecur);
  }

  /** Stops every timer; nothing more is sent. */
  close(): void {
    this.stalls.close();
    this.slots.close();
    this.others.open.cancelAll();
  }

  /**
   * A client opened a session; a build's end waits until it has settled.
   *
   * @returns to be called when both ends of it are up, and when it has ended
   */
  openSession(id: string): () => void {
    this.sessions.opened(id);
    return () => this.sessions.settled(id);
  }

  private acceptSession(call: Call): CallHandler {
    return serveSession(call, this.openSession(sessionIdOf(call.headers) ?? ''));
  }

  private acceptBridgeCall(call: Call): CallHandler {
    return this.slots.named(this.buildIds.of(call.headers) ?? '').join(call, playBridgeCall);
  }

  private acceptOther(call: Call): CallHandler {
    const { stage, others } = this;
    const usual = defaultAnswer(call.path);
    if (usual !== undefined && (call.path === TRACE_EXPORT || others.matcher.of(call.path).length === 0)) return answerWith(call, usual);
    if (!this.services.has(serviceOf(call.path))) return this.refuseService(call);
    return new MatchedCall({
      call,
      matcher: others.matcher,
      bindings: others.bindings,
      stage,
      missed: (miss) => {
        stage.missed(miss);
        return false;
      },
      began: (player) => {
        others.open.join(player);
        this.stalls.wake();
      },
      happened: () => others.open.touch(),
      done: (player) => {
        if (player !== undefined) others.open.leave(player);
      },
    });
  }

  /**
   * Clients try out what a daemon has (reflection, Health/Watch, containerd's content), and go without when it says
   * UNIMPLEMENTED. Whether this daemon had a service that nobody called while it was recorded cannot be known. UNIMPLEMENTED
   * is what such a client can live with; that it is a guess, the one that is made here, is told like a miss. A method
   * of a service that was called is no guess: the daemon has it, and what it would have answered is missing.
   */
  private refuseService(call: Call): CallHandler {
    const service = serviceOf(call.path);
    const text = `bridgetape: the cassette holds no call of the service ${service === '' ? call.path : service}, so whether the daemon has it is not known`;
    this.stage.missed({ path: call.path, text });
    call.end(statusTrailers(Status.unimplemented, text));
    return heedNothing;
  }

  /** @returns whether anything goes on */
  private failStalled(stall: bigint): boolean {
    this.slots.failStalled(stall);
    this.others.open.failStalled(stall);
    return this.slots.open + this.others.open.size > 0;
  }
}

function playBridgeCall(role: Role, build: LiveBuild): CallHandler {
  build.bridgeCallOpened();
  const closed = (): void => {
    build.bridgeCallClosed();
    role.done();
  };
  /** Returns whether the client is not to be told. */
  const missed = (miss: Told): boolean => {
    if (role.missed(miss)) return true;
    build.missed(miss);
    return false;
  };
  if (role.path === EXEC_PROCESS) return new ExecCall({ call: role, build, missed, done: closed });
  const isReturn = role.path === RETURN;
  return new MatchedCall({
    call: role,
    matcher: build.matcher,
    bindings: build.bindings,
    stage: build.stage,
    missed: (miss) => {
      if (missed(miss)) return true;
      // A client that returns something else than recorded is at its end: so is the build.
      if (isReturn) build.fail(Status.failedPrecondition, miss.text);
      return false;
    },
    consequenceOf: isReturn ? (payload): string | undefined => build.failedBy(payload) : undefined,
    began: (player) => build.open.join(player),
    happened: (seq) => build.mark(seq),
    done: (player) => {
      if (player !== undefined) build.open.leave(player);
      if (isReturn) build.clientReturned();
      closed();
    },
  });
}
