/**
 * Runs an input against a server connection and holds it to what must be so whatever the input is. Throws where it is
 * not; gives back all that was sent and seen, for two runs to be compared. Knows no test runner: the soak uses it too.
 */

import { DEFAULT_SERVE_LIMITS, ErrorCode, errorCodeName, type GrpcCall, type GrpcHandler, grpcRequests, type HeaderField, type RequestLine, ServerConnection, type ServeLimits, type ServerStream, type StreamHandler } from '../../src/wire/index.js';
import { concat, latin1 } from '../wire/bytes.js';
import { octets } from './bytes.js';
import { Violation, Witness } from './frames.js';
import type { Input, Step } from './fuzz-input.js';

/** Bounds that an input of some kilobytes reaches. */
const TIGHT: ServeLimits = {
  concurrentStreams: 3,
  streamWindowBytes: 65_535,
  connectionWindowBytes: 65_535,
  headerListBytes: 400,
  headerFields: 10,
  headerBlockBytes: 600,
  continuations: 6,
  messageBytes: 50,
  heldBytes: 60,
  streamQueueBytes: 200,
  connectionQueueBytes: 400,
  outputBytes: 300,
  queuedControlFrames: 5,
  resets: { burst: 3, perSecond: 1 },
  settings: { burst: 4, perSecond: 1 },
  idleFrames: { burst: 3, perSecond: 1 },
  rememberedStreams: 2,
};

/** The application writes no more than this at once. */
const MAX_WRITE = 40_000;
const BODY = octets(MAX_WRITE);
/** One stream's turn, a frame, and a header block beyond what the output is said to take. */
const SLACK = 64 * 1024 + 16_384 + 20_000;

export interface Run {
  /** What the server sent, all of it. */
  readonly output: Uint8Array;
  /** What the application and the owner of the transport were told, chunks of content joined. */
  readonly seen: readonly string[];
  /** How the connection ended, and how many requests got as far as the application. */
  readonly ending: string;
  readonly requests: number;
}

/** What the application sees of one request; nothing may come in the wrong order. */
class Seen {
  content: Uint8Array[] = [];
  readonly written: Uint8Array[] = [];
  ended = false;
  answered = false;
  cancelledWith: number | undefined;
  room = true;
  private began = false;

  constructor(readonly stream: ServerStream) {}

  readonly handler: StreamHandler = {
    data: (bytes, from, to) => {
      this.expectOpen('content');
      this.content.push(bytes.slice(from, to));
    },
    ended: () => {
      this.expectOpen('the end');
      this.ended = true;
    },
    cancelled: (code) => {
      if (this.cancelledWith !== undefined) throw new Violation('a request was cancelled twice');
      this.cancelledWith = code;
    },
    drained: () => {
      if (this.cancelledWith !== undefined) throw new Violation('room in a request that was cancelled');
      this.room = true;
    },
  };

  private expectOpen(what: string): void {
    if (this.ended || this.cancelledWith !== undefined) throw new Violation(`${what} of a request that was over`);
  }

  act(what: Extract<Step, { kind: 'answer' }>['what'], size: number): void {
    switch (what) {
      case 'headers':
        if (!this.began) this.begin();
        return;
      case 'write':
        if (!this.began) this.begin();
        if (this.room) this.write(BODY.subarray(0, 5), BODY.subarray(0, Math.min(size, MAX_WRITE)));
        return;
      case 'trailers':
        if (!this.began) this.begin();
        this.answered = true;
        this.stream.sendHeaders([{ name: 'x-size', value: latin1(String(size)) }], true);
        return;
      case 'reset':
        this.answered = true;
        this.stream.reset(size % 14);
        return;
    }
  }

  private write(head: Uint8Array, body: Uint8Array): void {
    this.written.push(head, body);
    this.room = this.stream.write(head, body);
  }

  private begin(): void {
    this.began = true;
    this.stream.sendHeaders([{ name: ':status', value: latin1('200') }], false);
  }
}

/** A call of gRPC that sends its messages back, as long as there is room, and ends when its client has. */
class Echo implements GrpcHandler {
  readonly messages: Uint8Array[] = [];
  halfClosed = false;
  wasCancelled = false;
  answered = false;
  room = true;

  constructor(readonly call: GrpcCall) {}

  message(payload: Uint8Array): void {
    if (this.halfClosed || this.wasCancelled) throw new Violation('a message of a call that was over');
    if (!(payload instanceof Uint8Array)) throw new Violation('a message that is not bytes');
    this.messages.push(Uint8Array.from(payload));
    if (this.room) this.room = this.call.send(Uint8Array.from(payload));
  }

  halfClose(): void {
    if (this.halfClosed || this.wasCancelled) throw new Violation('a half-close of a call that was over');
    this.halfClosed = true;
    if (this.call.path !== '/') this.act('trailers', 0);
  }

  cancelled(): void {
    if (this.wasCancelled) throw new Violation('a call was cancelled twice');
    this.wasCancelled = true;
  }

  drained(): void {
    if (this.wasCancelled) throw new Violation('room in a call that was cancelled');
    this.room = true;
  }

  act(what: Extract<Step, { kind: 'answer' }>['what'], size: number): void {
    switch (what) {
      case 'headers':
        this.call.sendHeaders([]);
        return;
      case 'write':
        if (this.room) this.room = this.call.send(BODY.subarray(0, Math.min(size, MAX_WRITE)));
        return;
      case 'trailers':
        this.answered ||= this.call.end([{ name: 'grpc-status', value: latin1('0') }]);
        return;
      case 'reset':
        this.answered = true;
        this.call.reset(size % 14);
        return;
    }
  }
}

/** What is sent with nothing else between comes in one chunk. */
function joined(steps: readonly Step[]): readonly Step[] {
  const all: Step[] = [];
  for (let at = 0; at < steps.length; ) {
    const step = steps[at];
    if (step === undefined) break;
    let end = at;
    const parts: Uint8Array[] = [];
    for (let next = steps[end]; next?.kind === 'send'; next = steps[end]) {
      parts.push(next.bytes);
      end += 1;
    }
    all.push(parts.length > 0 ? { kind: 'send', bytes: concat(...parts) } : step);
    at = Math.max(at + 1, end);
  }
  return all;
}

class Rig {
  private readonly connection: ServerConnection;
  private readonly limits: ServeLimits;
  private readonly requests: Seen[] = [];
  private readonly calls: Echo[] = [];
  private readonly output: Uint8Array[] = [];
  private clock = 0;
  private told = false;
  private over: { readonly code: number; readonly reason: string } | undefined;

  /** @param witness reads what is sent, as a client would; the second run of an input, which has to send the same, needs none */
  constructor(
    private readonly input: Input,
    private readonly witness?: Witness,
  ) {
    this.limits = input.bounds === 'tight' ? TIGHT : DEFAULT_SERVE_LIMITS;
    const http = (stream: ServerStream, line: RequestLine, headers: readonly HeaderField[]): StreamHandler => {
      if (line.method === '' || headers.length === 0) throw new Violation('a request without a method');
      const seen = new Seen(stream);
      this.requests.push(seen);
      return seen.handler;
    };
    const grpc = grpcRequests((call) => {
      const echo = new Echo(call);
      this.calls.push(echo);
      return echo;
    }, this.limits);
    this.connection = new ServerConnection(
      {
        request: input.application === 'http' ? http : grpc,
        writable: () => {
          this.told = true;
        },
        over: (code, reason) => {
          if (this.over !== undefined) throw new Violation('the connection was over twice');
          this.over = { code, reason };
        },
      },
      { limits: this.limits, now: () => this.clock },
    );
  }

  run(cut: boolean): Run {
    let next = 0;
    for (const step of joined(this.input.steps)) {
      if (step.kind !== 'send') {
        this.step(step);
      } else {
        this.witness?.clientSent(step.bytes);
        for (let at = 0; at < step.bytes.length; ) {
          const length = cut ? (this.input.cuts[next++ % this.input.cuts.length] ?? 1) : step.bytes.length;
          this.connection.push(step.bytes.subarray(at, at + length));
          at += length;
        }
      }
      this.checkBounds();
    }
    this.read();
    this.checkContents();
    const ending = this.over === undefined ? 'open to the end' : errorCodeName(this.over.code);
    if (this.over === undefined) {
      this.connection.end();
      this.read();
    }
    this.checkEnd();
    return { output: concat(...this.output), seen: this.seen(), ending, requests: this.requests.length + this.calls.length };
  }

  private step(step: Exclude<Step, { kind: 'send' }>): void {
    switch (step.kind) {
      case 'read':
        this.read();
        return;
      case 'pass':
        this.clock += step.ms;
        return;
      case 'drain':
        this.connection.drain();
        return;
      case 'answer': {
        const all = this.input.application === 'http' ? this.requests : this.calls;
        const open = all.filter((one) => !one.answered && !(one instanceof Seen ? one.cancelledWith !== undefined : one.wasCancelled));
        open[step.request % Math.max(1, open.length)]?.act(step.what, step.size);
      }
    }
  }

  private read(): void {
    let chunks = this.connection.pull();
    if (chunks.length > 0 && !this.told) throw new Violation('there was something to pull, and nobody was told');
    for (; chunks.length > 0; chunks = this.connection.pull()) {
      for (const chunk of chunks) {
        this.output.push(chunk);
        this.witness?.serverSent(chunk);
      }
    }
    this.told = false;
    if (this.connection.openStreams === 0 && this.connection.pendingBytes > 0) throw new Violation('bytes wait of streams that are over');
    if (this.over !== undefined) this.witness?.end();
  }

  /** What the server holds back is bounded, whatever was asked of it and however little is read. */
  private checkBounds(): void {
    const { limits, connection } = this;
    const streams = Math.min(limits.concurrentStreams, this.requests.length + this.calls.length);
    const most = limits.outputBytes + limits.connectionQueueBytes + limits.queuedControlFrames * 20 + (streams + 1) * (limits.streamQueueBytes + MAX_WRITE + 5) + SLACK;
    if (connection.pendingBytes > most) throw new Violation(`${connection.pendingBytes} bytes wait to be sent, of ${most} that may`);
    if (connection.openStreams > limits.concurrentStreams) throw new Violation(`${connection.openStreams} streams are open, of ${limits.concurrentStreams} that may be`);
  }

  /** What comes out on either side is what the other one put in: all of it where that ended well, the beginning of it elsewhere. */
  private checkContents(): void {
    for (const { stream, content, written, ended } of this.requests) {
      this.witness?.checkContent(stream.id, concat(...content), ended);
      this.witness?.checkAnswer(stream.id, concat(...written));
    }
  }

  /** RFC 9113 §5.4.1: nothing is said after the end, and nobody is left waiting. */
  private checkEnd(): void {
    const { over, connection } = this;
    if (over === undefined) throw new Violation('the connection is not over');
    if (over.reason === '') throw new Violation('the connection is over, and nothing says why');
    if (connection.openStreams > 0 || connection.pendingBytes > 0) throw new Violation('something is left of a connection that is over');
    for (const { answered, cancelledWith } of this.requests) if (!answered && cancelledWith === undefined) throw new Violation('a request was never told of the end');
    for (const { answered, wasCancelled } of this.calls) if (!answered && !wasCancelled) throw new Violation('a call was never told of the end');
    const sent = this.output.length;
    connection.push(latin1('more'));
    connection.drain();
    connection.abort(ErrorCode.INTERNAL_ERROR, 'again');
    connection.end();
    for (const one of [...this.requests, ...this.calls]) for (const what of ['headers', 'write', 'trailers', 'reset'] as const) one.act(what, 10);
    this.read();
    if (this.output.length > sent) throw new Violation('something was sent after the end');
  }

  private seen(): string[] {
    const over = this.over === undefined ? [] : [`over: ${errorCodeName(this.over.code)}, ${this.over.reason}`];
    return [
      ...this.requests.map(({ stream, content, ended, cancelledWith }) => `${stream.id}: ${Buffer.concat(content).toString('hex')} ${ended} ${cancelledWith}`),
      ...this.calls.map(({ call, messages, halfClosed, wasCancelled }) => `${call.path}: ${messages.map((one) => Buffer.from(one).toString('hex')).join(',')} ${halfClosed} ${wasCancelled}`),
      ...over,
    ];
  }
}

/**
 * @returns the run with the bytes in whole steps
 * @throws Violation, or whatever the server throws, which is as wrong
 */
export function holds(input: Input): Run {
  const whole = new Rig(input, new Witness()).run(false);
  const cut = new Rig(input).run(true);
  if (Buffer.compare(whole.output, cut.output) !== 0) throw new Violation(`the same bytes in other chunks are answered in another way:\n${hexOf(whole)}\n${hexOf(cut)}`);
  if (whole.seen.join('\n') !== cut.seen.join('\n')) throw new Violation(`the same bytes in other chunks are seen in another way:\n${whole.seen.join('\n')}\n--\n${cut.seen.join('\n')}`);
  return whole;
}

const hexOf = ({ output }: Run): string => Buffer.from(output).toString('hex');
