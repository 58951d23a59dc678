/**
 * A recorded call without compression. Whether a message crosses compressed is between two transports: what is compared
 * and given back is what it says.
 */
import { headerText } from '../bridge/index.js';
import { HeldCall, type CallEvent, type HeaderField, type MessageEvent } from '../cassette/index.js';
import { BridgetapeError } from '../errors.js';
import { BadCompression, DEFAULT_LIMITS, decompressor } from '../wire/index.js';
import type { RecordedCall } from './recorded-call.js';

export function withPlainMessages(call: RecordedCall): RecordedCall {
  if (call instanceof HeldCall && !call.hasCompressed) return call;
  const recorded = call.events;
  if (!recorded.some((event) => isMessage(event) && event.compressed)) return call;
  const fromClient = encodingIn(call.headers);
  let fromServer = '';
  const events = recorded.map((event): CallEvent => {
    if (event.kind === 'server-header') {
      fromServer = encodingIn(event.headers);
      return { ...event, headers: event.headers.filter(({ name }) => name !== ENCODING) };
    }
    if (!isMessage(event) || !event.compressed) return event;
    return event.kind === 'client-message' ? plainRequest(event, fromClient) : new PlainAnswer(event, fromServer);
  });
  return { ...call, events };
}

const ENCODING = 'grpc-encoding';

const encodingIn = (headers: readonly HeaderField[]): string => headerText(headers, ENCODING) ?? 'identity';

const isMessage = (event: CallEvent): event is MessageEvent => event.kind === 'client-message' || event.kind === 'server-message';

/** A request that can't be decompressed stays as it is, and is equal to none. */
function plainRequest(event: MessageEvent, encoding: string): MessageEvent {
  try {
    return { ...event, compressed: false, data: decompressed(event, encoding) };
  } catch (error) {
    if (error instanceof BridgetapeError) return event;
    throw error;
  }
}

/** Decompressed when it is sent: until then it may lie in the cassette's file. */
class PlainAnswer implements MessageEvent {
  readonly kind: MessageEvent['kind'];
  readonly seq: number;
  readonly time: bigint;
  readonly connection: number;
  readonly call: number;
  readonly size: number;
  readonly compressed = false;
  readonly #event: MessageEvent;
  readonly #encoding: string;

  constructor(event: MessageEvent, encoding: string) {
    ({ kind: this.kind, seq: this.seq, time: this.time, connection: this.connection, call: this.call, size: this.size } = event);
    this.#event = event;
    this.#encoding = encoding;
  }

  /** @throws BridgetapeError `cassette-damaged` */
  get data(): Uint8Array | undefined {
    return decompressed(this.#event, this.#encoding);
  }
}

/** @throws BridgetapeError `cassette-damaged` */
function decompressed({ data, kind, size }: MessageEvent, encoding: string): Uint8Array | undefined {
  if (data === undefined) return undefined;
  const unreadable = (why: string, options?: ErrorOptions): BridgetapeError =>
    new BridgetapeError('cassette-damaged', `a recorded ${kind} of ${size} bytes is compressed with ${encoding}, and ${why}.`, 'Record again, without compression.', options);
  const decompress = decompressor(encoding);
  if (decompress === undefined) throw unreadable('that cannot be read here');
  try {
    return decompress(data, DEFAULT_LIMITS.messageBytes);
  } catch (error) {
    if (error instanceof BadCompression) throw unreadable(`cannot be decompressed: ${error.message}`, { cause: error });
    throw error;
  }
}
