import { describe, expect, it } from 'vitest';
import { introducedIds } from '../../src/bridge/index.js';
import { encode, FRONTEND, graph, id } from './build.js';

const solved = (fields: Readonly<Record<string, unknown>>): readonly { readonly kind: string; readonly id: string }[] =>
  introducedIds(`${FRONTEND}.SolveResponse`, encode(`${FRONTEND}.SolveResponse`, fields)).map(({ kind, id: found }) => ({ kind, id: found }));

describe('the ids that an answer gives out', () => {
  it('are those of its results, in each of the ways in which there were results', () => {
    expect(solved({ ref: id('a') })).toEqual([{ kind: 'ref', id: id('a') }]);
    expect(solved({ result: { ref: { id: id('b') } } })).toEqual([{ kind: 'ref', id: id('b') }]);
    expect(solved({ result: { refs: { refs: { 'linux/amd64': { id: id('c') } } } } })).toEqual([{ kind: 'ref', id: id('c') }]);
    expect(solved({ result: { refsDeprecated: { refs: { x: id('d') } } } })).toEqual([{ kind: 'ref', id: id('d') }]);
  });

  it('are none of what stands in the definitions that it repeats', () => {
    const { fields } = graph([{ name: 'a', op: { source: { identifier: `local://${id('x')}` } } }]);
    expect(solved({ result: { ref: { id: id('b'), def: fields } } })).toEqual([{ kind: 'ref', id: id('b') }]);
  });

  it('are at the same places in answers that mean the same', () => {
    const places = (letter: string): readonly string[] =>
      introducedIds(`${FRONTEND}.SolveResponse`, encode(`${FRONTEND}.SolveResponse`, { result: { refs: { refs: { one: { id: id(letter) } } } } })).map(({ at }) => at);
    expect(places('a')).toEqual(places('b'));
  });

  it("are a failed op's results, by the two parts of their names", () => {
    const detail = { type_url: 'github.com/moby/buildkit/errdefs.Solve+json', value: Buffer.from(JSON.stringify({ inputIDs: [`${id('w')}::${id('r')}`], mountIDs: [''] })) };
    expect(introducedIds('google.rpc.Status', encode('google.rpc.Status', { code: 2, details: [detail] })).map(({ kind, id: found }) => [kind, found])).toEqual([
      ['result', id('w')],
      ['result', id('r')],
    ]);
  });

  it('are none in bytes that are no such answer', () => {
    expect(introducedIds(`${FRONTEND}.SolveResponse`, Buffer.from([0xff]))).toEqual([]);
  });
});
