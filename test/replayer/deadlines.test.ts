import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NS_PER_MS } from '../../src/replayer/clock.js';
import { Deadlines } from '../../src/replayer/deadlines.js';
import { FakeClock } from './stage.js';

const GRAIN_MS = 50;

function staged() {
  const clock = new FakeClock();
  const deadlines = new Deadlines(clock);
  const began = clock.now();
  const expired = new Map<string, number>();
  const now = (): number => Number((clock.now() - began) / NS_PER_MS);
  const add = (name: string, ms: number) => {
    const call = { expire: () => void expired.set(name, now()) };
    const slot = deadlines.add(call, clock.now() + BigInt(ms) * NS_PER_MS);
    return { remove: () => deadlines.remove(call, slot) };
  };
  return { clock, deadlines, expired, add };
}

describe('a deadline', () => {
  it('passes when its time has come, and at most a grain later', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1000, max: 100_000 }), { minLength: 1, maxLength: 50 }), (timeouts) => {
        const { clock, expired, add } = staged();
        timeouts.forEach((ms, at) => add(String(at), ms));
        clock.pass(200_000);
        for (const [at, ms] of timeouts.entries()) {
          expect(expired.get(String(at))).toBeGreaterThanOrEqual(ms);
          expect(expired.get(String(at))).toBeLessThanOrEqual(ms + GRAIN_MS);
        }
        expect(clock.pending).toBe(0);
      }),
    );
  });

  it('passes unless it was taken back, whatever calls come and go meanwhile', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), ms: fc.constantFrom(0, 50, 1000, 1001, 1049, 1100, 2000) }),
      fc.record({ kind: fc.constant('remove' as const), index: fc.nat(20) }),
      fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(0, 1, 49, 50, 990, 1050) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { clock, expired, add } = staged();
        const open = new Map<string, { readonly due: number; readonly remove: () => void }>();
        let now = 0;
        for (const [at, made] of steps.entries()) {
          if (made.kind === 'add') {
            open.set(String(at), { due: now + made.ms, ...add(String(at), made.ms) });
          } else if (made.kind === 'remove') {
            const [name, call] = [...open][made.index] ?? [];
            call?.remove();
            if (name !== undefined) open.delete(name);
          } else {
            now += made.ms;
            clock.pass(made.ms);
            for (const [name, { due }] of [...open]) {
              if (expired.has(name)) open.delete(name);
              if (now >= due + GRAIN_MS || expired.has(name)) {
                expect(expired.get(name)).toBeGreaterThanOrEqual(due);
                expect(expired.get(name)).toBeLessThanOrEqual(due + GRAIN_MS);
              }
            }
          }
        }
        const left = [...open.keys()];
        const before = expired.size;
        clock.pass(10_000);
        expect(expired.size - before).toBe(left.length);
        expect(left.every((name) => expired.has(name))).toBe(true);
        expect(clock.pending).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  it('that was taken back does not pass, and others of its slot do', () => {
    const { clock, expired, add } = staged();
    add('kept', 5000);
    add('taken back', 5000).remove();
    clock.pass(10_000);
    expect([...expired.keys()]).toEqual(['kept']);
  });

  it('costs no timer of its own, nor one for each that was before it', () => {
    const { clock, expired, add } = staged();
    for (let call = 0; call < 1000; call += 1) {
      add('one after the other', 60_000).remove();
      clock.pass(1);
      expect(clock.pending).toBe(1);
    }
    clock.pass(120_000);
    expect([expired.size, clock.pending]).toEqual([0, 0]);
  });

  it('that comes before the others is kept all the same', () => {
    const { clock, expired, add } = staged();
    add('late', 60_000);
    add('soon', 2000);
    clock.pass(3000);
    expect([...expired.keys()]).toEqual(['soon']);
    clock.pass(60_000);
    expect([...expired.keys()]).toEqual(['soon', 'late']);
  });

  it('can be set by what happens when another one passes', () => {
    const { clock, deadlines, expired, add } = staged();
    deadlines.add({ expire: () => void add('second', 1000) }, clock.now() + 1000n * NS_PER_MS);
    clock.pass(5000);
    expect([...expired.keys()]).toEqual(['second']);
  });

  it('holds nobody up after the end', () => {
    const { clock, deadlines, expired, add } = staged();
    add('open', 60_000);
    deadlines.close();
    expect(clock.pending).toBe(0);
    clock.pass(120_000);
    expect(expired.size).toBe(0);
  });
});
