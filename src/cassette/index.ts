/** The cassette: writing one, reading one, verifying one. Knows no network and no BuildKit. */
export type {
  CallEvent,
  CassetteEvent,
  ConnectionClose,
  ConnectionOpen,
  EventKind,
  Gap,
  GoAway,
  HalfClose,
  HeaderEvent,
  HeaderField,
  MessageEvent,
  Nanoseconds,
  Piece,
  Reset,
  Side,
} from './events.js';
export { HTTP_1, whole } from './events.js';
export { HeldCall, HeldCalls, Kinds, type Beginning, type EventReader, type EventSource } from './held-calls.js';
export { CASSETTE_SUFFIX, findCassettes } from './find-cassettes.js';
export type { FrontendExit, FrontendFile, FrontendRun } from './frontend-run.js';
export type { CassetteHeader, LateFacts, NewHeader } from './header.js';
export { outcomeOf, type CallOutcome, type CallSummary, type ConnectionSummary } from './summary.js';
export { Cassette, type OpenOptions } from './cassette.js';
export type { CassetteState, Tail } from './v1/layout.js';
export type { Damage } from './v1/records.js';
export { isRunning } from './running.js';
export { verify, type VerifyReport } from './verify.js';
export type { NewEvent } from './v1/batch-encoder.js';
export { reasonNotKept } from './v1/oversize.js';
export { CassetteWriter, type Closed, type Loss, type WriterOptions } from './v1/writer.js';
