/**
 * Recorded calls by the bytes of their requests. What it keeps of a hundred thousand short requests are numbers: as texts in a Map
 * they take five times as much (bench: many).
 */
import { randomInt } from 'node:crypto';
import { requestOf, type RecordedCall } from './recorded-call.js';

/** Of the 32-bit FNV hash. */
const FNV_PRIME = 0x01000193;

export class BytesIndex {
  /** Another one each time, so that no cassette can be made of requests whose hashes are equal. */
  private readonly basis = randomInt(2 ** 32);
  /** By the hash of a request, or the next number that was free: the index of the first call that asked so. */
  private readonly first = new Map<number, number>();
  /** Where there are several that asked for the same: all of them, by the index of the first. */
  private readonly groups = new Map<number, RecordedCall[]>();

  /** @param calls those without a request are passed over */
  constructor(private readonly calls: readonly RecordedCall[]) {
    for (const [index, call] of calls.entries()) {
      const request = requestOf(call);
      if (request !== undefined) this.add(call, index, request);
    }
  }

  /** The calls with a request of these bytes, in their order; where there are several it is one list each time. */
  get(request: Uint8Array): readonly RecordedCall[] | undefined {
    const index = this.first.get(this.placeOf(request));
    const call = index === undefined ? undefined : this.calls[index];
    return index === undefined || call === undefined ? undefined : (this.groups.get(index) ?? [call]);
  }

  private add(call: RecordedCall, index: number, request: Uint8Array): void {
    const place = this.placeOf(request);
    const first = this.first.get(place);
    const known = first === undefined ? undefined : this.calls[first];
    if (first === undefined || known === undefined) {
      this.first.set(place, index);
      return;
    }
    const group = this.groups.get(first);
    if (group === undefined) this.groups.set(first, [known, call]);
    else group.push(call);
  }

  /** Where requests of these bytes stand, or would stand. */
  private placeOf(request: Uint8Array): number {
    let place = this.hash(request);
    for (let index = this.first.get(place); index !== undefined && !this.isRequest(index, request); index = this.first.get(place)) place = (place + 1) | 0;
    return place;
  }

  private isRequest(index: number, request: Uint8Array): boolean {
    const call = this.calls[index];
    const known = call && requestOf(call);
    return known !== undefined && Buffer.compare(known, request) === 0;
  }

  private hash(bytes: Uint8Array): number {
    let hash = this.basis;
    for (let at = 0; at < bytes.length; at += 1) hash = Math.imul(hash ^ (bytes[at] ?? 0), FNV_PRIME);
    return hash;
  }
}
