/** Builds that begin with the same requests, and which recorded one a live one turns out to be. */
import { describe, expect, it } from 'vitest';
import { control, encode, FRONTEND, id } from '../bridge/build.js';
import { Stage, type LiveCall } from './stage.js';
import { newContainer, Process, readFile, solveRequest, statusRequest, Tape, type TapedCall } from './tape.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const NOTHING = new Uint8Array();
const [ONE, TWO, THREE] = [id('1'), id('2'), id('3')];

const solved = (ref: string): Uint8Array => encode(`${FRONTEND}.SolveResponse`, { result: { ref: { id: ref } } });
const solveOf = (name: string): Uint8Array => encode(`${FRONTEND}.SolveRequest`, { Frontend: name });
const returned = (ref: string): Uint8Array => encode(`${FRONTEND}.ReturnRequest`, { result: { ref: { id: ref } } });

/** Records a build with what it does in between; its result names it. */
function record(tape: Tape, build: string, work: () => unknown): void {
  const end = tape.solve({ Ref: build });
  work();
  tape.unary('Return', NOTHING, NOTHING, build);
  end.headed().answers(bytes(`result of ${build[0]}`)).ends();
}

function reads(tape: Tape, build: string, ...files: readonly (readonly [path: string, answer: string])[]): void {
  record(tape, build, () => {
    for (const [path, answer] of files) tape.unary('ReadFile', readFile(path), bytes(answer), build);
  });
}

/** A client's build that goes step by step. */
class Client {
  readonly solve: LiveCall;

  constructor(
    readonly stage: Stage,
    readonly build: string,
  ) {
    this.solve = stage.open(control('Solve')).asks(solveRequest({ Ref: build }));
  }

  /** What came of a unary call: its answer, or its error. */
  ask(method: string, request: Uint8Array): string {
    const { texts, status } = this.stage.bridge(method, this.build).asks(request);
    return status?.code === 0 ? (texts[0] ?? '') : (status?.message ?? 'waits');
  }

  read(path: string): string {
    return this.ask('ReadFile', readFile(path));
  }

  return(): string | undefined {
    this.ask('Return', NOTHING);
    return this.solve.texts[0];
  }
}

describe('builds whose first requests are the same', () => {
  it('are told apart by the first that is not', () => {
    const tape = new Tape();
    reads(tape, ONE, ['/same', 'same'], ['/one', '1']);
    reads(tape, TWO, ['/same', 'same'], ['/two', '2']);
    const stage = new Stage(tape.script);
    const [a, b] = [new Client(stage, id('n')), new Client(stage, id('m'))];
    expect([a, b].map((client) => client.read('/same'))).toEqual(['same', 'same']);
    expect([a.read('/two'), b.read('/one')]).toEqual(['2', '1']);
    expect([a.return(), b.return()]).toEqual(['result of 2', 'result of 1']);
    expect([stage.misses, stage.crashes]).toEqual([[], []]);
  });

  it('are told apart more than once', () => {
    const tape = new Tape();
    reads(tape, ONE, ['/a', 'a'], ['/b', 'b'], ['/one', '1']);
    reads(tape, TWO, ['/a', 'a'], ['/c', 'c'], ['/two', '2']);
    reads(tape, THREE, ['/a', 'a'], ['/c', 'c'], ['/three', '3']);
    const stage = new Stage(tape.script);
    const client = new Client(stage, id('n'));
    expect(['/a', '/c', '/three'].map((path) => client.read(path))).toEqual(['a', 'c', '3']);
    expect(client.return()).toBe('result of 3');
    expect(stage.misses).toEqual([]);
  });

  it('stay what they are taken for once their answers differ', () => {
    const tape = new Tape();
    reads(tape, ONE, ['/same', 'as one has it'], ['/one', '1']);
    reads(tape, TWO, ['/same', 'as two has it'], ['/two', '2']);
    const stage = new Stage(tape.script);
    const client = new Client(stage, id('n'));
    expect(client.read('/same')).toBe('as one has it');
    expect(client.read('/two')).toContain('the closest is call');
    expect(client.read('/one')).toBe('1');
    expect(stage.misses).toHaveLength(1);
  });

  it('are still told apart when one asked for what none has', () => {
    const tape = new Tape();
    for (const [build, path] of [[ONE, '/one'], [TWO, '/two']] as const) reads(tape, build, ['/same', 'same'], [path, path]);
    const stage = new Stage(tape.script);
    const [lost, other] = [new Client(stage, id('n')), new Client(stage, id('m'))];
    expect(lost.read('/nowhere')).toContain('the cassette has no answer');
    // What that client was told no recording holds, so it is none of the others.
    expect([lost.read('/same'), lost.read('/two')]).toEqual(['same', expect.stringContaining('the cassette has no answer')]);
    expect([other.read('/same'), other.read('/one')]).toEqual(['same', '/one']);
    expect(stage.misses).toHaveLength(2);
  });

  it('are told apart by what they leave out, when one of them does no more than another begins with', () => {
    const tape = new Tape();
    reads(tape, ONE, ['/same', 'same'], ['/more', 'more']);
    reads(tape, TWO, ['/same', 'same']);
    const stage = new Stage(tape.script);
    const [brief, long] = [new Client(stage, id('n')), new Client(stage, id('m'))];
    expect([brief.read('/same'), long.read('/same'), long.read('/more')]).toEqual(['same', 'same', 'more']);
    expect([brief.return(), long.return()]).toEqual(['result of 2', 'result of 1']);
  });

  it('go to the recorded one that no client has returned from, where the requests leave a choice', () => {
    const tape = new Tape();
    for (const build of [ONE, TWO]) reads(tape, build, ['/same', 'same'], ['/a', 'a']);
    for (const build of [THREE, id('4')]) reads(tape, build, ['/same', 'same'], ['/b', 'b']);
    const stage = new Stage(tape.script);
    // Each is first taken for the recorded build at its place.
    const clients = ['k', 'l', 'm', 'n'].map((letter) => new Client(stage, id(letter)));
    for (const client of clients) client.read('/same');
    const paths = ['/a', '/b', '/a', '/b'];
    const results = [2, 0, 1, 3].map((index) => {
      clients[index]?.read(paths[index] ?? '');
      return clients[index]?.return();
    });
    expect([new Set([results[0], results[1]]), new Set([results[2], results[3]])]).toEqual([new Set(['result of 1', 'result of 2']), new Set(['result of 3', 'result of 4'])]);
  });

  it('tell nothing of their progress before they have asked for anything', () => {
    const tape = new Tape();
    for (const [build, path] of [[ONE, '/one'], [TWO, '/two']] as const) {
      const end = tape.solve({ Ref: build });
      const status = tape.status(build).headed().answers(bytes(`${path} begins`));
      tape.unary('Ping', NOTHING, bytes('pong'), build);
      tape.unary('ReadFile', readFile(path), bytes(path), build);
      status.ends();
      end.headed().ends();
    }
    const stage = new Stage(tape.script);
    const client = new Client(stage, id('n'));
    const status = stage.open(control('Status')).asks(statusRequest(id('n')));
    expect([client.ask('Ping', NOTHING), status.responseHeaders, status.texts]).toEqual(['pong', undefined, []]);
    client.read('/two');
    expect([status.texts, status.status?.code]).toEqual([['/two begins'], 0]);
  });

  it('are told apart though a call was cancelled, and one sent nothing', () => {
    const tape = new Tape();
    for (const [build, path] of [[ONE, '/one'], [TWO, '/two']] as const) {
      record(tape, build, () => {
        tape.bridge('Talk', build).sends(bytes('go')).headed().answers(bytes('on')).cancels();
        tape.bridge('ExecProcess', build).cancels();
        tape.unary('ReadFile', readFile(path), bytes(path), build);
      });
    }
    const stage = new Stage(tape.script);
    const client = new Client(stage, id('n'));
    const talk = stage.bridge('Talk', client.build).says(bytes('go'));
    stage.bridge('ExecProcess', client.build).cancels();
    talk.cancels();
    expect([talk.texts, client.read('/two'), client.return()]).toEqual([['on'], '/two', 'result of 2']);
    expect([stage.misses, stage.crashes]).toEqual([[], []]);
  });

  it('are taken for what they are when too much has crossed to remember', () => {
    const tape = new Tape();
    const large = 'x'.repeat(6 * 1024 * 1024);
    for (const [build, path] of [[ONE, '/one'], [TWO, '/two']] as const) reads(tape, build, ['/1', large], ['/2', large], ['/3', large], [path, path]);
    const stage = new Stage(tape.script);
    const client = new Client(stage, id('n'));
    for (const path of ['/1', '/2', '/3']) client.read(path);
    expect(client.read('/two')).toContain('the cassette has no answer');
    expect(client.read('/one')).toBe('/one');
  });
});

describe('a client that waits for what the recorded build does not do', () => {
  /** A process that waits for a word in one build, and goes on by itself in the other. */
  const twoKinds = (): Tape => {
    const tape = new Tape();
    for (const [build, container] of [[ONE, id('c')], [TWO, id('d')]] as const) {
      const process = new Process(`${container}:1`, container);
      record(tape, build, () => {
        tape.unary('NewContainer', newContainer(container), NOTHING, build);
        const stream = tape.bridge('ExecProcess', build).sends(process.init()).headed().answers(process.started);
        if (build === ONE) stream.sends(process.file(0, 'word'));
        stream.answers(process.file(1, `by ${build[0]}`)).answers(process.exit()).answers(process.done).cancels();
      });
    }
    return tape;
  };
  const talk = (stage: Stage, name: string): { readonly client: Client; readonly process: Process; readonly stream: LiveCall } => {
    const client = new Client(stage, id(name));
    const process = new Process(`${id('w')}:7`, id('w'));
    client.ask('NewContainer', newContainer(process.container));
    return { client, process, stream: stage.bridge('ExecProcess', client.build).says(process.init()) };
  };

  it('is after a while taken for one of the build that goes on', () => {
    const stage = new Stage(twoKinds().script, { stallMs: 1000 });
    const { client, stream } = talk(stage, 'n');
    expect(stream.words).toEqual(['7 started']);
    stage.clock.pass(1500);
    expect(stream.words.slice(1)).toEqual(['7 stdout 4 B "by 2"', '7 exit 0', '7 done']);
    stream.cancels();
    expect([client.return(), stage.misses]).toEqual(['result of 2', []]);
  });

  it('may say the word after all, as long as it was told nothing else', () => {
    const stage = new Stage(twoKinds().script, { stallMs: 1000 });
    const { client, process, stream } = talk(stage, 'n');
    stage.clock.pass(900);
    stream.says(process.file(0, 'word'));
    expect(stream.words.slice(1)).toEqual(['7 stdout 4 B "by 1"', '7 exit 0', '7 done']);
    stream.cancels();
    expect([client.return(), stage.misses]).toEqual(['result of 1', []]);
  });

  it('is told what all of them wait for when all of them wait', () => {
    const tape = new Tape();
    for (const build of [ONE, TWO]) {
      const waiting = new Process('p', 'c');
      record(tape, build, () => tape.bridge('ExecProcess', build).sends(waiting.init()).headed().answers(waiting.started).sends(waiting.file(0, 'word')).answers(waiting.exit()).cancels());
    }
    const stage = new Stage(tape.script, { stallMs: 1000 });
    const client = new Client(stage, id('n'));
    const stream = stage.bridge('ExecProcess', client.build).says(new Process('p', 'c').init());
    stage.clock.pass(1500);
    expect(stream.status?.message).toContain('the recording goes on with byte 0 of stdin of the process sh, "word",');
    expect(stage.clock.pending).toBe(0);
  });
});

describe('what a client was told by one recording', () => {
  /** Both solve, read from what came of it, and return it; the daemon made up other ids each time. */
  const twoRefs = (): Tape => {
    const tape = new Tape();
    for (const [build, ref, path] of [[ONE, id('x'), '/one'], [TWO, id('y'), '/two']] as const) {
      const end = tape.solve({ Ref: build });
      tape.unary('Solve', solveOf('base'), solved(ref), build);
      tape.unary('ReadFile', readFile('/same', ref), bytes('same'), build);
      tape.unary('ReadFile', readFile(path, ref), bytes(path), build);
      tape.bridge('StatFile', build).sends(readFile(path, ref)).closes().headed().ends(2, [['grpc-message', `worker::${ref} has no ${path}`]]);
      tape.unary('Return', returned(ref), NOTHING, build);
      end.headed().answers(bytes(path)).ends();
    }
    return tape;
  };

  it('holds in the other: ids that the daemon made up are bound', () => {
    const stage = new Stage(twoRefs().script);
    const client = new Client(stage, id('n'));
    expect(client.ask('Solve', solveOf('base'))).toBe(Buffer.from(solved(id('x'))).toString('latin1'));
    const known = id('x');
    expect([client.ask('ReadFile', readFile('/same', known)), client.ask('ReadFile', readFile('/two', known))]).toEqual(['same', '/two']);
    expect(client.ask('StatFile', readFile('/two', known))).toBe(`worker::${known} has no /two`);
    client.ask('Return', returned(known));
    expect([client.solve.texts, stage.misses]).toEqual([['/two'], []]);
  });

  it('may be an error, which has to be the same', () => {
    const failing = (messages: readonly string[]): Stage => {
      const tape = new Tape();
      for (const [index, build] of [ONE, TWO].entries()) {
        record(tape, build, () => {
          tape.bridge('Solve', build).sends(solveOf('bad')).closes().ends(2, [['grpc-message', messages[index] ?? '']]);
          tape.unary('ReadFile', readFile(`/${index}`), bytes(`${index}`), build);
        });
      }
      return new Stage(tape.script);
    };
    const same = new Client(failing([`no ${id('x')}`, `no ${id('y')}`]), id('n'));
    expect([same.ask('Solve', solveOf('bad')), same.read('/1')]).toEqual([`no ${id('x')}`, '1']);
    const other = new Client(failing(['no such thing', 'no other thing']), id('n'));
    expect([other.ask('Solve', solveOf('bad')), other.read('/1')]).toEqual(['no such thing', expect.stringContaining('the cassette has no answer')]);
  });

  it.each([
    [2, 2, '/1 is there'],
    [2, 7, 'the cassette has no answer'],
  ])('may be a reset, with code %d, where the other has %d', (one, other, then) => {
    const tape = new Tape();
    for (const [index, code] of [one, other].entries()) {
      record(tape, [ONE, TWO][index] ?? '', () => {
        tape.bridge('Talk', [ONE, TWO][index]).sends(bytes('go')).headed().resets(code);
        tape.unary('ReadFile', readFile(`/${index}`), bytes(`/${index} is there`), [ONE, TWO][index]);
      });
    }
    const stage = new Stage(tape.script);
    const client = new Client(stage, id('n'));
    expect(stage.bridge('Talk', client.build).says(bytes('go')).resetCode).toBe(one);
    expect(client.read('/1')).toContain(then);
  });

  it('is not told again by processes, whose output counts as bytes', () => {
    const tape = new Tape();
    for (const [build, container, line, cut] of [[ONE, id('c'), 'one', 3], [TWO, id('d'), 'two', 5]] as const) {
      const process = new Process(`${container}:1`, container);
      record(tape, build, () => {
        tape.unary('NewContainer', newContainer(container), NOTHING, build);
        tape
          .bridge('ExecProcess', build)
          .sends(process.init())
          .headed()
          .answers(process.started)
          .answers(process.file(1, 'welcome'.slice(0, cut)))
          .answers(process.file(1, 'welcome'.slice(cut)))
          .sends(process.file(0, line))
          .answers(process.file(1, `you said ${line}`))
          .answers(process.exit())
          .answers(process.done)
          .cancels();
      });
    }
    const stage = new Stage(tape.script);
    const client = new Client(stage, id('n'));
    const own = new Process(`${id('w')}:7`, id('w'));
    client.ask('NewContainer', newContainer(own.container));
    const stream = stage.bridge('ExecProcess', client.build).says(own.init());
    expect(stream.words).toEqual(['7 started', '7 stdout 3 B "wel"', '7 stdout 4 B "come"']);
    stream.says(own.file(0, 'two'));
    expect(stream.words.slice(3)).toEqual(['7 stdout 12 B "you said two"', '7 exit 0', '7 done']);
    stream.cancels();
    expect([client.return(), stage.misses]).toEqual(['result of 2', []]);
  });

  it('of its progress is not told again', () => {
    const tape = new Tape();
    const vertex = (name: string, second: number, done: boolean): object => ({ digest: `sha256:${name}`, name, started: { seconds: second }, ...(done && { completed: { seconds: second + 1 } }) });
    const log = (name: string, text: string, second: number): object => ({ vertex: `sha256:${name}`, timestamp: { seconds: second }, stream: 1, msg: bytes(text) });
    const tell = (status: TapedCall, vertexes: readonly object[], logs: readonly object[] = []): unknown => status.answers(encode('moby.buildkit.v1.StatusResponse', { vertexes, logs }));
    for (const [build, path, second] of [[ONE, '/one', 100], [TWO, '/two', 200]] as const) {
      tape.solve({ Ref: build });
      const status = tape.status(build).headed();
      tape.unary('ReadFile', readFile('/same'), bytes('same'), build);
      tell(status, [vertex('base', second, false)]);
      // The second recording tells two things at once.
      if (build === ONE) tell(status, [vertex('base', second, true)], [log('base', 'hello', second)]);
      else tell(status, [vertex('base', second, true)], [log('base', 'hello', second), log('base', 'hello', second + 1)]);
      tape.unary('ReadFile', readFile(path), bytes(path), build);
      tell(status, [vertex(path, second, true)]);
      status.ends();
    }
    const stage = new Stage(tape.script);
    const client = new Client(stage, id('n'));
    const status = stage.open(control('Status')).asks(statusRequest(id('n')));
    client.read('/same');
    expect(status.messages).toHaveLength(2);
    client.read('/two');
    expect(status.messages.slice(2).map((payload) => Buffer.from(payload))).toEqual([
      encode('moby.buildkit.v1.StatusResponse', { logs: [log('base', 'hello', 201)] }),
      encode('moby.buildkit.v1.StatusResponse', { vertexes: [vertex('/two', 200, true)] }),
    ].map((payload) => Buffer.from(payload)));
    expect([status.status?.code, stage.misses]).toEqual([0, []]);
  });
});

describe('a call that is open when its build turns out to be another one', () => {
  const slow = (): Tape => {
    const tape = new Tape();
    for (const [build, path] of [[ONE, '/one'], [TWO, '/two']] as const) {
      const end = tape.solve({ Ref: build });
      const long = tape.bridge('Solve', build).sends(solveOf('base')).closes();
      tape.after(100).unary('ReadFile', readFile(path), bytes(path), build);
      tape.after(path === '/one' ? 200 : 900);
      long.headed().answers(bytes(`solved for ${path}`)).ends();
      end.headed().ends();
    }
    return tape;
  };

  it('gets its answer after the pause that the right one has, counted from its request', () => {
    const stage = new Stage(slow().script, { pace: 1 });
    const client = new Client(stage, id('n'));
    const began = Number(stage.clock.now()) / 1e6;
    const long = stage.bridge('Solve', client.build).asks(solveOf('base'));
    stage.clock.pass(50);
    client.read('/two');
    stage.clock.pass(10_000);
    expect([long.texts, long.times.map((time) => time - began), stage.misses]).toEqual([['solved for /two'], [1000], []]);
  });

  it('gets no more than its client reads', () => {
    const tape = new Tape();
    for (const [build, path] of [[ONE, '/one'], [TWO, '/two']] as const) {
      tape.solve({ Ref: build });
      const talk = tape.bridge('Talk', build).sends(bytes('go')).headed();
      for (const text of ['a', 'b', 'c']) talk.answers(bytes(text));
      talk.ends();
      tape.unary('ReadFile', readFile(path), bytes(path), build);
    }
    const stage = new Stage(tape.script);
    const client = new Client(stage, id('n'));
    const talk = stage.bridge('Talk', client.build);
    talk.isReading = false;
    talk.says(bytes('go'));
    expect(talk.texts).toEqual(['a']);
    client.read('/two');
    expect(talk.texts).toEqual(['a']);
    talk.reads();
    expect([talk.texts, talk.status?.code]).toEqual([['a', 'b', 'c'], 0]);
  });
});
