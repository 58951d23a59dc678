/** What reads bridgetape.yaml, as a script of its own. */
export { readConfig } from '../config/index.js';
