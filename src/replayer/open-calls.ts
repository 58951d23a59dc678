/** The calls of one build, or of none, that are being played: watched, so that none of them waits for ever. */
import { PassingSet } from '../passing.js';
import { Status } from '../wire/index.js';
import { awaitedCancel, awaitedOn, silence, type Awaited } from './awaited.js';
import type { ClientEvent } from './causality.js';
import { NS_PER_MS } from './clock.js';
import type { Player, Stage } from './player.js';
import type { RecordedCall } from './recorded-call.js';

/** A client may take so many times the recorded pause before it counts as stalled. */
const PATIENCE = 2n;

export class OpenCalls {
  private readonly players = new PassingSet<Player>();
  private lastActivity: bigint;

  constructor(private readonly stage: Stage) {
    this.lastActivity = stage.heard();
  }

  get size(): number {
    return this.players.size;
  }

  /** Their client did something, or was sent something. */
  touch(): void {
    this.lastActivity = this.stage.heard();
  }

  join(player: Player): void {
    this.players.add(player);
  }

  leave(player: Player): void {
    if (this.players.delete(player)) this.touch();
  }

  failAll(code: number, reason: string): void {
    for (const player of [...this.players]) player.fail(code, reason);
  }

  cancelAll(): void {
    for (const player of [...this.players]) player.cancel();
  }

  /** Whether something has waited for its client longer than `stall` ns, and nothing is to go out by itself. */
  hasStalled(stall: bigint): boolean {
    return !this.isScheduled && this.stalled(stall).length > 0;
  }

  private get isScheduled(): boolean {
    return [...this.players].some(({ state }) => state.kind === 'scheduled');
  }

  private stalled(stall: bigint): readonly Player[] {
    const idle = this.stage.clock.now() - this.lastActivity;
    return [...this.players].filter((player) => {
      const pause = player.recordedPause() * PATIENCE;
      return player.state.kind === 'waiting' && idle >= (pause > stall ? pause : stall);
    });
  }

  /**
   * Fails what has waited for its client longer than `stall` ns, unless something is still to go out by itself.
   *
   * @param awaited what an event is with which the recording goes on, and for which a call waits
   */
  failStalled(stall: bigint, awaited: (event: ClientEvent, waiting: RecordedCall) => Awaited = (event, call) => awaitedOn(call, event)): void {
    if (this.isScheduled) {
      this.touch();
      return;
    }
    const told = new Set<string>();
    for (const player of this.stalled(stall)) {
      const { state, recorded } = player;
      if (state.kind !== 'waiting') continue;
      const { event } = state;
      const miss = event === 'end' ? player.howItStops() : silence(event === 'cancel' ? awaitedCancel(recorded) : awaited(event, recorded), seconds(stall));
      // What several calls wait for is one miss.
      if (told.has(miss.text)) player.fail(Status.failedPrecondition, miss.text);
      else player.giveUp(Status.failedPrecondition, miss);
      told.add(miss.text);
    }
  }
}

export function seconds(ns: bigint): number {
  return Number(ns / NS_PER_MS) / 1000;
}
