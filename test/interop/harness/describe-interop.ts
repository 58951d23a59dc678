// The only part of the harness that knows vitest: where real BuildKit or another client can't run, a test run says so
// aloud; in CI that is a failure.
import { beforeAll, describe, it } from 'vitest';
import { clientsReason, conformanceReason, crossingReason, dockerReason, interopReason } from './availability.js';
import { buildAll, buildCommonClients, buildx } from './binaries.js';
import { buildClients } from './clients.js';
import { buildConformance } from './conformance.js';

/** Every version and the frontend, built from nothing on two cores. */
const FIRST_BUILD_TIMEOUT = 1_800_000;

/**
 * vitest's `describe` for tests with real BuildKit: skipped with a loud reason where that can't run, a failure there
 * when `CI=true`. What has to be built is built before the first test, outside of its time.
 *
 * @param versions of BuildKit that it needs
 */
export function describeInterop(name: string, fn: () => void, versions?: readonly string[]): void {
  describeUnless(interopReason(versions), name, () => buildAll(versions), fn);
}

/** The same for tests with BuildKit's Go clients of several versions, at daemons of these. */
export function describeCrossing(name: string, fn: () => void, versions: readonly string[]): void {
  const build = async (): Promise<void> => {
    await buildAll(versions);
    await buildCommonClients();
  };
  describeUnless(crossingReason(versions), name, build, fn);
}

/** The same for tests with a Docker Engine and buildx. */
export function describeDocker(name: string, fn: () => void): void {
  describeUnless(dockerReason(), name, buildx, fn);
}

/** The same for clients in other languages, which need neither root nor BuildKit. */
export function describeClients(name: string, fn: () => void): void {
  describeUnless(clientsReason(), name, buildClients, fn);
}

/** The same for public conformance programs, which need neither root nor BuildKit. */
export function describeConformance(name: string, fn: () => void): void {
  describeUnless(conformanceReason(), name, buildConformance, fn);
}

function describeUnless(reason: string | undefined, name: string, build: () => Promise<unknown>, fn: () => void): void {
  if (reason === undefined) {
    describe(name, () => {
      beforeAll(build, FIRST_BUILD_TIMEOUT);
      fn();
    });
  } else if (process.env['CI'] === 'true') {
    describe(name, () => {
      it('can run here', () => {
        throw new Error(`interop tests can't run, and CI=true: ${reason}`);
      });
    });
  } else {
    console.warn(`\nSKIPPED: ${name}\n  because: ${reason}\n`);
    describe.skip(name, fn);
  }
}
