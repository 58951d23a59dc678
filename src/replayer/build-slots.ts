/** The builds of the clients, by their ids: those that go on, and those that have ended lately. */
import { BuildSlot } from './build-slot.js';
import type { Stage } from './player.js';
import type { RecordedBuild } from './recorded-build.js';
import type { RecordedCall } from './recorded-call.js';
import type { Repertoire } from './repertoire.js';

/** A client can ask about a build a little after its end; those that ended before so many others are forgotten. */
const MAX_ENDED = 64;

export class BuildSlots {
  private readonly going = new Map<string, BuildSlot>();
  private readonly ended = new Map<string, BuildSlot>();
  private frontends = 0;
  /** Recorded calls that were made again in builds that are remembered no more. */
  private readonly askedBefore = new Set<RecordedCall>();

  /** @param opened told of each build that begins to go on */
  constructor(
    private readonly stage: Stage,
    private readonly repertoire: Repertoire,
    private readonly opened: () => void,
  ) {}

  /** How many builds go on. */
  get open(): number {
    return this.going.size;
  }

  /** How many are remembered, going on or ended. */
  get remembered(): number {
    return this.going.size + this.ended.size;
  }

  /** A build of which no call says the id: a frontend's. */
  unnamed(): BuildSlot {
    this.frontends += 1;
    return this.make(`of frontend ${this.frontends}`);
  }

  /** Whether a client has made a call again, to be asked of calls of one recorded build. */
  askedOf(recorded: RecordedBuild): (call: RecordedCall) => boolean {
    const slots = [...this.going.values(), ...this.ended.values()].filter((slot) => slot.recorded === recorded);
    return (call) => this.askedBefore.has(call) || slots.some((slot) => slot.isAsked(call));
  }

  /** The build of that id, whatever has become of it. */
  named(ref: string): BuildSlot {
    return this.going.get(ref) ?? this.ended.get(ref) ?? this.make(ref);
  }

  /** The build of that id that goes on; one that has ended does not count, and its id is used again. */
  begun(ref: string): BuildSlot {
    return this.going.get(ref) ?? this.make(ref);
  }

  /** Fails whatever waits for something that does not come. */
  failStalled(stall: bigint): void {
    for (const slot of [...this.going.values()]) slot.failStalled(stall);
  }

  /** Nothing more is sent. */
  close(): void {
    for (const slot of [...this.going.values(), ...this.ended.values()]) slot.close();
  }

  private make(ref: string): BuildSlot {
    const slot: BuildSlot = new BuildSlot(ref, this.stage, this.repertoire, () => this.end(slot));
    this.going.set(ref, slot);
    this.forget(ref);
    this.opened();
    return slot;
  }

  /** It is kept for a while, for those who ask late. */
  private end(slot: BuildSlot): void {
    if (this.going.get(slot.ref) !== slot) return;
    this.going.delete(slot.ref);
    this.ended.set(slot.ref, slot);
    const oldest = this.ended.keys().next();
    if (this.ended.size > MAX_ENDED && oldest.done !== true) this.forget(oldest.value);
  }

  private forget(ref: string): void {
    for (const call of this.ended.get(ref)?.asked ?? []) this.askedBefore.add(call);
    this.ended.delete(ref);
  }
}
