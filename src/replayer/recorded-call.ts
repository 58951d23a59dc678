/** One call of a cassette, as something to be played. */
import { headerText } from '../bridge/index.js';
import { HeldCall, Kinds, type CallEvent, type EventReader, type HalfClose, type HeaderEvent, type HeaderField, type MessageEvent, type Reset } from '../cassette/index.js';
import { ErrorCode, readTimeout } from '../wire/index.js';
import type { Origin } from './origin.js';

export type ServerEvent = (HeaderEvent & { readonly kind: 'server-header' | 'server-trailer' }) | (MessageEvent & { readonly kind: 'server-message' }) | Reset;
/** What something else may wait for: the client's messages and its half-close. */
export type AwaitedEvent = (MessageEvent & { readonly kind: 'client-message' }) | HalfClose;

export interface RecordedCall {
  readonly id: number;
  /** `/package.Service/Method` */
  readonly path: string;
  readonly headers: readonly HeaderField[];
  /** The cassette that holds it. */
  readonly origin?: Origin | undefined;
  /** In sequence order, from the client header on. Can be made anew each time: to be asked for once where it is walked. */
  readonly events: readonly CallEvent[];
}

const REQUESTS = new Kinds('client-message');
const AWAITED = new Kinds('client-message', 'client-half-close');
const ANSWERS = new Kinds('server-header', 'server-message', 'server-trailer', 'reset');

/** The first message of the client; undefined when none came or its body was left out. */
export function requestOf(call: RecordedCall): Uint8Array | undefined {
  if (call instanceof HeldCall) return call.reader(REQUESTS).next()?.data;
  for (const event of call.events) if (event.kind === 'client-message') return event.data;
  return undefined;
}

/** What something else may wait for on the call. */
export function awaitedIn(call: RecordedCall): Iterable<AwaitedEvent> {
  return call instanceof HeldCall ? call.only(AWAITED) : call.events.filter(isAwaited);
}

/** The same, one after the other. */
export function awaitedReader(call: RecordedCall): EventReader<AwaitedEvent> {
  return call instanceof HeldCall ? call.reader(AWAITED) : new ListReader(call.events.filter(isAwaited));
}

/** What the server said on the call, one after the other; a reset of the client's is among it. */
export function answerReader(call: RecordedCall): EventReader<CallEvent> {
  return call instanceof HeldCall ? call.reader(ANSWERS) : new ListReader(call.events);
}

class ListReader<E extends CallEvent> implements EventReader<E> {
  private read = 0;

  constructor(private readonly events: readonly E[]) {}

  next(): E | undefined {
    this.read += 1;
    return this.events[this.read - 1];
  }
}

/** The events of a call, each made when it is come to: of an ExecProcess there can be hundreds of thousands. */
export function eventsOf(call: RecordedCall): Iterable<CallEvent> {
  return call instanceof HeldCall ? call.walk() : call.events;
}

export function isServerEvent(event: CallEvent): event is ServerEvent {
  return event.kind === 'server-header' || event.kind === 'server-message' || event.kind === 'server-trailer' || (event.kind === 'reset' && event.side === 'server');
}

/** Neither the header, which nobody answers, nor a cancel, which comes whenever it comes. */
export function isAwaited(event: CallEvent): event is AwaitedEvent {
  return event.kind === 'client-message' || event.kind === 'client-half-close';
}

const RESETS = new Kinds('reset');

/** The client's reset, when it was the client that ended the call. */
export function cancelOf(call: RecordedCall): Reset | undefined {
  const resets = call instanceof HeldCall ? [...call.only(RESETS)] : call.events.filter((event) => event.kind === 'reset');
  return resets.findLast(({ side }) => side === 'client');
}

/**
 * The call as its client saw it. When a deadline passes, grpc-go's server resets the call at about the moment at which the
 * client gives up, and which of the two was seen is chance. To send that reset at once would be an error that the client
 * never saw; it is left to the client's own deadline.
 */
export function withoutDeadlineReset(call: RecordedCall): RecordedCall {
  const timeout = readTimeout(headerText(call.headers, 'grpc-timeout') ?? '');
  if (timeout === undefined) return call;
  const last = call instanceof HeldCall ? call.lastEvent : call.events.at(-1);
  if (last?.kind !== 'reset' || last.side !== 'server' || last.code !== ErrorCode.CANCEL) return call;
  const { events } = call;
  if (last.time - (events[0]?.time ?? last.time) < timeout) return call;
  return { ...call, events: [...events.slice(0, -1), { ...last, side: 'client' }] };
}
