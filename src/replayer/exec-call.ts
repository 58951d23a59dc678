/**
 * A live ExecProcess stream. Many processes share it; each is bound to a recorded process that was started the same
 * way, and what the client sends to it is compared as what it means: stdin as bytes, resizes and signals in order.
 * When a client's bytes show that two processes (or their containers) were taken for one another, they change places.
 */
import { canonicalRequest, describeExec, EXEC_PROCESS, type ExecInput, parseExec, type Rules } from '../bridge/index.js';
import { OK, Status, statusTrailers } from '../wire/index.js';
import type { CallHandler } from './call.js';
import { ExecAnswers } from './exec-answers.js';
import type { RecordedExec, RecordedProcess } from './exec-script.js';
import type { LiveBuild } from './live-build.js';
import { LiveProcess } from './live-process.js';
import { explainMiss, type Told } from './miss.js';
import type { Deviation } from './process-dialogue.js';
import { commandOf, processMiss } from './process-miss.js';
import { withAdvice } from './status-text.js';
import { adviceOf } from './origin.js';
import { Player, type PlayedCall } from './player.js';

export interface ExecCallOptions {
  readonly call: PlayedCall;
  readonly build: LiveBuild;
  /** Returns whether the client is not to be told: something else goes on with the call. */
  readonly missed: (miss: Told) => boolean;
  readonly done: () => void;
}

/** A recorded stream, and what plays it. */
interface Bound {
  readonly recording: RecordedExec;
  readonly player: Player;
  readonly answers: ExecAnswers;
}

export class ExecCall implements CallHandler {
  private bound: Bound | undefined;
  private readonly processes = new Map<string, LiveProcess>();
  private strays = 0;
  private ended = false;

  constructor(private readonly options: ExecCallOptions) {}

  message(payload: Uint8Array): void {
    if (this.ended) return;
    const message = parseExec(payload, this.rules);
    if (message === undefined) {
      this.miss('the client sent bytes that are no ExecMessage');
      return;
    }
    const { input, process: id } = message;
    const process = this.processes.get(id);
    const problem = input.kind === 'init' ? this.start(id, input.containerId, input.canonical, payload) : process === undefined ? this.stray(id, payload) : this.take(process, input);
    if (problem !== undefined) this.miss(problem);
    else this.bound?.player.advance();
  }

  halfClose(): void {
    if (this.ended) return;
    const bound = this.bound ?? this.bind(({ processes, strays, halfClose }) => processes.length + strays.length === 0 && halfClose !== undefined);
    if (bound === undefined) {
      // A stream that was never used can end well.
      this.options.call.end(OK);
      this.finish();
    } else if (bound.recording.halfClose !== undefined) {
      this.options.build.mark(bound.recording.halfClose);
      bound.player.advance();
    }
  }

  cancelled(): void {
    if (this.bound !== undefined) this.bound.player.cancel();
    else this.finish();
  }

  drained(): void {
    this.bound?.player.drained();
  }

  private get rules(): Rules {
    return this.options.build.recorded.rules;
  }

  private start(id: string, container: string, init: string, payload: Uint8Array): Told | undefined {
    const { build } = this.options;
    const recorded = this.find(init, container);
    if (recorded === undefined) {
      return this.explainStart(payload);
    }
    const process = new LiveProcess(id, container, recorded);
    this.processes.set(id, process);
    this.options.build.holders.set(recorded, process);
    this.bound?.answers.add(process);
    build.bindings.bind('process', id, recorded.id);
    this.markDone(process);
    return undefined;
  }

  private take(process: LiveProcess, input: ExecInput): Told | undefined {
    const deviation = process.take(input);
    const furthest = deviation && this.takeAsAnother(process, input, deviation);
    if (furthest === undefined || this.bound === undefined) {
      this.markDone(process);
      return undefined;
    }
    return processMiss(this.bound.recording.call, process.recorded, furthest);
  }

  private markDone(process: LiveProcess): void {
    for (const seq of process.newlyDone()) this.options.build.mark(seq);
  }

  /** A message for a process that this stream has not started: BuildKit answers it with an error, if it was recorded. */
  private stray(id: string, payload: Uint8Array): string | undefined {
    const { text } = canonicalRequest(EXEC_PROCESS, payload, this.options.build.bindings.recorded, this.rules);
    const bound = this.bound ?? this.bind(({ strays }) => strays[0]?.text === text);
    const expected = bound?.recording.strays[this.strays];
    if (expected?.text !== text) return `the client sent ${describeExec(payload, 'client').text} for a process that it has not started on this stream (${id})`;
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
    const fitting = this.bound ?? this.bind(({ processes }) => processes.some(isHere)) ?? this.bind(({ processes }) => processes.some((process) => process.init === init));
    if (fitting === undefined) return undefined;
    const free = fitting.recording.processes.filter((process) => process.init === init && !build.holders.has(process));
    return free.find(isHere) ?? free.find((process) => process.container !== bound && this.swapContainers(container, process.container));
  }

  /**
   * The client has sent what the recorded process was not sent: perhaps this is another one, that was started alike.
   *
   * @returns where it differs from the one that it comes closest to; undefined when it was found
   */
  private takeAsAnother(process: LiveProcess, input: ExecInput, deviation: Deviation): Deviation | undefined {
    const before = process.recorded;
    let furthest = deviation;
    for (const other of this.bound?.recording.processes ?? []) {
      if (other === before || other.init !== before.init) continue;
      const swapped = other.container === before.container ? this.swap([[process, other]]) : this.swapContainers(process.container, other.container);
      if (!swapped) continue;
      const problem = process.recorded === other ? process.take(input) : deviation;
      if (problem === undefined) return undefined;
      if (isFurther(problem, furthest)) furthest = problem;
      // It was not that one either: back to where things stood.
      if (other.container === before.container) this.swap([[process, before]]);
      else this.swapContainers(process.container, before.container);
    }
    return furthest;
  }

  /** Lets a live container stand for another recorded one, all of its processes with it, and the one that stood for that in its place. */
  private swapContainers(container: string, wanted: string): boolean {
    const { build } = this.options;
    const held = build.bindings.recorded.get(container);
    if (held === undefined || !build.areMadeAlike(held, wanted)) return false;
    const recorded = this.bound?.recording.processes ?? [];
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
    const { build } = this.options;
    const all = moves.flatMap(([process, target]) => {
      const holder = build.holders.get(target);
      return holder === undefined || holder === process ? [[process, target] as const] : [[process, target] as const, [holder, process.recorded] as const];
    });
    const placed: { readonly process: LiveProcess; readonly target: RecordedProcess; readonly answered: number }[] = [];
    for (const [process, target] of all) {
      const answered = process.answeredAs(target);
      if (answered === undefined) return false;
      placed.push({ process, target, answered });
    }
    for (const { process } of placed) {
      build.holders.delete(process.recorded);
      for (const seq of process.allDone()) build.unmark(seq);
    }
    for (const { process, target, answered } of placed) {
      process.become(target, answered);
      build.holders.set(target, process);
      build.bindings.bind('process', process.id, target.id);
    }
    this.bound?.answers.changed();
    for (const { process } of placed) this.markDone(process);
    return true;
  }

  /** Takes the first unused recorded stream that fits as the one that this is. */
  private bind(fits: (recording: RecordedExec) => boolean): Bound | undefined {
    const { build, call } = this.options;
    const { stage } = build;
    for (const recorded of build.matcher.of(EXEC_PROCESS)) {
      if (build.matcher.isUsed(recorded)) continue;
      const recording = build.recorded.execOf(recorded);
      if (!fits(recording)) continue;
      build.matcher.use(recorded);
      const answers = new ExecAnswers(recording, build.bindings);
      const { bindings } = build;
      const player = new Player({ call, recorded, answers, scope: build.execScope(recorded), stage, bindings, done: () => this.finish() });
      this.bound = { recording, player, answers };
      build.watch(player);
      return this.bound;
    }
    return undefined;
  }

  /** No process was started like this: which comes closest. Containers are named by the calls that made them. */
  private explainStart(payload: Uint8Array): Told {
    const { build } = this.options;
    const { recorded, bindings, holders } = build;
    const nameOf = (container: string): string | undefined => {
      const made = recorded.containers.get(container);
      return made && `⟨container of call ${made.call.id}⟩`;
    };
    const liveNames = { get: (id: string): string | undefined => nameOf(bindings.recorded.get(id) ?? '') ?? bindings.recorded.get(id) };
    const candidates = recorded.allExecs.flatMap(({ call, processes }) =>
      processes.flatMap((process) => {
        const event = call.events.find(({ seq }) => seq === process.initSeq);
        const init = event?.kind === 'client-message' ? event.data : undefined;
        return init === undefined ? [] : [{ call, isUsed: holders.has(process), process: { init, command: commandOf(process.args) } }];
      }),
    );
    return explainMiss({ path: EXEC_PROCESS, live: canonicalRequest(EXEC_PROCESS, payload, liveNames, this.rules), payload, candidates, rules: this.rules, origin: recorded.origin, names: { get: nameOf } });
  }

  private miss(why: string | Told): void {
    const { call, missed } = this.options;
    const where = this.bound === undefined ? '' : ` (call ${this.bound.recording.call.id} of the cassette)`;
    const told = typeof why === 'string' ? { path: EXEC_PROCESS, text: withAdvice(`bridgetape: on LLBBridge/ExecProcess${where}, ${why}`, adviceOf(this.options.build.recorded.origin)) } : why;
    if (missed(told)) return;
    const { text } = told;
    if (this.bound !== undefined) {
      this.bound.player.fail(Status.failedPrecondition, text);
      return;
    }
    call.end(statusTrailers(Status.failedPrecondition, text));
    this.finish();
  }

  private finish(): void {
    if (this.ended) return;
    this.ended = true;
    if (this.bound !== undefined) this.options.build.leave(this.bound.player);
    this.options.done();
  }
}

/** Whether more of what was written is equal. */
function isFurther({ at: one }: Deviation, { at: other }: Deviation): boolean {
  return one.kind === 'bytes' && other.kind === 'bytes' && one.fd === other.fd && one.byte > other.byte;
}
