/** bridgetape.yaml: found, read, checked. */
export { readConfig, type Config } from './config.js';
export { CONFIG_FILE, findConfig } from './find.js';
