export { findProgram, runCommand } from './run.js';
