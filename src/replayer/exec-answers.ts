/**
 * The answers of an exec stream: its own and those of its processes, in the recorded order, each to whichever live
 * process stands for the recorded one now.
 */
import { failedProcess, parseExec, withProcessId } from '../bridge/index.js';
import type { Bindings } from './bindings.js';
import type { Call } from './call.js';
import type { RecordedAnswer, RecordedExec } from './exec-script.js';
import type { LiveProcess } from './live-process.js';
import type { AnswerSource } from './player.js';
import type { ServerEvent } from './recorded-call.js';

/** What BuildKit gives a process whose exit status it doesn't know. */
const FAILED_EXIT_CODE = 255;

export class ExecAnswers implements AnswerSource {
  private readonly processes: LiveProcess[] = [];
  /** Those that have answers left. */
  private active: LiveProcess[] = [];
  private answeredOfStream = 0;
  /** Whether the next one was looked for: it is the event, of that process, or of the stream where there is none. */
  private isFound = false;
  private event: ServerEvent | undefined;
  private process: LiveProcess | undefined;
  private answer: RecordedAnswer | undefined;

  constructor(
    private readonly recording: RecordedExec,
    private readonly bindings: Bindings,
  ) {}

  add(process: LiveProcess): void {
    this.processes.push(process);
    this.active.push(process);
    this.isFound = false;
  }

  /** Processes have become other ones. */
  changed(): void {
    this.active = [...this.processes];
    this.isFound = false;
  }

  peek(): ServerEvent | undefined {
    if (!this.isFound) this.find();
    return this.event;
  }

  take(): void {
    if (!this.isFound) this.find();
    if (this.process === undefined) this.answeredOfStream += 1;
    else this.process.answered += 1;
    this.isFound = false;
  }

  /** Hot path (bench: 32 KiB exec output): a message under another id is sent in two pieces, rather than copied. */
  send(payload: Uint8Array, call: Call): boolean {
    const { process, answer } = this;
    if (process === undefined || answer === undefined) return call.send(payload);
    const { id, idField, recorded } = process;
    // What a process printed is given back as it was; only errors speak of ids and ops.
    // Its own id comes last: a client that counts its processes can have it stand for another one in the recording.
    if (answer.isExit) return call.send(withProcessId(this.bindings.toLive(payload), id));
    if (id === recorded.id) return call.send(payload);
    if (answer.idEnd === undefined || idField === undefined) return call.send(withProcessId(payload, id));
    return call.send(payload.subarray(answer.idEnd), idField);
  }

  /** BuildKit's client takes no notice of how the stream ends: each of its processes has to (frontend/gateway/grpcclient/client.go). */
  *farewell(code: number, message: string): Generator<Uint8Array> {
    for (const { id, recorded, answered } of this.processes) {
      const sent = new Set(recorded.answers.slice(0, answered).map(({ event }) => event.data && parseExec(event.data)?.input.kind));
      if (sent.has('started') && !sent.has('done')) yield* failedProcess(id, FAILED_EXIT_CODE, { code, message });
    }
  }

  /** Hot path: for each message of a stream (bench: 64 B exec output). */
  private find(): void {
    this.event = this.recording.ofTheStream[this.answeredOfStream];
    this.process = undefined;
    this.answer = undefined;
    let exhausted = false;
    for (const process of this.active) {
      const answer = process.recorded.answers[process.answered];
      if (answer === undefined) {
        exhausted = true;
      } else if (this.event === undefined || answer.event.seq < this.event.seq) {
        this.event = answer.event;
        this.process = process;
        this.answer = answer;
      }
    }
    if (exhausted) this.active = this.active.filter((process) => process.recorded.answers[process.answered] !== undefined);
    this.isFound = true;
  }
}
