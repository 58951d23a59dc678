/** A comparison for programs: docs/compare.md describes it member by member. */
import { diffAsJson, jsonLines } from '../diff/index.js';
import { version } from '../version.js';
import { isAlike, type Comparison } from './compare.js';
import type { Side } from './side.js';

/** It grows when something changes its meaning or goes away; what is new does not change it. */
const COMPARE_VERSION = 1;

/** @param kept whether the cassettes stay, so that their paths mean something */
export function compareJson(sides: readonly Side[], comparisons: readonly Comparison[], kept: boolean): readonly string[] {
  const value = {
    format: 'bridgetape-compare',
    version: COMPARE_VERSION,
    tool: `bridgetape ${version}`,
    verdict: comparisons.every(isAlike) ? 'same' : 'different',
    daemons: sides.map(({ name, runs }) => ({ name, runs: runs.map(({ status, cassette }) => ({ status, ...(kept ? { cassette } : {}) })) })),
    comparisons: comparisons.map((comparison) => ({
      base: comparison.base,
      other: comparison.other,
      verdict: isAlike(comparison) ? 'same' : 'different',
      statuses: { base: comparison.statuses.base, other: comparison.statuses.other, same: comparison.statuses.areSame },
      diff: diffAsJson(comparison.report),
      noise: diffAsJson(comparison.noise),
    })),
  };
  return jsonLines(value);
}
