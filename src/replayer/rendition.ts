/**
 * A live build played from one recorded build: in earnest; or on trial, from what its client did before, to see
 * whether it can be that one. On trial nothing is sent, and it is the time at which each thing was done.
 */
import { PassingMap, PassingSet } from '../passing.js';
import { LiveBuild } from './live-build.js';
import { deliver, Role, type Deed, type Part, type TrialFailure } from './part.js';
import type { CallHandler } from './call.js';
import type { Stage } from './player.js';
import type { Reannotation } from './reannotation.js';
import type { RecordedBuild } from './recorded-build.js';

/** A timer that may have been set on trial: then it runs from when that is over. */
interface Timer {
  readonly due: bigint;
  readonly run: () => void;
  stop: (() => void) | undefined;
}

/** Something that a client did, and when: monotonic ns. */
export interface Entry {
  readonly part: Part;
  readonly deed: Deed;
  readonly time: bigint;
}

export class Rendition {
  readonly build: LiveBuild;
  /** The calls that are being played. */
  private readonly cast = new PassingMap<Part, { readonly role: Role; readonly handler: CallHandler }>();
  private readonly timers = new PassingSet<Timer>();
  /** Of what is tried: monotonic ns. */
  private time: bigint | undefined;
  private failed: { readonly why: TrialFailure; readonly path: string } | undefined;
  /** Found on trial: told when that is over. */
  private readonly reannotations: Reannotation[] = [];

  constructor(
    readonly recorded: RecordedBuild,
    private readonly stage: Stage,
    private isTrial: boolean,
  ) {
    const { clock, heard, pacing, files } = stage;
    this.build = new LiveBuild(recorded, {
      pacing,
      files,
      clock: { now: () => this.time ?? clock.now(), at: (due, run) => this.at(due, run) },
      heard: () => this.time ?? heard(),
      missed: (told) => {
        if (this.isTrial) {
          this.fail('asked', told.path);
          return;
        }
        this.build.missed(told);
        stage.missed(told);
      },
      reannotated: (difference) => {
        if (this.isTrial) this.reannotations.push(difference);
        else stage.reannotated(difference);
      },
      crashed: (error, path) => {
        this.fail('asked', path);
        stage.crashed(error, path);
      },
    });
  }

  /** Plays what a client did. */
  play(part: Part, deed: Deed): void {
    if (deed.kind !== 'open') {
      deliver(deed, this.cast.get(part)?.handler);
      return;
    }
    const role = new Role(part, this.build.bindings, this.isTrial ? (why): void => this.fail(why, part.path) : undefined);
    const handler = part.perform(role, this.build);
    this.cast.set(part, { role, handler });
    if (!this.isTrial) part.playedBy(handler);
  }

  /** Plays all that was done so far, on trial. @returns whether the clients were sent nothing but what this has too */
  canBe(history: readonly Entry[]): boolean {
    for (const { part, deed, time } of history) {
      this.time = time;
      this.play(part, deed);
      if (this.failed !== undefined) return false;
    }
    this.time = undefined;
    return [...this.cast].every(([part, { role }]) => part.isCancelled || !role.isAhead);
  }

  /** On trial: why it is not the build, and on a call of which method that showed. */
  get failure(): Rendition['failed'] {
    return this.failed;
  }

  /** On trial: whether the clients would be sent more than they were. */
  get hasMore(): boolean {
    return this.timers.size > 0 || [...this.cast.values()].some(({ role }) => role.hasMore);
  }

  /** The trial is over, and this is the build. */
  enter(): void {
    this.isTrial = false;
    for (const timer of this.timers) timer.stop = this.stage.clock.at(timer.due, timer.run);
    this.timers.clear();
    for (const difference of this.reannotations) this.stage.reannotated(difference);
    // What its client waits for, it waits for from now on.
    this.build.open.touch();
    for (const [part, { role, handler }] of [...this.cast]) {
      role.enter(handler);
      if (part.isOver) this.forget(part);
    }
  }

  /** It has turned out to be another build: nothing more is sent. */
  drop(): void {
    for (const { role } of this.cast.values()) role.drop();
    this.build.open.cancelAll();
  }

  /** A part that is over is played no more. */
  forget(part: Part): void {
    this.cast.delete(part);
  }

  private fail(why: TrialFailure, path: string): void {
    this.failed ??= { why, path };
  }

  private at(due: bigint, run: () => void): () => void {
    if (!this.isTrial) return this.stage.clock.at(due, run);
    const timer: Timer = { due, run, stop: undefined };
    this.timers.add(timer);
    return () => {
      this.timers.delete(timer);
      timer.stop?.();
    };
  }
}
