import { describe, expect, it } from 'vitest';
import { BUILT_IN_RULES, canonicalRequest, SOLVE, type Canonical } from '../../src/bridge/index.js';
import { Repertoire } from '../../src/replayer/repertoire.js';
import type { RecordedBuild } from '../../src/replayer/recorded-build.js';
import { id } from '../bridge/build.js';
import { solveRequest, Tape } from './tape.js';

const request = (target: string): Uint8Array => solveRequest({ FrontendAttrs: { target } });
const solve = (target: string): Canonical => canonicalRequest(SOLVE, request(target), new Map());

/** Three builds of one target and one of another, by the letters of their ids. */
function repertoire(): { readonly all: Repertoire; readonly build: (letter: string) => RecordedBuild } {
  const tape = new Tape();
  for (const letter of ['a', 'b', 'c']) tape.solve({ Ref: id(letter), FrontendAttrs: { target: 'one' } });
  tape.solve({ Ref: id('d'), FrontendAttrs: { target: 'two' } });
  const { builds } = tape.script;
  const build = (letter: string): RecordedBuild => {
    const found = builds.find(({ ref }) => ref === id(letter));
    if (found === undefined) throw new Error(`no build ${letter}`);
    return found;
  };
  return { all: new Repertoire(builds, BUILT_IN_RULES), build };
}

const letters = (builds: readonly RecordedBuild[]): string => builds.map(({ ref }) => ref?.[0]).join('');

describe('the recorded builds that a Solve began', () => {
  it('are those whose request means the same, whatever the ids in it', () => {
    const { all } = repertoire();
    expect([letters(all.alike(solve('one'))), letters(all.alike(solve('two'))), letters(all.alike(solve('three')))]).toEqual(['abc', 'd', '']);
  });

  it('that none is like is explained by the closest', () => {
    expect(repertoire().all.explain(solve('three'), request('three')).text).toContain('FrontendAttrs["target"]: recorded "one", got "three"');
  });
});

describe('builds that begin alike', () => {
  it('take turns: those that were played less often first, else in the recorded order', () => {
    const { all, build } = repertoire();
    const alike = all.alike(solve('one'));
    const turns = [letters(all.inTurn(alike))];
    for (const letter of ['a', 'b', 'a', 'c', 'b', 'c']) {
      all.begins(build(letter));
      turns.push(letters(all.inTurn(alike)));
    }
    expect(turns).toEqual(['abc', 'bca', 'cab', 'cba', 'bca', 'cab', 'abc']);
  });

  it('are not counted as played when they turn out to be others', () => {
    const { all, build } = repertoire();
    all.begins(build('a'));
    all.leaves(build('a'));
    all.begins(build('b'));
    expect(letters(all.inTurn(all.alike(solve('one'))))).toBe('acb');
  });

  it('end in turn as well, by how often clients have returned from them', () => {
    const { all, build } = repertoire();
    const alike = all.alike(solve('one'));
    all.begins(build('c'));
    for (const letter of ['a', 'b', 'a']) all.ends(build(letter));
    expect([letters(all.inTurnToEnd(alike)), ['a', 'b', 'c'].map((letter) => all.endings(build(letter)))]).toEqual(['cba', [2, 1, 0]]);
  });
});
