export { findProgram, isProgram, runCommand } from './run.js';
export { forwardSignals } from './signals.js';
