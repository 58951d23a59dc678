/** The streams of a connection on the serving side: those that are open, and how the last of the others ended (RFC 9113 §5.1). */

import { PassingMap } from '../passing.js';
import type { ServerStream } from './server-stream.js';

/** How a stream that is over came to its end. */
export type Ending = 'ended' | 'reset-by-client' | 'reset-by-server';

export class ServerStreams {
  /** The highest id that the client has opened. */
  highest = 0;
  private readonly open = new PassingMap<number, ServerStream>();
  private readonly endings = new PassingMap<number, Ending>();

  /** @param remembered of so many that are over is known how they ended */
  constructor(private readonly remembered: number) {}

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
    this.endings.set(id, ending);
    if (this.endings.size <= this.remembered) return;
    const { oldest } = this.endings;
    if (oldest !== undefined) this.endings.delete(oldest);
  }

  /** Undefined for one that never was, or is over so long that it is forgotten. */
  ending(id: number): Ending | undefined {
    return this.endings.get(id);
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
