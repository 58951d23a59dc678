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
  /** The slot to which a call came last. It stays when it empties: of calls one after the other most have the same. */
  private latest: { readonly slot: Slot; readonly calls: PassingSet<Expiring> } | undefined;
  private armed = Infinity;
  private stopTimer: (() => void) | undefined;

  constructor(private readonly clock: Clock) {}

  /** @param due monotonic ns */
  add(call: Expiring, due: bigint): Slot {
    const slot = Math.ceil(Number(due) / GRAIN_NS);
    this.callsOf(slot).add(call);
    return slot;
  }

  remove(call: Expiring, slot: Slot): void {
    const calls = this.slots.get(slot);
    if (calls?.delete(call) === true && calls.size === 0 && slot !== this.latest?.slot) this.slots.delete(slot);
  }

  private callsOf(slot: Slot): PassingSet<Expiring> {
    const { latest } = this;
    if (latest?.slot === slot) return latest.calls;
    if (latest?.calls.size === 0) this.slots.delete(latest.slot);
    let calls = this.slots.get(slot);
    if (calls === undefined) {
      calls = new PassingSet();
      this.slots.set(slot, calls);
      if (slot < this.armed) this.arm(slot);
    }
    this.latest = { slot, calls };
    return calls;
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
      if (slot === this.latest?.slot) this.latest = undefined;
      past.push(...calls);
    }
    if (next < Infinity) this.arm(next);
    for (const call of past) call.expire();
  }
}
