/**
 * A recorded ExecProcess stream, process by process: what the client's side comes to (its Init, its stdin as a
 * stream of bytes however it was cut into messages, its resizes and signals), and what the server sent to each.
 */
import { canonicalRequest, EXEC_PROCESS, type ExecInput, parseExec, type Rules } from '../bridge/index.js';
import type { MessageEvent } from '../cassette/index.js';
import { BridgetapeError } from '../errors.js';
import { EXEC_INPUT, readExecHead } from './exec-head.js';
import { eventsOf, isServerEvent, type RecordedCall, type ServerEvent } from './recorded-call.js';

export interface RecordedProcess {
  readonly id: string;
  readonly container: string;
  /** What was run. */
  readonly args: readonly string[];
  /** The file descriptors that the client held. */
  readonly fds: readonly number[];
  /** The Init message without its ids: equal for processes that were started the same way. */
  readonly init: string;
  readonly initSeq: number;
  readonly files: ReadonlyMap<number, RecordedInput>;
  readonly resizes: readonly { readonly seq: number; readonly rows: number; readonly cols: number }[];
  readonly signals: readonly { readonly seq: number; readonly name: string }[];
  readonly answers: readonly RecordedAnswer[];
}

/** A message of the server about one process. */
export interface RecordedAnswer {
  readonly event: ServerEvent & { readonly kind: 'server-message' };
  /** How the process ended: with an error that may speak of ids and ops. */
  readonly isExit: boolean;
  /** That it began, which answers to nothing but that it was to. */
  readonly isStart: boolean;
  /** Where its ProcessID ends, when that comes first. */
  readonly idEnd: number | undefined;
}

/** What the client wrote to one fd of a process. */
export interface RecordedInput {
  readonly bytes: Buffer;
  /** Each recorded message, with the length of the stream after it. */
  readonly messages: readonly { readonly seq: number; readonly end: number; readonly eof: boolean }[];
  /** How many of them came while the process was running: what comes later can as well not come. */
  readonly needed: number;
  /** The client closed the fd while the process was running: the stream is all that there is. */
  readonly complete: boolean;
}

export interface RecordedExec {
  readonly call: RecordedCall;
  readonly processes: readonly RecordedProcess[];
  /** Messages for processes that were not started on this stream, which BuildKit refuses; compared as they are. */
  readonly strays: readonly { readonly seq: number; readonly text: string }[];
  /** Headers, trailers, a reset, and messages about no process that was started. */
  readonly ofTheStream: readonly ServerEvent[];
  readonly halfClose: number | undefined;
}

export function readExec(call: RecordedCall, rules: Rules): RecordedExec {
  const current = new Map<string, Draft>();
  const drafts: Draft[] = [];
  const strays: { seq: number; text: string }[] = [];
  const ofTheStream: ServerEvent[] = [];
  let halfClose: number | undefined;
  for (const event of eventsOf(call)) {
    if (isServerEvent(event)) {
      const answer = answerIn(event);
      const draft = answer && current.get(answer.process);
      if (answer === undefined || draft === undefined) ofTheStream.push(event);
      else draft.answer(answer);
      continue;
    }
    if (event.kind === 'client-half-close') halfClose ??= event.seq;
    const message = event.kind === 'client-message' && event.data !== undefined ? parseExec(event.data, rules) : undefined;
    if (message === undefined || event.kind !== 'client-message' || event.data === undefined) continue;
    const draft = current.get(message.process);
    if (message.input.kind === 'init') {
      const begun = new Draft(message.process, message.input, event.seq);
      current.set(message.process, begun);
      drafts.push(begun);
    } else if (draft === undefined) {
      strays.push({ seq: event.seq, text: canonicalRequest(EXEC_PROCESS, event.data, new Map(), rules).text });
    } else {
      draft.take(event.seq, message.input);
    }
  }
  return { call, processes: drafts.map((draft) => draft.process()), strays, ofTheStream, halfClose };
}

/** A server event as a message about a process, whichever that is. */
function answerIn(event: ServerEvent): (RecordedAnswer & { readonly process: string }) | undefined {
  const data = event.kind === 'server-message' ? dataOf(event) : undefined;
  if (event.kind !== 'server-message' || data === undefined) return undefined;
  const head = readExecHead(data);
  if (head !== undefined) return { process: head.process, event, isExit: head.input === EXEC_INPUT.exit, isStart: head.input === EXEC_INPUT.started, idEnd: head.idEnd };
  const message = parseExec(data);
  return message && { process: message.process, event, isExit: message.input.kind === 'exit', isStart: message.input.kind === 'started', idEnd: undefined };
}

/** What can't be read is no process's: the stream fails where it stands. */
function dataOf(event: MessageEvent): Uint8Array | undefined {
  try {
    return event.data;
  } catch (error) {
    if (error instanceof BridgetapeError) return undefined;
    throw error;
  }
}

/** What an answer says; undefined when its body was left out of the cassette. */
export function inputOf({ event }: RecordedAnswer): ExecInput | undefined {
  return event.data && parseExec(event.data)?.input;
}

class Draft {
  private exited = false;
  private readonly resizes: { seq: number; rows: number; cols: number }[] = [];
  private readonly signals: { seq: number; name: string }[] = [];
  private readonly answers: RecordedAnswer[] = [];
  private readonly files = new Map<number, { chunks: Uint8Array[]; length: number; messages: { seq: number; end: number; eof: boolean }[]; needed: number; complete: boolean }>();

  constructor(
    private readonly id: string,
    private readonly init: ExecInput & { readonly kind: 'init' },
    private readonly initSeq: number,
  ) {}

  /** Kept as small as can be: a process can print a hundred thousand messages (bench: 64 B exec output). */
  answer({ event, isExit, isStart, idEnd }: RecordedAnswer): void {
    this.answers.push({ event, isExit, isStart, idEnd });
    if (isExit) this.exited = true;
  }

  take(seq: number, input: ExecInput): void {
    if (input.kind === 'file') this.write(seq, input.fd, input.data, input.eof);
    else if (input.kind === 'resize') this.resizes.push({ seq, rows: input.rows, cols: input.cols });
    else if (input.kind === 'signal') this.signals.push({ seq, name: input.name });
    // Started, Exit and Done are the server's; of what is unknown nothing can be waited for.
  }

  private write(seq: number, fd: number, data: Uint8Array, eof: boolean): void {
    const file = this.files.get(fd) ?? { chunks: [], length: 0, messages: [], needed: 0, complete: false };
    this.files.set(fd, file);
    file.chunks.push(data);
    file.length += data.length;
    file.messages.push({ seq, end: file.length, eof });
    if (this.exited) return;
    file.needed = file.messages.length;
    if (eof) file.complete = true;
  }

  process(): RecordedProcess {
    const { id, initSeq, resizes, signals, answers } = this;
    const { containerId: container, canonical: init, args, fds } = this.init;
    const files = new Map(Array.from(this.files, ([fd, { chunks, messages, needed, complete }]) => [fd, { bytes: Buffer.concat(chunks), messages, needed, complete }]));
    return { id, container, args, fds, init, initSeq, files, resizes, signals, answers };
  }
}
