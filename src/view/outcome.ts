/** How a call ended, in a word, and what is to be said about it beyond the word. */
import { decodeStatus } from '../bridge/index.js';
import type { CallOutcome } from '../cassette/index.js';
import { errorCodeName } from '../wire/index.js';
import type { Painter } from './painter.js';

const NO_ERROR = 0;
const CANCEL = 8;

/** gRPC's name of a status code, such as NOT_FOUND. */
export function statusName(code: number): string {
  return decodeStatus([{ name: 'grpc-status', value: Buffer.from(String(code)) }]).codeName;
}

/** `OK`, `NOT_FOUND`, `client reset`, `open`. */
export function outcomeWord(outcome: CallOutcome): string {
  switch (outcome.kind) {
    case 'status':
      return statusName(outcome.code);
    case 'reset':
      return `${outcome.side} reset`;
    case 'open':
      return 'open';
  }
}

/** The status message, or the code of a reset that is no plain cancel; as it crossed, not made legible. */
export function outcomeNote(outcome: CallOutcome): string {
  switch (outcome.kind) {
    case 'status':
      return outcome.message;
    case 'reset':
      return outcome.code === CANCEL || outcome.code === NO_ERROR ? '' : errorCodeName(outcome.code);
    case 'open':
      return '';
  }
}

export function outcomePaint(outcome: CallOutcome, painter: Painter): (text: string) => string {
  switch (outcome.kind) {
    case 'status':
      return outcome.code === 0 ? painter.green : painter.red;
    case 'reset':
    case 'open':
      return painter.yellow;
  }
}
