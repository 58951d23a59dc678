import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { NS_PER_MS, systemClock, TIMER_SLACK_NS } from '../../src/replayer/clock.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'hrtime'] });
});

afterEach(() => {
  vi.useRealTimers();
});

const inMs = (ms: number): bigint => systemClock.now() + BigInt(Math.round(ms * Number(NS_PER_MS)));

it('does each thing at its time, by one timer', () => {
  const done: [name: string, late: bigint][] = [];
  for (const ms of [20, 3.5, 7, 3.2, 20]) {
    const due = inMs(ms);
    systemClock.at(due, () => done.push([String(ms), systemClock.now() - due]));
  }
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(3);
  expect(done.map(([name]) => name)).toEqual(['3.2', '3.5']);
  vi.advanceTimersByTime(17);
  expect(done.map(([name]) => name)).toEqual(['3.2', '3.5', '7', '20', '20']);
  for (const [, late] of done) expect(late >= -TIMER_SLACK_NS && late <= NS_PER_MS - TIMER_SLACK_NS).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

it('holds no timer for what was taken back', () => {
  const done: string[] = [];
  const first = systemClock.at(inMs(5), () => done.push('first'));
  const second = systemClock.at(inMs(10), () => done.push('second'));
  systemClock.at(inMs(7), () => {
    done.push('third');
    second();
  });
  first();
  vi.advanceTimersByTime(7);
  expect(done).toEqual(['third']);
  expect(vi.getTimerCount()).toBe(0);
});

it('does what has passed without waiting, but never within the call', () => {
  const done: string[] = [];
  systemClock.at(inMs(-5), () => {
    done.push('past');
    systemClock.at(inMs(2), () => done.push('next'));
  });
  expect(done).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(done).toEqual(['past']);
  vi.advanceTimersByTime(2);
  expect(done).toEqual(['past', 'next']);
});

it('goes on with the rest when one thing fails', () => {
  const done: string[] = [];
  systemClock.at(inMs(1), () => {
    throw new Error('a bug');
  });
  systemClock.at(inMs(1), () => done.push('other'));
  expect(() => vi.advanceTimersByTime(1)).toThrow('a bug');
  vi.advanceTimersByTime(1);
  expect(done).toEqual(['other']);
});

it('reaches times beyond the longest timer', () => {
  let done = false;
  const month = 40 * 24 * 3600 * 1000;
  systemClock.at(inMs(month), () => {
    done = true;
  });
  vi.advanceTimersByTime(month - 10);
  expect(done).toBe(false);
  vi.advanceTimersByTime(10);
  expect(done).toBe(true);
});
