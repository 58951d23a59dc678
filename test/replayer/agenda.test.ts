import { fc, test } from '@fast-check/vitest';
import { expect, it } from 'vitest';
import { Agenda } from '../../src/replayer/agenda.js';

function takeAll(agenda: Agenda): void {
  for (let { first } = agenda; first !== undefined; { first } = agenda) {
    agenda.takeFirst();
    first.run();
  }
}

test.prop([fc.array(fc.record({ due: fc.bigInt(0n, 6n), isTakenBack: fc.boolean() }))])('gives out what was not taken back in the order of the times, and of one time as it came', (wanted) => {
  const agenda = new Agenda();
  const done: number[] = [];
  const takeBacks = wanted.map(({ due }, index) => agenda.add(due, () => done.push(index)));
  for (const [index, { isTakenBack }] of wanted.entries()) if (isTakenBack) takeBacks[index]?.();
  takeAll(agenda);
  const left = [...wanted.entries()].filter(([, { isTakenBack }]) => !isTakenBack);
  expect(done).toEqual(left.sort(([one, { due }], [other, { due: otherDue }]) => Number(due - otherDue) || one - other).map(([index]) => index));
});

test.prop([fc.array(fc.bigInt(0n, 6n), { minLength: 1 }), fc.array(fc.bigInt(0n, 6n))])('takes in more while it gives out', (begun, added) => {
  const agenda = new Agenda();
  const done: bigint[] = [];
  const more = [...added];
  const add = (due: bigint): void => {
    agenda.add(due, () => {
      done.push(due);
      const next = more.pop();
      if (next !== undefined) add(due + next);
    });
  };
  begun.forEach(add);
  takeAll(agenda);
  expect(done).toHaveLength(begun.length + added.length);
  expect(done.every((due, index) => index === 0 || due >= (done[index - 1] ?? 0n))).toBe(true);
});

it('is empty when all was taken back, more than once and after it was done', () => {
  const agenda = new Agenda();
  const takeBacks = [3n, 1n, 2n].map((due) => agenda.add(due, () => undefined));
  agenda.takeFirst();
  for (const takeBack of [...takeBacks, ...takeBacks]) takeBack();
  expect(agenda.first).toBeUndefined();
});
