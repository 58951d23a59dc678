/**
 * A live call of a build, and how it is played. Which recorded build it is played from can turn out late, so the call
 * as its client has it (the part) and the call as one recorded build plays it (the role) are two things.
 */
import { STATUS } from '../bridge/index.js';
import type { HeaderField } from '../cassette/index.js';
import { Status, statusTrailers } from '../wire/index.js';
import type { Bindings } from './bindings.js';
import type { Call, CallHandler } from './call.js';
import { echoOf, endedAlike, type Echo, type End } from './echo.js';
import type { LiveBuild } from './live-build.js';
import type { Told } from './miss.js';
import type { PlayedCall } from './player.js';

/** Begins to play a part in one recorded build. */
export type Perform = (role: Role, build: LiveBuild) => CallHandler;

/** Something that a client did on a call. */
export type Deed = { readonly kind: 'open' } | { readonly kind: 'message'; readonly payload: Uint8Array } | { readonly kind: 'half-close' } | { readonly kind: 'cancel' };

const HALF_CLOSE: Deed = { kind: 'half-close' };
const CANCEL: Deed = { kind: 'cancel' };

/** Gives what a client did to what plays the call. */
export function deliver(deed: Deed, handler: CallHandler | undefined): void {
  switch (deed.kind) {
    case 'open':
      return;
    case 'message':
      handler?.message(deed.payload);
      return;
    case 'half-close':
      handler?.halfClose();
      return;
    case 'cancel':
      handler?.cancelled();
  }
}

/** A payload that is kept must not keep the block of the cassette in which it stands. */
function apart(payload: Uint8Array): Uint8Array {
  return payload.length < payload.buffer.byteLength ? new Uint8Array(payload) : payload;
}

/** The build to which a part belongs. */
export interface PartOwner {
  did(part: Part, deed: Deed): void;
  /** Whether what is sent is kept: the build may turn out to be another recorded one. */
  keeps(bytes: number): boolean;
  /** @returns whether the build turned out to be another one, which plays on */
  missed(told: Told): boolean;
  /** It has ended, or its client has given it up. */
  closed(part: Part): void;
}

export class Part implements CallHandler {
  readonly path: string;
  /** What its client was sent, as far as that is kept. */
  readonly sent: Uint8Array[] = [];
  private handler: CallHandler | undefined;
  /** Goes on with sending, where what plays it has not begun yet. */
  private goOn: (() => void) | undefined;
  /** Its client has not read what was sent. */
  private isBlocked = false;
  private isHeaded = false;
  private ending: End | undefined;
  private closed = false;
  private cancelledByClient = false;

  constructor(
    private readonly call: Call,
    readonly perform: Perform,
    private readonly owner: PartOwner,
  ) {
    this.path = call.path;
  }

  get headers(): readonly HeaderField[] {
    return this.call.headers;
  }

  /** How it ended, towards its client. */
  get end(): End | undefined {
    return this.ending;
  }

  /** It has ended, or its client has given it up. */
  get isOver(): boolean {
    return this.closed;
  }

  get isCancelled(): boolean {
    return this.cancelledByClient;
  }

  // ---- what its client does

  message(payload: Uint8Array): void {
    this.owner.did(this, { kind: 'message', payload });
  }

  halfClose(): void {
    this.owner.did(this, HALF_CLOSE);
  }

  cancelled(): void {
    this.cancelledByClient = true;
    this.owner.did(this, CANCEL);
  }

  drained(): void {
    this.isBlocked = false;
    const goOn = this.goOn;
    this.goOn = undefined;
    if (goOn === undefined) this.handler?.drained();
    else goOn();
  }

  // ---- what it is played by, and what that sends

  playedBy(handler: CallHandler): void {
    this.handler = handler;
    this.goOn = undefined;
  }

  /** Runs as soon as its client has read what was sent. */
  whenRead(run: () => void): void {
    if (this.isBlocked) this.goOn = run;
    else run();
  }

  sendHeaders(headers: readonly HeaderField[]): void {
    if (this.isHeaded || this.ending !== undefined) return;
    this.isHeaded = true;
    this.call.sendHeaders(headers);
  }

  /** Hot path: for each message that is replayed (bench: replay). */
  send(payload: Uint8Array, head?: Uint8Array): boolean {
    if (this.ending !== undefined) return true;
    if (this.owner.keeps(payload.length)) this.sent.push(head === undefined ? apart(payload) : Buffer.concat([head, payload]));
    this.isBlocked = !this.call.send(payload, head);
    return !this.isBlocked;
  }

  finish(end: End): void {
    if (this.ending !== undefined) return;
    this.ending = end;
    if (end.kind === 'trailers') this.call.end(end.trailers);
    else this.call.reset(end.code);
  }

  refuse(reason: string): void {
    this.finish({ kind: 'trailers', trailers: statusTrailers(Status.failedPrecondition, reason) });
    this.close();
  }

  missed(told: Told): boolean {
    return this.owner.missed(told);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.owner.closed(this);
  }
}

/** Why a live build cannot be a recorded one: its client asked for something else, or was answered something else. */
export type TrialFailure = 'asked' | 'answered';

/** A part as one recorded build plays it: on trial, in earnest, or not any more. */
export class Role implements PlayedCall {
  private state: 'trial' | 'played' | 'dropped';
  private readonly echo: Echo | undefined;
  /** What is to be sent when the trial has shown that this is the build. */
  private readonly held: { headers?: readonly HeaderField[]; readonly messages: Uint8Array[]; end?: End; done: boolean } = { messages: [], done: false };

  /** @param failTrial told that the build cannot be this one, and whether for what was asked or for what was answered; nothing is sent until then. Undefined: there is no trial */
  constructor(
    private readonly part: Part,
    private readonly bindings: Bindings,
    private readonly failTrial: ((why: TrialFailure) => void) | undefined,
  ) {
    this.state = failTrial === undefined ? 'played' : 'trial';
    if (failTrial !== undefined && part.sent.length > 0) this.echo = echoOf(part.path, part.sent, bindings);
  }

  get path(): string {
    return this.part.path;
  }

  get headers(): readonly HeaderField[] {
    return this.part.headers;
  }

  get isAhead(): boolean {
    if (this.state !== 'trial') return false;
    return this.echo?.isAhead === true || (this.part.end !== undefined && this.held.end === undefined && this.part.path !== STATUS);
  }

  /** On trial: whether its client would be sent more than it was. */
  get hasMore(): boolean {
    return !this.part.isOver && (this.held.messages.length > 0 || this.held.end !== undefined);
  }

  sendHeaders(headers: readonly HeaderField[]): void {
    if (this.state === 'played') this.part.sendHeaders(headers);
    else this.held.headers = headers;
  }

  /** Hot path, as {@link Part.send} is. */
  send(payload: Uint8Array, head?: Uint8Array): boolean {
    if (this.state === 'dropped') return true;
    if (this.state === 'played' && this.echo === undefined) return this.part.send(payload, head);
    return this.sendHeard(head === undefined ? payload : Buffer.concat([head, payload]));
  }

  private sendHeard(payload: Uint8Array): boolean {
    const rest = this.echo === undefined ? payload : this.echo.hear(payload);
    if (rest === 'again') return true;
    if (rest === 'different') {
      this.failTrial?.('answered');
      return false;
    }
    if (this.state === 'played') return this.part.send(rest);
    if (this.part.end !== undefined && this.part.path !== STATUS) this.failTrial?.('answered');
    this.held.messages.push(rest);
    return this.isAhead;
  }

  end(trailers: readonly HeaderField[]): void {
    this.finish({ kind: 'trailers', trailers });
  }

  reset(code: number): void {
    this.finish({ kind: 'reset', code });
  }

  /** @returns whether nothing of it is for the client */
  missed(told: Told): boolean {
    if (this.state === 'trial') this.failTrial?.('asked');
    return this.state === 'played' ? this.part.missed(told) : true;
  }

  /** It has been played to its end, or was cancelled. */
  done(): void {
    this.held.done = true;
    if (this.state === 'played') this.part.close();
  }

  /** The trial has shown that this is the build: from here on the client hears it. */
  enter(handler: CallHandler): void {
    const { part, held } = this;
    this.state = 'played';
    part.playedBy(handler);
    if (part.isOver) return;
    if (held.headers !== undefined) part.sendHeaders(held.headers);
    if (held.messages.length > 0 || held.end !== undefined || held.done) part.whenRead(() => this.giveHeld(handler));
  }

  private giveHeld(handler: CallHandler): void {
    const { part, held } = this;
    let isReading = true;
    for (const payload of held.messages) isReading = part.send(payload);
    if (held.end !== undefined) part.finish(held.end);
    if (held.done) part.close();
    else if (isReading) handler.drained();
  }

  /** The build has turned out to be another one. */
  drop(): void {
    this.state = 'dropped';
  }

  private finish(end: End): void {
    if (this.state === 'dropped') return;
    if (this.state === 'played') {
      this.part.finish(end);
      return;
    }
    const { part } = this;
    const isSame = this.echo?.isAhead !== true && (part.end === undefined || endedAlike(part.end, end, this.bindings));
    if (isSame || part.path === STATUS) this.held.end = end;
    else this.failTrial?.('answered');
  }
}
