import { describe, expect, it } from 'vitest';
import { describeReannotations } from '../../src/replayer/index.js';
import { bridge, control, encode, FRONTEND, graph, id } from '../bridge/build.js';
import { Stage } from './stage.js';
import { BUILD, readFile, solveRequest, Tape } from './tape.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);

/** A build with the given ReadFile calls, and a client that has begun it. */
function reading(...calls: readonly (readonly [path: string, answer: string])[]): Stage {
  const tape = new Tape();
  const solve = tape.solve();
  for (const [path, answer] of calls) tape.unary('ReadFile', readFile(path), bytes(answer));
  tape.bridge('Return').sends(new Uint8Array()).closes().headed().answers(new Uint8Array()).ends();
  solve.headed().answers(new Uint8Array()).ends();
  const stage = new Stage(tape.script);
  stage.open(control('Solve')).asks(solveRequest({}));
  return stage;
}

const read = (stage: Stage, path: string): string => {
  const { texts, status } = stage.bridge('ReadFile').asks(readFile(path));
  return status?.code === 0 ? (texts[0] ?? '') : (status?.message ?? 'waits');
};

describe('a live request', () => {
  it('gets the answer of the recorded one that it equals, headers first', () => {
    const call = reading(['/a', 'of a']).bridge('ReadFile').asks(readFile('/a'));
    expect(call.responseHeaders?.length).toBe(2);
    expect(call.texts).toEqual(['of a']);
    expect(call.status).toMatchObject({ code: 0, message: '' });
  });

  it('may come in another order than recorded', () => {
    const stage = reading(['/a', 'of a'], ['/b', 'of b'], ['/c', 'of c']);
    expect(['/c', '/a', '/b'].map((path) => read(stage, path))).toEqual(['of c', 'of a', 'of b']);
  });

  it('gets the answers to one question in the recorded order', () => {
    const stage = reading(['/a', 'first'], ['/b', 'other'], ['/a', 'second']);
    expect(['/a', '/a', '/b'].map((path) => read(stage, path))).toEqual(['first', 'second', 'other']);
  });

  it('is refused when its answers are used up', () => {
    const stage = reading(['/a', 'only']);
    read(stage, '/a');
    expect(read(stage, '/a')).toMatch(/^bridgetape: the cassette has no answer for this LLBBridge\/ReadFile: it has this request once, in call \d+, and that is used up$/);
  });

  it('that is only described in another way gets the recorded answer, and that is told', () => {
    const tape = new Tape();
    tape.solve();
    const request = (line: number, args = ['make']): Uint8Array => encode(`${FRONTEND}.SolveRequest`, { Definition: graph([{ name: 'run', op: { exec: { meta: { args } } }, line }]).fields });
    tape.unary('Solve', request(2), bytes('built'));
    const stage = new Stage(tape.script);
    stage.open(control('Solve')).asks(solveRequest({}));
    expect(stage.bridge('Solve').asks(request(3, ['make', 'all'])).status?.code).toBe(9);
    expect(stage.reannotations).toEqual([]);
    expect(stage.bridge('Solve').asks(request(3)).texts).toEqual(['built']);
    const where = ['start', 'end'].map((end) => ({ field: `Definition.Source.locations[op[0]].locations[0].ranges[0].${end}.line`, recorded: '2', live: '3' }));
    expect(stage.reannotations).toEqual([{ path: bridge('Solve'), call: 2, differences: where }]);
    expect(describeReannotations(stage.reannotations)).toBe(
      `bridgetape: matched, though annotated otherwise than recorded (source files, lines, names on the screen): 1 LLBBridge/Solve; ${where.map(({ field }) => field).join(', ')}`,
    );
    expect(describeReannotations([])).toBeUndefined();
  });

  it('keeps the order of questions that mean the same in other bytes', () => {
    const tape = new Tape();
    tape.solve();
    const request = (reversed: boolean): Uint8Array => {
      const { fields } = graph([{ name: 'one', op: { source: { identifier: 'local://a' } }, metadata: { ignore_cache: true } }, { name: 'two', inputs: ['one'], op: { file: {} }, metadata: {} }], { reversed });
      return encode(`${FRONTEND}.SolveRequest`, { Definition: fields });
    };
    tape.unary('Solve', request(false), bytes('first'));
    tape.unary('Solve', request(true), bytes('second'));
    const stage = new Stage(tape.script);
    stage.open(control('Solve')).asks(solveRequest({}));
    expect(request(true)).not.toEqual(request(false));
    const answers = [stage.bridge('Solve').asks(request(true)), stage.bridge('Solve').asks(request(false))].flatMap(({ texts }) => texts);
    expect(answers).toEqual(['first', 'second']);
  });

  it('is looked for among all calls of its method, however late the right one stands', () => {
    const names = Array.from({ length: 300 }, (_, index) => `/file-${index}`);
    const stage = reading(...names.map((name) => [name, name] as const));
    expect(names.toReversed().map((name) => read(stage, name))).toEqual(names.toReversed());
    expect(stage.misses).toEqual([]);
  });

  it('of a method that nobody knows is compared as bytes', () => {
    const tape = new Tape();
    tape.call('/some.Service/Later').sends(bytes('question')).closes().headed().answers(bytes('answer')).ends();
    const stage = new Stage(tape.script);
    expect(stage.open('/some.Service/Later').asks(bytes('question')).texts).toEqual(['answer']);
    const missed = stage.open('/some.Service/Later').asks(bytes('another'));
    expect(missed.status?.message).toBe('bridgetape: the cassette has no answer for this Service/Later; the closest is call 1 (already used), which differs in (bytes): recorded bytes "question", got bytes "another"');
  });

  it('on a method of the bridge that is newer than proto/ is served from the build that it names', () => {
    const tape = new Tape();
    tape.solve();
    tape.bridge('FromTheFuture').sends(bytes(`ref of ${BUILD}`)).closes().headed().answers(bytes('yes')).ends();
    const stage = new Stage(tape.script);
    const build = id('n');
    stage.open(control('Solve')).asks(solveRequest({ Ref: build }));
    expect(stage.bridge('FromTheFuture', build).asks(bytes(`ref of ${build}`)).texts).toEqual(['yes']);
  });

  it('without a message stands for a recorded one without', () => {
    const tape = new Tape();
    tape.call('/some.Service/Quiet').closes().headed().ends();
    const stage = new Stage(tape.script);
    expect(stage.open('/some.Service/Quiet').closes().status?.code).toBe(0);
    expect(stage.open('/some.Service/Quiet').closes().status?.message).toBe('bridgetape: the cassette has no Service/Quiet without a message');
  });
});

describe('outside of builds', () => {
  it('the last answer is given as often as it is asked for', () => {
    const tape = new Tape();
    for (const answer of ['one', 'two']) tape.call(control('Info')).sends(new Uint8Array()).closes().headed().answers(bytes(answer)).ends();
    const stage = new Stage(tape.script);
    const ask = (): string | undefined => stage.open(control('Info')).asks(new Uint8Array()).texts[0];
    expect([ask(), ask(), ask(), ask()]).toEqual(['one', 'two', 'two', 'two']);
  });
});

describe('a stream of messages', () => {
  const tape = (): Tape => {
    const recording = new Tape();
    recording.call('/some.Service/Talk').sends(bytes('a')).headed().answers(bytes('A')).sends(bytes('b')).answers(bytes('B')).closes().ends();
    return recording;
  };

  it('is answered message by message', () => {
    const call = new Stage(tape().script).open('/some.Service/Talk');
    expect(call.says(bytes('a')).texts).toEqual(['A']);
    expect(call.says(bytes('b')).texts).toEqual(['A', 'B']);
    expect(call.status).toBeUndefined();
    expect(call.closes().status?.code).toBe(0);
  });

  it.each<[string, (call: ReturnType<Stage['open']>) => unknown, string]>([
    ['another message', (call) => call.says(bytes('a'), bytes('x')), 'sent another message 2 than the recorded one'],
    ['one message more', (call) => call.says(bytes('a'), bytes('b'), bytes('c')), 'sent more than the recorded 2 messages'],
    ['an early end', (call) => call.says(bytes('a')).closes(), 'ended its messages after 1, the recorded one sent more'],
  ])('fails at once at %s', (_what, act, why) => {
    const stage = new Stage(tape().script);
    const call = stage.open('/some.Service/Talk');
    act(call);
    expect(call.status).toMatchObject({ code: 9, message: `bridgetape: on Service/Talk (call 1 of the cassette) the client ${why}` });
    expect(stage.misses).toEqual([call.status?.message]);
  });
});
