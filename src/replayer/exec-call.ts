/**
 * A live ExecProcess stream. Many processes share it; each is bound to the recorded process that was started the
 * same way, and what the client sends to it is compared as what it means: stdin as bytes, resizes and signals in
 * order. The server's side is played in the recorded order of the whole stream.
 */
import { canonicalRequest, parseExec, withProcessId } from '../bridge/index.js';
import type { Call, CallHandler } from './call.js';
import type { Clock } from './clock.js';
import type { RecordedExec, RecordedInput, RecordedProcess } from './exec-script.js';
import type { LiveBuild } from './live-build.js';
import { explainMiss, type Miss } from './miss.js';
import { Player } from './player.js';
import { EXEC_PROCESS, type RecordedCall } from './script.js';
import { OK, Status, statusTrailers } from './status.js';

export interface ExecCallOptions {
  readonly call: Call;
  readonly build: LiveBuild;
  readonly clock: Clock;
  readonly pace: number;
  readonly missed: (miss: Pick<Miss, 'path' | 'text'>) => void;
  readonly done: () => void;
}

type ExecInput = NonNullable<ReturnType<typeof parseExec>>['input'];

/** A live process and how far its client has come with what the recording has. */
interface LiveProcess {
  readonly recorded: RecordedProcess;
  readonly written: Map<number, { offset: number; message: number }>;
  resizes: number;
  signals: number;
}

export class ExecCall implements CallHandler {
  private recording: RecordedExec | undefined;
  private player: Player | undefined;
  private readonly processes = new Map<string, LiveProcess>();
  private readonly taken = new Set<RecordedProcess>();
  /** Recorded process id → this client's. */
  private readonly liveIds = new Map<string, string>();
  private strays = 0;
  private ended = false;

  constructor(private readonly options: ExecCallOptions) {}

  message(payload: Uint8Array): void {
    if (this.ended) return;
    const message = parseExec(payload);
    if (message === undefined) {
      this.miss('the client sent bytes that are no ExecMessage');
      return;
    }
    const { input, process: id } = message;
    const process = this.processes.get(id);
    const problem = input.kind === 'init' ? this.start(id, payload) : process === undefined ? this.stray(id, payload) : this.continue(process, input);
    if (problem !== undefined) this.miss(problem);
    else this.options.build.advance();
  }

  halfClose(): void {
    if (this.ended) return;
    const recording = this.recording ?? this.bind((candidate) => candidate.processes.length + candidate.strays.length === 0 && candidate.halfClose !== undefined);
    if (recording?.halfClose !== undefined) {
      this.options.build.mark(recording.halfClose);
      this.options.build.advance();
    } else if (recording === undefined) {
      // A stream that was never used can end well.
      this.options.call.end(OK);
      this.finish();
    }
  }

  cancelled(): void {
    if (this.player !== undefined) this.player.cancel();
    else this.finish();
  }

  private start(id: string, payload: Uint8Array): string | undefined {
    const { build } = this.options;
    const live = canonicalRequest(EXEC_PROCESS, payload, build.bindings.recorded);
    const recorded = this.find(live.text);
    if (recorded === undefined) {
      return explainMiss(EXEC_PROCESS, live, this.recordedInits(), new Set()).text;
    }
    this.taken.add(recorded);
    this.processes.set(id, { recorded, written: new Map(), resizes: 0, signals: 0 });
    this.liveIds.set(recorded.id, id);
    build.bindings.bind('process', id, recorded.id);
    build.mark(recorded.initSeq);
    return undefined;
  }

  /** A message for a process that this stream has not started: BuildKit answers it with an error, if it was recorded. */
  private stray(id: string, payload: Uint8Array): string | undefined {
    const { text } = canonicalRequest(EXEC_PROCESS, payload, this.options.build.bindings.recorded);
    const recording = this.recording ?? this.bind(({ strays }) => strays[0]?.text === text);
    const expected = recording?.strays[this.strays];
    if (expected?.text !== text) return `the client sent a message for a process that it has not started (${id})`;
    this.strays += 1;
    this.options.build.mark(expected.seq);
    return undefined;
  }

  /** The recorded process that was started like this one; the first one found decides which recorded stream this is. */
  private find(init: string): RecordedProcess | undefined {
    const recording = this.recording ?? this.bind(({ processes }) => processes.some((process) => process.init === init));
    return recording?.processes.find((process) => process.init === init && !this.taken.has(process));
  }

  /** Takes the first unused recorded stream that fits as the one that this is. */
  private bind(fits: (recording: RecordedExec) => boolean): RecordedExec | undefined {
    const { build, call, clock, pace } = this.options;
    for (const recorded of build.matcher.of(EXEC_PROCESS)) {
      if (build.matcher.isUsed(recorded)) continue;
      const recording = build.execOf(recorded);
      if (!fits(recording)) continue;
      build.matcher.use(recorded);
      this.recording = recording;
      this.player = new Player({
        call,
        recorded,
        scope: build.execScope(recorded),
        clock,
        pace,
        rewriteMessage: (payload) => this.toLive(payload),
        rewriteDetails: build.bindings.toLive,
        done: () => this.finish(),
      });
      build.join(this.player);
      return recording;
    }
    return undefined;
  }

  /** The recorded Init messages, each as if it were a call of its own, for {@link explainMiss}. */
  private recordedInits(): readonly RecordedCall[] {
    return this.options.build.matcher
      .of(EXEC_PROCESS)
      .flatMap((call) => call.events.filter((event) => event.kind === 'client-message' && event.data !== undefined && parseExec(event.data)?.input.kind === 'init').map((event) => ({ ...call, events: [event] })));
  }

  private continue(process: LiveProcess, input: ExecInput): string | undefined {
    switch (input.kind) {
      case 'file':
        return this.write(process, input.fd, input.data, input.eof);
      case 'resize': {
        const expected = process.recorded.resizes[process.resizes];
        process.resizes += 1;
        if (expected === undefined) return `the client resized the terminal ${process.resizes} times, the recorded one ${process.recorded.resizes.length} times`;
        if (expected.rows !== input.rows || expected.cols !== input.cols) {
          return `the client resized the terminal to ${input.cols}x${input.rows}, the recorded one to ${expected.cols}x${expected.rows}`;
        }
        this.options.build.mark(expected.seq);
        return undefined;
      }
      case 'signal': {
        const expected = process.recorded.signals[process.signals];
        process.signals += 1;
        if (expected?.name !== input.name) return `the client sent the signal ${input.name}, the recorded one ${expected?.name ?? 'no more of them'}`;
        this.options.build.mark(expected.seq);
        return undefined;
      }
      case 'init':
      case 'started':
      case 'exit':
      case 'done':
      case 'unknown':
        return `the client sent ${input.kind}, which the recording does not have there`;
    }
  }

  private write(process: LiveProcess, fd: number, data: Uint8Array, eof: boolean): string | undefined {
    const input = process.recorded.files.get(fd);
    const at = process.written.get(fd) ?? { offset: 0, message: 0 };
    process.written.set(fd, at);
    const problem = input === undefined ? undefined : compareBytes(input, at.offset, data, fd);
    if (problem !== undefined) return problem;
    at.offset += data.length;
    for (; input !== undefined && at.message < input.messages.length; at.message += 1) {
      const recorded = input.messages[at.message];
      if (recorded === undefined || recorded.end > at.offset || (recorded.eof && !eof)) break;
      this.options.build.mark(recorded.seq);
    }
    return undefined;
  }

  private toLive(payload: Uint8Array): Uint8Array {
    const message = parseExec(payload);
    if (message === undefined) return payload;
    const id = this.liveIds.get(message.process);
    const named = id === undefined || id === message.process ? payload : withProcessId(payload, id);
    // What a process printed is given back as it was; only errors speak of ids and ops.
    return message.input.kind === 'exit' ? this.options.build.bindings.toLive(named) : named;
  }

  private miss(why: string): void {
    const text = why.startsWith('bridgetape: ') ? why : `bridgetape: on LLBBridge/ExecProcess${this.recording === undefined ? '' : ` (call ${this.recording.call.id} of the cassette)`}, ${why}`;
    this.options.missed({ path: EXEC_PROCESS, text });
    if (this.player !== undefined) {
      this.player.fail(Status.failedPrecondition, text);
      return;
    }
    this.options.call.end(statusTrailers(Status.failedPrecondition, text));
    this.finish();
  }

  private finish(): void {
    if (this.ended) return;
    this.ended = true;
    if (this.player !== undefined) this.options.build.leave(this.player);
    this.options.done();
  }
}

function compareBytes(input: RecordedInput, offset: number, data: Uint8Array, fd: number): string | undefined {
  const expected = input.bytes.subarray(offset, offset + data.length);
  if (!expected.equals(data.subarray(0, expected.length))) {
    const index = expected.findIndex((byte, position) => byte !== data[position]);
    return `byte ${offset + index} of what the client wrote to fd ${fd} differs from the recorded one`;
  }
  // A process that ends without reading all of its stdin leaves it to chance how much was sent.
  if (data.length > expected.length && input.complete) {
    return `the client wrote more to fd ${fd} than the recorded ${input.bytes.length} bytes`;
  }
  return undefined;
}
