/** The OCI runtime wrapper: an executable in the place of runc that records container frontends. */
export { runFrontend, type RunExit } from './frontend-process.js';
export { recordFrontend } from './frontend-recorder.js';
export { findRunc, installScript, makeFolder } from './install.js';
export { quoted, runtimeScript } from './script.js';
