/**
 * Plays the server's side of one recorded call to a live one: each event when the client events before it have
 * happened, and, with a pace, not before its recorded distance to the last of those has passed.
 */
import type { Call } from './call.js';
import type { Scope, ClientEvent } from './causality.js';
import { TIMER_SLACK_NS, type Clock } from './clock.js';
import { isServerEvent, type RecordedCall, type ServerEvent } from './script.js';
import { Status, statusOfReset, statusTrailers } from './status.js';

/** Where a call's answers come from, one at a time. */
export interface AnswerSource {
  /** The next one; undefined when there are no more. */
  peek(): ServerEvent | undefined;
  /** The one that was peeked at is on its way. */
  take(): void;
  /** The message that was just taken, as this client is to see it. */
  rewrite(payload: Uint8Array): Uint8Array;
}

/** The answers of a call as they were recorded. */
export class RecordedAnswers implements AnswerSource {
  private readonly events: readonly ServerEvent[];
  private next = 0;

  constructor(
    recorded: RecordedCall,
    readonly rewrite: (payload: Uint8Array) => Uint8Array = (payload) => payload,
  ) {
    this.events = recorded.events.filter(isServerEvent);
  }

  peek(): ServerEvent | undefined {
    return this.events[this.next];
  }

  take(): void {
    this.next += 1;
  }
}

export interface PlayerOptions {
  readonly call: Call;
  readonly recorded: RecordedCall;
  readonly answers: AnswerSource;
  readonly scope: Scope;
  readonly clock: Clock;
  /** 0: at once; 1: as recorded; 2: twice as slow. */
  readonly pace: number;
  /** Recorded status details as this client is to see them: they name its ids and ops. */
  readonly rewriteDetails: (details: Uint8Array) => Uint8Array;
  /** The call has ended, one way or the other. */
  readonly done: () => void;
}

/** What a call is doing, for whoever watches that none hangs. */
export type PlayerState =
  | { readonly kind: 'ended' }
  /** Something will go out without the client doing anything. */
  | { readonly kind: 'scheduled' }
  /** Nothing goes out before the client has done this. */
  | { readonly kind: 'waiting'; readonly event: ClientEvent | 'cancel' };

export class Player {
  state: PlayerState = { kind: 'scheduled' };
  private readonly cancelledByClient: boolean;
  private cancelTimer: (() => void) | undefined;
  private blocked = false;

  constructor(private readonly options: PlayerOptions) {
    this.cancelledByClient = options.recorded.events.some((event) => event.kind === 'reset' && event.side === 'client');
  }

  /** Sends what is due. To be called whenever a client event of the scope has happened. */
  advance(): void {
    this.clearTimer();
    while (!this.blocked && this.state.kind !== 'ended') {
      const event = this.options.answers.peek();
      if (event === undefined) {
        this.atTheEnd();
        return;
      }
      const missing = this.options.scope.missingBefore(event.seq);
      if (missing !== undefined) {
        this.state = { kind: 'waiting', event: missing };
        return;
      }
      this.state = { kind: 'scheduled' };
      const due = this.due(event);
      if (due - TIMER_SLACK_NS > this.options.clock.now()) {
        this.cancelTimer = this.options.clock.at(due, () => {
          this.cancelTimer = undefined;
          this.advance();
        });
        return;
      }
      this.options.answers.take();
      this.send(event);
    }
  }

  /** Ends the call with an error of the replayer's own. */
  fail(code: number, message: string): void {
    if (this.state.kind === 'ended') return;
    this.options.call.end(statusTrailers(code, message));
    this.finish();
  }

  /** The client went away: nothing more is sent. */
  cancel(): void {
    if (this.state.kind !== 'ended') this.finish();
  }

  private send(event: ServerEvent): void {
    const { call, answers, rewriteDetails } = this.options;
    switch (event.kind) {
      case 'server-header':
        call.sendHeaders(event.headers);
        return;
      case 'server-message':
        if (event.data === undefined) {
          this.fail(Status.failedPrecondition, `bridgetape: the body of this message of ${call.path} was left out of the cassette; record again with --bodies ${call.path}`);
        } else if (!call.send(answers.rewrite(event.data))) {
          this.blocked = true;
          void call.drained().then(() => {
            this.blocked = false;
            this.advance();
          });
        }
        return;
      case 'server-trailer':
        call.end(event.headers.map((field) => (field.name === 'grpc-status-details-bin' ? { name: field.name, value: rewriteBase64(field.value, rewriteDetails) } : field)));
        this.finish();
        return;
      case 'reset':
        this.fail(statusOfReset(event.code), `bridgetape: the recorded call was reset by the server (HTTP/2 error code ${event.code})`);
    }
  }

  /** The recording has no more to send, and the call has not ended: its client cancelled it, or the recording stopped. */
  private atTheEnd(): void {
    if (this.cancelledByClient) {
      this.state = { kind: 'waiting', event: 'cancel' };
      return;
    }
    const missing = this.options.scope.missingBefore(Infinity);
    if (missing !== undefined) {
      this.state = { kind: 'waiting', event: missing };
      return;
    }
    this.fail(Status.failedPrecondition, `bridgetape: the recording stops before this call of ${this.options.call.path} ended`);
  }

  private due(event: ServerEvent): bigint {
    const { pace, scope } = this.options;
    if (pace === 0) return 0n;
    const anchor = scope.anchor(event.seq);
    if (anchor === undefined) return 0n;
    return anchor.live + scale(event.time - anchor.recorded, pace);
  }

  /** How long, in ns, the recorded client took for the event that is waited for, counted from what came before it on this call. */
  recordedPause(): bigint {
    if (this.state.kind !== 'waiting' || this.state.event === 'cancel') return 0n;
    const { seq, time } = this.state.event;
    let before = this.options.recorded.events[0]?.time ?? 0n;
    for (const event of this.options.recorded.events) {
      if (event.seq >= seq) break;
      before = event.time;
    }
    return time - before;
  }

  private finish(): void {
    this.clearTimer();
    this.state = { kind: 'ended' };
    this.options.done();
  }

  private clearTimer(): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
  }
}

/** A duration in ns times a factor, exact for a factor of 1 and to the ns otherwise. */
function scale(duration: bigint, factor: number): bigint {
  return factor === 1 ? duration : BigInt(Math.round(Number(duration) * factor));
}

function rewriteBase64(value: Uint8Array, rewrite: (payload: Uint8Array) => Uint8Array): Uint8Array {
  const bytes = Buffer.from(Buffer.from(value).toString('latin1'), 'base64');
  const rewritten = rewrite(bytes);
  // What was not touched goes out as it was recorded, to the padding.
  return rewritten === bytes ? value : Buffer.from(Buffer.from(rewritten).toString('base64').replace(/=+$/, ''), 'latin1');
}
