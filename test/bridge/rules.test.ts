import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalRequest, ruleNames, Rules, type Canonical, type UserRule } from '../../src/bridge/index.js';
import { bridge, control, encode, FRONTEND, graph, id, type Fields } from './build.js';

const canonical = (fields: Fields, rules: Rules): Canonical => canonicalRequest(bridge('Solve'), encode(`${FRONTEND}.SolveRequest`, fields), new Map(), rules);
const withRules = (...rules: readonly UserRule[]): Rules => new Rules({ rules, off: [] });
const without = (...off: readonly string[]): Rules => new Rules({ rules: [], off });

interface Run {
  readonly env?: readonly string[];
  readonly cwd?: string;
  readonly attrs?: Fields;
  readonly options?: Fields;
  readonly description?: Fields;
}

/** A solve of an op on a source, with what rules can be about. */
function request({ env = ['A=1', 'B=2'], cwd = '/w', attrs = {}, options = {}, description = {} }: Run): Fields {
  const { fields } = graph([
    { name: 'source', op: { source: { identifier: 'git://example', attrs } } },
    { name: 'run', inputs: ['source'], op: { exec: { meta: { args: ['make'], env, cwd } } }, metadata: { description } },
  ]);
  return { Definition: fields, FrontendOpt: options };
}

describe("a user's rule", () => {
  const cases: readonly (readonly [what: string, place: UserRule['place'], one: Run, other: Run])[] = [
    ['an attribute', { kind: 'attribute', name: 'git.fullurl' }, { attrs: { 'git.fullurl': 'a' } }, { attrs: { 'git.fullurl': 'b' } }],
    ['attributes that begin alike', { kind: 'attribute', name: 'git.*' }, { attrs: { 'git.a': '1', 'git.b': '2' } }, { attrs: { 'git.a': '3', 'git.b': '4' } }],
    ['an option', { kind: 'option', name: 'build-arg:COMMIT' }, { options: { 'build-arg:COMMIT': 'a' } }, { options: { 'build-arg:COMMIT': 'b' } }],
    ['a variable', { kind: 'env', name: 'BUILD' }, { env: ['A=1', 'BUILD=1', 'B=2'] }, { env: ['A=1', 'BUILD=2', 'B=2'] }],
    ['a field', { kind: 'field', message: 'pb.Meta', field: 'cwd' }, { cwd: '/a' }, { cwd: '/b' }],
    ['a path', { kind: 'path', path: 'Definition.op[*].exec.meta.cwd' }, { cwd: '/a' }, { cwd: '/b' }],
    ['a path with the place of one op', { kind: 'path', path: 'Definition.op[7].exec.meta.cwd' }, { cwd: '/a' }, { cwd: '/b' }],
    ['a path with a key', { kind: 'path', path: 'FrontendOpt["x"]' }, { options: { x: '1' } }, { options: { x: '2' } }],
  ];

  it.each(cases)('for %s makes requests equal that differ there', (_what, place, one, other) => {
    for (const effect of ['ignore', 'volatile'] as const) {
      const rules = withRules({ effect, place });
      expect(canonical(request(one), new Rules()).text).not.toBe(canonical(request(other), new Rules()).text);
      expect(canonical(request(one), rules).text).toBe(canonical(request(other), rules).text);
    }
  });

  it.each(cases.filter(([what]) => !['a field', 'a path', 'a path with the place of one op'].includes(what)))('for %s ignores it whether it is there or not, and wants a volatile value to be there', (_what, place, one) => {
    const [there, gone] = [request(one), request({})];
    const text = (fields: Fields, effect: UserRule['effect']): string => canonical(fields, withRules({ effect, place })).text;
    expect(text(there, 'ignore')).toBe(text(gone, 'ignore'));
    expect(text(there, 'volatile')).not.toBe(text(gone, 'volatile'));
  });

  it('covers no more than its place', () => {
    const rules = withRules({ effect: 'ignore', place: { kind: 'env', name: 'BUILD' } }, { effect: 'ignore', place: { kind: 'path', path: 'Definition.op[*].exec.meta.cw' } });
    const text = (run: Run): string => canonical(request(run), rules).text;
    for (const other of [{ env: ['A=1', 'B=3'] }, { env: ['A=1', 'BUILDER=1', 'B=2'] }, { env: ['B=2', 'A=1'] }, { cwd: '/x' }]) expect(text(other)).not.toBe(text({}));
  });

  it('can be about a part of the value', () => {
    const rules = withRules({ effect: 'volatile', place: { kind: 'env', name: 'BUILD' }, pattern: /^v\d+-(\d+)/gu });
    const text = (value: string): string => canonical(request({ env: [`BUILD=${value}`] }), rules).text;
    expect(text('v1-10')).toBe(text('v1-11'));
    expect(text('v1-10')).not.toBe(text('v2-10'));
    expect(text('v1-10')).not.toBe(text('v1-10x'));
    const path = withRules({ effect: 'volatile', place: { kind: 'path', path: 'FrontendOpt[*]' }, pattern: /\d+/gu });
    const option = (value: string): string => canonical(request({ options: { x: value } }), path).text;
    expect(option('a 1 b 2')).toBe(option('a 10 b 20'));
    expect(option('a 1 b 2')).not.toBe(option('a 1 b'));
  });

  it('is named where it took something out', () => {
    const run = request({ env: ['BUILD=7'], attrs: { 'git.fullurl': 'u' } });
    const { volatile, ignored } = canonical(run, withRules({ effect: 'volatile', place: { kind: 'env', name: 'BUILD' } }, { effect: 'ignore', place: { kind: 'attribute', name: 'git.fullurl' } }));
    expect(volatile).toEqual([{ at: 'Definition.op[1].exec.meta.env[0]', kind: 'any', rule: 'env BUILD', value: '7' }]);
    expect(ignored).toEqual([{ at: 'Definition.op[0].source.attrs["git.fullurl"]', rule: 'attribute git.fullurl' }]);
    expect(canonical(run, withRules({ effect: 'volatile', place: { kind: 'path', path: 'Definition.op[*].exec.meta.cwd' } })).volatile).toEqual([
      { at: 'Definition.op[1].exec.meta.cwd', kind: 'any', rule: 'path Definition.op[*].exec.meta.cwd', value: '/w' },
    ]);
  });

  it("for an option covers the daemon's own call as well", () => {
    const rules = withRules({ effect: 'ignore', place: { kind: 'option', name: 'x' } });
    const text = (x: string): string => canonicalRequest(control('Solve'), encode('moby.buildkit.v1.SolveRequest', { FrontendAttrs: { x } }), new Map(), rules).text;
    expect(text('1')).toBe(text('2'));
  });

  it('for any path is a rule, however odd the path', () => {
    const path = fc.string({ unit: fc.constantFrom('op', '[*]', '[', ']', '.', '*', '\\', '(', 'exec', '"', '$', 'ü'), maxLength: 12 });
    fc.assert(fc.property(path, (odd) => canonical(request({}), withRules({ effect: 'ignore', place: { kind: 'path', path: odd } })).text.length > 0 || odd === ''));
  });
});

describe('a rule that comes with bridgetape', () => {
  it('no longer holds when it is off', () => {
    const sources = [id('a'), id('b')].map((session) => request({ attrs: { 'local.session': session } }));
    const texts = (rules: Rules): readonly string[] => sources.map((fields) => canonical(fields, rules).text);
    expect(new Set(texts(new Rules())).size).toBe(1);
    expect(new Set(texts(without('local.session'))).size).toBe(2);
    expect(new Set(texts(without('local.unique'))).size).toBe(1);
  });

  it('about what only describes decides when it is off, and all of them do in an exact comparison', () => {
    const described = ['RUN make', 'RUN it'].map((name) => request({ description: { 'llb.customname': name } }));
    const texts = (rules: Rules): readonly string[] => described.map((fields) => canonical(fields, rules).text);
    expect(new Set(texts(new Rules())).size).toBe(1);
    expect(new Set(texts(without('description'))).size).toBe(2);
    expect(new Set(texts(new Rules(undefined, { exact: true }))).size).toBe(2);
    expect(canonical(request({ description: { a: 'b' } }), new Rules(undefined, { exact: true })).annotations).toEqual([]);
  });

  it('has a name, which places of one thing share', () => {
    expect(new Set(ruleNames()).size).toBe(ruleNames().length);
    expect(ruleNames()).toEqual(expect.arrayContaining(['local.session', 'oci.store', 'traceparent', 'stack', 'source-map', 'description']));
  });
});
