/** Each of them fails, and says why. */
import { expect } from 'vitest';

import { buildkitTest } from '../../../src/vitest/index.js';
import { diskUsage, listWorkers } from './client.js';

const test = buildkitTest({ file: '../../../cassettes/dialogue-v0.32.2.cassette' });

test('swallows a miss', async ({ buildkit }) => {
  await diskUsage(buildkit.address).catch(() => undefined);
});

test('fails by itself after a miss', async ({ buildkit }) => {
  await diskUsage(buildkit.address).catch(() => undefined);
  expect('its own').toBe('reason');
});

buildkitTest({ file: '../../../cassettes/dialogue-v0.32.2.cassette', strict: true })('is strict and asks for little', async ({ buildkit }) => {
  await listWorkers(buildkit.address);
});

buildkitTest({ file: '../../../cassettes/dialogue-v0.32.2.cassette', faults: ['ReadFile=end'] })('lets no fault happen', async ({ buildkit }) => {
  await listWorkers(buildkit.address);
});

test('has not replayed everything', async ({ buildkit }) => {
  await listWorkers(buildkit.address);
  expect(buildkit).toHaveReplayedEverything();
});

test('was to call something else', async ({ buildkit }) => {
  await listWorkers(buildkit.address);
  expect(buildkit).toHaveCalled('Solve');
});

test('was to call it with something else', async ({ buildkit }) => {
  await listWorkers(buildkit.address, 'id==a', 'id==b').catch(() => undefined);
  await listWorkers(buildkit.address, 'id==c').catch(() => undefined);
  expect(buildkit).toHaveCalled('Control/ListWorkers', { filter: ['id==d'] });
});

test('names no method', ({ buildkit }) => {
  expect(buildkit).not.toHaveCalled('Slove');
});

test('asks something else', () => {
  expect({}).toHaveReplayedEverything();
});

buildkitTest()('has no cassette', async ({ buildkit }) => {
  await listWorkers(buildkit.address);
});
