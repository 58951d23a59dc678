/**
 * bridgetape's public API: record what crosses between BuildKit's clients and buildkitd, read what was recorded,
 * and serve it in place of a daemon.
 *
 * @example Record, then replay, from a test of your own
 * ```ts
 * import { parseAddress, record, replay, temporaryAddress } from 'bridgetape';
 *
 * const front = temporaryAddress();
 * const recording = await record({
 *   output: 'build.cassette',
 *   listen: front.address,
 *   upstream: parseAddress('unix:///run/buildkit/buildkitd.sock'),
 * });
 * // … run a client with BUILDKIT_HOST = recording.address …
 * await recording.close();
 * front.remove();
 *
 * const replaying = await replay({ file: 'build.cassette', listen: front.address });
 * // … run the client again with BUILDKIT_HOST = replaying.address …
 * await replaying.close();
 * console.log(replaying.misses);
 * ```
 */
export {
  Cassette,
  CassetteWriter,
  verify,
  type CallOutcome,
  type CallSummary,
  type CassetteEvent,
  type CassetteHeader,
  type CassetteState,
  type ConnectionSummary,
  type EventKind,
  type FrontendExit,
  type FrontendFile,
  type FrontendRun,
  type HeaderField,
  type Nanoseconds,
  type Side,
} from './cassette/index.js';
export { decodeDefinition, decodeMessage, decodeStatus, describeExec, Rules, type Difference, type RulePlace, type RuleSettings, type UserRule } from './bridge/index.js';
export { readConfig, type Config } from './config/index.js';
export { drive, type DriveOptions, type DriveReport } from './driver/index.js';
export { recordFresh, useCassette, type CassetteInRecording, type CassetteInReplay, type CassetteUse, type FreshRecording, type FreshSummary, type Mode, type UseCassetteOptions } from './mode/index.js';
export { diffCassettes, isSame, type ComparedCassette, type DifferenceClass, type DiffOptions, type DiffReport } from './diff/index.js';
export { BridgetapeError, type ErrorCode } from './errors.js';
export { runFrontend, type FrontendResult, type FrontendRunOptions } from './frontend/index.js';
export { record, type Recording, type RecordingSummary, type RecordOptions } from './recorder/index.js';
export {
  missLines,
  replay,
  reportOf,
  type Closest,
  type Comparison,
  type ErrorReport,
  type FaultTally,
  type MissPainter,
  type Origin,
  type Outcome,
  type Reannotation,
  type Replay,
  type ReplayOptions,
  type ReplayReport,
  type ReportedMiss,
  type Told,
  type UnusedCall,
  type Verdict,
} from './replayer/index.js';
export { formatAddress, parseAddress, parseSocketAddress, temporaryAddress, type Address, type SocketAddress, type TlsClientOptions, type TlsFiles } from './socket/index.js';
export { pack, unpack, type Packed, type PackOptions, type Unpacked, type UnpackOptions } from './text/index.js';
export { version } from './version.js';
