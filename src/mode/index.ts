/** Replay or record: one decision, and a recording that counts only when it went well. */
export { recordFresh, type FreshRecording, type FreshSummary } from './fresh-recording.js';
export { isCi, modeFrom, modeOfEnvironment, MODES, MODE_VARIABLE, planFor, type Mode, type ModeChoice } from './mode.js';
export { useCassette, type CassetteInRecording, type CassetteInReplay, type CassetteUse, type UseCassetteOptions } from './use-cassette.js';
