/** Two cassettes held against each other: what differs, as values. */
export { diffCassettes, type ComparedCassette, type DiffOptions } from './diff-cassettes.js';
export {
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
export { WORLD_RULES, type WorldRule } from './world-rules.js';
