/** The content of an `evt` record → events. What is not as format v1 has it is `Malformed`. */
import { type DecodedEvent, EventCursor, type HeaderSource, viewedHeaders } from './event-cursor.js';
import { asCount, asInteger64, decodeLongList } from './msgpack.js';

export interface Batch {
  readonly firstSeq: number;
  readonly count: number;
  /** Decoded one by one, each time anew. Binary values are views of the content. May throw Malformed at any of them. */
  readonly events: Iterable<DecodedEvent>;
  /** Stands before the first event. */
  readonly cursor: (headers: HeaderSource) => EventCursor;
}

export function decodeBatch(content: Uint8Array): Batch {
  const { before, starts } = decodeLongList(content, 2);
  const firstSeq = asCount(before[0], 'sequence number');
  const base = asInteger64(before[1], 'base time');
  const cursor = (headers: HeaderSource): EventCursor => new EventCursor({ content, starts, firstSeq, base }, headers);
  return { firstSeq, count: starts.length - 1, events: { [Symbol.iterator]: () => eventsAt(cursor(viewedHeaders)) }, cursor };
}

function* eventsAt(cursor: EventCursor): Generator<DecodedEvent> {
  while (cursor.next()) yield cursor.event;
}
