/**
 * What the client of a live process has done with it so far, held against what the recorded client did: what it wrote
 * as bytes, however they were cut into messages, and its resizes and signals in their order. Between these kinds any
 * order will do, but for one that the process can have answered to: what the recorded client did after it had heard
 * from the process does not come before what it did for that.
 */
import type { ExecInput } from '../bridge/index.js';
import { bytesAround, SHOWN } from './bytes-around.js';
import type { RecordedInput, RecordedProcess } from './exec-script.js';

/** Something that a client does with a process. */
export type ProcessPlace =
  | { readonly kind: 'bytes'; readonly fd: number; /** From 0. */ readonly byte: number }
  /** `number` counts from 1. */
  | { readonly kind: 'resize' | 'signal'; readonly number: number }
  /** Its Init. */
  | { readonly kind: 'start' }
  /** Something that is not a client's to send. */
  | { readonly kind: 'message' };

/** Where a client did something else than the recorded one. */
export interface Deviation {
  readonly at: ProcessPlace;
  /** What each did there, in words; left out where it did nothing. */
  readonly recorded?: string;
  readonly live?: string;
}

/** What was written to an fd, and how many of the recorded messages that comes to. */
interface Written {
  readonly offset: number;
  readonly eof: boolean;
  readonly messages: number;
}

/** Something that was done, or several pieces written one after the other. */
type Step = { readonly kind: 'written'; readonly fd: number; readonly from: number; readonly to: number; readonly eof: boolean } | (ExecInput & { readonly kind: 'resize' | 'signal' });

/** So much on either side of where bytes differ is looked at: more than is shown. */
const COMPARED_BYTES = 256;

const NOTHING_WRITTEN: Written = { offset: 0, eof: false, messages: 0 };

export class ProcessDialogue {
  /** The recorded client events that have been done again. */
  readonly done: number[];
  private readonly written = new Map<number, Written>();
  private resizes = 0;
  private signals = 0;
  /** All of it in order, to hold it against another process: no longer than the recorded resizes and signals allow. */
  private readonly steps: Step[] = [];

  constructor(readonly recorded: RecordedProcess) {
    this.done = [recorded.initSeq];
  }

  /** Takes what the client did, if the recorded client did the same; nothing changes if it did not. */
  take(input: ExecInput): Deviation | undefined {
    switch (input.kind) {
      case 'file':
        return this.write(input.fd, input.data, input.eof);
      case 'resize': {
        const expected = this.recorded.resizes[this.resizes];
        const at = { kind: 'resize', number: this.resizes + 1 } as const;
        const live = sizeOf(input);
        if (expected === undefined || sizeOf(expected) !== live) return { at, ...(expected && { recorded: sizeOf(expected) }), live };
        const skipped = this.skippedBefore(expected.seq, 'any');
        if (skipped !== undefined) return { ...skipped, live: `resize ${live}` };
        this.resizes += 1;
        this.steps.push(input);
        this.done.push(expected.seq);
        return undefined;
      }
      case 'signal': {
        const expected = this.recorded.signals[this.signals];
        const at = { kind: 'signal', number: this.signals + 1 } as const;
        if (expected?.name !== input.name) return { at, ...(expected && { recorded: expected.name }), live: input.name };
        const skipped = this.skippedBefore(expected.seq, 'any');
        if (skipped !== undefined) return { ...skipped, live: `signal ${input.name}` };
        this.signals += 1;
        this.steps.push(input);
        this.done.push(expected.seq);
        return undefined;
      }
      case 'init':
      case 'started':
      case 'exit':
      case 'done':
      case 'unknown':
        return { at: { kind: 'message' }, live: input.kind === 'unknown' ? `field ${input.field} of an ExecMessage` : input.kind };
    }
  }

  /** The same done to another recorded process; undefined when its client did something else. */
  with(other: RecordedProcess): ProcessDialogue | undefined {
    const dialogue = new ProcessDialogue(other);
    for (const step of this.steps) {
      const input = step.kind === 'written' ? this.inputOf(step, other) : step;
      if (input === undefined || dialogue.take(input) !== undefined) return undefined;
    }
    return dialogue;
  }

  /** What the recorded client did in this event, as it has yet to be done. */
  awaited(seq: number): Deviation | undefined {
    const { initSeq, files, resizes, signals } = this.recorded;
    if (seq === initSeq) return { at: { kind: 'start' } };
    for (const [fd, input] of files) {
      const message = input.messages.find((candidate) => candidate.seq === seq);
      if (message === undefined) continue;
      const { offset } = this.written.get(fd) ?? NOTHING_WRITTEN;
      return { at: { kind: 'bytes', fd, byte: offset }, recorded: inWords(input.bytes.subarray(offset, message.end), message.eof) };
    }
    const resize = resizes.findIndex((candidate) => candidate.seq === seq);
    const size = resizes[resize];
    if (size !== undefined) return { at: { kind: 'resize', number: resize + 1 }, recorded: sizeOf(size) };
    const signal = signals.findIndex((candidate) => candidate.seq === seq);
    const name = signals[signal]?.name;
    return name === undefined ? undefined : { at: { kind: 'signal', number: signal + 1 }, recorded: name };
  }

  private write(fd: number, data: Uint8Array, eof: boolean): Deviation | undefined {
    const { files, fds } = this.recorded;
    const input = files.get(fd);
    const before = this.written.get(fd) ?? NOTHING_WRITTEN;
    const deviation = input === undefined ? notHeld(fd, fds, data, eof) : (compareBytes(input, before.offset, data, eof, fd) ?? this.comesTooEarly(input, before, data, eof, fd));
    if (deviation !== undefined) return deviation;
    const after = { offset: before.offset + data.length, eof: before.eof || eof, messages: before.messages };
    this.written.set(fd, { ...after, messages: input === undefined ? 0 : this.countMessages(input, after) });
    const last = this.steps.at(-1);
    const isMore = last?.kind === 'written' && last.fd === fd;
    if (isMore) this.steps.pop();
    this.steps.push({ kind: 'written', fd, from: isMore ? last.from : before.offset, to: after.offset, eof: after.eof });
    return undefined;
  }

  /** How many recorded messages the bytes come to; those that are new are done. */
  private countMessages({ messages, needed }: RecordedInput, { offset, eof, messages: before }: Written): number {
    let count = before;
    for (let message = messages[count]; message !== undefined; message = messages[count]) {
      // How much is sent to a process that has ended is left to chance: at its end the client sends no more of it.
      const isLeftToChance = eof && count >= needed;
      if (!isLeftToChance && (message.end > offset || (message.eof && !eof))) break;
      this.done.push(message.seq);
      count += 1;
    }
    return count;
  }

  /** Whether these bytes were written only after a resize or a signal that has not come. */
  private comesTooEarly({ messages, needed }: RecordedInput, before: Written, data: Uint8Array, eof: boolean, fd: number): Deviation | undefined {
    const { resizes, signals } = this.recorded;
    if (resizes.length === this.resizes && signals.length === this.signals) return undefined;
    const end = before.offset + data.length;
    for (let index = before.messages, start = messages[index - 1]?.end ?? 0; index < needed; index += 1) {
      const message = messages[index];
      if (message === undefined || (start >= end && !(eof && message.eof))) return undefined;
      const skipped = this.skippedBefore(message.seq, 'resize or signal');
      const from = Math.max(start, before.offset);
      if (skipped !== undefined) return { ...skipped, live: `byte ${from} of ${fdName(fd)}, ${inWords(data.subarray(from - before.offset), eof)}` };
      start = message.end;
    }
    return undefined;
  }

  /** What the recorded client did, and the process answered to, before it did this, and what has not been done. */
  private skippedBefore(seq: number, kinds: 'any' | 'resize or signal'): Omit<Deviation, 'live'> | undefined {
    const answered = this.answerBefore(seq);
    const next = answered === undefined ? undefined : this.nextOf(kinds);
    return next === undefined || answered === undefined || next > answered ? undefined : this.awaited(next);
  }

  /** The sequence number of the first recorded client event that has not been done. */
  private nextOf(kinds: 'any' | 'resize or signal'): number | undefined {
    const { files, resizes, signals } = this.recorded;
    const next = [resizes[this.resizes]?.seq, signals[this.signals]?.seq];
    if (kinds === 'any') {
      for (const [fd, { messages, needed }] of files) {
        const { messages: count } = this.written.get(fd) ?? NOTHING_WRITTEN;
        if (count < needed) next.push(messages[count]?.seq);
      }
    }
    const seqs = next.filter((seq) => seq !== undefined);
    return seqs.length === 0 ? undefined : Math.min(...seqs);
  }

  /** The sequence number of what the process was last heard of before another event. */
  private answerBefore(seq: number): number | undefined {
    const { answers } = this.recorded;
    let low = 0;
    let high = answers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((answers[middle]?.event.seq ?? Infinity) < seq) low = middle + 1;
      else high = middle;
    }
    let at = low - 1;
    while (answers[at]?.isStart === true) at -= 1;
    return answers[at]?.event.seq;
  }

  /** What was written, again; undefined when too little of it is known to tell. */
  private inputOf({ fd, from, to, eof }: Step & { readonly kind: 'written' }, other: RecordedProcess): ExecInput | undefined {
    const mine = this.recorded.files.get(fd)?.bytes ?? Buffer.alloc(0);
    const theirs = other.files.get(fd)?.bytes ?? Buffer.alloc(0);
    const unknown = to - Math.max(from, mine.length);
    if (unknown <= 0) return { kind: 'file', fd, eof, data: mine.subarray(from, to) };
    // Beyond what was recorded anything can have come: of a process that was sent as little, it does not matter what.
    return theirs.length > mine.length ? undefined : { kind: 'file', fd, eof, data: Buffer.concat([mine.subarray(from), Buffer.alloc(unknown)]) };
  }
}

/** `80x24` */
function sizeOf({ cols, rows }: { readonly cols: number; readonly rows: number }): string {
  return `${cols}x${rows}`;
}

export function fdName(fd: number): string {
  return fd === 0 ? 'stdin' : `fd ${fd}`;
}

function inWords(bytes: Uint8Array, eof: boolean): string {
  if (bytes.length === 0 && eof) return 'EOF';
  const [words = ''] = bytesAround([bytes], 0);
  return words + endOf(bytes.length, eof);
}

/** After an excerpt that reaches so far: the end, when that is all. */
function endOf(length: number, eof: boolean): string {
  return eof && length <= SHOWN ? ' EOF' : '';
}

/** Something was written to an fd to which the recorded client wrote nothing: it can only have held it. */
function notHeld(fd: number, held: readonly number[], data: Uint8Array, eof: boolean): Deviation | undefined {
  return held.includes(fd) ? undefined : { at: { kind: 'bytes', fd, byte: 0 }, live: inWords(data, eof) };
}

function compareBytes({ bytes, messages, needed, complete }: RecordedInput, offset: number, data: Uint8Array, eof: boolean, fd: number): Deviation | undefined {
  const expected = bytes.subarray(offset, offset + data.length);
  const end = offset + data.length;
  const deviation = (byte: number): Deviation => {
    const from = Math.max(0, byte - COMPARED_BYTES);
    const mine = Buffer.concat([bytes.subarray(from, Math.max(from, offset)), data.subarray(Math.max(0, from - offset), byte + COMPARED_BYTES - offset)]);
    const [recorded = '', live = ''] = bytesAround([bytes.subarray(from), mine], byte - from, from > 0);
    return { at: { kind: 'bytes', fd, byte }, recorded: recorded + endOf(bytes.length - byte, complete), live: live + endOf(end - byte, eof) };
  };
  if (!expected.equals(data.subarray(0, expected.length))) return deviation(offset + expected.findIndex((byte, position) => byte !== data[position]));
  // A process that ends without reading all of its stdin leaves it to chance how much more was sent.
  if (complete && data.length > expected.length) return deviation(bytes.length);
  const least = complete ? bytes.length : (messages[needed - 1]?.end ?? 0);
  return eof && end < least ? deviation(end) : undefined;
}
