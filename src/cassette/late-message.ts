/** A message whose payload is fetched each time that it is asked for, from where it lies among others. */
import type { MessageEvent, Nanoseconds } from './events.js';

export interface Payloads {
  /**
   * @param at where the message's payload is
   * @returns a view, not to be written to
   * @throws BridgetapeError `cassette-damaged`
   */
  payload(at: number, message: Omit<MessageEvent, 'data'>): Uint8Array;
}

export class LateMessage implements MessageEvent {
  readonly kind: MessageEvent['kind'];
  readonly seq: number;
  readonly time: Nanoseconds;
  readonly connection: number;
  readonly call: number;
  readonly compressed: boolean;
  readonly size: number;
  readonly #payloads: Payloads;
  readonly #at: number;

  constructor({ kind, seq, time, connection, call, compressed, size }: Omit<MessageEvent, 'data'>, payloads: Payloads, at: number) {
    this.kind = kind;
    this.seq = seq;
    this.time = time;
    this.connection = connection;
    this.call = call;
    this.compressed = compressed;
    this.size = size;
    this.#payloads = payloads;
    this.#at = at;
  }

  /**
   * A view, made anew: it takes more memory than a short payload does. Not to be written to.
   *
   * @throws BridgetapeError `cassette-damaged`
   */
  get data(): Uint8Array {
    return this.#payloads.payload(this.#at, this);
  }
}
