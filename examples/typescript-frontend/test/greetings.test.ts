import { buildkitTest } from 'bridgetape/vitest';
import { describe, expect } from 'vitest';

import { greet } from '../src/greetings.js';

const test = buildkitTest();

test('everybody is greeted', async ({ buildkit }) => {
  expect(await greet(buildkit.address, ['ada', 'alan'])).toBe('hello, ada\n');
  expect(buildkit).toHaveCalled('LLBBridge/Solve', { Definition: { ops: [{ summary: 'mkfile /names 8 B' }, { kind: 'result' }] } });
  expect(buildkit).toHaveCalled('ReadFile', { FilePath: '/names' });
  expect(buildkit).toHaveReplayedEverything();
});

test.concurrent('one alone is greeted', async ({ buildkit, expect }) => {
  expect(await greet(buildkit.address, ['grace'])).toBe('hello, grace\n');
});

test.concurrent('nobody is an error of BuildKit, and the build ends with it', async ({ buildkit, expect }) => {
  await expect(greet(buildkit.address, [])).rejects.toThrow(/no such file|not found|is a directory|invalid/i);
});

describe('when BuildKit fails', () => {
  // The recording of the first test, with a fault in it.
  test.override({ buildkitOptions: { file: 'cassettes/greetings.test/everybody-is-greeted.cassette', faults: ['ReadFile#2=UNAVAILABLE:gone'] } });

  test('the frontend says why', async ({ buildkit }) => {
    await expect(greet(buildkit.address, ['ada', 'alan'])).rejects.toThrow('UNAVAILABLE: gone');
    expect(buildkit).toHaveCalled('Return', { error: { message: '14 UNAVAILABLE: gone' } });
  });
});
