export { BODIES_LEFT_OUT } from './bodies.js';
export { record, type Recording, type RecordingSummary, type RecordOptions } from './recording.js';
export { recordStdio, type StdioRecording, type StdioRecordingOptions } from './stdio-recording.js';
