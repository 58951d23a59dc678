/** A replayer with a client in front of it: a transport and a clock in memory, so that no test waits. */
import { describeExec } from '../../src/bridge/index.js';
import type { HeaderField } from '../../src/cassette/index.js';
import type { AcceptTransport, CallHandler, TransportCall } from '../../src/replayer/call.js';
import type { Clock } from '../../src/replayer/clock.js';
import type { Reannotation } from '../../src/replayer/reannotation.js';
import type { Fault } from '../../src/replayer/fault.js';
import { FaultPlan } from '../../src/replayer/fault-plan.js';
import { Replayer, type ReplayerOptions } from '../../src/replayer/replayer.js';
import type { Script } from '../../src/replayer/script.js';
import { bridge } from '../bridge/build.js';
import { fields, ofBuild, type Pairs } from './tape.js';

/** Time that passes when a test says so. */
export class FakeClock implements Clock {
  private time = 1_000_000_000n;
  private timers: { readonly due: bigint; readonly run: () => void }[] = [];

  now(): bigint {
    return this.time;
  }

  at(due: bigint, run: () => void): () => void {
    const timer = { due, run };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  get pending(): number {
    return this.timers.length;
  }

  /** Lets time pass, and runs what comes due on the way at its time. */
  pass(ms: number): void {
    const end = this.time + BigInt(Math.round(ms * 1e6));
    for (;;) {
      const next = this.timers.filter(({ due }) => due <= end).sort((a, b) => Number(a.due - b.due))[0];
      if (next === undefined) break;
      this.timers = this.timers.filter((timer) => timer !== next);
      if (next.due > this.time) this.time = next.due;
      next.run();
    }
    this.time = end;
  }
}

export interface LiveStatus {
  readonly code: number;
  readonly message: string;
  readonly trailers: readonly HeaderField[];
}

/** One call of the client, and what it got. */
export class LiveCall implements TransportCall {
  readonly headers: readonly HeaderField[];
  readonly messages: Uint8Array[] = [];
  /** When each message came, in ms of the clock. */
  readonly times: number[] = [];
  responseHeaders: readonly HeaderField[] | undefined;
  status: LiveStatus | undefined;
  /** RFC 9113 §7, when the server ended the call with RST_STREAM. */
  resetCode: number | undefined;
  /** Messages of which only so many bytes came. */
  readonly parts: Uint8Array[] = [];
  /** The error code of a GOAWAY. */
  goneAway: number | undefined;
  isBrokenOff = false;
  /** How many bytes its window was opened by, once it was held. */
  givenBack = 0;
  private onRead: ((bytes: number) => void) | undefined;
  isReading = true;
  private readonly handler: CallHandler;
  private cancelled = false;

  constructor(
    readonly path: string,
    headers: Pairs,
    accept: AcceptTransport,
    private readonly clock: Clock,
  ) {
    this.headers = fields(headers);
    this.handler = accept(this);
  }

  // What the client does.

  says(...payloads: readonly Uint8Array[]): this {
    for (const payload of payloads) this.handler.message(payload);
    return this;
  }

  closes(): this {
    this.handler.halfClose();
    return this;
  }

  asks(payload: Uint8Array): this {
    return this.says(payload).closes();
  }

  cancels(): void {
    // As a transport does it: of a call that has ended nothing more is heard.
    if (this.status !== undefined || this.cancelled) return;
    this.cancelled = true;
    this.handler.cancelled();
  }

  /** Bytes of it come off the wire. */
  spends(bytes: number): void {
    this.onRead?.(bytes);
  }

  reads(): void {
    this.isReading = true;
    this.handler.drained();
  }

  // What it got.

  /** Messages as text. */
  get texts(): readonly string[] {
    return this.messages.map((payload) => Buffer.from(payload).toString('latin1'));
  }

  /** The messages of an exec stream in words, each with the last character of its process. */
  get words(): readonly string[] {
    return this.messages.map((payload) => {
      const { process, text } = describeExec(payload, 'server');
      return `${process.slice(-1)} ${text}`;
    });
  }

  // The server's side.

  sendHeaders(headers: readonly HeaderField[]): void {
    this.fine();
    this.responseHeaders = headers;
  }

  send(payload: Uint8Array, head: Uint8Array = new Uint8Array(0)): boolean {
    this.fine();
    this.messages.push(new Uint8Array(Buffer.concat([head, payload])));
    this.times.push(Number(this.clock.now()) / 1e6);
    return this.isReading;
  }

  end(trailers: readonly HeaderField[]): void {
    this.fine();
    const value = (name: string): string => Buffer.from(trailers.find((field) => field.name === name)?.value ?? []).toString('latin1');
    this.status = { code: Number(value('grpc-status')), message: decodeURIComponent(value('grpc-message')), trailers };
  }

  reset(code: number): void {
    this.fine();
    this.resetCode = code;
  }

  sendPart(payload: Uint8Array, bytes: number): void {
    this.fine();
    this.parts.push(payload.slice(0, bytes));
  }

  goAway(code: number): void {
    this.fine();
    this.goneAway = code;
  }

  breakOff(): void {
    this.fine();
    this.isBrokenOff = true;
  }

  holdWindow(onRead: (bytes: number) => void): void {
    this.onRead = onRead;
  }

  giveBack(bytes: number): void {
    this.givenBack += bytes;
  }

  private fine(): void {
    const isGone = (this.goneAway ?? 0) !== 0 || this.isBrokenOff;
    if (this.status !== undefined || this.resetCode !== undefined || isGone) throw new Error(`${this.path}: something was sent after the end`);
    if (this.cancelled) throw new Error(`${this.path}: something was sent after the client cancelled`);
  }
}

export class Stage {
  readonly clock = new FakeClock();
  readonly misses: string[] = [];
  readonly reannotations: Reannotation[] = [];
  readonly crashes: unknown[] = [];
  readonly replayer: Replayer;
  readonly plan: FaultPlan;

  constructor(script: Script | readonly Script[], options: ReplayerOptions = {}, faults: readonly Fault[] = []) {
    const calls = ('builds' in script ? [script] : script).flatMap((one) => [...one.builds.flatMap((build) => build.calls), ...one.others]);
    this.plan = new FaultPlan(faults, calls.map(({ path }) => path), this.clock, (error) => this.crashes.push(error));
    this.replayer = new Replayer(script, {
      clock: this.clock,
      isHeld: this.plan.isHolding,
      onMiss: ({ text }) => this.misses.push(text),
      onReannotation: (difference) => this.reannotations.push(difference),
      onCrash: (error) => this.crashes.push(error),
      ...options,
    });
  }

  open(path: string, headers: Pairs = []): LiveCall {
    return new LiveCall(path, headers, this.plan.before(this.replayer.accept), this.clock);
  }

  bridge(method: string, build?: string): LiveCall {
    return this.open(bridge(method), ofBuild(build));
  }
}
