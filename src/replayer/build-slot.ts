/**
 * The place of one live build id: the calls of the build, and the recorded build that it is taken for. A Solve names
 * the recorded builds that it may be. When these begin alike, the first in turn is taken, and as long as others may be
 * the one, what the client did and was sent is kept: a request that the one taken cannot answer is tried with the
 * others, and the first that would have answered everything in the same way plays on in its place.
 */
import { BRIDGE, type Canonical, PING, RETURN, SOLVE, STATUS } from '../bridge/index.js';
import type { Call, CallHandler } from './call.js';
import { seconds } from './open-calls.js';
import { Part, type Deed, type PartOwner, type Perform } from './part.js';
import type { Told } from './miss.js';
import type { Stage } from './player.js';
import type { RecordedBuild } from './recorded-build.js';
import type { RecordedCall } from './recorded-call.js';
import { Rendition, type Entry } from './rendition.js';
import type { Repertoire } from './repertoire.js';

/** Builds that differ do so long before so much was said; after that a build is what it is taken for. */
const MAX_KEPT_BYTES = 16 * 1024 * 1024;
/** What it costs to keep anything at all. */
const BYTES_PER_ENTRY = 100;

const OPEN: Deed = { kind: 'open' };

export class BuildSlot implements PartOwner {
  private rendition: Rendition | undefined;
  private failure: string | undefined;
  private isOffered = false;
  /** The request that began the build. */
  private solve: Canonical | undefined;
  /** What the client did, until it is settled which build this is. */
  private history: Entry[] | undefined = [];
  private keptBytes = 0;
  /** Recorded builds that it may turn out to be. */
  private others: readonly RecordedBuild[] = [];
  /** Calls of Status that say nothing before the client has asked something that tells builds apart. */
  private readonly quiet = new Set<Part>();
  private hasAsked = false;
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
    private readonly repertoire: Repertoire,
    private readonly over: () => void,
  ) {
    this.since = stage.clock.now();
  }

  /**
   * A build begins.
   *
   * @param alike the recorded builds that it may be: at least one
   * @param solve the Solve that began it; left out for a frontend's, which begins with the frontend
   */
  offer(alike: readonly RecordedBuild[], solve?: Canonical): void {
    if (this.isOffered || this.failure !== undefined) return;
    this.isOffered = true;
    this.solve = solve;
    const [first, ...rest] = this.repertoire.inTurn(alike);
    if (first === undefined) return;
    if (rest.length > 0) this.others = [first, ...rest];
    if (!this.turnsOut()) {
      // There is only one, or what came before the Solve fits none: then a miss says so.
      const held = this.history ?? [];
      const rendition = this.rendered(first, false);
      this.take(rendition);
      this.settle();
      for (const { part, deed } of held) rendition.play(part, deed);
    }
    this.endQuiet();
  }

  /** A call of the build has come. */
  join(call: Call, perform: Perform): CallHandler {
    const part = new Part(call, perform, this);
    if (part.path !== SOLVE) this.calls += 1;
    if (this.failure === undefined) this.did(part, OPEN);
    else part.refuse(this.failure);
    return part;
  }

  /** There will be no build. */
  fail(reason: string): void {
    if (this.rendition !== undefined || this.failure !== undefined) return;
    this.failure = reason;
    for (const part of this.waiting) part.refuse(reason);
    this.settle();
  }

  /** Its Solve, or its frontend, has ended, one way or another. */
  solveEnded(): void {
    this.solved = true;
    this.hasAsked = true;
    this.endQuiet();
    this.endIfOver();
  }

  /** Fails whatever has waited longer than `stall` ns for something that does not come. */
  failStalled(stall: bigint): void {
    if (this.rendition !== undefined) {
      const { open, awaited } = this.rendition.build;
      if (!open.hasStalled(stall) || !this.goesOnAsAnother()) open.failStalled(stall, awaited);
      return;
    }
    if (this.waiting.size === 0 || this.stage.clock.now() - this.since < stall) return;
    const text = `bridgetape: for ${seconds(stall)} s the client waited with calls of the build ${this.ref} for which it sent no Control/Solve that the cassette knows`;
    this.stage.missed({ path: SOLVE, text });
    this.fail(text);
    this.solveEnded();
  }

  /** Recorded calls of the build that nobody has asked for; undefined before it is known which build it is. */
  get unasked(): readonly RecordedCall[] | undefined {
    return this.rendition?.build.unasked;
  }

  /** What it is taken for so far. */
  get recorded(): RecordedBuild | undefined {
    return this.rendition?.recorded;
  }

  /** Whether its client has made a call of the recorded build again. */
  isAsked(call: RecordedCall): boolean {
    return this.rendition?.build.matcher.isUsed(call) === true;
  }

  /** The recorded calls that its client has made again. */
  get asked(): readonly RecordedCall[] {
    return this.rendition?.build.asked ?? [];
  }

  /** The replay is over: nothing more is sent. */
  close(): void {
    this.rendition?.build.open.cancelAll();
  }

  // ---- what its parts tell

  did(part: Part, deed: Deed): void {
    if (part.isOver) return;
    const isPlayed = this.rendition !== undefined && !this.quiet.has(part);
    if (deed.kind === 'cancel' && !isPlayed) {
      this.history = this.history?.filter((entry) => entry.part !== part);
      part.close();
    } else if (part.path === STATUS && (deed.kind === 'open' ? this.isQuiet : this.quiet.has(part))) {
      // A Status has nothing to say but which build it is about.
      this.quiet.add(part);
    } else {
      this.perform(part, deed);
    }
  }

  keeps(bytes: number): boolean {
    if (this.history === undefined) return false;
    this.keptBytes += bytes + BYTES_PER_ENTRY;
    if (this.rendition === undefined || this.keptBytes <= MAX_KEPT_BYTES) return true;
    this.settle();
    return false;
  }

  missed(told: Told): boolean {
    if (this.turnsOut()) return true;
    // It is a miss in every one of them.
    this.settle();
    this.stage.missed(told);
    return false;
  }

  closed(part: Part): void {
    this.quiet.delete(part);
    this.rendition?.forget(part);
    if (part.path === SOLVE) {
      this.solveEnded();
      return;
    }
    this.calls -= 1;
    this.endIfOver();
  }

  private perform(part: Part, deed: Deed): void {
    if (this.keeps(deed.kind === 'message' ? deed.payload.length : 0)) this.history?.push({ part, deed, time: this.stage.heard() });
    const asks = deed.kind === 'message' && part.path.startsWith(BRIDGE) && part.path !== PING;
    const returns = asks && part.path === RETURN;
    if (!returns || !this.endsAsAnother()) this.rendition?.play(part, deed);
    if (!asks) return;
    this.hasAsked = true;
    this.endQuiet();
    if (returns && this.rendition !== undefined) {
      this.repertoire.ends(this.rendition.recorded);
      this.settle();
    }
  }

  /** The parts that wait for the build. */
  private get waiting(): ReadonlySet<Part> {
    const held = this.rendition === undefined ? this.history : undefined;
    return new Set([...(held ?? []).map(({ part }) => part), ...this.quiet]);
  }

  private get isQuiet(): boolean {
    return this.rendition === undefined || (this.others.length > 0 && !this.hasAsked);
  }

  private endQuiet(): void {
    if (this.isQuiet) return;
    for (const part of [...this.quiet]) {
      this.quiet.delete(part);
      this.perform(part, OPEN);
    }
  }

  private endIfOver(): void {
    if (this.calls > 0 || !(this.solved || !this.isOffered)) return;
    if (this.rendition !== undefined) this.settle();
    this.over();
  }

  // ---- which recorded build it is

  /** What the client did is not of the build that it was taken for: it is the first in turn of which it can be. */
  private turnsOut(): boolean {
    for (const other of this.repertoire.inTurn(this.others)) {
      const trial = this.tried(other);
      if (trial === undefined) continue;
      this.take(trial);
      return true;
    }
    return false;
  }

  /**
   * The client returns. Rather than a recorded build of which it left something out it is one of which it did all, and
   * rather than one that was returned from before, one that was not.
   */
  private endsAsAnother(): boolean {
    const { repertoire, rendition } = this;
    if (rendition === undefined) return false;
    const { recorded, build } = rendition;
    const isBetter = (other: RecordedBuild): boolean => !build.isWhole || repertoire.endings(other) < repertoire.endings(recorded);
    for (const other of repertoire.inTurnToEnd(this.others)) {
      const trial = isBetter(other) ? this.tried(other) : undefined;
      if (trial?.build.isWhole !== true) continue;
      this.take(trial);
      return true;
    }
    return false;
  }

  /** The client waits, and so does the recorded build: it is one that goes on by itself. */
  private goesOnAsAnother(): boolean {
    for (const other of this.repertoire.inTurn(this.others)) {
      const trial = this.tried(other);
      if (trial?.hasMore !== true) continue;
      // It can still be the one that it was taken for.
      if (this.rendition !== undefined) this.others = [...this.others, this.rendition.recorded];
      this.take(trial);
      return true;
    }
    return false;
  }

  /** The build played as that recorded one, if it can be that; if not, it never will be. */
  private tried(recorded: RecordedBuild): Rendition | undefined {
    const trial = this.rendered(recorded, true);
    if (trial.canBe(this.history ?? [])) return trial;
    trial.drop();
    this.others = this.others.filter((other) => other !== recorded);
    return undefined;
  }

  private rendered(recorded: RecordedBuild, isTrial: boolean): Rendition {
    const rendition = new Rendition(recorded, this.stage, isTrial);
    if (this.solve !== undefined && recorded.solveRequest !== undefined) rendition.build.bindings.bindNames(this.solve, recorded.solveRequest);
    return rendition;
  }

  private take(rendition: Rendition): void {
    const before = this.rendition;
    if (before !== undefined) {
      before.drop();
      this.repertoire.leaves(before.recorded);
    }
    this.repertoire.begins(rendition.recorded);
    this.rendition = rendition;
    this.others = this.others.filter((other) => other !== rendition.recorded);
    rendition.enter();
    if (this.others.length === 0) this.settle();
  }

  /** It is the build that it is taken for. */
  private settle(): void {
    for (const { part } of this.history ?? []) part.sent.length = 0;
    this.history = undefined;
    this.others = [];
  }
}
