export { findProgram, notRun, programPath, runCommand } from './run.js';
export { forwardSignals } from './signals.js';
