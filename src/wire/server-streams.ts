/** The streams of a connection on the serving side: those that are open, and how the last of the others ended (RFC 9113 §5.1). */

import { PassingMap } from '../passing.js';
import type { ServerStream } from './server-stream.js';

const ENDINGS = ['ended', 'reset-by-client', 'reset-by-server'] as const;

/** How a stream that is over came to its end. */
export type Ending = (typeof ENDINGS)[number];

export class ServerStreams {
  /** The highest id that the client has opened. */
  highest = 0;
  private readonly open = new PassingMap<number, ServerStream>();
  /** Of those that are over, by place: the ids, and which of the {@link ENDINGS} each had. A later one takes the place of an earlier one. */
  private readonly over: { readonly ids: Uint32Array; readonly endings: Uint8Array };

  /** @param remembered of so many that are over is known how they ended, as ids follow each other */
  constructor(remembered: number) {
    this.over = { ids: new Uint32Array(remembered), endings: new Uint8Array(remembered) };
  }

  /** Of those that are open. */
  get size(): number {
    return this.open.size;
  }

  get(id: number): ServerStream | undefined {
    return this.open.get(id);
  }

  values(): Iterable<ServerStream> {
    return this.open.values();
  }

  add(stream: ServerStream): void {
    this.open.set(stream.id, stream);
  }

  /** The stream is over: all that is kept of it is how. */
  end(id: number, ending: Ending): void {
    this.open.delete(id);
    const { ids, endings } = this.over;
    const place = this.placeOf(id);
    ids[place] = id;
    endings[place] = ENDINGS.indexOf(ending);
  }

  /** The ids of a client are odd. */
  private placeOf(id: number): number {
    return (id >>> 1) % this.over.ids.length;
  }

  /** Undefined for one that never was, or is over so long that it is forgotten. */
  ending(id: number): Ending | undefined {
    const { ids, endings } = this.over;
    const place = this.placeOf(id);
    return ids[place] === id ? ENDINGS[endings[place] ?? 0] : undefined;
  }

  /** Whether nobody has opened that stream yet. */
  isIdle(id: number): boolean {
    return id === 0 || id % 2 === 0 || id > this.highest;
  }

  /** @returns those that were open */
  takeAll(): readonly ServerStream[] {
    const streams = [...this.open.values()];
    this.open.clear();
    return streams;
  }
}
