/**
 * How much of a call's recorded answers has come again. Output of processes counts as bytes: a daemon cuts it into
 * other messages each time.
 */
import { parseExec } from '../bridge/index.js';
import type { HeaderEvent, HalfClose, MessageEvent, Reset } from '../cassette/index.js';

/** All that a cassette can hold of one call, but gaps. */
export type CallEvent = HeaderEvent | MessageEvent | HalfClose | Reset;

export class Progress {
  private readonly headers: readonly number[];
  private readonly messages: readonly MessageEvent[];
  private readonly streams = new Map<string, { readonly ends: { readonly seq: number; readonly end: number }[]; length: number }>();
  private received = 0;

  /** @param isExec whether the messages are ExecMessages */
  constructor(
    events: readonly CallEvent[],
    private readonly isExec: boolean,
  ) {
    this.headers = events.filter(({ kind }) => kind === 'server-header').map(({ seq }) => seq);
    this.messages = events.filter((event): event is MessageEvent => event.kind === 'server-message');
    if (!isExec) return;
    for (const { seq, data } of this.messages) {
      const place = data && placeOf(data);
      if (place === undefined) continue;
      const stream = this.streamOf(place.key);
      stream.ends.push({ seq, end: (stream.ends.at(-1)?.end ?? 0) + place.length });
    }
  }

  /** The recorded events that have come with the call's headers. */
  headersCame(): readonly number[] {
    return this.headers;
  }

  /**
   * The recorded messages that have come with this one.
   *
   * @param payload the live message, with the recorded ids in it
   */
  messageCame(payload: Uint8Array): readonly number[] {
    const message = this.messages[this.received];
    this.received += 1;
    const place = this.isExec ? placeOf(payload) : undefined;
    if (place === undefined) return message === undefined ? [] : [message.seq];
    const stream = this.streamOf(place.key);
    stream.length += place.length;
    return stream.ends.filter(({ end }) => end <= stream.length).map(({ seq }) => seq);
  }

  /** The recorded message that stands where the last one came. */
  recordedMessage(): Uint8Array | undefined {
    return this.messages[this.received - 1]?.data;
  }

  private streamOf(key: string): NonNullable<ReturnType<typeof this.streams.get>> {
    const known = this.streams.get(key);
    if (known !== undefined) return known;
    const stream = { ends: [], length: 0 };
    this.streams.set(key, stream);
    return stream;
  }
}

/** Where an ExecMessage belongs, and how far it takes that: output by its bytes, all else one by one. */
function placeOf(payload: Uint8Array): { readonly key: string; readonly length: number } | undefined {
  const message = parseExec(payload);
  if (message === undefined) return undefined;
  const { process, input } = message;
  if (input.kind !== 'file') return { key: `${process} ${input.kind}`, length: 1 };
  return input.eof ? { key: `${process} ${input.fd} eof`, length: 1 } : { key: `${process} ${input.fd}`, length: input.data.length };
}
