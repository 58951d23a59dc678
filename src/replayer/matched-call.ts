/**
 * A live call whose first message decides which recorded call it is; whatever it sends after must be as recorded.
 * Serves every method but ExecProcess and what carries the build itself.
 */
import { shortMethod } from '../bridge/index.js';
import { Status, statusTrailers } from '../wire/index.js';
import type { Bindings } from './bindings.js';
import type { CallHandler } from './call.js';
import { CallScope } from './causality.js';
import { isMiss } from './matcher.js';
import type { Matching } from './matchers.js';
import type { Told } from './miss.js';
import { placedAnswer } from './placed-files.js';
import { Player, RecordedAnswers, type PlayedCall, type Stage } from './player.js';
import { awaitedReader, type RecordedCall } from './recorded-call.js';

export interface MatchedCallOptions {
  readonly call: PlayedCall;
  readonly matcher: Matching;
  readonly bindings: Bindings;
  readonly stage: Stage;
  /** Returns whether the client is not to be told: something else goes on with the call. */
  readonly missed: (miss: Told) => boolean;
  /** Of a request that was not recorded because of what its client was told of a miss before: what that was. */
  readonly consequenceOf?: ((payload: Uint8Array) => string | undefined) | undefined;
  /** A recorded event of the client has happened again. */
  readonly happened?: (seq: number) => void;
  /** It is known which recorded call it is; it begins to be played. */
  readonly began?: (player: Player) => void;
  /** It is over; without a player when it never began. */
  readonly done?: (player: Player | undefined) => void;
}

export class MatchedCall implements CallHandler {
  private player: Player | undefined;
  private recorded: RecordedCall | undefined;
  private scope = new CallScope();
  private ended = false;

  constructor(private readonly options: MatchedCallOptions) {}

  message(payload: Uint8Array): void {
    if (this.ended) return;
    if (this.player !== undefined) {
      if (this.isRecorded(payload)) this.happen();
      return;
    }
    const { call, matcher, bindings, stage } = this.options;
    const placed = stage.files && placedAnswer(stage.files, call.path, payload, matcher, bindings);
    if (placed !== undefined) {
      this.begin(placed);
      this.happen();
      return;
    }
    const match = matcher.match(call.path, payload, bindings);
    if (isMiss(match)) {
      const told = this.options.consequenceOf?.(payload);
      if (told === undefined) {
        this.miss(match);
        return;
      }
      call.end(statusTrailers(Status.failedPrecondition, told));
      this.finish();
      return;
    }
    if (match.names !== undefined) bindings.bindNames(match.names.live, match.names.recorded);
    if (match.annotations !== undefined) stage.reannotated(matcher.reannotation(match.recorded, match.annotations));
    this.begin(match.recorded);
    this.happen();
  }

  halfClose(): void {
    if (this.ended) return;
    if (this.player === undefined) {
      const { call, matcher } = this.options;
      const silent = matcher.of(call.path).find((candidate) => !matcher.isUsed(candidate) && candidate.events.every(({ kind }) => kind !== 'client-message'));
      if (silent === undefined) {
        this.miss({ path: call.path, text: `bridgetape: the cassette has no ${shortMethod(call.path)} without a message` });
        return;
      }
      matcher.use(silent);
      this.begin(silent);
    }
    if (this.scope.upcoming?.kind === 'client-message') this.differ(`ended its messages after ${this.scope.count}, the recorded one sent more`);
    else this.happen();
  }

  cancelled(): void {
    if (this.player !== undefined) this.player.cancel();
    else this.finish();
  }

  drained(): void {
    this.player?.drained();
  }

  private begin(recorded: RecordedCall): void {
    const { call, bindings, stage } = this.options;
    this.recorded = recorded;
    this.scope = new CallScope(awaitedReader(recorded));
    this.player = new Player({ call, recorded, answers: new RecordedAnswers(recorded), scope: this.scope, stage, bindings, done: () => this.finish() });
    this.options.began?.(this.player);
  }

  /** Messages after the first: in the recorded order, and equal. */
  private isRecorded(payload: Uint8Array): boolean {
    const { call, bindings, matcher } = this.options;
    const expected = this.scope.upcoming;
    if (expected?.kind !== 'client-message') {
      this.differ(`sent more than the recorded ${this.scope.count} messages`);
      return false;
    }
    // What was left out of the cassette cannot be compared, and was not meant to be.
    if (expected.data === undefined || matcher.isSame(call.path, payload, expected.data, bindings)) return true;
    this.differ(`sent another message ${this.scope.count + 1} than the recorded one`);
    return false;
  }

  private differ(how: string): void {
    const { call } = this.options;
    this.miss({ path: call.path, text: `bridgetape: on ${shortMethod(call.path)} (call ${this.recorded?.id ?? 0} of the cassette) the client ${how}` });
  }

  private happen(): void {
    const event = this.scope.upcoming;
    if (event !== undefined) this.scope.happen(this.options.stage.heard());
    // Its own answer first: what waits for this event elsewhere came after it more often than not.
    this.player?.advance();
    if (event !== undefined) this.options.happened?.(event.seq);
  }

  private miss(miss: Told): void {
    if (this.options.missed(miss)) return;
    if (this.player !== undefined) {
      this.player.fail(Status.failedPrecondition, miss.text);
      return;
    }
    this.options.call.end(statusTrailers(Status.failedPrecondition, miss.text));
    this.finish();
  }

  private finish(): void {
    if (this.ended) return;
    this.ended = true;
    this.options.done?.(this.player);
  }
}
