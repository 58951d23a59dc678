/**
 * A live call whose first message decides which recorded call it is; whatever it sends after must be as recorded.
 * Serves every method but ExecProcess and what carries the build itself.
 */
import { canonicalRequest } from '../bridge/index.js';
import type { Bindings } from './bindings.js';
import type { Call, CallHandler } from './call.js';
import { Happened, Scope } from './causality.js';
import type { Clock } from './clock.js';
import { isMiss, type Matcher } from './matcher.js';
import { shortName, type Miss } from './miss.js';
import { Player, RecordedAnswers } from './player.js';
import { isAwaited, type CallEvent, type RecordedCall } from './script.js';
import { Status, statusTrailers } from './status.js';

export interface MatchedCallOptions {
  readonly call: Call;
  readonly matcher: Matcher;
  readonly bindings: Bindings;
  readonly clock: Clock;
  readonly pace: number;
  readonly missed: (miss: Pick<Miss, 'path' | 'text'>) => void;
  /** A recorded event of the client has happened again. */
  readonly happened?: (seq: number) => void;
  /** The scope that the recorded call's answers wait for; its own client events when this is left out. */
  readonly scope?: (recorded: RecordedCall) => Scope;
  readonly matched?: (recorded: RecordedCall, player: Player) => void;
  readonly done?: () => void;
}

export class MatchedCall implements CallHandler {
  private player: Player | undefined;
  private recorded: RecordedCall | undefined;
  private readonly own = new Happened();
  private nextClientEvent = 0;
  private ended = false;

  constructor(private readonly options: MatchedCallOptions) {}

  message(payload: Uint8Array): void {
    if (this.ended) return;
    if (this.recorded === undefined) {
      const match = this.options.matcher.match(this.options.call.path, payload, this.options.bindings);
      if (isMiss(match)) {
        this.miss(match);
        return;
      }
      if (match.canonical !== undefined) bindWhatMatched(this.options.bindings, match.canonical);
      this.begin(match.recorded);
    } else if (!this.isRecorded(payload)) {
      return;
    }
    this.happen('client-message');
  }

  halfClose(): void {
    if (this.ended) return;
    if (this.recorded === undefined) {
      const { call, matcher } = this.options;
      const silent = matcher.of(call.path).find((candidate) => !candidate.events.some(({ kind }) => kind === 'client-message') && matcher.use(candidate));
      if (silent === undefined) {
        this.miss({ path: call.path, text: `bridgetape: the cassette has no ${shortName(call.path)} without a message` });
        return;
      }
      this.begin(silent);
    }
    this.happen('client-half-close');
  }

  cancelled(): void {
    if (this.player !== undefined) this.player.cancel();
    else this.finish();
  }

  private begin(recorded: RecordedCall): void {
    const { call, clock, pace, bindings } = this.options;
    this.recorded = recorded;
    const own = recorded.events.filter(isAwaited);
    this.player = new Player({
      call,
      recorded,
      answers: new RecordedAnswers(recorded),
      scope: this.options.scope?.(recorded) ?? new Scope(own, this.own),
      clock,
      pace,
      rewriteDetails: bindings.toLive,
      done: () => this.finish(),
    });
    this.options.matched?.(recorded, this.player);
  }

  /** Messages after the first: in the recorded order, and equal. */
  private isRecorded(payload: Uint8Array): boolean {
    const { call, bindings } = this.options;
    const expected = this.upcoming('client-message');
    if (expected?.kind === 'client-message' && expected.data !== undefined) {
      const same = canonicalRequest(call.path, payload, bindings.recorded).text === canonicalRequest(call.path, expected.data, new Map()).text;
      if (same) return true;
    }
    const why = expected === undefined ? 'sent more messages than the recording has' : `sent another message ${this.nextClientEvent + 1} than the recorded one`;
    this.miss({ path: call.path, text: `bridgetape: on call ${this.recorded?.id ?? 0} of the cassette, ${shortName(call.path)}, the client ${why}` });
    return false;
  }

  private upcoming(kind: CallEvent['kind']): CallEvent | undefined {
    return this.recorded?.events.filter(isAwaited).slice(this.nextClientEvent).find((event) => event.kind === kind);
  }

  private happen(kind: 'client-message' | 'client-half-close'): void {
    const event = this.upcoming(kind);
    if (event !== undefined) {
      this.nextClientEvent += 1;
      this.own.mark(event.seq, this.options.clock.now());
      this.options.happened?.(event.seq);
    }
    this.player?.advance();
  }

  private miss(miss: Pick<Miss, 'path' | 'text'>): void {
    this.options.missed(miss);
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
    this.options.done?.();
  }
}

/** Two requests that mean the same name the same things: ids that they introduce, and ops by their digests. */
export function bindWhatMatched(bindings: Bindings, { live, recorded }: { readonly live: CanonicalIds; readonly recorded: CanonicalIds }): void {
  live.defines.forEach(({ kind, id }, index) => {
    const own = recorded.defines[index];
    if (own !== undefined) bindings.bind(kind, id, own.id);
  });
  bindings.bindDigests(live.digests, recorded.digests);
}

type CanonicalIds = Pick<ReturnType<typeof canonicalRequest>, 'defines' | 'digests'>;
