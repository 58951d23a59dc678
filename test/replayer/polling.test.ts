/** Repetition and concurrency: who asks for the same at once, more or less often, or in another order than recorded. */
import { describe, expect, it } from 'vitest';
import { control, encode, FRONTEND, id } from '../bridge/build.js';
import { Stage, type LiveCall } from './stage.js';
import { readFile, solveRequest, statusRequest, Tape } from './tape.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const NOTHING = new Uint8Array();
const statFile = (path: string): Uint8Array => encode(`${FRONTEND}.StatFileRequest`, { Ref: id('r'), Path: path });

/** A build that polls a file until it is there, and returns. */
function polling(tape: Tape, build: string, answers: readonly string[]): void {
  const end = tape.solve({ Ref: build });
  const status = tape.status(build).headed();
  for (const answer of answers) {
    tape.unary('StatFile', statFile('/done'), bytes(answer), build);
    status.answers(bytes(`told of ${answer}`));
  }
  tape.unary('Return', NOTHING, NOTHING, build);
  status.ends();
  end.headed().answers(bytes(`result of ${build[0]}`)).ends();
}

/** A client of such a build. */
class Poller {
  readonly solve: LiveCall;
  readonly status: LiveCall;

  constructor(
    private readonly stage: Stage,
    readonly build: string,
    request = {},
  ) {
    this.solve = stage.open(control('Solve')).asks(solveRequest({ Ref: build, Session: id('q'), ...request }));
    this.status = stage.open(control('Status')).asks(statusRequest(build));
  }

  poll(): LiveCall {
    return this.stage.bridge('StatFile', this.build).asks(statFile('/done'));
  }

  read(path: string): LiveCall {
    return this.stage.bridge('ReadFile', this.build).asks(readFile(path));
  }

  returns(): LiveCall {
    return this.stage.bridge('Return', this.build).asks(NOTHING);
  }
}

describe('a client that polls', () => {
  const recorded = (): Stage => {
    const tape = new Tape();
    polling(tape, id('b'), ['not yet', 'not yet', 'there']);
    return new Stage(tape.script, { stallMs: 1000 });
  };

  it('as often as recorded gets the answers in their order', () => {
    const stage = recorded();
    const client = new Poller(stage, id('n'));
    expect([client.poll(), client.poll(), client.poll()].map(({ texts }) => texts[0])).toEqual(['not yet', 'not yet', 'there']);
    client.returns();
    expect([client.solve.status?.code, client.status.status?.code, stage.misses]).toEqual([0, 0, []]);
  });

  it('less often is served to its end, and what it did not ask for is unused', () => {
    const stage = recorded();
    const client = new Poller(stage, id('n'));
    expect(client.poll().texts).toEqual(['not yet']);
    expect(client.returns().status?.code).toBe(0);
    expect([client.solve.texts, client.solve.status?.code, client.status.texts.length, stage.misses]).toEqual([['result of b'], 0, 3, []]);
    expect(stage.replayer.unasked.map(({ id: number }) => number)).toEqual([4, 5]);
  });

  it('more often is told that all recorded ones are used up, and how many there were', () => {
    const stage = recorded();
    const client = new Poller(stage, id('n'));
    for (let time = 0; time < 3; time += 1) client.poll();
    const more = client.poll();
    expect(more.status?.message).toBe('bridgetape: the cassette has no answer for this LLBBridge/StatFile: it has this request 3 times, and all of them are used up; used up: calls 3, 4, 5');
    // It may go on without.
    expect(client.returns().status?.code).toBe(0);
    expect([client.solve.status?.code, stage.misses]).toEqual([0, [more.status?.message]]);
  });

  it('many hundred times is told so too, whatever came after the first of them', () => {
    const tape = new Tape();
    tape.solve();
    tape.unary('ReadFile', readFile('/once'), bytes('x'));
    for (let number = 0; number < 1200; number += 1) tape.unary('ReadFile', readFile(`/${number}`), bytes('x'));
    const stage = new Stage(tape.script);
    stage.open(control('Solve')).asks(solveRequest({}));
    for (let number = 0; number < 700; number += 1) stage.bridge('ReadFile').asks(readFile(`/${number}`));
    stage.bridge('ReadFile').asks(readFile('/once'));
    expect(stage.bridge('ReadFile').asks(readFile('/once')).status?.message).toContain('it has this request once, in call 2, and that is used up; 701 calls of that method are used up');
    // Of those that are to come, the closest is found however late it stands.
    expect(stage.bridge('ReadFile').asks(readFile('/1100x')).status?.message).toMatch(/the closest is call 1103, which differs in FilePath: recorded "\/1100", got "\/1100x"/);
  });
});

describe('requests at once', () => {
  it('that are identical get each recorded answer once, in the order in which they come', () => {
    const tape = new Tape();
    tape.solve();
    // They were open at the same time, and answered in the other order.
    const calls = [1, 2, 3].map(() => tape.bridge('ReadFile').sends(readFile('/a')).closes());
    for (const [index, call] of [...calls.entries()].reverse()) call.headed().answers(bytes(`answer ${index + 1}`)).ends();
    const stage = new Stage(tape.script);
    stage.open(control('Solve')).asks(solveRequest({}));
    const live = [1, 2, 3].map(() => stage.bridge('ReadFile').says(readFile('/a')));
    for (const call of live.toReversed()) call.closes();
    expect(live.map(({ texts }) => texts[0])).toEqual(['answer 1', 'answer 2', 'answer 3']);
    expect(stage.misses).toEqual([]);
  });

  it('of which one is cancelled leave the others theirs', () => {
    const tape = new Tape();
    tape.solve();
    for (const answer of ['one', 'two']) tape.unary('ReadFile', readFile('/a'), bytes(answer));
    const stage = new Stage(tape.script);
    stage.open(control('Solve')).asks(solveRequest({}));
    // Before it has asked anything.
    stage.bridge('ReadFile').cancels();
    expect([1, 2].map(() => stage.bridge('ReadFile').asks(readFile('/a')).texts[0])).toEqual(['one', 'two']);
  });

  it('come in the opposite order, and each gets its own', () => {
    const tape = new Tape();
    tape.solve();
    const paths = Array.from({ length: 40 }, (_, number) => `/${number}`);
    for (const path of paths) tape.unary('ReadFile', readFile(path), bytes(`content of ${path}`));
    const stage = new Stage(tape.script);
    stage.open(control('Solve')).asks(solveRequest({}));
    expect(paths.toReversed().map((path) => stage.bridge('ReadFile').asks(readFile(path)).texts[0])).toEqual(paths.toReversed().map((path) => `content of ${path}`));
    expect(stage.misses).toEqual([]);
  });
});

describe('two clients', () => {
  it('of different builds, turn by turn on one connection, get each its own', () => {
    const tape = new Tape();
    for (const name of ['a', 'b']) {
      const end = tape.solve({ Ref: id(name), FrontendAttrs: { target: name } });
      tape.unary('ReadFile', readFile('/same'), bytes(`first of ${name}`), id(name));
      tape.unary('ReadFile', readFile('/same'), bytes(`second of ${name}`), id(name));
      tape.unary('Return', NOTHING, NOTHING, id(name));
      end.headed().answers(bytes(`result of ${name}`)).ends();
    }
    const stage = new Stage(tape.script);
    const [b, a] = [new Poller(stage, id('n'), { FrontendAttrs: { target: 'b' } }), new Poller(stage, id('m'), { FrontendAttrs: { target: 'a' } })];
    const heard = [b, a, a, b].map((client) => client.read('/same').texts[0]);
    expect(heard).toEqual(['first of b', 'first of a', 'second of a', 'second of b']);
    for (const client of [a, b]) client.returns();
    expect([[a.solve.texts, b.solve.texts], stage.misses]).toEqual([[['result of a'], ['result of b']], []]);
  });

  it('of one build at once, recorded once, are both served all of it', () => {
    const tape = new Tape();
    polling(tape, id('b'), ['not yet', 'there']);
    const stage = new Stage(tape.script);
    const clients = [new Poller(stage, id('n')), new Poller(stage, id('m'))];
    const heard = [0, 1, 1, 0].map((index) => clients[index]?.poll().texts[0]);
    expect(heard).toEqual(['not yet', 'not yet', 'there', 'there']);
    for (const client of clients) client.returns();
    expect([clients.map(({ solve }) => solve.status?.code), stage.misses]).toEqual([[0, 0], []]);
  });

  it('of one build of which one polls too often: only that one is told', () => {
    const tape = new Tape();
    polling(tape, id('b'), ['there']);
    const stage = new Stage(tape.script);
    const [often, once] = [new Poller(stage, id('n')), new Poller(stage, id('m'))];
    expect([often.poll(), often.poll(), once.poll()].map(({ status }) => status?.code)).toEqual([0, 9, 0]);
    once.returns();
    expect([once.solve.status?.code, stage.misses.length]).toEqual([0, 1]);
  });

  it('of builds that were recorded with different answers to the same polls keep to theirs', () => {
    const tape = new Tape();
    polling(tape, id('a'), ['not yet', 'there']);
    polling(tape, id('b'), ['there']);
    const stage = new Stage(tape.script);
    const clients = [new Poller(stage, id('n')), new Poller(stage, id('m'))];
    // The first in turn is the first to be played; what it was told it stays.
    const heard = clients.map((client) => client.poll().texts[0]);
    expect(heard).toEqual(['not yet', 'there']);
    expect(clients[0]?.poll().texts).toEqual(['there']);
    for (const client of clients) client.returns();
    expect([clients.map(({ solve }) => solve.texts[0]), stage.misses]).toEqual([['result of a', 'result of b'], []]);
  });
});
