/** Several cassettes, served as one daemon. */
import { describe, expect, it } from 'vitest';
import { control, encode, id } from '../bridge/build.js';
import { Stage, type LiveCall } from './stage.js';
import { readFile, solveRequest, Tape } from './tape.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const LIST_WORKERS = control('ListWorkers');

interface Recorded {
  readonly target?: string;
  /** Paths that are read, with what is in them. */
  readonly reads?: readonly (readonly [path: string, contents: string])[];
  readonly ref?: string;
  readonly result?: string;
}

/** A build that reads files, and its workers. */
function tapeOf({ target = 'one', reads = [], ref = 'r', result = 'done' }: Recorded, workers?: string): Tape {
  const tape = new Tape();
  if (workers !== undefined) tape.call(LIST_WORKERS).sends(bytes('')).closes().headed().answers(bytes(workers)).ends();
  const solve = tape.solve({ FrontendAttrs: { target } });
  for (const [path, contents] of reads) tape.unary('ReadFile', readFile(path, id(ref)), bytes(contents));
  tape.unary('Return', encode('moby.buildkit.v1.frontend.ReturnRequest', {}), bytes(''));
  solve.headed().answers(encode('moby.buildkit.v1.SolveResponse', { ExporterResponse: { digest: result } })).ends();
  return tape;
}

const begin = (stage: Stage, target: string, build: string): LiveCall => stage.open(control('Solve')).asks(solveRequest({ Ref: id(build), FrontendAttrs: { target } }));
const read = (stage: Stage, path: string, build: string): readonly string[] => stage.bridge('ReadFile', id(build)).asks(readFile(path)).texts;

describe('of several cassettes a client gets', () => {
  it('the build that has its options', () => {
    const stage = new Stage([tapeOf({ target: 'one', reads: [['/a', 'of one']] }).in('one.cassette'), tapeOf({ target: 'two', reads: [['/a', 'of two']] }).in('two.cassette')]);
    begin(stage, 'two', 'x');
    begin(stage, 'one', 'y');
    expect([read(stage, '/a', 'x'), read(stage, '/a', 'y'), stage.misses]).toEqual([['of two'], ['of one'], []]);
  });

  it('the build that begins with its first request', () => {
    const stage = new Stage([tapeOf({ reads: [['/a', 'A']] }).in('one.cassette'), tapeOf({ reads: [['/b', 'B']] }).in('two.cassette')]);
    begin(stage, 'one', 'x');
    begin(stage, 'one', 'y');
    expect([read(stage, '/b', 'x'), read(stage, '/a', 'y'), stage.misses]).toEqual([['B'], ['A'], []]);
  });

  it('what a daemon is from the first that knows, each time', () => {
    const stage = new Stage([tapeOf({}).in('none.cassette'), tapeOf({ target: 'two' }, 'workers of two').in('two.cassette'), tapeOf({ target: 'three' }, 'workers of three').in('three.cassette')]);
    const ask = (): readonly string[] => stage.open(LIST_WORKERS).asks(bytes('')).texts;
    expect([ask(), ask(), stage.misses]).toEqual([['workers of two'], ['workers of two'], []]);
  });

  it('a miss that names the cassette with the closest call', () => {
    const told: (string | undefined)[] = [];
    const stage = new Stage([tapeOf({ target: 'one' }).in('one.cassette'), tapeOf({ target: 'two', reads: [['/a', 'A']] }).in('two.cassette')], {
      onMiss: ({ comparison }) => told.push(comparison?.origin?.file),
    });
    begin(stage, 'two', 'x');
    read(stage, '/b', 'x');
    begin(stage, 'three', 'y');
    expect(told).toEqual(['two.cassette', 'one.cassette']);
  });
});

describe('two cassettes with builds that ask for the same', () => {
  const served = (one: Recorded, two: Recorded): Stage => new Stage([tapeOf(one).in('one.cassette'), tapeOf(two).in('two.cassette')]);

  it.each([
    ['a request', { reads: [['/a', 'A']] }, { reads: [['/a', 'other']] }, 'LLBBridge/ReadFile'],
    ['a later request', { reads: [['/a', 'A'], ['/b', 'B']] }, { reads: [['/a', 'A'], ['/b', 'other']] }, 'LLBBridge/ReadFile'],
    ['the whole build', { result: 'a' }, { result: 'b' }, 'Control/Solve'],
    ['one of more requests', { reads: [['/a', 'A'], ['/b', 'B']] }, { reads: [['/a', 'other']] }, 'LLBBridge/ReadFile'],
  ] satisfies [string, Recorded, Recorded, string][])('are refused where %s is answered differently, with both named', (_what, one, two, method) => {
    expect(() => served(one, two)).toThrow(
      expect.objectContaining({
        code: 'ambiguous-cassettes',
        what: `one.cassette (the build of call 1) and two.cassette (the build of call 1) ask for the same and are answered differently, by ${method}: a client of theirs could be either's.`,
      }),
    );
  });

  it.each([
    ['is answered alike', { reads: [['/a', 'A']] }, { reads: [['/a', 'A']] }],
    ['is not asked for by the other', { reads: [['/a', 'A'], ['/b', 'B']] }, { reads: [['/a', 'A'], ['/c', 'C']], result: 'other' }],
    ['has other options', { target: 'one', result: 'a' }, { target: 'two', result: 'b' }],
  ] satisfies [string, Recorded, Recorded][])('are served where everything %s', (_what, one, two) => {
    expect(served(one, two).misses).toEqual([]);
  });

  it('are served when one cassette holds both, as they are in turn', () => {
    const tape = new Tape();
    for (const build of ['a', 'b']) {
      tape.solve({ Ref: id(build) });
      tape.unary('ReadFile', readFile('/x'), bytes(build), id(build));
    }
    expect(() => new Stage([tape.in('both.cassette'), tapeOf({ target: 'other' }).in('other.cassette')])).not.toThrow();
  });
});
