/**
 * The ids that a client makes up, and which recorded one each stands for: build, session, container, process.
 * Requests are read with this client's ids replaced by the recorded ones, answers the other way round.
 */
import { rewriteIds, type DefinedId } from '../bridge/index.js';

export class Bindings {
  /** This client's id or op digest → the recorded one. */
  readonly recorded = new Map<string, string>();
  /** Recorded id or op digest → this client's, where they differ. */
  private readonly live = new Map<string, string>();

  bind(kind: DefinedId['kind'], live: string, recorded: string): void {
    this.recorded.set(live, recorded);
    // A session's id stands inside ops: an answer with another one would no longer fit its ops' digests.
    if (kind !== 'session' && live !== recorded) this.live.set(recorded, live);
  }

  /** Ops whose digest depends on something that this client made up have another digest than the recorded ones. */
  bindDigests(live: ReadonlyMap<string, string>, recorded: ReadonlyMap<string, string>): void {
    const byCanonical = new Map(Array.from(live, ([digest, canonical]) => [canonical, digest]));
    for (const [digest, canonical] of recorded) {
      const own = byCanonical.get(canonical);
      if (own === undefined || own === digest) continue;
      this.live.set(digest, own);
      this.recorded.set(own, digest);
    }
  }

  /** Recorded bytes, but no definitions, as this client must see them. */
  toLive = (payload: Uint8Array): Uint8Array => (this.live.size === 0 ? payload : rewriteIds(payload, this.live));
}
