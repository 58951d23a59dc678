/** Two cassettes held against each other: what differs, as values, and those laid out for people and for programs. */
export { diffCassettes, type ComparedCassette, type DiffOptions } from './diff-cassettes.js';
export { diffAsJson, diffJson, jsonLines, type DiffJson } from './diff-json.js';
export { diffJunit } from './junit.js';
export { diffMarkdown } from './markdown.js';
export { setNoiseApart, type NoiseApart } from './noise.js';
export {
  callsTold,
  DIFFERENCE_CLASSES,
  isSame,
  type BuildDifferences,
  type CallDifferences,
  type CallPlace,
  type Difference,
  type DifferenceClass,
  type DiffReport,
  type OpPlace,
  type Pair,
  type Recording,
} from './report.js';
export { diffStat } from './stat.js';
export { showDiff, type DiffViewOptions } from './terminal-report.js';
export { WORLD_RULES, type WorldRule } from './world-rules.js';
