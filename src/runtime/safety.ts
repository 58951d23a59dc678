/**
 * Keeps what records away from what must not fail: an error, thrown or unhandled, or a disk that hangs, is said once,
 * and the recording goes without.
 */
import type { ConnectionTap } from '../proxy/index.js';

export class Safety {
  #said = false;
  #broken = false;
  readonly #failed: Promise<void>;
  #fail: () => void = () => undefined;

  constructor() {
    this.#failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
    // What nobody has foreseen is the recorder's: the rest handles its errors where they happen.
    process.on('uncaughtException', this.#break);
    process.on('unhandledRejection', this.#break);
  }

  /** Says why nothing is recorded, or nothing more: the first reason only. */
  readonly say = (reason: unknown): void => {
    if (this.#said) return;
    this.#said = true;
    const text = (reason instanceof Error ? reason.message : String(reason)).replaceAll('\n', ' ');
    process.stderr.write(`bridgetape: the frontend runs on, but not all of it is recorded: ${text}\n`, () => undefined);
  };

  readonly #break = (reason: unknown): void => {
    this.#broken = true;
    this.say(reason);
    this.#fail();
  };

  /** Does the work, unless it fails or takes too long. @param ms how long it may take */
  async within<T>(ms: number, late: string, work: () => Promise<T>): Promise<T | undefined> {
    if (this.#broken) return undefined;
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(late)), ms);
    });
    try {
      return await Promise.race([work(), tooLate, this.#failed.then(() => undefined)]);
    } catch (error) {
      this.#break(error);
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  /** A tap that cannot fail: once anything has gone wrong it is told nothing more, and nothing waits for it. */
  guard(tap: ConnectionTap): ConnectionTap {
    const guarded = <T>(otherwise: T, work: () => T): T => {
      if (this.#broken) return otherwise;
      try {
        return work();
      } catch (error) {
        this.#break(error);
        return otherwise;
      }
    };
    return {
      bytes: (side, chunk, time) => guarded(true, () => tap.bytes(side, chunk, time)),
      ready: () => Promise.race([guarded(Promise.resolve(), () => tap.ready()), this.#failed]).catch(this.#break),
      end: (side, time) => guarded(undefined, () => tap.end(side, time)),
      close: (side, time, error) => guarded(undefined, () => tap.close(side, time, error)),
    };
  }
}
