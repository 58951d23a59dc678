/**
 * What the client's side of a recorded ExecProcess stream comes to, process by process: its Init, its stdin as a
 * stream of bytes (however it was cut into messages), its resizes and signals.
 */
import { canonicalRequest, parseExec } from '../bridge/index.js';
import { EXEC_PROCESS, type RecordedCall } from './script.js';

export interface RecordedProcess {
  readonly id: string;
  readonly initSeq: number;
  /** The Init message with its ids normalised. */
  readonly init: string;
  readonly files: ReadonlyMap<number, RecordedInput>;
  readonly resizes: readonly { readonly seq: number; readonly rows: number; readonly cols: number }[];
  readonly signals: readonly { readonly seq: number; readonly name: string }[];
}

/** A recorded stream. */
export interface RecordedExec {
  readonly call: RecordedCall;
  readonly processes: readonly RecordedProcess[];
  /** Messages for processes that were not started on this stream, which BuildKit refuses; compared as they are. */
  readonly strays: readonly { readonly seq: number; readonly text: string }[];
  readonly halfClose: number | undefined;
}

/** What the client wrote to one fd of a process. */
export interface RecordedInput {
  readonly bytes: Buffer;
  /** Each recorded message, with the length of the stream after it. */
  readonly messages: readonly { readonly seq: number; readonly end: number; readonly eof: boolean }[];
  /** The client closed the fd while the process was running: the stream is all that there is. */
  readonly complete: boolean;
}

export function readExec(call: RecordedCall): RecordedExec {
  const strays: { seq: number; text: string }[] = [];
  const processes = new Map<string, Draft>();
  const order: Draft[] = [];
  for (const event of call.events) {
    if ((event.kind !== 'client-message' && event.kind !== 'server-message') || event.data === undefined) continue;
    const message = parseExec(event.data);
    if (message === undefined) continue;
    const { input } = message;
    const draft = processes.get(message.process);
    if (event.kind === 'server-message') {
      if (input.kind === 'exit' && draft !== undefined) draft.exited = true;
      continue;
    }
    if (draft === undefined && input.kind !== 'init') {
      strays.push({ seq: event.seq, text: canonicalRequest(EXEC_PROCESS, event.data, new Map()).text });
      continue;
    }
    switch (input.kind) {
      case 'init': {
        const begun = new Draft(message.process, event.seq, canonicalRequest(EXEC_PROCESS, event.data, new Map()).text);
        processes.set(message.process, begun);
        order.push(begun);
        break;
      }
      case 'file':
        draft?.write(event.seq, input.fd, input.data, input.eof);
        break;
      case 'resize':
        draft?.resizes.push({ seq: event.seq, rows: input.rows, cols: input.cols });
        break;
      case 'signal':
        draft?.signals.push({ seq: event.seq, name: input.name });
        break;
      default:
        // Started, Exit and Done are the server's; of what is unknown nothing can be waited for.
        break;
    }
  }
  const halfClose = call.events.find(({ kind }) => kind === 'client-half-close')?.seq;
  return { call, processes: order.map((draft) => draft.process()), strays, halfClose };
}

class Draft {
  exited = false;
  readonly resizes: { seq: number; rows: number; cols: number }[] = [];
  readonly signals: { seq: number; name: string }[] = [];
  private readonly files = new Map<number, { chunks: Uint8Array[]; length: number; messages: { seq: number; end: number; eof: boolean }[]; complete: boolean }>();

  constructor(
    private readonly id: string,
    private readonly initSeq: number,
    private readonly init: string,
  ) {}

  write(seq: number, fd: number, data: Uint8Array, eof: boolean): void {
    const file = this.files.get(fd) ?? { chunks: [], length: 0, messages: [], complete: false };
    this.files.set(fd, file);
    file.chunks.push(data);
    file.length += data.length;
    file.messages.push({ seq, end: file.length, eof });
    if (eof && !this.exited) file.complete = true;
  }

  process(): RecordedProcess {
    const files = new Map(Array.from(this.files, ([fd, { chunks, messages, complete }]) => [fd, { bytes: Buffer.concat(chunks), messages, complete }]));
    return { id: this.id, initSeq: this.initSeq, init: this.init, files, resizes: this.resizes, signals: this.signals };
  }
}
