/** What a call is called, and how it ended: in a word, and what is to be said about it beyond the word. */
import { decodeStatus, shortMethod } from '../bridge/index.js';
import type { CallOutcome, CallSummary } from '../cassette/index.js';
import { errorCodeName } from '../wire/index.js';
import type { Painter } from './painter.js';

const NO_ERROR = 0;
const CANCEL = 8;

/** gRPC's name of a status code, such as NOT_FOUND. */
export function statusName(code: number): string {
  return decodeStatus([{ name: 'grpc-status', value: Buffer.from(String(code)) }]).codeName;
}

/** `OK`, `NOT_FOUND`, `HTTP 200`, `client reset`, `open`. */
export function outcomeWord(outcome: CallOutcome): string {
  switch (outcome.kind) {
    case 'status':
      return statusName(outcome.code);
    case 'http':
      return outcome.code === 0 ? 'HTTP' : `HTTP ${outcome.code}`;
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
    case 'http':
    case 'open':
      return '';
  }
}

/** `LLBBridge/Solve` of a call of gRPC, `GET /_ping` of an exchange of HTTP/1.1; as it crossed, not made legible. */
export function callName({ method, path }: CallSummary): string {
  if (method !== undefined) return `${method} ${path}`.trim();
  return path === '' ? '(unknown)' : shortMethod(path);
}

export function outcomePaint(outcome: CallOutcome, painter: Painter): (text: string) => string {
  switch (outcome.kind) {
    case 'status':
      return outcome.code === 0 ? painter.green : painter.red;
    case 'http':
      return outcome.code >= 400 ? painter.red : painter.green;
    case 'reset':
    case 'open':
      return painter.yellow;
  }
}
