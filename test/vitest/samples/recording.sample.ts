/** Recorded first, and replayed then. */
import { describe, expect } from 'vitest';

import { buildkitTest } from '../../../src/vitest/index.js';
import { listWorkers } from './client.js';

const folder = process.env['SAMPLE_FOLDER'] ?? '';
const test = buildkitTest({ folder });

describe('workers', () => {
  for (const one of [1, 2, 3, 4]) {
    test.concurrent(`are listed ${one}`, async ({ buildkit, expect: own }) => {
      await Promise.all(Array.from({ length: one }, () => listWorkers(buildkit.address)));
      own(buildkit.asked.of('ListWorkers')).toHaveLength(one);
      own(buildkit).toHaveCalled('Control/ListWorkers', {});
      own(buildkit).not.toHaveCalled('Solve');
      own(buildkit).toHaveReplayedEverything();
      own(buildkit.environment['BUILDKIT_HOST']).toBe(buildkit.address);
    });
  }

  test('Are named: "oddly" — and/or long…', async ({ buildkit }) => {
    await listWorkers(buildkit.address);
  });
});

test('fails where it is told to', async ({ buildkit }) => {
  await listWorkers(buildkit.address);
  expect(process.env['SAMPLE_FAILS']).toBeUndefined();
});

buildkitTest({ folder, mode: 'all' })('is recorded always', async ({ buildkit }) => {
  await listWorkers(buildkit.address);
  expect(buildkit.isRecording).toBe(true);
});

describe('twice', () => {
  for (const time of [1, 2]) {
    test('the same name', async ({ buildkit }) => {
      await listWorkers(buildkit.address);
      expect(time).toBe(1);
    });
  }
});
