import { expect, it } from 'vitest';
import { Hearing } from '../../src/replayer/hearing.js';
import { FakeClock } from './stage.js';

/** Reads, each after so many ms; whether the process had waited for it; and how many ms after the first it was heard. */
function heard(...reads: readonly { readonly after: number; readonly waited: boolean }[]): readonly number[] {
  const clock = new FakeClock();
  let idle = 0;
  const hearing = new Hearing(clock, () => idle);
  const began = clock.now();
  return reads.map(({ after, waited }) => {
    clock.pass(after);
    if (waited) idle += 0.01;
    hearing.begin();
    // It takes a while to handle.
    clock.pass(1);
    const time = Number(hearing.time - began) / 1e6;
    hearing.end();
    return time;
  });
}

it('what was waited for came when it was read', () => {
  expect(heard({ after: 0, waited: true }, { after: 4, waited: true }, { after: 2, waited: true })).toEqual([0, 5, 8]);
});

it('what nobody waited for came with what was read before it, and no earlier', () => {
  expect(heard({ after: 0, waited: true }, { after: 4, waited: false }, { after: 2, waited: false })).toEqual([0, 0, 5]);
});

it('what nobody waited for came after what was said before it', () => {
  const clock = new FakeClock();
  const hearing = new Hearing(clock, () => 0);
  hearing.begin();
  clock.pass(8);
  hearing.end();
  hearing.says();
  const answered = clock.now();
  clock.pass(1);
  hearing.begin();
  expect(hearing.time).toBe(answered);
});

it('where nothing that came is being handled it is now', () => {
  const clock = new FakeClock();
  const hearing = new Hearing(clock, () => 0);
  hearing.begin();
  hearing.end();
  clock.pass(7);
  expect(hearing.time).toBe(clock.now());
});
