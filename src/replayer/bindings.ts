/**
 * The ids that a client makes up, and which recorded one each stands for: build, session, container, process.
 * Requests are read with this client's ids replaced by the recorded ones, answers the other way round.
 */
import { rewriteHeader, rewriteIds, type DefinedId } from '../bridge/index.js';
import type { HeaderField } from '../cassette/index.js';
import type { NamesInRequest } from './request-index.js';

export class Bindings {
  /** This client's id or op digest → the recorded one. */
  readonly recorded = new Map<string, string>();
  /** Recorded id or op digest → this client's, where they differ. */
  private readonly live = new Map<string, string>();

  bind(kind: DefinedId['kind'], live: string, recorded: string): void {
    this.recorded.set(live, recorded);
    // A session's id stands inside ops: an answer with another one would no longer fit its ops' digests.
    if (kind !== 'session' && (live !== recorded || this.live.has(recorded))) this.live.set(recorded, live);
  }

  /** Ops whose digest depends on something that this client made up have another digest than the recorded ones. */
  private bindDigests(live: ReadonlyMap<string, string>, recorded: ReadonlyMap<string, string>): void {
    if (live.size === 0) return;
    const byCanonical = new Map(Array.from(live, ([digest, canonical]) => [canonical, digest]));
    for (const [digest, canonical] of recorded) {
      const own = byCanonical.get(canonical);
      if (own === undefined || own === digest) continue;
      this.live.set(digest, own);
      this.recorded.set(own, digest);
    }
  }

  /** Two requests that mean the same name the same things: ids that they introduce, and ops by their digests. */
  bindNames(live: NamesInRequest, recorded: NamesInRequest): void {
    live.defines.forEach(({ kind, id }, index) => {
      const own = recorded.defines[index];
      if (own !== undefined) this.bind(kind, id, own.id);
    });
    this.bindDigests(live.digests, recorded.digests);
  }

  /**
   * Binds ids that the client was told from another recording.
   *
   * @param pairs those ids → what this recording has in their places
   * @returns false when one of them already stands for something else
   */
  bindTold(pairs: ReadonlyMap<string, string>): boolean {
    for (const [told, recorded] of pairs) {
      if ((this.recorded.get(told) ?? recorded) !== recorded) return false;
      if (told === recorded) continue;
      this.recorded.set(told, recorded);
      this.live.set(recorded, told);
    }
    return true;
  }

  /** Recorded trailers as this client must see them: an error names ids and ops, in its message and in its details. */
  trailersToLive(trailers: readonly HeaderField[]): readonly HeaderField[] {
    // Looking for many ids costs more than all the rest of a short call (bench: 32 callers, Solve).
    if (this.live.size === 0 || trailers.every(({ name, value }) => name !== 'grpc-status' || isZero(value))) return trailers;
    return trailers.map((field) => rewriteHeader(field, this.live));
  }

  /** Recorded bytes, but no definitions, as this client must see them. */
  toLive = (payload: Uint8Array): Uint8Array => (this.live.size === 0 ? payload : rewriteIds(payload, this.live));
}

const isZero = (text: Uint8Array): boolean => text.length === 1 && text[0] === '0'.charCodeAt(0);
