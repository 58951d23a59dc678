/** An event of a call where it lies in a cassette, for whoever takes them all one after another. */
import type { CallEvent, CassetteEvent, HeaderField, Nanoseconds, Side } from './events.js';
import type { Payloads } from './late-message.js';

/** True only until the next one comes. What its kind does not have is left over from others. */
export interface PassingEvent {
  readonly kind: CallEvent['kind'];
  readonly seq: number;
  /** As a number where that is exact. */
  readonly time: Nanoseconds | number;
  readonly connection: number;
  readonly call: number;
  readonly headers: readonly HeaderField[];
  readonly compressed: boolean;
  readonly size: number;
  /** A message's: a view, or where it is among those that are stored apart; undefined when it was left out. */
  readonly payload: Uint8Array | number | undefined;
  readonly side: Side;
  readonly code: number;
}

/** Told of all events of a cassette, in their order. */
export interface EventListener {
  /** @param payloads has what is stored apart, as long as the cassette is open */
  pass(event: PassingEvent, payloads: Payloads): void;
  /** Of an event that belongs to no call, or a gap. */
  add(event: CassetteEvent): void;
}
