/** An ExecProcess stream, process by process: how each was started, what it was given and what came of it, however that was cut into messages. */
import { commandLine, parseExec, type ExecInput, type Rules } from '../bridge/index.js';
import type { MessageEvent } from '../cassette/index.js';
import type { RecordedCall } from './recorded.js';

export interface ExecutedProcess {
  readonly id: string;
  /** Equal for processes that were started alike. */
  readonly start: string;
  /** The container that it was started in. */
  readonly container: string;
  /** Equal for processes that were started alike and given the same. */
  readonly given: string;
  /** Its command; '' for messages about a process that was not started on this stream. */
  readonly name: string;
  /** The message that started it; undefined likewise. */
  readonly init: Uint8Array | undefined;
  /** By fd: what the client wrote, what the process wrote. */
  readonly written: ReadonlyMap<number, Stream>;
  readonly printed: ReadonlyMap<number, Stream>;
  /** `120x40` */
  readonly resizes: readonly string[];
  readonly signals: readonly string[];
  /** What else the server said of it: `started`, `done`. */
  readonly marks: ReadonlySet<string>;
  /** The message that it ended with. */
  readonly exit: Uint8Array | undefined;
  /** Messages that are none, or newer than proto/. */
  readonly others: readonly Uint8Array[];
}

export interface Stream {
  readonly bytes: Buffer;
  readonly eof: boolean;
}

/** In the order in which they were started; messages about no started process are a process of their own, without a start. */
export function readExec({ messages }: Pick<RecordedCall, 'messages'>, rules?: Rules): readonly ExecutedProcess[] {
  const drafts = new Map<string, Draft>();
  const all: Draft[] = [];
  const begin = (id: string, start: Start): Draft => {
    const draft = new Draft(id, start);
    drafts.set(id, draft);
    all.push(draft);
    return draft;
  };
  for (const event of messages) {
    const { data } = event;
    if (data === undefined) continue;
    const step = parseExec(data, rules);
    if (step?.input.kind === 'init') begin(step.process, { start: step.input.canonical, container: step.input.containerId, name: commandLine(step.input.args), init: data });
    else (drafts.get(step?.process ?? '') ?? begin(step?.process ?? '', NOT_STARTED)).take(event, data, step?.input);
  }
  return all.map((draft) => draft.process());
}

type Start = Pick<ExecutedProcess, 'start' | 'container' | 'name' | 'init'>;
const NOT_STARTED: Start = { start: '', container: '', name: '', init: undefined };

class Draft {
  private readonly written = new Map<number, Chunks>();
  private readonly printed = new Map<number, Chunks>();
  private readonly resizes: string[] = [];
  private readonly signals: string[] = [];
  private readonly marks = new Set<string>();
  private readonly others: Uint8Array[] = [];
  private exit: Uint8Array | undefined;

  constructor(
    private readonly id: string,
    private readonly start: Start,
  ) {}

  take(event: MessageEvent, data: Uint8Array, input: ExecInput | undefined): void {
    switch (input?.kind) {
      case 'file':
        (event.kind === 'client-message' ? chunksIn(this.written, input.fd) : chunksIn(this.printed, input.fd)).add(input.data, input.eof);
        break;
      case 'resize':
        this.resizes.push(`${input.cols}x${input.rows}`);
        break;
      case 'signal':
        this.signals.push(input.name);
        break;
      case 'started':
      case 'done':
        this.marks.add(input.kind);
        break;
      case 'exit':
        this.exit = data;
        break;
      case 'init':
      case 'unknown':
      case undefined:
        this.others.push(data);
    }
  }

  process(): ExecutedProcess {
    const { id, start, resizes, signals, marks, exit, others } = this;
    const streams = (chunks: ReadonlyMap<number, Chunks>): ReadonlyMap<number, Stream> => new Map(Array.from(chunks, ([fd, of]) => [fd, of.stream()]));
    const written = streams(this.written);
    const given = JSON.stringify([start.start, Array.from(written, ([fd, { bytes }]) => [fd, bytes.toString('latin1')]), resizes, signals]);
    return { id, ...start, given, written, printed: streams(this.printed), resizes, signals, marks, exit, others };
  }
}

class Chunks {
  private readonly chunks: Uint8Array[] = [];
  private eof = false;

  add(data: Uint8Array, eof: boolean): void {
    this.chunks.push(data);
    if (eof) this.eof = true;
  }

  stream(): Stream {
    return { bytes: Buffer.concat(this.chunks), eof: this.eof };
  }
}

function chunksIn(streams: Map<number, Chunks>, fd: number): Chunks {
  const chunks = streams.get(fd) ?? new Chunks();
  streams.set(fd, chunks);
  return chunks;
}
