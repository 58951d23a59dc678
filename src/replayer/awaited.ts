/** What a recording goes on with when its client does not: for whoever wonders what a client was to do. */
import { shortMethod } from '../bridge/index.js';
import type { ClientEvent } from './causality.js';
import type { RecordedExec, RecordedProcess } from './exec-script.js';
import type { LiveProcess } from './live-process.js';
import type { Told } from './miss.js';
import { adviceOf } from './origin.js';
import { ProcessDialogue, type Deviation } from './process-dialogue.js';
import { commandOf, placeName, type ProcessMiss } from './process-miss.js';
import type { RecordedCall } from './recorded-call.js';
import { withAdvice } from './status-text.js';

export interface Awaited {
  /** The call on which it comes. */
  readonly call: RecordedCall;
  /** What it is. */
  readonly words: string;
  /** Of a process: where. */
  readonly process?: ProcessMiss;
}

/** The client has kept everything waiting for `silentFor` s. */
export function silence({ call, words, process }: Awaited, silentFor: number): Told {
  const text = `bridgetape: the recording goes on with ${words}, and for ${silentFor} s nothing came`;
  return { path: call.path, text: withAdvice(text, adviceOf(call.origin)), ...(process === undefined ? {} : { process: { ...process, silentFor } }) };
}

/** The end of the call by its client. */
export function awaitedCancel(call: RecordedCall): Awaited {
  return { call, words: `the client cancelling ${nameOf(call)}` };
}

/** An event of a call. */
export function awaitedOn(call: RecordedCall, { seq }: ClientEvent): Awaited {
  const event = call.events.find((candidate) => candidate.seq === seq);
  if (event?.kind === 'client-half-close') return { call, words: `the end of the client's messages on ${nameOf(call)}` };
  const before = call.events.filter((candidate) => candidate.kind === 'client-message' && candidate.seq < seq).length;
  return { call, words: before === 0 ? `the request of ${nameOf(call)}` : `message ${before + 1} of the client on ${nameOf(call)}` };
}

/** An event on a stream of processes, as far as it has not come. */
export function awaitedOfProcess({ call, processes }: RecordedExec, event: ClientEvent, holders: ReadonlyMap<RecordedProcess, LiveProcess>): Awaited {
  for (const process of processes) {
    const at = (holders.get(process) ?? new ProcessDialogue(process)).awaited(event.seq);
    if (at === undefined) continue;
    const command = commandOf(process.args);
    return { call, words: `${inWords(at, command)} on ${nameOf(call)}`, process: { origin: call.origin, call: call.id, command, ...at } };
  }
  return awaitedOn(call, event);
}

function inWords({ at, recorded }: Deviation, command: string): string {
  return at.kind === 'start' ? `the start of the process ${command}` : `${placeName(at)} of the process ${command}, ${recorded ?? 'nothing'},`;
}

function nameOf({ id, path }: RecordedCall): string {
  return `${shortMethod(path)} (call ${id} of the cassette)`;
}
