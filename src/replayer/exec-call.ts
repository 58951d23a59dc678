/**
 * A live ExecProcess stream. Many processes share it; each is bound to a recorded process that was started the same
 * way, and what the client sends to it is compared as what it means: stdin as bytes, resizes and signals in order.
 * When a client's bytes show that two processes (or their containers) were taken for one another, they change places.
 */
import { canonicalRequest, parseExec, withProcessId, type ExecInput } from '../bridge/index.js';
import type { Call, CallHandler } from './call.js';
import type { Clock } from './clock.js';
import type { RecordedExec, RecordedProcess } from './exec-script.js';
import type { LiveBuild } from './live-build.js';
import { LiveProcess } from './live-process.js';
import { explainMiss, type Miss } from './miss.js';
import { Player, type AnswerSource } from './player.js';
import { EXEC_PROCESS, type RecordedCall, type ServerEvent } from './script.js';
import { OK, Status, statusTrailers } from './status.js';

export interface ExecCallOptions {
  readonly call: Call;
  readonly build: LiveBuild;
  readonly clock: Clock;
  readonly pace: number;
  readonly missed: (miss: Pick<Miss, 'path' | 'text'>) => void;
  readonly done: () => void;
}

export class ExecCall implements CallHandler {
  private recording: RecordedExec | undefined;
  private player: Player | undefined;
  private answers: ExecAnswers | undefined;
  private readonly processes = new Map<string, LiveProcess>();
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
    const problem =
      input.kind === 'init'
        ? this.start(id, input.containerId, input.canonical, payload)
        : process === undefined
          ? this.stray(id, payload)
          : this.take(process, input);
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

  private start(id: string, container: string, init: string, payload: Uint8Array): string | undefined {
    const { build } = this.options;
    const recorded = this.find(init, container);
    if (recorded === undefined) {
      return explainMiss(EXEC_PROCESS, canonicalRequest(EXEC_PROCESS, payload, build.bindings.recorded), this.recordedInits(), new Set()).text;
    }
    const process = new LiveProcess(id, container, recorded);
    this.processes.set(id, process);
    this.answers?.add(process);
    build.bindings.bind('process', id, recorded.id);
    this.markDone(process);
    return undefined;
  }

  private take(process: LiveProcess, input: ExecInput): string | undefined {
    const problem = process.take(input) && this.takeAsAnother(process, input);
    if (problem === undefined) this.markDone(process);
    return problem;
  }

  private markDone(process: LiveProcess): void {
    for (const seq of process.done()) this.options.build.mark(seq);
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

  /**
   * The recorded process that was started like this one in the container that this one's is bound to. Where there is
   * none, but one in a container made the same way, the containers change places.
   */
  private find(init: string, container: string): RecordedProcess | undefined {
    const { build } = this.options;
    const bound = build.bindings.recorded.get(container) ?? container;
    const isHere = (process: RecordedProcess): boolean => process.init === init && process.container === bound;
    const recording = this.recording ?? this.bind(({ processes }) => processes.some(isHere)) ?? this.bind(({ processes }) => processes.some((process) => process.init === init));
    if (recording === undefined) return undefined;
    const free = recording.processes.filter((process) => process.init === init && !this.isTaken(process));
    return free.find(isHere) ?? free.find((process) => process.container !== bound && this.swapContainers(container, process.container));
  }

  private isTaken(recorded: RecordedProcess): boolean {
    return this.holderOf(recorded) !== undefined;
  }

  private holderOf(recorded: RecordedProcess): LiveProcess | undefined {
    for (const process of this.processes.values()) if (process.recorded === recorded) return process;
    return undefined;
  }

  /** The client has sent what the recorded process was not sent: perhaps this is another one, that was started alike. */
  private takeAsAnother(process: LiveProcess, input: ExecInput): string | undefined {
    const before = process.recorded;
    const why = process.take(input);
    for (const other of this.recording?.processes ?? []) {
      if (other === before || other.init !== before.init) continue;
      const swapped = other.container === before.container ? this.swap([[process, other]]) : this.swapContainers(process.container, other.container);
      if (!swapped) continue;
      if (process.recorded === other && process.take(input) === undefined) return undefined;
      // It was not that one either: back to where things stood.
      if (other.container === before.container) this.swap([[process, before]]);
      else this.swapContainers(process.container, before.container);
    }
    return why;
  }

  /** Lets a live container stand for another recorded one, all of its processes with it, and the one that stood for that in its place. */
  private swapContainers(container: string, wanted: string): boolean {
    const { build } = this.options;
    const held = build.bindings.recorded.get(container);
    if (held === undefined || !build.areMadeAlike(held, wanted)) return false;
    const recorded = this.recording?.processes ?? [];
    const moves: [LiveProcess, RecordedProcess][] = [];
    const claimed = new Set<RecordedProcess>();
    for (const process of this.processes.values()) {
      if (process.container !== container) continue;
      const target = recorded.find((candidate) => candidate.container === wanted && !claimed.has(candidate) && process.answeredAs(candidate) !== undefined);
      if (target === undefined) return false;
      claimed.add(target);
      moves.push([process, target]);
    }
    if (!this.swap(moves)) return false;
    build.swapContainers(container, wanted);
    return true;
  }

  /** Gives each live process another recorded one, and whoever had that one the one that became free. All or nothing. */
  private swap(moves: readonly (readonly [LiveProcess, RecordedProcess])[]): boolean {
    const all = moves.flatMap(([process, target]) => {
      const holder = this.holderOf(target);
      return holder === undefined || holder === process ? [[process, target] as const] : [[process, target] as const, [holder, process.recorded] as const];
    });
    const placed = all.map(([process, target]) => ({ process, target, answered: process.answeredAs(target) }));
    if (placed.some(({ answered }) => answered === undefined)) return false;
    const { build } = this.options;
    for (const { process } of placed) for (const seq of process.done()) build.unmark(seq);
    for (const { process, target, answered } of placed) {
      process.recorded = target;
      process.answered = answered ?? 0;
      build.bindings.bind('process', process.id, target.id);
    }
    for (const { process } of placed) this.markDone(process);
    return true;
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
      this.answers = new ExecAnswers(recording, build);
      this.player = new Player({
        call,
        recorded,
        answers: this.answers,
        scope: build.execScope(recorded),
        clock,
        pace,
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
      .flatMap((call) => this.options.build.execOf(call).processes.map(({ initSeq }) => ({ ...call, events: call.events.filter(({ seq }) => seq === initSeq) })));
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

/** The answers of a stream: its own and those of its processes, in the recorded order, to whichever live process each is now. */
class ExecAnswers implements AnswerSource {
  private readonly processes: LiveProcess[] = [];
  private answeredOfStream = 0;
  /** Whose the next answer is; undefined for the stream's own. */
  private turn: LiveProcess | undefined;

  constructor(
    private readonly recording: RecordedExec,
    private readonly build: LiveBuild,
  ) {}

  add(process: LiveProcess): void {
    this.processes.push(process);
  }

  peek(): ServerEvent | undefined {
    let next = this.recording.ofTheStream[this.answeredOfStream];
    this.turn = undefined;
    for (const process of this.processes) {
      const candidate = process.recorded.answers[process.answered]?.event;
      if (candidate !== undefined && (next === undefined || candidate.seq < next.seq)) {
        next = candidate;
        this.turn = process;
      }
    }
    return next;
  }

  take(): void {
    if (this.turn === undefined) this.answeredOfStream += 1;
    else this.turn.answered += 1;
  }

  rewrite(payload: Uint8Array): Uint8Array {
    const process = this.turn;
    if (process === undefined) return payload;
    const { id, recorded, answered } = process;
    const named = id === recorded.id ? payload : withProcessId(payload, id);
    // What a process printed is given back as it was; only errors speak of ids and ops.
    return recorded.answers[answered - 1]?.input.kind === 'exit' ? this.build.bindings.toLive(named) : named;
  }
}
