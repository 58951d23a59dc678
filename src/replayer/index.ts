/** Serving a cassette in place of a daemon. */
export { describeReannotations, type Reannotation } from './reannotation.js';
export type { FaultTally } from './fault-plan.js';
export { FAULT_KINDS, POINTS, type FaultKind, type PointForm } from './fault.js';
export { MAX_KEPT_MISSES, replay, replayToFrontend, type FrontendReplay, type Replay, type ReplayOptions } from './replay.js';
export type { PlacedFiles } from './placed-files.js';
export { errorReport, hasFired, recordingReport, reportOf, verdictOf, type ErrorReport, type Outcome, type RecordingReport, type ReplayReport, type ReportedMiss, type Verdict } from './report.js';
export { describeUnused, type UnusedCall } from './unused.js';
export { NS_PER_MS, systemClock } from './clock.js';
export { DEFAULT_STALL_MS } from './replayer.js';
export { missLines, type MissPainter } from './miss-lines.js';
export type { Closest, Comparison, Told } from './miss.js';
export type { Origin } from './origin.js';
