/** Events that are larger than what a cassette keeps. */
import { type EncodableEvent, type NewEvent, roomFor, total } from './batch-encoder.js';
import { MAX_EVENT, MAX_HEADER_FIELDS, MAX_MESSAGE } from './bounds.js';

/** Why an event is larger than what a cassette keeps; undefined for one that is not. */
export const reasonNotKept = (event: NewEvent): string | undefined => tooLarge(event, roomFor(event));

/** @param room as {@link roomFor} has it */
export function tooLarge(event: NewEvent, room: number): string | undefined {
  if (event.kind === 'client-message' || event.kind === 'server-message') {
    const length = event.data === undefined ? 0 : total(event.data);
    return length > MAX_MESSAGE ? `a message body of ${length} bytes is longer than the ${MAX_MESSAGE} that a cassette keeps` : undefined;
  }
  if ('headers' in event && event.headers.length > MAX_HEADER_FIELDS) return `a header list of ${event.headers.length} fields is longer than the ${MAX_HEADER_FIELDS} that a cassette keeps`;
  return room > MAX_EVENT ? `a ${event.kind} event is larger than the ${MAX_EVENT} bytes that a cassette keeps` : undefined;
}

/** What is written for an event that can't be kept: all of it but the large part, and a gap that says so. */
export function standIn(event: NewEvent, reason: string): EncodableEvent[] {
  const { time, connection } = event;
  const side = 'side' in event && event.side !== undefined ? event.side : event.kind.startsWith('server') ? 'server' : 'client';
  const call = 'call' in event ? { call: event.call } : {};
  const isMessage = event.kind === 'client-message' || event.kind === 'server-message';
  const gap: EncodableEvent = { kind: 'gap', time, connection, ...call, side, offset: 0, bytes: isMessage ? event.size : 0, reason };
  return isMessage ? [{ ...event, data: undefined }, gap] : [gap];
}
