/** What a test can say of the BuildKit that it was given. */
import type { MatcherResult, MatcherState } from 'vitest';

import type { Decoded } from '../bridge/index.js';
import { describeUnused, missLines } from '../replayer/index.js';
import { TestBuildKit } from './fixture.js';

/** Some of a request's members, as `decodeMessage` names them; values can be vitest's own asymmetric matchers. */
export type PartialRequest = Readonly<Record<string, unknown>>;

/** So many misses are told. */
const MAX_TOLD = 10;
/** So many calls' requests are compared to say which one comes closest. */
const MAX_COMPARED = 200;

export function toHaveReplayedEverything(received: unknown): MatcherResult {
  const buildkit = buildKitOf(received, 'toHaveReplayedEverything');
  const told = [...buildkit.misses.slice(0, MAX_TOLD).map((miss) => missLines(miss).join('\n')), ...describeUnused(buildkit.unused)];
  return {
    // What is being recorded is all of it.
    pass: told.length === 0,
    message: () => (told.length === 0 ? `expected something of ${buildkit.cassette} not to have been replayed` : `expected all of ${buildkit.cassette} to have been replayed, and nothing else\n\n${told.join('\n')}`),
  };
}

export function toHaveCalled(this: MatcherState, received: unknown, method: string, expected?: PartialRequest): MatcherResult {
  const { asked } = buildKitOf(received, 'toHaveCalled');
  if (!asked.knows(method)) throw new TypeError(`toHaveCalled('${method}'): BuildKit has no such method, and none was called; called were ${listed(asked.methods)}`);
  const calls = asked.of(method);
  if (expected === undefined || calls.length === 0) {
    return {
      pass: calls.length > 0,
      message: () => (calls.length > 0 ? `expected ${method} not to have been called, but it was, ${times(calls.length)}` : `expected ${method} to have been called; called were ${listed(asked.methods)}`),
    };
  }
  const isLike = (request: Decoded | undefined): boolean => this.equals(request, expected, [this.utils.iterableEquality, this.utils.subsetEquality]);
  const found = calls.filter(({ request }) => isLike(request));
  if (found.length > 0) return { pass: true, message: () => `expected ${method} not to have been called with\n${this.utils.printExpected(expected)}\nbut it was, ${times(found.length)}` };
  // Of those that came, the one that needs the fewest changes.
  const closest = calls
    .slice(0, MAX_COMPARED)
    .map(({ request }) => ({ part: partOf(request, expected), wrong: countWrong(request, expected, (a, b) => this.equals(a, b, [this.utils.iterableEquality, this.utils.subsetEquality])) }))
    .reduce((best, one) => (one.wrong < best.wrong ? one : best));
  return { pass: false, message: () => `expected ${method} to have been called with these members; it was called ${times(calls.length)}, and the closest request differs`, actual: closest.part, expected };
}

function buildKitOf(received: unknown, matcher: string): TestBuildKit {
  if (received instanceof TestBuildKit) return received;
  throw new TypeError(`${matcher} is for the fixture: expect(buildkit).${matcher}(…)`);
}

/** Of what came, only what was asked about: a request can be long. */
function partOf(request: unknown, expected: unknown): unknown {
  if (!isPlain(request) || !isPlain(expected)) return request;
  return Object.fromEntries(Object.keys(expected).flatMap((name) => (name in request ? [[name, partOf(request[name], expected[name])]] : [])));
}

function countWrong(request: unknown, expected: unknown, equals: (a: unknown, b: unknown) => boolean): number {
  if (equals(request, expected)) return 0;
  if (!isPlain(request) || !isPlain(expected)) return 1;
  return Object.keys(expected).reduce((sum, name) => sum + countWrong(request[name], expected[name], equals), 0);
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

const listed = (methods: readonly string[]): string => (methods.length === 0 ? 'none' : methods.join(', '));
