export { findProgram, isProgram, runCommand } from './run.js';
