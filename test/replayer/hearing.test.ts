import { expect, it, vi } from 'vitest';
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

/** How many turns of the loop go by before an answer is given, when something comes in so many of them. */
async function turnsBeforeAnAnswer(speaks: number): Promise<number> {
  const hearing = new Hearing(new FakeClock(), () => 0);
  const answer = vi.fn();
  hearing.onceAllIsRead(answer);
  for (let turn = 0; ; turn++) {
    if (turn < speaks) {
      hearing.begin();
      hearing.end();
    }
    // Registered behind the hearing's own, so this is the end of the turn.
    await new Promise((resolve) => setImmediate(resolve));
    if (answer.mock.calls.length > 0) return turn;
  }
}

it('an answer waits for what came before it, and no longer', async () => {
  expect(await turnsBeforeAnAnswer(0)).toBe(1);
  expect(await turnsBeforeAnAnswer(3)).toBe(3);
});

it('an answer waits for no client that never stops', async () => {
  expect(await turnsBeforeAnAnswer(Infinity)).toBe(8);
});
