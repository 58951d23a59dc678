/** A call that comes to a bad end at its point: with a status or without, by a reset, with its connection, or not at all. */
import type { HeaderField } from '../cassette/index.js';
import { ErrorCode, OK, Status, statusTrailers } from '../wire/index.js';
import type { AcceptTransport, CallHandler, TransportCall } from './call.js';
import type { Cues } from './cues.js';
import type { Effect, Point } from './fault.js';
import { Passage, whole } from './passage.js';

export type Cut = Extract<Effect, { kind: 'status' | 'end' | 'RST_STREAM' | 'GOAWAY' | 'reset' | 'hang' }>;

export class CutPassage extends Passage {
  /** Messages or bytes, whichever the point counts. */
  private sent = 0;
  private reached = false;
  /** Nothing that the player says goes out any more. */
  private shut = false;
  private stopTimer: (() => void) | undefined;
  private letGo: (() => void) | undefined;

  constructor(
    call: TransportCall,
    private readonly cut: Cut,
    private readonly point: Point | undefined,
    private readonly cues: Cues,
  ) {
    super(call);
  }

  open(accept: AcceptTransport): CallHandler {
    const { point } = this;
    if (point === undefined) this.strike();
    else if (point.kind === 'time') this.strikeIn(point.ms);
    // What a fault comes instead of was never asked: a client that tries again gets the recorded answer.
    return this.shut ? this : this.pass(accept);
  }

  override sendHeaders(headers: readonly HeaderField[]): void {
    if (!this.shut) super.sendHeaders(headers);
  }

  override send(rest: Uint8Array, head?: Uint8Array): boolean {
    if (this.shut) return false;
    const { point } = this;
    if (this.reached || point === undefined || point.kind === 'time') return super.send(rest, head);
    const payload = whole(rest, head);
    this.sent += point.kind === 'messages' ? 1 : payload.length;
    if (this.sent < point.count) return super.send(payload);
    this.reached = true;
    // The player is in the middle of something: it is told that its call is over when it has come out of that.
    this.strikeIn(0);
    this.shut = !isHarmless(this.cut);
    const beyond = point.kind === 'bytes' ? this.sent - point.count : 0;
    if (beyond === 0) return super.send(payload) && !this.shut;
    super.sendPart(payload, payload.length - beyond);
    return false;
  }

  override end(trailers: readonly HeaderField[]): void {
    if (this.shut) this.forget();
    else super.end(trailers);
  }

  override reset(code: number): void {
    if (this.shut) this.forget();
    else super.reset(code);
  }

  override drained(): void {
    if (!this.shut) super.drained();
  }

  protected override settle(): void {
    this.stopTimer?.();
    this.letGo?.();
    this.letGo = undefined;
  }

  private strikeIn(ms: number): void {
    this.stopTimer = this.cues.after(ms, this.path, () => this.strike());
  }

  private strike(): void {
    const { cut, call } = this;
    this.cues.fired();
    this.reached = true;
    this.shut = !isHarmless(cut);
    switch (cut.kind) {
      case 'hang':
        // Who plays the call goes on, as a daemon would of which no answer comes through.
        this.letGo = this.cues.hold();
        return;
      case 'status':
        call.end(cut.code === Status.ok ? OK : statusTrailers(cut.code, cut.message ?? `bridgetape: the fault ${this.cues.spec}`));
        break;
      case 'end':
        call.end([]);
        break;
      case 'RST_STREAM':
        call.reset(cut.code);
        break;
      case 'reset':
        call.breakOff();
        break;
      case 'GOAWAY':
        call.goAway(cut.code);
        break;
    }
    if (this.shut) this.dismiss();
  }
}

/** Whether the call goes on. */
function isHarmless(cut: Cut): boolean {
  return cut.kind === 'GOAWAY' && cut.code === ErrorCode.NO_ERROR;
}
