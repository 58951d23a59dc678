/**
 * The deadlines of open calls, in slots of a grain of time, with one timer for the earliest slot: nearly every call ends
 * long before its deadline, and a timer of its own costs a short one a tenth of its time (bench: sequential unary).
 */
import { PassingMap, PassingSet } from '../passing.js';
import { type Clock, NS_PER_MS } from './clock.js';

export interface Expiring {
  /** Its deadline has passed. */
  expire(): void;
}

/** How much later than asked a deadline can pass. */
const GRAIN_NS = Number(50n * NS_PER_MS);

/** Where a deadline stands, to take it back. */
export type Slot = number;

export class Deadlines {
  private readonly slots = new PassingMap<Slot, PassingSet<Expiring>>();
  /** The set of a slot that has emptied, to be used again: calls one after the other need only one. */
  private spare: PassingSet<Expiring> | undefined;
  private armed = Infinity;
  private stopTimer: (() => void) | undefined;

  constructor(private readonly clock: Clock) {}

  /** @param due monotonic ns */
  add(call: Expiring, due: bigint): Slot {
    const slot = Math.ceil(Number(due) / GRAIN_NS);
    let calls = this.slots.get(slot);
    if (calls === undefined) {
      calls = this.spare ?? new PassingSet();
      this.spare = undefined;
      this.slots.set(slot, calls);
      if (slot < this.armed) this.arm(slot);
    }
    calls.add(call);
    return slot;
  }

  remove(call: Expiring, slot: Slot): void {
    const calls = this.slots.get(slot);
    if (calls?.delete(call) !== true || calls.size > 0) return;
    this.slots.delete(slot);
    this.spare = calls;
  }

  close(): void {
    this.stopTimer?.();
    this.slots.clear();
  }

  /** The timer stays when its slot empties: there will be another call. */
  private arm(slot: Slot): void {
    this.stopTimer?.();
    this.armed = slot;
    this.stopTimer = this.clock.at(BigInt(slot * GRAIN_NS), () => this.pass());
  }

  private pass(): void {
    const { armed } = this;
    this.armed = Infinity;
    this.stopTimer = undefined;
    const past: Expiring[] = [];
    let next = Infinity;
    for (const [slot, calls] of this.slots) {
      if (slot > armed) {
        next = Math.min(next, slot);
        continue;
      }
      this.slots.delete(slot);
      past.push(...calls);
    }
    if (next < Infinity) this.arm(next);
    for (const call of past) call.expire();
  }
}
