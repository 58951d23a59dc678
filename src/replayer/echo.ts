/**
 * What the client of a call was sent before its build turned out to be another recorded one. That one must have sent
 * the same, and what it sends again is not sent twice. Ids that the daemon had made up count as the same wherever
 * the two recordings have them in the same places; they are bound then.
 */
import { canonicalAnswer, canonicalStatus, EXEC_PROCESS, pairIds, parseExec, PING, progressEntries, STATUS } from '../bridge/index.js';
import type { HeaderField } from '../cassette/index.js';
import type { Bindings } from './bindings.js';

/** How a call ended, towards its client. */
export type End = { readonly kind: 'trailers'; readonly trailers: readonly HeaderField[] } | { readonly kind: 'reset'; readonly code: number };

/** What is left to be sent of a message: nothing when it was sent before. */
export type Heard = Uint8Array | 'again' | 'different';

export interface Echo {
  /** Messages were sent that have not come again. */
  readonly isAhead: boolean;
  hear(payload: Uint8Array): Heard;
}

/**
 * @param messages that were sent
 * @param bindings of the build that sends them again
 */
export function echoOf(path: string, messages: readonly Uint8Array[], bindings: Bindings): Echo {
  switch (path) {
    case STATUS:
      return new ProgressEcho(messages);
    case EXEC_PROCESS:
      return new ExecEcho(messages);
    default:
      return new AnswerEcho(path, messages, bindings);
  }
}

/** Whether a call ended in the same way; binds the ids in it. */
export function endedAlike(sent: End, again: End, bindings: Bindings): boolean {
  if (sent.kind === 'reset' || again.kind === 'reset') return sent.kind === 'reset' && again.kind === 'reset' && sent.code === again.code;
  const ids = pairIds(canonicalStatus(sent.trailers), canonicalStatus(again.trailers));
  return ids !== undefined && bindings.bindTold(ids);
}

/** Answers one by one, by what they mean. */
class AnswerEcho implements Echo {
  private heard = 0;

  constructor(
    private readonly path: string,
    private readonly sent: readonly Uint8Array[],
    private readonly bindings: Bindings,
  ) {}

  get isAhead(): boolean {
    return this.heard < this.sent.length;
  }

  hear(payload: Uint8Array): Heard {
    const sent = this.sent[this.heard];
    if (sent === undefined) return payload;
    this.heard += 1;
    // What a daemon can do is asked before all else, and says nothing of the build.
    if (this.path === PING || Buffer.compare(sent, payload) === 0) return 'again';
    const ids = pairIds(canonicalAnswer(this.path, sent), canonicalAnswer(this.path, payload));
    return ids !== undefined && this.bindings.bindTold(ids) ? 'again' : 'different';
  }
}

/** Messages of processes: what each one printed to each fd, when it closed that, and its start and end; these race with each other. */
class ExecEcho implements Echo {
  private readonly lanes = new Map<string, { readonly sent: string; heard: number }>();
  private ahead = 0;

  constructor(sent: readonly Uint8Array[]) {
    const lanes = new Map<string, string[]>();
    for (const { lane, text } of sent.flatMap(placesOf)) {
      const texts = lanes.get(lane);
      if (texts === undefined) lanes.set(lane, [text]);
      else texts.push(text);
    }
    for (const [lane, texts] of lanes) {
      const text = texts.join('');
      this.lanes.set(lane, { sent: text, heard: 0 });
      this.ahead += text.length;
    }
  }

  get isAhead(): boolean {
    return this.ahead > 0;
  }

  hear(payload: Uint8Array): Heard {
    const heard = placesOf(payload).map(({ lane, text }) => this.hearIn(lane, text));
    if (heard.every((one) => one === 'again')) return 'again';
    return heard.every((one) => one === 'new') ? payload : 'different';
  }

  private hearIn(name: string, text: string): 'again' | 'new' | 'different' {
    const lane = this.lanes.get(name);
    if (lane === undefined || lane.heard === lane.sent.length) return 'new';
    if (!lane.sent.startsWith(text, lane.heard)) return 'different';
    lane.heard += text.length;
    this.ahead -= text.length;
    return 'again';
  }
}

/** Where a message of a process belongs, and what it adds there. */
function placesOf(payload: Uint8Array): readonly { readonly lane: string; readonly text: string }[] {
  const message = parseExec(payload);
  if (message === undefined) return [{ lane: '', text: latin1(payload) }];
  const { process, input } = message;
  if (input.kind !== 'file') return [{ lane: process, text: input.kind === 'exit' ? `exit ${input.code}\n` : `${input.kind}\n` }];
  const lane = `${process} ${input.fd}`;
  return [...(input.data.length > 0 ? [{ lane, text: latin1(input.data) }] : []), ...(input.eof ? [{ lane: `${lane} end`, text: '.' }] : [])];
}

/** Progress: no recording tells it in the same order and pieces, so what was told is left out, and the rest is told. */
class ProgressEcho implements Echo {
  readonly isAhead = false;
  /** How often each entry was told. */
  private readonly told = new Map<string, number>();

  constructor(sent: readonly Uint8Array[]) {
    for (const { text } of sent.flatMap((payload) => progressEntries(payload) ?? [])) this.told.set(text, (this.told.get(text) ?? 0) + 1);
  }

  hear(payload: Uint8Array): Heard {
    const entries = progressEntries(payload);
    if (entries === undefined) return payload;
    const fresh = entries.filter(({ text }) => !this.wasTold(text));
    if (fresh.length === entries.length) return payload;
    return fresh.length === 0 ? 'again' : Buffer.concat(fresh.map(({ bytes }) => bytes));
  }

  private wasTold(text: string): boolean {
    const times = this.told.get(text) ?? 0;
    if (times > 0) this.told.set(text, times - 1);
    return times > 0;
  }
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
