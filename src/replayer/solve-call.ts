/** A live Control/Solve: it begins a build, and lasts as long as the build does. */
import { canonicalRequest, SOLVE, solveFacts } from '../bridge/index.js';
import { Status, statusTrailers } from '../wire/index.js';
import type { BuildSlots } from './build-slots.js';
import type { Call, CallHandler } from './call.js';
import { heedNothing, type LiveBuild } from './live-build.js';
import type { Role } from './part.js';
import type { Told } from './miss.js';
import type { Stage } from './player.js';
import type { Repertoire } from './repertoire.js';
import type { Sessions } from './sessions.js';

/** Waits for its request, which says what is to be built. */
export class SolveCall implements CallHandler {
  private part: CallHandler | undefined;

  constructor(
    private readonly call: Call,
    private readonly stage: Stage,
    private readonly slots: BuildSlots,
    private readonly repertoire: Repertoire,
    private readonly sessions: Sessions,
  ) {}

  message(payload: Uint8Array): void {
    this.part ??= this.begin(payload);
  }

  halfClose(): void {
    // It asks nothing.
  }

  cancelled(): void {
    this.part?.cancelled();
  }

  drained(): void {
    this.part?.drained();
  }

  private begin(payload: Uint8Array): CallHandler {
    const facts = solveFacts(payload);
    if (facts === undefined) return this.reject(this.call, { path: SOLVE, text: 'bridgetape: the client sent bytes that are no SolveRequest' });
    const call = this.sessions.endingAfter(facts.session, this.call);
    const slot = this.slots.begun(facts.ref);
    const live = canonicalRequest(SOLVE, payload, new Map(), this.repertoire.rules);
    const alike = this.repertoire.alike(live);
    if (alike.length > 0) {
      slot.offer(alike, live);
      return slot.join(call, playSolve);
    }
    const miss = this.repertoire.explain(live, payload);
    const rejected = this.reject(call, miss);
    slot.fail(miss.text);
    slot.solveEnded();
    return rejected;
  }

  private reject(call: Call, miss: Told): CallHandler {
    this.stage.missed(miss);
    call.end(statusTrailers(Status.failedPrecondition, miss.text));
    return heedNothing;
  }
}

export function playSolve(role: Role, build: LiveBuild): CallHandler {
  const { solve } = build.recorded;
  if (solve === undefined) return heedNothing;
  build.matcher.use(solve);
  return build.play(role, solve, () => role.done());
}
