/**
 * The proof of "and nothing else": every field of every LLBBridge request, found from proto/, decides whether two
 * requests are equal, unless a row of the volatile values covers it.
 */
import { describe, expect, it } from 'vitest';
import { canonicalRequest, knownMethods, type Canonical, type IdMap } from '../../src/bridge/index.js';
import { bridge, FRONTEND } from './build.js';
import { Builder, casesOf, isAnnotated, isCovered, known, type Case, type Change, type Step } from './changed-fields.js';

const NONE: IdMap = new Map();

const methods = knownMethods(`${FRONTEND}.LLBBridge`);

describe.each(methods)('$name', ({ name, requestType }) => {
  const type = known(requestType);
  const cases = casesOf(requestType);
  const deciding = cases.filter((it) => !isAnnotated(it) && !isCovered(it));
  const annotating = cases.filter((it) => isAnnotated(it) && !isCovered(it));
  const canonical = (steps: readonly Step[], change?: Change): Canonical => canonicalRequest(bridge(name), new Builder(steps, change).message(type, 0), NONE);
  const unchanged = new Map<string, Canonical>();
  const before = ({ path, steps }: Case): Canonical => {
    const known = unchanged.get(path) ?? canonical(steps);
    unchanged.set(path, known);
    return known;
  };
  const isSame = (it: Case): boolean => before(it).text === canonical(it.steps, it.change).text;
  const isAnnotatedTheSame = (it: Case): boolean => JSON.stringify(before(it).annotations) === JSON.stringify(canonical(it.steps, it.change).annotations);
  const tell = ({ path, change }: Case): string => `${path}: ${change}`;

  it(`is another request with any one of ${deciding.length} changes that no rule covers`, () => {
    expect(deciding.filter(isSame).map(tell)).toEqual([]);
  });

  it(`is the same request, annotated otherwise, with any one of ${annotating.length} changes of what only describes`, () => {
    expect(annotating.filter((it) => !isSame(it) || isAnnotatedTheSame(it)).map(tell)).toEqual([]);
  });

  it('is the same request with another value where a rule covers it', () => {
    expect(cases.filter((it) => isCovered(it) && !isSame(it)).map(tell)).toEqual([]);
  });
});
