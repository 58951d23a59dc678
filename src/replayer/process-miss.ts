/** A process whose client did something else than the recorded one, or nothing: which process, and at which place. */
import { commandLine, EXEC_PROCESS, shortMethod } from '../bridge/index.js';
import type { RecordedProcess } from './exec-script.js';
import { adviceOf, type Origin } from './origin.js';
import { fdName, type Deviation, type ProcessPlace } from './process-dialogue.js';
import type { RecordedCall } from './recorded-call.js';
import { withAdvice } from './status-text.js';

export interface ProcessMiss extends Deviation {
  /** The cassette in which it was recorded; undefined when nobody knows. */
  readonly origin: Origin | undefined;
  /** The number of the ExecProcess call in the cassette. */
  readonly call: number;
  /** What it was started with, as it could be typed. */
  readonly command: string;
  /** The client did nothing for so long: s. */
  readonly silentFor?: number;
}

const MAX_COMMAND_CHARS = 120;

/** As it could be typed, cut where it is long. */
export function commandOf(args: readonly string[]): string {
  const command = commandLine(args);
  return command.length > MAX_COMMAND_CHARS ? `${command.slice(0, MAX_COMMAND_CHARS).replace(/[\ud800-\udbff]$/, '')}…` : command;
}

/** The place in words: `byte 6 of stdin`, `resize 2`. */
export function placeName(at: ProcessPlace): string {
  switch (at.kind) {
    case 'bytes':
      return `byte ${at.byte} of ${fdName(at.fd)}`;
    case 'resize':
    case 'signal':
      return `${at.kind} ${at.number}`;
    case 'start':
      return 'its start';
    case 'message':
      return "a message that is not a client's to send";
  }
}

/** The client did something else than the recorded one. */
export function processMiss({ id, origin }: Pick<RecordedCall, 'id' | 'origin'>, { args }: Pick<RecordedProcess, 'args'>, deviation: Deviation): { readonly path: string; readonly text: string; readonly process: ProcessMiss } {
  const command = commandOf(args);
  const { at, recorded = 'nothing', live = 'nothing' } = deviation;
  const what = at.kind === 'message' ? `the client sent ${live} for the process ${command}, which is not a client's to send` : `${placeName(at)} of the process ${command} differs: recorded ${recorded}, got ${live}`;
  const text = `bridgetape: on ${shortMethod(EXEC_PROCESS)} (call ${id} of the cassette), ${what}`;
  return { path: EXEC_PROCESS, text: withAdvice(text, adviceOf(origin)), process: { origin, call: id, command, ...deviation } };
}
