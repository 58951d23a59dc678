/** The part of a frontend's run that may fail: a script of its own, so that it may also fail to load. */
export { recordFrontend } from '../runtime/index.js';
