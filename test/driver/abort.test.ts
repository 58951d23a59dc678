/** The end of a driver from outside: nothing that it opened is left. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

import { Cassette } from '../../src/cassette/index.js';
import { drive } from '../../src/driver/index.js';
import { replay, type Replay } from '../../src/replayer/index.js';

const CASSETTE = join(import.meta.dirname, '..', '..', 'cassettes', 'dialogue-v0.32.2.cassette');

let replaying: Replay;
let cassette: Cassette;

beforeEach(async () => {
  replaying = await replay({ file: CASSETTE, faults: ['LLBBridge/NewContainer=hang'], stallMs: 0 });
  cassette = Cassette.open(CASSETTE);
});

afterEach(async () => {
  cassette.close();
  await replaying.close();
});

const target = (): string => replaying.address.replace('unix://', 'unix:');

it('cancels calls that wait for an answer, and rejects with the reason', async () => {
  const control = new AbortController();
  const driving = drive(cassette, { target: target(), signal: control.signal });
  await expect.poll(() => replaying.faults[0]?.fired).toBe(1);
  control.abort(new Error('enough'));
  await expect(driving).rejects.toThrow('enough');
  // Open calls would hold this up for a minute.
  await replaying.close(60_000);
});

it('cancels what waits for its time', async () => {
  const control = new AbortController();
  const driving = drive(cassette, { target: target(), pace: 1000, signal: control.signal });
  await expect.poll(() => replaying.unused().some(({ path }) => path.endsWith('Control/Solve'))).toBe(false);
  control.abort(new Error('enough'));
  await expect(driving).rejects.toThrow('enough');
  await replaying.close(60_000);
});

it('begins nothing when it was aborted before', async () => {
  await expect(drive(cassette, { target: target(), signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
  expect(replaying.unused()).not.toEqual([]);
});
