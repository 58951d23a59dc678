/** Records one command against several daemons, and tells in what the recordings differ. */
export { compareJson } from './compare-json.js';
export { compareSides, isAlike, type Comparison } from './compare.js';
export { daemonSpecs, type DaemonSpec } from './daemon-spec.js';
export { compareReview, endings, type ReviewOptions } from './review.js';
export { cassetteNames, runSide, type Run, type Side, type SideOptions } from './side.js';
