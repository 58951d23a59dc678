/** A live Control/Solve: it begins a build, and lasts as long as the build does. */
import { canonicalRequest, solveFacts } from '../bridge/index.js';
import type { BuildSlot } from './build-slot.js';
import type { BuildSlots } from './build-slots.js';
import type { Call, CallHandler } from './call.js';
import { LiveBuild } from './live-build.js';
import { SOLVE } from './methods.js';
import type { Player, Stage } from './player.js';
import type { Repertoire } from './repertoire.js';
import { Status, statusTrailers } from './status.js';

export class SolveCall implements CallHandler {
  private slot: BuildSlot | undefined;
  private player: Player | undefined;
  private gone = false;

  constructor(
    private readonly call: Call,
    private readonly stage: Stage,
    private readonly slots: BuildSlots,
    private readonly repertoire: Repertoire,
  ) {}

  message(payload: Uint8Array): void {
    if (this.slot !== undefined) return;
    const facts = solveFacts(payload);
    if (facts === undefined) {
      this.reject('bridgetape: the client sent bytes that are no SolveRequest');
      return;
    }
    const slot = this.slots.begun(facts.ref);
    this.slot = slot;
    this.offer(slot, payload);
    slot.whenReady((build) => this.play(slot, build));
  }

  halfClose(): void {
    // It asks nothing.
  }

  cancelled(): void {
    this.gone = true;
    if (this.player !== undefined) this.player.cancel();
    else this.slot?.solveEnded();
  }

  drained(): void {
    this.player?.drained();
  }

  /** Names the recorded builds that this may be. */
  private offer(slot: BuildSlot, payload: Uint8Array): void {
    const { repertoire, stage } = this;
    const live = canonicalRequest(SOLVE, payload, new Map());
    const alike = repertoire.alike(live);
    if (alike.length === 0) {
      const { text } = repertoire.explain(live);
      this.reject(text);
      slot.fail(text);
      slot.solveEnded();
      return;
    }
    slot.offer({
      candidates: () => repertoire.leastPlayed(alike),
      begin: (recorded) => {
        repertoire.begins(recorded);
        const build = new LiveBuild(recorded, stage);
        if (recorded.solveRequest !== undefined) build.bindings.bindNames(live, recorded.solveRequest);
        return build;
      },
    });
  }

  private play(slot: BuildSlot, build: LiveBuild): void {
    const { solve } = build.recorded;
    if (this.gone || solve === undefined) return;
    build.matcher.use(solve);
    this.player = build.play(this.call, solve, () => slot.solveEnded());
  }

  private reject(text: string): void {
    this.stage.missed({ path: SOLVE, text });
    this.call.end(statusTrailers(Status.failedPrecondition, text));
  }
}
