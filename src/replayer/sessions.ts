/**
 * The sessions that clients open, by id. A build can be over before both ends of its session are up; a client that is
 * told so at once cuts its session off in the middle of its first words, and older ones (buildctl v0.8) log that as an
 * error. So the end of a build waits until its session has settled.
 */
import type { Call } from './call.js';
import { NS_PER_MS, type Clock } from './clock.js';

/** For a client that opens a session and says nothing in it: ms. */
const PATIENCE_MS = 1000n;

export class Sessions {
  /** Sessions of which one end is up, and what waits for the other. */
  private readonly settling = new Map<string, Set<() => void>>();

  constructor(private readonly clock: Clock) {}

  opened(id: string): void {
    if (!this.settling.has(id)) this.settling.set(id, new Set());
  }

  /** Both ends of it are up, or it has ended. */
  settled(id: string): void {
    const waiting = this.settling.get(id);
    this.settling.delete(id);
    for (const run of waiting ?? []) run();
  }

  /** The same call, but its end waits for that session. */
  endingAfter(id: string, call: Call): Call {
    return {
      path: call.path,
      headers: call.headers,
      sendHeaders: (headers) => call.sendHeaders(headers),
      send: (payload, head) => call.send(payload, head),
      end: (trailers) => this.whenSettled(id, () => call.end(trailers)),
      reset: (code) => call.reset(code),
    };
  }

  private whenSettled(id: string, run: () => void): void {
    const waiting = this.settling.get(id);
    if (waiting === undefined) {
      run();
      return;
    }
    const once = (): void => {
      cancel();
      waiting.delete(once);
      run();
    };
    waiting.add(once);
    const cancel = this.clock.at(this.clock.now() + PATIENCE_MS * NS_PER_MS, once);
  }
}
