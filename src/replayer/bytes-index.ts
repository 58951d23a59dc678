/**
 * Recorded calls by the bytes of their requests. What it keeps of a hundred thousand short requests are numbers: as texts in a Map
 * they take five times as much (bench: many).
 */
import { randomInt } from 'node:crypto';
import { requestOf, type RecordedCall } from './recorded-call.js';

/** Of the 32-bit FNV hash. */
const FNV_PRIME = 0x01000193;

/** Places for each call: with half of them free, what is looked for stands close to where it would be. */
const PLACES = 2;

export class BytesIndex {
  /** Another one each time, so that no cassette can be made of requests whose hashes are equal. */
  private readonly basis = randomInt(2 ** 32);
  /** By the hash of a request, or the next one that was free: one more than the index of the first call that asked so; 0: free. */
  private readonly places: Uint32Array;
  /** Of the requests of those first calls, by the index of the call. */
  private readonly hashes: Int32Array;
  /** Where there are several that asked for the same: all of them, by the index of the first. */
  private readonly groups = new Map<number, RecordedCall[]>();

  /** @param calls those without a request are passed over */
  constructor(private readonly calls: readonly RecordedCall[]) {
    this.places = new Uint32Array(2 ** Math.ceil(Math.log2(calls.length * PLACES + 1)));
    this.hashes = new Int32Array(calls.length);
    for (const [index, call] of calls.entries()) {
      const request = requestOf(call);
      if (request !== undefined) this.add(call, index, request);
    }
  }

  /** The calls with a request of these bytes, in their order; where there are several it is one list each time. */
  get(request: Uint8Array): readonly RecordedCall[] | undefined {
    const first = this.firstAt(this.placeOf(request, this.hash(request)));
    const call = this.calls[first];
    return call && (this.groups.get(first) ?? [call]);
  }

  private add(call: RecordedCall, index: number, request: Uint8Array): void {
    const hash = this.hash(request);
    const place = this.placeOf(request, hash);
    const first = this.firstAt(place);
    const known = this.calls[first];
    if (known === undefined) {
      this.places[place] = index + 1;
      this.hashes[index] = hash;
      return;
    }
    const group = this.groups.get(first);
    if (group === undefined) this.groups.set(first, [known, call]);
    else group.push(call);
  }

  /** -1 where it is free. */
  private firstAt(place: number): number {
    return (this.places[place] ?? 0) - 1;
  }

  /** Where requests of these bytes stand, or would stand. */
  private placeOf(request: Uint8Array, hash: number): number {
    const last = this.places.length - 1;
    let place = hash & last;
    for (let first = this.firstAt(place); first >= 0 && !this.isRequest(first, request, hash); first = this.firstAt(place)) place = (place + 1) & last;
    return place;
  }

  private isRequest(index: number, request: Uint8Array, hash: number): boolean {
    if (this.hashes[index] !== hash) return false;
    const call = this.calls[index];
    const known = call && requestOf(call);
    return known !== undefined && Buffer.compare(known, request) === 0;
  }

  private hash(bytes: Uint8Array): number {
    let hash = this.basis;
    for (let at = 0; at < bytes.length; at += 1) hash = Math.imul(hash ^ (bytes[at] ?? 0), FNV_PRIME);
    // A place is its low bits, which the product moves nothing into.
    return hash ^ (hash >>> 16);
  }
}
