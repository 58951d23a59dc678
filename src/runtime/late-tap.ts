/** Takes what crosses before the tap that it is meant for is there, so that no traffic waits for a recorder. */
import type { ConnectionTap, Side } from '../proxy/index.js';

/** So much is kept before the traffic is paused: a frontend says some KiB in the time that a recorder takes to load. */
const MOST = 16 * 1024 * 1024;

export class LateTap implements ConnectionTap {
  #tap: ConnectionTap | undefined;
  #waiting: ((tap: ConnectionTap) => void)[] = [];
  #bytes = 0;
  #over = false;
  #settled: () => void = () => undefined;
  readonly #there = new Promise<void>((resolve) => {
    this.#settled = resolve;
  });

  /** @param tap gets everything, from the first byte on; undefined when there is none, and nothing is kept any more */
  settle(tap: ConnectionTap | undefined): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#tap = tap;
    this.#over = true;
    if (tap !== undefined) for (const tell of waiting) tell(tap);
    this.#settled();
  }

  bytes(side: Side, chunk: Uint8Array, time: bigint): boolean {
    if (this.#over) return this.#tap?.bytes(side, chunk, time) ?? true;
    this.#bytes += chunk.length;
    this.#waiting.push((tap) => tap.bytes(side, chunk, time));
    return this.#bytes < MOST;
  }

  async ready(): Promise<void> {
    await this.#there;
    await this.#tap?.ready();
  }

  end(side: Side, time: bigint): void {
    this.#tell((tap) => tap.end(side, time));
  }

  close(side: Side, time: bigint, error?: Error): void {
    this.#tell((tap) => tap.close(side, time, error));
  }

  #tell(tell: (tap: ConnectionTap) => void): void {
    if (this.#tap !== undefined) tell(this.#tap);
    else if (!this.#over) this.#waiting.push(tell);
  }
}
