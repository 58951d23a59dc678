import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pairIds } from '../../src/bridge/index.js';
import { id } from './build.js';

describe('the ids in two texts', () => {
  it('are paired by their places', () => {
    expect(pairIds(`ref ${id('a')} of worker::${id('b')}`, `ref ${id('x')} of worker::${id('y')}`)).toEqual(
      new Map([
        [id('a'), id('x')],
        [id('b'), id('y')],
      ]),
    );
  });

  it('may be the same', () => {
    expect(pairIds(`ref ${id('a')}`, `ref ${id('a')}`)).toEqual(new Map());
    expect(pairIds(`${id('a')} ${id('b')}`, `${id('a')} ${id('c')}`)).toEqual(
      new Map([
        [id('a'), id('a')],
        [id('b'), id('c')],
      ]),
    );
  });

  it.each<[string, string, string]>([
    ['the rest of the texts differs', `ref ${id('a')}`, `reference ${id('x')}`],
    ['one of them has more', `ref ${id('a')}`, `ref ${id('x')},${id('y')}`],
    ['they stand in other places', `"${id('a')}" and ""`, `"" and "${id('a')}"`],
    ['one stands for two', `${id('a')} ${id('a')}`, `${id('x')} ${id('y')}`],
    ['two stand for one', `${id('a')} ${id('b')}`, `${id('x')} ${id('x')}`],
    ['what differs is longer than an id', `${id('a')}0`, `${id('b')}0`],
  ])('are not paired when %s', (_why, one, other) => {
    expect(pairIds(one, other)).toBeUndefined();
  });

  it('make one text the other when they are exchanged', () => {
    const ids = fc.constantFrom('a', 'b', 'c', 'd').map(id);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(' ', '::', '"', '\n'), ids), { maxLength: 8 }), fc.shuffledSubarray(['w', 'x', 'y', 'z'], { minLength: 4 }), (parts, order) => {
        const one = parts.flat().join('');
        const other = one.replace(/([abcd])\1{24}/g, (found) => id(order['abcd'.indexOf(found[0] ?? '')] ?? ''));
        const pairs = pairIds(one, other);
        expect(one.replace(/([abcd])\1{24}/g, (found) => pairs?.get(found) ?? 'unknown')).toBe(other);
      }),
    );
  });
});
