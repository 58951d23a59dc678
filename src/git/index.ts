/** What a git repository has to know of cassettes. */
export { planInstall, planUninstall, unaffected, type Change, type Plan } from './install.js';
