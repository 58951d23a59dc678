/** A call whose answer goes out late: once from its point on, or before each message. */
import type { HeaderField } from '../cassette/index.js';
import type { AcceptTransport, CallHandler, TransportCall } from './call.js';
import type { Cues } from './cues.js';
import type { Effect, Point } from './fault.js';
import { Passage, whole } from './passage.js';

export type Delay = Extract<Effect, { kind: 'delay' | 'delay-each' }>;

/** Something that the player has said. */
interface Said {
  readonly isMessage: boolean;
  /** @returns false when the client does not read */
  readonly go: () => boolean;
}

export class LatePassage extends Passage {
  private readonly waiting: Said[] = [];
  private reached: boolean;
  /** It was late once. */
  private spent = false;
  private messages = 0;
  private stopPoint: (() => void) | undefined;
  private stopTimer: (() => void) | undefined;
  private letGo: (() => void) | undefined;

  constructor(
    call: TransportCall,
    private readonly delay: Delay,
    private readonly point: Point | undefined,
    private readonly cues: Cues,
  ) {
    super(call);
    this.reached = point === undefined;
  }

  open(accept: AcceptTransport): CallHandler {
    const { point, cues } = this;
    if (point?.kind === 'time') {
      this.stopPoint = cues.after(point.ms, this.path, () => {
        this.reached = true;
      });
    }
    return this.pass(accept);
  }

  override sendHeaders(headers: readonly HeaderField[]): void {
    this.say({ isMessage: false, go: () => (super.sendHeaders(headers), true) });
  }

  override send(rest: Uint8Array, head?: Uint8Array): boolean {
    const payload = whole(rest, head);
    return this.say({ isMessage: true, go: () => this.sendNow(payload) });
  }

  override sendPart(payload: Uint8Array, bytes: number): void {
    this.say({ isMessage: true, go: () => (super.sendPart(payload, bytes), true) });
  }

  override end(trailers: readonly HeaderField[]): void {
    this.forget();
    this.say({ isMessage: false, go: () => (super.end(trailers), true) });
  }

  override reset(code: number): void {
    this.forget();
    this.say({ isMessage: false, go: () => (super.reset(code), true) });
  }

  override drained(): void {
    if (this.waiting.length === 0) super.drained();
  }

  protected override settle(): void {
    this.stopPoint?.();
    this.stopTimer?.();
    this.stopTimer = undefined;
    this.waiting.length = 0;
    this.release();
  }

  private sendNow(payload: Uint8Array): boolean {
    this.messages += 1;
    const roomy = super.send(payload);
    if (this.point?.kind === 'messages' && this.messages === this.point.count) this.reached = true;
    return roomy;
  }

  /** @returns false when it waits, or the client does not read */
  private say(said: Said): boolean {
    if (this.waiting.length === 0 && !this.isLate(said)) return said.go();
    this.waiting.push(said);
    if (this.stopTimer === undefined) this.wait();
    return false;
  }

  private isLate({ isMessage }: Said): boolean {
    return this.reached && (this.delay.kind === 'delay-each' ? isMessage : !this.spent);
  }

  private wait(): void {
    this.cues.fired();
    this.letGo ??= this.cues.hold();
    this.stopTimer = this.cues.after(this.delay.ms, this.path, () => {
      this.stopTimer = undefined;
      this.spent = true;
      this.goOn();
    });
  }

  /** Lets go what has waited long enough. */
  private goOn(): void {
    let roomy = true;
    for (let said = this.waiting.shift(); said !== undefined; said = this.waiting.shift()) {
      roomy = said.go();
      const [next] = this.waiting;
      if (next !== undefined && this.isLate(next)) {
        this.wait();
        return;
      }
    }
    this.release();
    if (roomy) super.drained();
  }

  private release(): void {
    this.letGo?.();
    this.letGo = undefined;
  }
}
