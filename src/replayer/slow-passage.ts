/** A call whose client is read slowly: what it sends arrives late, and its window opens no faster. */
import type { AcceptTransport, CallHandler, TransportCall } from './call.js';
import type { Cues } from './cues.js';
import { Passage } from './passage.js';

/** What gRPC puts before each message: a flag and its length. */
const PREFIX_BYTES = 5;
const NS_PER_S = 1e9;
const NS_PER_MS = 1e6;

export class SlowPassage extends Passage {
  /** What was read off the wire and is yet to be taken in, in order. */
  private readonly waiting: { readonly due: bigint; readonly take: () => void }[] = [];
  private stopTimer: (() => void) | undefined;
  private letGo: (() => void) | undefined;
  /** Bytes of the client, as messages and as they come off the wire: the two name the same bytes. */
  private told = 0;
  private read = 0;
  /** Where the slow reader is, and when it gets there. */
  private position = 0;
  private there: bigint;

  constructor(
    call: TransportCall,
    private readonly bytesPerSecond: number,
    private readonly cues: Cues,
  ) {
    super(call);
    this.there = cues.now();
  }

  open(accept: AcceptTransport): CallHandler {
    this.call.holdWindow((bytes) => {
      this.read += bytes;
      this.takeAt(this.read, () => this.call.giveBack(bytes));
    });
    return this.pass(accept);
  }

  override message(payload: Uint8Array): void {
    this.told += PREFIX_BYTES + payload.length;
    this.takeAt(this.told, () => super.message(payload));
  }

  override halfClose(): void {
    this.takeAt(this.told, () => super.halfClose());
  }

  // Who else reads slowly has no window to hold: this one does.
  override holdWindow(): void {}
  override giveBack(): void {}

  protected override settle(): void {
    this.stopTimer?.();
    this.stopTimer = undefined;
    this.waiting.length = 0;
    this.release();
  }

  /** Takes it in when the reader has come to this byte. */
  private takeAt(byte: number, take: () => void): void {
    const now = this.cues.now();
    if (byte > this.position) {
      const from = this.there > now ? this.there : now;
      this.there = from + BigInt(Math.ceil(((byte - this.position) * NS_PER_S) / this.bytesPerSecond));
      this.position = byte;
    }
    this.waiting.push({ due: this.there, take });
    if (this.stopTimer === undefined) this.wait();
  }

  private wait(): void {
    const [next] = this.waiting;
    if (next === undefined) {
      this.release();
      return;
    }
    this.cues.fired();
    this.letGo ??= this.cues.hold();
    this.stopTimer = this.cues.after(Math.max(0, Number(next.due - this.cues.now()) / NS_PER_MS), this.path, () => {
      this.stopTimer = undefined;
      this.takeDue();
      this.wait();
    });
  }

  private takeDue(): void {
    const now = this.cues.now();
    for (let [next] = this.waiting; next !== undefined && next.due <= now; [next] = this.waiting) {
      this.waiting.shift();
      next.take();
    }
  }

  private release(): void {
    this.letGo?.();
    this.letGo = undefined;
  }
}
