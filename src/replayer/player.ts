/**
 * Plays the server's side of one recorded call to a live one: each event when the client events before it have
 * happened, and, with a pace, not before its recorded distance to the last of those has passed.
 */
import { shortMethod } from '../bridge/index.js';
import type { CallEvent, EventReader } from '../cassette/index.js';
import { BridgetapeError } from '../errors.js';
import { Status, statusTrailers } from '../wire/index.js';
import type { Bindings } from './bindings.js';
import type { Call } from './call.js';
import type { Anchor, ClientEvent, Scope } from './causality.js';
import { TIMER_SLACK_NS, type Clock } from './clock.js';
import type { Told } from './miss.js';
import type { PlacedFiles } from './placed-files.js';
import { answerReader, cancelOf, eventsOf, isServerEvent, type RecordedCall, type ServerEvent } from './recorded-call.js';
import { internalError } from './internal-error.js';
import type { Pacing } from './pacing.js';
import type { Reannotation } from './reannotation.js';

/** Where a call's answers come from, one at a time. */
export interface AnswerSource {
  /** The next one; undefined when there are no more. */
  peek(): ServerEvent | undefined;
  /** The one that was peeked at is on its way. */
  take(): void;
  /** Sends the message that was just taken, as this client is to see it. @returns what {@link Call.send} does */
  send(payload: Uint8Array, call: Call): boolean;
  /** What its client has to be sent before the call fails, so that it learns of it. */
  farewell?(code: number, message: string): Iterable<Uint8Array>;
}

/** The answers of a call as they were recorded. */
export class RecordedAnswers implements AnswerSource {
  private readonly events: EventReader<CallEvent>;
  /** Undefined at the end, and as long as nobody looked for it. */
  private next: ServerEvent | undefined;

  constructor(
    recorded: RecordedCall,
    private readonly rewrite?: (payload: Uint8Array) => Uint8Array,
  ) {
    this.events = answerReader(recorded);
  }

  peek(): ServerEvent | undefined {
    while (this.next === undefined) {
      const event = this.events.next();
      if (event === undefined) return undefined;
      if (isServerEvent(event)) this.next = event;
    }
    return this.next;
  }

  take(): void {
    this.next = undefined;
  }

  send(payload: Uint8Array, call: Call): boolean {
    return call.send(this.rewrite === undefined ? payload : this.rewrite(payload));
  }
}

/** What all calls of a replay share. */
export interface Stage {
  readonly clock: Clock;
  /** When what is being handled came, which is when its client did it: monotonic ns. */
  readonly heard: () => bigint;
  readonly pacing: Pacing;
  readonly files?: PlacedFiles | undefined;
  /** The cassette has no answer as recorded; the client was told so. */
  readonly missed: (miss: Told) => void;
  /** A request was answered as recorded, though it is annotated in another way. */
  readonly reannotated: (difference: Reannotation) => void;
  /** A bug in bridgetape, met while a call of that method was played; the call fails. */
  readonly crashed: (error: unknown, path: string) => void;
}

/** A call of which something can have been sent before, by another player. */
export interface PlayedCall extends Call {
  /** What comes next has gone out already. */
  readonly isAhead?: boolean;
}

export interface PlayerOptions {
  readonly call: PlayedCall;
  readonly recorded: RecordedCall;
  readonly answers: AnswerSource;
  readonly scope: Scope;
  readonly stage: Stage;
  readonly bindings: Bindings;
  /** The call has ended, one way or the other. */
  readonly done: () => void;
}

/** What a call is doing, for whoever watches that none hangs. */
export type PlayerState =
  | { readonly kind: 'ended' }
  /** Something will go out without the client doing anything but reading. */
  | { readonly kind: 'scheduled' }
  /** Nothing goes out before the client has done this: a recorded event, cancelling the call, ending the build. */
  | { readonly kind: 'waiting'; readonly event: ClientEvent | 'cancel' | 'end' };

const ENDED: PlayerState = { kind: 'ended' };
const SCHEDULED: PlayerState = { kind: 'scheduled' };

export class Player {
  private current: PlayerState = SCHEDULED;
  private cancelTimer: (() => void) | undefined;
  /** The client has not read what was sent: waiting for {@link drained}. */
  private blocked = false;
  private readonly pace: number;
  /** The event that went out last, and when that was to be: later ones count from there, or from what the client did since. */
  private last: Anchor | undefined;

  constructor(private readonly options: PlayerOptions) {
    this.pace = options.stage.pacing.of(options.recorded.path);
  }

  get state(): PlayerState {
    return this.current;
  }

  get recorded(): RecordedCall {
    return this.options.recorded;
  }

  isWaitingFor(seq: number): boolean {
    return this.current.kind === 'waiting' && typeof this.current.event === 'object' && this.current.event.seq === seq;
  }

  /** Sends what is due. To be called whenever a client event of the scope has happened. */
  advance(): void {
    try {
      this.play();
    } catch (error) {
      const { stage, call } = this.options;
      if (error instanceof BridgetapeError) {
        this.giveUp(Status.failedPrecondition, { path: call.path, text: `bridgetape: ${error.what}` });
        return;
      }
      stage.crashed(error, call.path);
      this.fail(Status.internal, internalError(error));
    }
  }

  /** The client has read what was sent. */
  drained(): void {
    this.blocked = false;
    this.advance();
  }

  /** Ends the call with an error of the replayer's own. */
  fail(code: number, message: string): void {
    if (this.current.kind === 'ended') return;
    for (const payload of this.options.answers.farewell?.(code, message) ?? []) this.options.call.send(payload);
    this.options.call.end(statusTrailers(code, message));
    this.finish();
  }

  /** The client went away: nothing more is sent. */
  cancel(): void {
    if (this.current.kind !== 'ended') this.finish();
  }

  /** How long, in ns, the recorded client took for what is waited for, counted from what came before it on this call. */
  recordedPause(): bigint {
    if (this.current.kind !== 'waiting') return 0n;
    const { recorded } = this.options;
    const awaited = this.current.event === 'cancel' ? cancelOf(recorded) : this.current.event;
    if (awaited === undefined || awaited === 'end') return 0n;
    let before: bigint | undefined;
    for (const { seq, time } of eventsOf(recorded)) {
      if (seq >= awaited.seq) break;
      before = time;
    }
    return awaited.time - (before ?? awaited.time);
  }

  /** Hot path: for each message that is replayed (bench: replay). */
  private play(): void {
    const { call, answers, scope, stage } = this.options;
    this.clearTimer();
    while (!this.blocked && this.current.kind !== 'ended') {
      const event = answers.peek();
      if (event === undefined) {
        this.atTheEnd();
        return;
      }
      const missing = scope.missingBefore(event.seq);
      if (missing !== undefined) {
        this.current = { kind: 'waiting', event: missing };
        return;
      }
      this.current = SCHEDULED;
      if (this.pace > 0 && call.isAhead !== true) {
        const due = this.due(event);
        if (due !== undefined && due - TIMER_SLACK_NS > stage.clock.now()) {
          this.cancelTimer = stage.clock.at(due, () => {
            this.cancelTimer = undefined;
            this.advance();
          });
          return;
        }
        this.last = due === undefined ? undefined : { recorded: event.time, live: due };
      }
      answers.take();
      this.send(event);
    }
  }

  private send(event: ServerEvent): void {
    const { call, answers, bindings } = this.options;
    switch (event.kind) {
      case 'server-header':
        call.sendHeaders(event.headers);
        return;
      case 'server-message': {
        const { data } = event;
        if (data === undefined) this.giveUp(Status.failedPrecondition, { path: call.path, text: `bridgetape: the body of this message of ${shortMethod(call.path)} was left out of the cassette; record again with --bodies ${call.path}` });
        else this.blocked = !answers.send(data, call);
        return;
      }
      case 'server-trailer':
        call.end(bindings.trailersToLive(event.headers));
        this.finish();
        return;
      case 'reset':
        // No status of ours: what clients make of a reset differs with its code, and from one to the next.
        call.reset(event.code);
        this.finish();
    }
  }

  /** The recording has no more to send, and the call has not ended: its client cancelled it, or the recording stopped. */
  private atTheEnd(): void {
    const { recorded, scope } = this.options;
    if (cancelOf(recorded) !== undefined) {
      this.current = { kind: 'waiting', event: 'cancel' };
      return;
    }
    const missing = scope.missingBefore(Infinity) ?? (scope.isOver ? undefined : 'end');
    if (missing === undefined) this.giveUp(Status.failedPrecondition, this.howItStops());
    else this.current = { kind: 'waiting', event: missing };
  }

  /** Why the call has no end. */
  howItStops(): Told {
    const { recorded, call } = this.options;
    return { path: call.path, text: `bridgetape: the recording stops before this ${shortMethod(call.path)} (call ${recorded.id} of the cassette) ended` };
  }

  /** When, in monotonic ns, an event is to go out; undefined when there is nothing to measure from. */
  private due(event: ServerEvent): bigint | undefined {
    const { stage, scope } = this.options;
    const anchor = scope.anchor(event.seq);
    const from = anchor === undefined || (this.last !== undefined && this.last.recorded > anchor.recorded) ? this.last : anchor;
    return from && from.live + stage.pacing.wait(event.time - from.recorded, this.pace);
  }

  /** The same, told as something that the cassette could not answer. */
  giveUp(code: number, told: Told): void {
    this.options.stage.missed(told);
    this.fail(code, told.text);
  }

  private finish(): void {
    this.clearTimer();
    this.current = ENDED;
    this.options.done();
  }

  private clearTimer(): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
  }
}
