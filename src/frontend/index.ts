export { runFrontend, type FrontendResult, type FrontendRunOptions } from './run-frontend.js';
