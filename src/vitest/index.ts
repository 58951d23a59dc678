/**
 * BuildKit in tests with vitest: each test has its own cassette, replayed at an address of its own, and recorded where
 * `BRIDGETAPE_MODE` says so.
 *
 * @example A test of a client, with nothing but its cassette
 * ```ts
 * import { expect } from 'vitest';
 * import { test } from 'bridgetape/vitest';
 *
 * test('asks for the workers', async ({ buildkit }) => {
 *   await listWorkers(buildkit.address); // or run a program with buildkit.environment
 *   expect(buildkit).toHaveCalled('ListWorkers');
 *   expect(buildkit).toHaveReplayedEverything();
 * });
 * ```
 */
import { expect, test as base, type TestAPI } from 'vitest';

import { begin, type BuildKitOptions, type TestBuildKit } from './fixture.js';
import { toHaveCalled, toHaveReplayedEverything, type PartialRequest } from './matchers.js';

export type { Mode } from '../mode/index.js';
export type { BuildKitOptions, PartialRequest, TestBuildKit };

/** What tests have besides vitest's own. */
export interface BuildKitFixtures {
  /** BuildKit for this test. A request that its cassette does not hold fails the test, whatever the client made of that. */
  readonly buildkit: TestBuildKit;
  /** Options for a suite's tests, over those of the file: `test.override({ buildkitOptions: { faults: [ … ] } })`. */
  readonly buildkitOptions: BuildKitOptions;
}

/**
 * vitest's `test` with a BuildKit in its context.
 *
 * @param options for all its tests
 * @param test what it is made from, with fixtures of your own
 * @example `const test = buildkitTest({ folder: 'recordings', strict: true });`
 */
export function buildkitTest<Context extends object = object>(options: BuildKitOptions = {}, test: TestAPI<Context> = base as unknown as TestAPI<Context>): TestAPI<Context & BuildKitFixtures> {
  const extended = (test as unknown as TestAPI)
    .extend('buildkitOptions', (): BuildKitOptions => ({}))
    .extend('buildkit', async ({ buildkitOptions, task, onTestFinished }) => {
      const { buildkit, end } = await begin({ task }, { ...options, ...buildkitOptions });
      // Not by a clean-up of the fixture: an error in one is told twice, and other fixtures may have a client to close.
      onTestFinished(end);
      return buildkit;
    });
  return extended as unknown as TestAPI<Context & BuildKitFixtures>;
}

/** vitest's `test` with a BuildKit in its context, and cassettes in the folder `cassettes` beside the test file. */
export const test: TestAPI<BuildKitFixtures> = buildkitTest();
export { test as it };

expect.extend({ toHaveCalled, toHaveReplayedEverything });

declare module 'vitest' {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as vitest declares it
  interface Matchers<T = any> {
    /** Everything recorded was asked for, and nothing else. */
    toHaveReplayedEverything(): T;
    /**
     * A call of this method was made.
     *
     * @param method `Solve`, `LLBBridge/Solve`, or its whole path
     * @param request some members of the request that it came with, as `bridgetape show` has them
     */
    toHaveCalled(method: string, request?: PartialRequest): T;
  }
}
