import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { Latest, Memo, PassingMap, PassingSet } from '../src/passing.js';

const key = fc.nat(40);
const change = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('set' as const), key, value: fc.nat() }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('delete' as const), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear' as const) }) },
);
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

function apply(map: Pick<Map<number, number>, 'delete' | 'clear'> & { set(key: number, value: number): unknown }, made: Change): unknown {
  switch (made.kind) {
    case 'set':
      map.set(made.key, made.value);
      return undefined;
    case 'delete':
      return map.delete(made.key);
    case 'clear':
      map.clear();
      return undefined;
  }
}

describe('a map for entries that come and go', () => {
  property.prop([fc.array(change, { maxLength: 400 })])('is what a Map is after the same changes', (changes) => {
    const passing = new PassingMap<number, number>();
    const model = new Map<number, number>();
    for (const made of changes) {
      expect(apply(passing, made)).toBe(apply(model, made));
      expect(passing.size).toBe(model.size);
    }
    expect([...passing]).toEqual([...model]);
    expect([...passing.keys()]).toEqual([...model.keys()]);
    expect([...passing.values()]).toEqual([...model.values()]);
    for (let at = 0; at <= 40; at++) expect([passing.has(at), passing.get(at)]).toEqual([model.has(at), model.get(at)]);
  });

  property.prop([fc.array(change, { maxLength: 60 }), fc.array(fc.array(change, { maxLength: 40 }), { maxLength: 30 })])('is walked as a Map is, whatever changes on the way', (before, meanwhile) => {
    const walked = (map: Map<number, number> | PassingMap<number, number>): readonly unknown[] => {
      for (const made of before) apply(map, made);
      const seen: unknown[] = [];
      let at = 0;
      for (const entry of map) {
        seen.push(entry);
        for (const made of meanwhile[at] ?? []) apply(map, made);
        at += 1;
      }
      return [...seen, ...map];
    };
    expect(walked(new PassingMap())).toEqual(walked(new Map()));
  });

  property.prop([fc.array(change, { maxLength: 60 }), fc.array(fc.array(change, { maxLength: 40 }), { maxLength: 30 })])('and so it is with forEach', (before, meanwhile) => {
    const visited = (map: Map<number, number> | PassingMap<number, number>): readonly unknown[] => {
      for (const made of before) apply(map, made);
      const seen: unknown[] = [];
      map.forEach((value, at) => {
        for (const made of meanwhile[seen.length] ?? []) apply(map, made);
        seen.push([at, value]);
      });
      return [...seen, ...map];
    };
    expect(visited(new PassingMap())).toEqual(visited(new Map()));
  });

  test('is replaced again after a walk that was left half way', () => {
    const map = new PassingMap<number, number>();
    for (let at = 0; at < 10; at++) map.set(at, at);
    for (const [at] of map) if (at === 3) break;
    for (let at = 0; at < 1000; at++) {
      map.set(at + 10, at);
      map.delete(at);
    }
    expect([...map.keys()]).toEqual(Array.from({ length: 10 }, (_, at) => at + 1000));
  });
});

test('a set of the same kind is what a Set is', () => {
  const set = new PassingSet<string>();
  for (const member of ['b', 'a', 'b', 'c']) set.add(member);
  expect(set.delete('b')).toBe(true);
  expect(set.delete('b')).toBe(false);
  set.add('b');
  expect([set.size, set.has('b'), ...set]).toEqual([3, true, 'a', 'c', 'b']);
  const visited: string[] = [];
  set.forEach((member) => visited.push(member));
  expect(visited).toEqual(['a', 'c', 'b']);
  set.clear();
  expect(set.size).toBe(0);
});

test('what was made of the latest key is made once as long as no other comes', () => {
  const made: object[] = [];
  const latest = new Latest((key: { readonly name: string }) => {
    made.push(key);
    return key.name.length || undefined;
  });
  const [a, b, empty] = [{ name: 'a' }, { name: 'bb' }, { name: '' }];
  expect([a, a, b, b, a, empty, empty].map((key) => latest.of(key))).toEqual([1, 1, 2, 2, 1, undefined, undefined]);
  expect(made).toEqual([a, b, a, empty]);
});

describe('a memo', () => {
  const entry = fc.record({ key, value: fc.nat(), weight: fc.integer({ min: 1, max: 20 }) });

  property.prop([fc.array(entry, { maxLength: 100 })])('holds what was set last, or nothing, and never more than it may', (entries) => {
    const memo = new Memo<number, number>(50);
    const last = new Map<number, { value: number; weight: number }>();
    for (const { key: set, value, weight } of entries) {
      memo.set(set, value, weight);
      last.set(set, { value, weight });
      expect(memo.get(set)).toBe(value);
      let held = 0;
      for (const [known, { value: wanted, weight: taken }] of last) {
        const found = memo.get(known);
        if (found === undefined) continue;
        expect(found).toBe(wanted);
        held += taken;
      }
      expect(held).toBeLessThanOrEqual(50);
    }
  });
});
