/**
 * A live process and the recorded one that it is taken for. Which one that is can turn out later: processes that
 * were started the same way in containers that were made the same way are told apart only by what their clients
 * write to them. So a live process keeps what it would take to be another recorded one instead.
 */
import type { ExecInput } from '../bridge/index.js';
import { processIdField } from './exec-head.js';
import { inputOf, type RecordedAnswer, type RecordedProcess } from './exec-script.js';
import { ProcessDialogue, type Deviation } from './process-dialogue.js';

/** Longer than what processes print before their clients tell them apart; a bound on the work of comparing. */
const MAX_COMPARED_ANSWERS = 256;

export class LiveProcess {
  /** How many of the recorded answers it has been sent. */
  answered = 0;
  /** The beginning of every message about it; undefined when its id is too long for a short one. */
  readonly idField: Uint8Array | undefined;
  private dialogue: ProcessDialogue;
  /** How many of the recorded events that were done again have been told of. */
  private told = 0;

  constructor(
    readonly id: string,
    readonly container: string,
    recorded: RecordedProcess,
  ) {
    this.idField = processIdField(id);
    this.dialogue = new ProcessDialogue(recorded);
  }

  /** The one that it is taken for. */
  get recorded(): RecordedProcess {
    return this.dialogue.recorded;
  }

  /** All recorded client events that this process's client has done again. */
  allDone(): readonly number[] {
    return this.dialogue.done;
  }

  /** Those since this was last asked. */
  newlyDone(): readonly number[] {
    const fresh = this.dialogue.done.slice(this.told);
    this.told = this.dialogue.done.length;
    return fresh;
  }

  /**
   * It is another recorded process after all.
   *
   * @param answered from {@link answeredAs}
   */
  become(other: RecordedProcess, answered: number): void {
    const dialogue = this.dialogue.with(other);
    if (dialogue === undefined) throw new Error('a process cannot be another one of which something else was done');
    this.dialogue = dialogue;
    this.answered = answered;
    this.told = 0;
  }

  /** Takes what the client did, if the recorded client did the same; else nothing changes. */
  take(input: ExecInput): Deviation | undefined {
    return this.dialogue.take(input);
  }

  /** What the recorded client did in this event, as far as it has not been done; undefined when it is none of this process. */
  awaited(seq: number): Deviation | undefined {
    return this.dialogue.awaited(seq);
  }

  /** How many answers of another recorded process come to what this one was sent; undefined when it cannot be that one. */
  answeredAs(other: RecordedProcess): number | undefined {
    if (other.init !== this.recorded.init || this.answered > MAX_COMPARED_ANSWERS || this.dialogue.with(other) === undefined) return undefined;
    const sent = gist(this.recorded.answers.slice(0, this.answered));
    for (let count = 0; count <= Math.min(other.answers.length, MAX_COMPARED_ANSWERS); count += 1) {
      if (gist(other.answers.slice(0, count)) === sent) return count;
    }
    return undefined;
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
