/**
 * The place of one live build id: what waits for the build, and the build once it is known. A Solve names the
 * recorded builds that it may be; when these begin alike, the first request on the bridge that only some of them
 * can answer decides.
 */
import type { LiveBuild } from './live-build.js';
import { SOLVE } from './methods.js';
import { seconds } from './open-calls.js';
import type { Stage } from './player.js';
import type { RecordedBuild } from './recorded-build.js';

/** Something that waits to be told, or to be refused with a reason. */
interface Waiting<T> {
  readonly run: (value: T) => void;
  readonly refuse: (reason: string) => void;
}

export interface Offer {
  /** The recorded builds that may be the one, the best first; at least one. */
  readonly candidates: () => readonly RecordedBuild[];
  readonly begin: (recorded: RecordedBuild) => LiveBuild;
}

export class BuildSlot {
  private offered: Offer | undefined;
  private build: LiveBuild | undefined;
  private failure: string | undefined;
  private undecided: (() => void)[] = [];
  private readonly forOffer: Waiting<RecordedBuild | LiveBuild>[] = [];
  private readonly forBuild: Waiting<LiveBuild>[] = [];
  private calls = 0;
  private solved = false;

  /** When the first call named it: monotonic ns. */
  private readonly since: bigint;

  /**
   * @param ref the live id
   * @param over called when nothing goes on any more
   */
  constructor(
    readonly ref: string,
    private readonly stage: Stage,
    private readonly over: () => void,
  ) {
    this.since = stage.clock.now();
  }

  /** A Solve has come. A build that nothing can tell apart from the others is taken at once. */
  offer(offer: Offer): void {
    const [first, ...others] = offer.candidates();
    if (this.offered !== undefined || this.failure !== undefined || first === undefined) return;
    this.offered = offer;
    if (others.length === 0 || !first.canBeToldApart) this.take(first);
    for (const { run } of this.forOffer.splice(0)) run(this.build ?? first);
    const undecided = this.undecided;
    this.undecided = [];
    for (const decide of undecided) decide();
  }

  /** A request that can tell builds apart has come: the best candidate that has an answer to it is the one. */
  decide(hasAnswer: (recorded: RecordedBuild) => boolean): void {
    if (this.build !== undefined || this.failure !== undefined) return;
    const candidates = this.offered?.candidates();
    const chosen = candidates?.find(hasAnswer) ?? candidates?.[0];
    if (chosen === undefined) this.undecided.push(() => this.decide(hasAnswer));
    else this.take(chosen);
  }

  /** Runs when the build is known, or at least which ones it may be: then with one of them. */
  whenOffered(run: (recorded: RecordedBuild | LiveBuild) => void, refuse: (reason: string) => void): void {
    const first = this.build ?? this.offered?.candidates()[0];
    if (this.failure !== undefined) refuse(this.failure);
    else if (first !== undefined) run(first);
    else this.forOffer.push({ run, refuse });
  }

  whenReady(run: (build: LiveBuild) => void, refuse: (reason: string) => void = (): void => undefined): void {
    if (this.failure !== undefined) refuse(this.failure);
    else if (this.build !== undefined) run(this.build);
    else this.forBuild.push({ run, refuse });
  }

  /** There will be no build. */
  fail(reason: string): void {
    if (this.build !== undefined || this.failure !== undefined) return;
    this.failure = reason;
    this.undecided = [];
    for (const { refuse } of this.forOffer.splice(0)) refuse(reason);
    for (const { refuse } of this.forBuild.splice(0)) refuse(reason);
  }

  callOpened(): void {
    this.calls += 1;
  }

  callClosed(): void {
    this.calls -= 1;
    this.endIfOver();
  }

  /** Its Solve has ended, one way or another. */
  solveEnded(): void {
    this.solved = true;
    this.endIfOver();
  }

  /** Fails whatever has waited longer than `stall` ns for something that does not come. */
  failStalled(stall: bigint): void {
    if (this.build !== undefined) {
      this.build.open.failStalled(stall, this.build.describe);
      return;
    }
    const isWaiting = this.failure === undefined && this.forOffer.length + this.forBuild.length > 0;
    if (!isWaiting || this.stage.clock.now() - this.since < stall) return;
    const text = `bridgetape: for ${seconds(stall)} s the client waited with calls of the build ${this.ref} for which it sent no Control/Solve that the cassette knows`;
    this.stage.missed({ path: SOLVE, text });
    this.fail(text);
    this.solveEnded();
  }

  /** The replay is over: nothing more is sent. */
  close(): void {
    this.build?.open.cancelAll();
  }

  private take(recorded: RecordedBuild): void {
    if (this.offered === undefined) return;
    const build = this.offered.begin(recorded);
    this.build = build;
    for (const { run } of this.forBuild.splice(0)) run(build);
  }

  private endIfOver(): void {
    if (this.calls === 0 && (this.solved || this.offered === undefined)) this.over();
  }
}
