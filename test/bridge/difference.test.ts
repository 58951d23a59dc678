import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { canonicalRequest, differences, roughDistance, type Difference } from '../../src/bridge/index.js';
import { bridge, encode, FRONTEND, graph, type Fields, type OpSpec } from './build.js';

const source: OpSpec = { name: 'image', op: { source: { identifier: 'docker-image://docker.io/library/busybox:latest' } } };
const run = (name: string, script: string, on: string): OpSpec => ({
  name,
  inputs: [on],
  op: { exec: { meta: { args: ['/bin/sh', '-c', script], cwd: '/' }, mounts: [{ input: 0, dest: '/' }] } },
  metadata: { caps: { 'exec.meta.base': true } },
});
/** One step after the other, each on the one before. */
const chain = (scripts: readonly string[]): readonly OpSpec[] => [source, ...scripts.map((script, at) => run(`s${at}`, script, at === 0 ? 'image' : `s${at - 1}`))];

const fieldsOf = (request: Fields): readonly (readonly [string, string])[] => canonicalRequest(bridge('Solve'), encode(`${FRONTEND}.SolveRequest`, request), new Map()).fields;
const ofChain = (scripts: readonly string[], more: Fields = {}): readonly (readonly [string, string])[] => fieldsOf({ Definition: graph(chain(scripts)).fields, ...more });
const between = (recorded: readonly string[], live: readonly string[]): readonly Difference[] => differences(ofChain(recorded), ofChain(live));

describe('what differs between two graphs', () => {
  it('is nothing between equal ones', () => {
    expect(between(['a', 'b'], ['a', 'b'])).toEqual([]);
  });

  it('is one field of one op, by its place and both commands, however many ops build on it', () => {
    expect(between(['configure', 'make', 'strip', 'install'], ['configure', 'make test', 'strip', 'install'])).toEqual([
      {
        field: 'Definition.op[2].exec.meta.args[2]',
        op: { recorded: 'op[2] RUN make', live: 'op[2] RUN make test' },
        recorded: '"make"',
        live: '"make test"',
      },
    ]);
  });

  it('is one op that was put in, and nothing of those after it', () => {
    expect(between(['a', 'c', 'd', 'e'], ['a', 'b', 'c', 'd', 'e'])).toEqual([{ field: 'Definition.op[2]', op: { live: 'op[2] RUN b' }, live: 'RUN b' }]);
  });

  it('is one op that was taken out, and nothing of those after it', () => {
    expect(between(['a', 'b', 'c', 'd', 'e'], ['a', 'c', 'd', 'e'])).toEqual([{ field: 'Definition.op[2]', op: { recorded: 'op[2] RUN b' }, recorded: 'RUN b' }]);
  });

  it('is one op put in and another changed, each told as that', () => {
    expect(between(['a', 'c', 'd', 'e'], ['a', 'b', 'c', 'd', 'f']).map(({ op, recorded, live }) => [op?.recorded, op?.live, recorded, live])).toEqual([
      ['op[4] RUN e', 'op[5] RUN f', '"e"', '"f"'],
      [undefined, 'op[2] RUN b', undefined, 'RUN b'],
    ]);
  });

  it('is what an op builds on, by the other op', () => {
    const two = (on: string): readonly (readonly [string, string])[] => fieldsOf({ Definition: graph([source, run('a', 'a', 'image'), run('b', 'b', 'a'), { ...run('c', 'c', on), inputs: [on, 'a', 'b'] }]).fields });
    expect(differences(two('a'), two('b'))).toEqual([
      {
        field: 'Definition.op[3].inputs[0]',
        op: { recorded: 'op[3] RUN c', live: 'op[3] RUN c' },
        recorded: 'op[1] RUN a:0',
        live: 'op[2] RUN b:0',
      },
    ]);
  });

  it('is what is said about an op, by that op', () => {
    const with_ = (ignore: boolean): readonly (readonly [string, string])[] =>
      fieldsOf({ Definition: graph(chain(['a', 'b']).map((spec) => (spec.name === 's0' ? { ...spec, metadata: { ignore_cache: ignore } } : spec))).fields });
    expect(differences(with_(false), with_(true))).toEqual([{ field: 'Definition.metadata[op[1]].ignore_cache', op: { live: 'op[1] RUN a' }, live: 'true' }]);
  });

  it('is every op where only one of the requests has a graph', () => {
    const found = differences(fieldsOf({}), ofChain(['a']));
    expect(found.flatMap(({ op }) => op?.live ?? [])).toEqual(['op[0] source docker-image://docker.io/library/busybox:latest', 'op[1] RUN a']);
  });

  it('names another graph than the main one, too', () => {
    const inputs = (script: string): readonly (readonly [string, string])[] => fieldsOf({ FrontendInputs: { context: graph(chain([script])).fields } });
    expect(differences(inputs('a'), inputs('b'))).toMatchObject([{ op: { recorded: 'FrontendInputs["context"].op[1] RUN a', live: 'FrontendInputs["context"].op[1] RUN b' } }]);
  });

  it('beside the graph is named by its field', () => {
    expect(differences(ofChain(['a'], { Frontend: 'one' }), ofChain(['a'], { Frontend: 'two', FrontendOpt: { 'op[1].x': 'y' } }))).toEqual([
      { field: 'Frontend', recorded: '"one"', live: '"two"' },
      { field: 'FrontendOpt["op[1].x"]', live: '"y"' },
    ]);
  });

  it('names ops by what they do', () => {
    const named = (op: Fields): string | undefined => differences(fieldsOf({}), fieldsOf({ Definition: graph([{ name: 'x', op }]).fields }))[0]?.live;
    expect([
      named({ exec: { meta: { args: ['go', 'build', 'a file'] } } }),
      named({ file: { actions: [{ copy: { src: '/a', dest: '/b' } }, { mkdir: { path: '/c' } }, { rm: { path: '/d' } }] } }),
      named({ source: { identifier: 'local://context' } }),
      named({ merge: { inputs: [{ input: 0 }] } }),
    ]).toEqual(['RUN go build "a file"', 'COPY /a /b, mkdir /c, rm /d', 'source local://context', 'merge']);
  });
});

describe('graphs of any steps', () => {
  const scripts = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 7 });

  test.prop([scripts, scripts])('differ in something exactly when they are not the same', (one, other) => {
    expect(between(one, other).length === 0).toBe(JSON.stringify(ofChain(one)) === JSON.stringify(ofChain(other)));
    expect(roughDistance(ofChain(one), ofChain(other)) === 0 || between(one, other).length > 0).toBe(true);
  });

  test.prop([scripts, scripts])('differ in one op where one was put in', (before, after) => {
    expect(between([...before, ...after], [...before, 'new', ...after])).toMatchObject([{ live: 'RUN new' }]);
  });
});
