/** Everything that can be checked in a file of format v1: a walk over all records, compared with the index. */
import { isDeepStrictEqual } from 'node:util';
import type { Source } from '../disk.js';
import type { Gap, Nanoseconds } from '../events.js';
import type { CallEntry } from '../summary.js';
import { type DecodedEvent, isMessage } from './event-cursor.js';
import { MAX_LISTED } from './bounds.js';
import { type CassetteState, type Inspector, type Layout, scan, type ScannedLayout, type Tail } from './layout.js';
import { Malformed } from './msgpack.js';
import { countOf, digestOf, DIGEST_LENGTH, lengthAt, payloadAt, type PayloadBlock } from './payload-block.js';
import type { ReaderV1 } from './reader.js';
import { type Damage, findEnd } from './records.js';

export interface Inspection {
  readonly state: CassetteState;
  /** Closed and packed: it has an index. */
  readonly packed: boolean;
  /** Events, calls and connections that can be read. */
  readonly events: number;
  readonly calls: number;
  readonly connections: number;
  /** Time of the last event that can be read. */
  readonly duration: Nanoseconds;
  /** What an interrupted file holds behind its last whole record. */
  readonly tail: Tail | undefined;
  readonly damages: readonly Damage[];
  /** Messages whose bodies are not in the file, and their bytes. */
  readonly leftOut: { readonly messages: number; readonly bytes: number };
  /** What the recorder itself could not write (the disk failed): as many as the file says, the first 1,000. */
  readonly losses: readonly Gap[];
  /** Gaps on connections and calls: bytes that crossed and could not be read. */
  readonly gaps: number;
}

export function inspect(reader: ReaderV1, source: Source): Inspection {
  const findings = new Findings();
  const end = findEnd(source);
  const walked = scan(source, end !== undefined, findings);
  const listed = reader.calls;
  const damages: Damage[] = walked.damages.map((damage) => (reader.layout.indexed && damage.kind !== 'unknown' ? { ...damage, calls: reader.callsAt(damage.offset) } : damage));
  const add = (damage: Damage): void => {
    if (!damages.some(({ offset, kind }) => offset === damage.offset && kind === damage.kind)) damages.push(damage);
  };
  reader.damages.forEach(add);
  if (findings.dangling.length > 0) {
    add({ offset: 0, bytes: 0, kind: 'payloads', reason: `${findings.danglingCount} messages refer to payloads that cannot be read`, calls: [...new Set(findings.dangling)] });
  }
  const disagreement = walked.damages.length === 0 ? disagreementWithIndex(reader.layout, listed, walked) : undefined;
  if (disagreement !== undefined && end !== undefined) {
    add({ offset: end.end.indexOffset, bytes: end.offset - end.end.indexOffset, kind: 'index', reason: `the index does not fit the events: ${disagreement}`, calls: [] });
  }
  return {
    state: damages.length > 0 ? 'damaged' : walked.state,
    packed: reader.layout.indexed,
    events: walked.eventCount,
    calls: walked.callCount,
    connections: walked.index.connections.length,
    duration: walked.duration,
    tail: walked.tail,
    damages,
    leftOut: { messages: findings.leftOutMessages, bytes: findings.leftOutBytes },
    losses: findings.losses,
    gaps: findings.gaps,
  };
}

function disagreementWithIndex(index: Layout, listed: readonly CallEntry[], walked: ScannedLayout): string | undefined {
  if (!index.indexed) return undefined;
  if (!isDeepStrictEqual(index.index.eventBlocks, walked.index.eventBlocks)) return 'the places of the event blocks';
  if (!isDeepStrictEqual(index.index.payloadBlocks, walked.index.payloadBlocks)) return 'the places of the payload blocks';
  if (!isDeepStrictEqual(index.index.connections, walked.index.connections)) return 'the connections';
  if (!isDeepStrictEqual(listed, walked.calls())) return 'the calls';
  if (index.eventCount !== walked.eventCount || index.callCount !== walked.callCount || index.payloadCount !== walked.payloadCount || index.duration !== walked.duration) return 'the totals';
  return undefined;
}

const NOTHING = new Uint8Array();

class Findings implements Inspector {
  leftOutMessages = 0;
  leftOutBytes = 0;
  gaps = 0;
  readonly losses: Gap[] = [];
  /** Calls with messages whose payloads can't be read. */
  readonly dangling: number[] = [];
  danglingCount = 0;
  /** The payload blocks that were met, without their payloads, by their first payload's number. */
  readonly #blocks = new Map<number, PayloadBlock>();
  readonly #firsts: number[] = [];

  events(events: readonly DecodedEvent[]): void {
    for (const event of events) {
      if (event.kind === 'gap') {
        if (event.connection !== 0) this.gaps++;
        else if (this.losses.length < MAX_LISTED) this.losses.push(event);
      } else if (isMessage(event)) {
        if ('stored' in event) {
          if (this.#lengthOf(event.stored) === event.size) continue;
          this.danglingCount++;
          if (this.dangling.length < MAX_LISTED) this.dangling.push(event.call);
        } else if (event.data === undefined) {
          this.leftOutMessages++;
          this.leftOutBytes += event.size;
        }
      }
    }
  }

  payloads(block: PayloadBlock): void {
    for (let i = 0; i < countOf(block); i++) {
      const digest = digestOf(payloadAt(block, i));
      if (!digest.equals(block.digests.subarray(i * DIGEST_LENGTH, (i + 1) * DIGEST_LENGTH))) throw new Malformed(`the digest of payload ${block.first + i} is wrong`);
    }
    this.#blocks.set(block.first, { ...block, digests: NOTHING, bytes: NOTHING });
    this.#firsts.push(block.first);
  }

  #lengthOf(payload: number): number | undefined {
    let low = 0;
    let high = this.#firsts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#firsts[middle] ?? 0) <= payload) low = middle + 1;
      else high = middle;
    }
    const first = this.#firsts[low - 1];
    const block = first === undefined ? undefined : this.#blocks.get(first);
    return block && lengthAt(block, payload - block.first);
  }
}
