/**
 * A live process and the recorded one that it is taken for. Which one that is can turn out later: processes that
 * were started the same way in containers that were made the same way are told apart only by what their clients
 * write to them. So a live process keeps what it would take to be another recorded one instead.
 */
import type { ExecInput } from '../bridge/index.js';
import { processIdField } from './exec-head.js';
import { inputOf, type RecordedAnswer, type RecordedInput, type RecordedProcess } from './exec-script.js';

/** Longer than what processes print before their clients tell them apart; a bound on the work of comparing. */
const MAX_COMPARED_ANSWERS = 256;

/** What the client wrote to an fd, and how many of the recorded messages that comes to. */
interface Written {
  readonly offset: number;
  readonly eof: boolean;
  readonly messages: number;
}

export class LiveProcess {
  /** How many of the recorded answers it has been sent. */
  answered = 0;
  /** The beginning of every message about it; undefined when its id is too long for a short one. */
  readonly idField: Uint8Array | undefined;
  private taken: RecordedProcess;
  private readonly written = new Map<number, Written>();
  private resizes = 0;
  private signals = 0;
  /** The recorded client events that its client has done again, those not yet told last. */
  private done: number[];
  private told = 0;

  constructor(
    readonly id: string,
    readonly container: string,
    recorded: RecordedProcess,
  ) {
    this.idField = processIdField(id);
    this.taken = recorded;
    this.done = [recorded.initSeq];
  }

  /** The one that it is taken for. */
  get recorded(): RecordedProcess {
    return this.taken;
  }

  /** All recorded client events that this process's client has done again. */
  allDone(): readonly number[] {
    return this.done;
  }

  /** Those since this was last asked. */
  newlyDone(): readonly number[] {
    const fresh = this.done.slice(this.told);
    this.told = this.done.length;
    return fresh;
  }

  /**
   * It is another recorded process after all.
   *
   * @param answered from {@link answeredAs}
   */
  become(other: RecordedProcess, answered: number): void {
    this.taken = other;
    this.answered = answered;
    this.done = [other.initSeq];
    this.told = 0;
    for (const [fd, { offset, eof }] of this.written) this.written.set(fd, { offset, eof, messages: this.countMessages(fd, { offset, eof, messages: 0 }) });
    for (const { seq } of other.resizes.slice(0, this.resizes)) this.done.push(seq);
    for (const { seq } of other.signals.slice(0, this.signals)) this.done.push(seq);
  }

  /** Takes what the client sent, if the recorded client sent the same. Returns in words why it is not the same. */
  take(input: ExecInput): string | undefined {
    switch (input.kind) {
      case 'file':
        return this.write(input.fd, input.data, input.eof);
      case 'resize': {
        const expected = this.recorded.resizes[this.resizes];
        if (expected === undefined) return `the client resized the terminal ${this.resizes + 1} times, the recorded one ${this.resizes} times`;
        if (expected.rows !== input.rows || expected.cols !== input.cols) {
          return `the client resized the terminal to ${input.cols}x${input.rows}, the recorded one to ${expected.cols}x${expected.rows}`;
        }
        this.resizes += 1;
        this.done.push(expected.seq);
        return undefined;
      }
      case 'signal': {
        const expected = this.recorded.signals[this.signals];
        if (expected?.name !== input.name) return `the client sent the signal ${input.name}, the recorded one ${expected?.name ?? 'no more of them'}`;
        this.signals += 1;
        this.done.push(expected.seq);
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

  /** How many answers of another recorded process come to what this one was sent; undefined when it cannot be that one. */
  answeredAs(other: RecordedProcess): number | undefined {
    if (other.init !== this.recorded.init || this.answered > MAX_COMPARED_ANSWERS) return undefined;
    for (const [fd, { offset, eof }] of this.written) {
      const mine = this.recorded.files.get(fd)?.bytes.subarray(0, offset) ?? Buffer.alloc(0);
      const theirs = other.files.get(fd);
      if (theirs === undefined ? offset > 0 || eof : !theirs.bytes.subarray(0, offset).equals(mine)) return undefined;
    }
    const sameResizes = this.recorded.resizes.slice(0, this.resizes).every(({ rows, cols }, at) => other.resizes[at]?.rows === rows && other.resizes[at].cols === cols);
    const sameSignals = this.recorded.signals.slice(0, this.signals).every(({ name }, at) => other.signals[at]?.name === name);
    if (!sameResizes || !sameSignals) return undefined;
    const sent = gist(this.recorded.answers.slice(0, this.answered));
    for (let count = 0; count <= Math.min(other.answers.length, MAX_COMPARED_ANSWERS); count += 1) {
      if (gist(other.answers.slice(0, count)) === sent) return count;
    }
    return undefined;
  }

  private write(fd: number, data: Uint8Array, eof: boolean): string | undefined {
    const input = this.recorded.files.get(fd);
    const before = this.written.get(fd) ?? { offset: 0, eof: false, messages: 0 };
    const problem = input && compareBytes(input, before.offset, data, eof, fd);
    if (problem !== undefined) return problem;
    const after = { offset: before.offset + data.length, eof: before.eof || eof, messages: before.messages };
    this.written.set(fd, { ...after, messages: this.countMessages(fd, after) });
    return undefined;
  }

  /** How many recorded messages the bytes come to; those that are new are done. */
  private countMessages(fd: number, { offset, eof, messages }: Written): number {
    const input = this.recorded.files.get(fd);
    if (input === undefined) return messages;
    // How much is sent to a process that has ended is left to chance: at its end the client sends no more of it.
    const isAll = eof && !input.complete;
    let count = messages;
    for (let message = input.messages[count]; message !== undefined; message = input.messages[count]) {
      if (!isAll && (message.end > offset || (message.eof && !eof))) break;
      this.done.push(message.seq);
      count += 1;
    }
    return count;
  }
}

/** What a client makes of some answers: output counts as bytes, not as messages. */
function gist(answers: readonly RecordedAnswer[]): string {
  let text = '';
  let fd: number | undefined;
  for (const answer of answers) {
    const input = inputOf(answer);
    if (input?.kind === 'file') {
      if (fd !== input.fd) text += `\nfd ${input.fd} `;
      fd = input.fd;
      text += `${Buffer.from(input.data).toString('hex')}${input.eof ? ' eof' : ''}`;
    } else {
      fd = undefined;
      text += `\n${input?.kind ?? 'left out'} ${input?.kind === 'exit' ? input.code : ''}`;
    }
  }
  return text;
}

function compareBytes(input: RecordedInput, offset: number, data: Uint8Array, eof: boolean, fd: number): string | undefined {
  const expected = input.bytes.subarray(offset, offset + data.length);
  if (!expected.equals(data.subarray(0, expected.length))) {
    const index = expected.findIndex((byte, position) => byte !== data[position]);
    return `byte ${offset + index} of what the client wrote to fd ${fd} differs from the recorded one`;
  }
  // A process that ends without reading all of its stdin leaves it to chance how much was sent.
  if (!input.complete) return undefined;
  if (data.length > expected.length) return `the client wrote more to fd ${fd} than the recorded ${input.bytes.length} bytes`;
  const end = offset + data.length;
  return eof && end < input.bytes.length ? `the client closed fd ${fd} after ${end} bytes, the recorded one after ${input.bytes.length}` : undefined;
}
