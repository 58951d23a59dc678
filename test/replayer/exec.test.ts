import { describe, expect, it } from 'vitest';
import { parseExec } from '../../src/bridge/index.js';
import { control, id } from '../bridge/build.js';
import { Stage, type LiveCall } from './stage.js';
import { newContainer, Process, releaseContainer, solveRequest, Tape, type TapedCall } from './tape.js';

const NOTHING = new Uint8Array();
const CONTAINER = id('c');

/** A recorded build with one exec stream, and a client that has begun it and opened its own. */
function streaming(record: (stream: TapedCall, tape: Tape) => unknown, options: { readonly containers?: readonly string[]; readonly stallMs?: number } = {}): { readonly stage: Stage; readonly live: LiveCall } {
  const tape = new Tape();
  tape.solve();
  for (const container of options.containers ?? []) tape.unary('NewContainer', newContainer(container), NOTHING);
  record(tape.bridge('ExecProcess'), tape);
  const stage = new Stage(tape.script, { stallMs: options.stallMs ?? 1000 });
  stage.open(control('Solve')).asks(solveRequest({}));
  return { stage, live: stage.bridge('ExecProcess') };
}

const one = new Process(`${CONTAINER}:1`, CONTAINER);
const two = new Process(`${CONTAINER}:2`, CONTAINER);

/** `cat`: it prints what it is sent, and ends with its stdin. */
const cat = (stream: TapedCall): TapedCall =>
  stream
    .sends(one.init(['cat']))
    .headed()
    .answers(one.started)
    .sends(one.file(0, 'hello '))
    .answers(one.file(1, 'hello '))
    .sends(one.file(0, 'world'))
    .sends(one.eof(0))
    .answers(one.file(1, 'world'))
    .answers(one.exit())
    .answers(one.eof(1))
    .answers(one.done);

describe('a process', () => {
  it('speaks in the recorded order: its output, its exit, its end', () => {
    const { live, stage } = streaming((stream) => cat(stream).cancels());
    live.says(one.init(['cat']));
    expect(live.words).toEqual(['1 started']);
    live.says(one.file(0, 'hello '));
    expect(live.words).toEqual(['1 started', '1 stdout 6 B "hello "']);
    live.says(one.file(0, 'world'));
    expect(live.words).toHaveLength(2);
    live.says(one.eof(0));
    expect(live.words.slice(2)).toEqual(['1 stdout 5 B "world"', '1 exit 0', '1 stdout EOF', '1 done']);
    live.cancels();
    expect(stage.misses).toEqual([]);
  });

  it.each<[string, readonly Uint8Array[]]>([
    ['byte by byte', [...Array.from('hello world', (char) => one.file(0, char)), one.eof(0)]],
    ['at once, end and all', [one.file(0, 'hello world', true)]],
    ['with empty pieces', [one.file(0, ''), one.file(0, 'hello worl'), one.file(0, ''), one.file(0, 'd', true)]],
  ])('takes its stdin %s', (_how, messages) => {
    const { live, stage } = streaming((stream) => cat(stream).cancels());
    live.says(one.init(['cat']), ...messages);
    expect(live.words.at(-1)).toBe('1 done');
    expect(stage.misses).toEqual([]);
  });

  it.each<[string, readonly Uint8Array[], string]>([
    ['other bytes', [one.file(0, 'hello mars!')], 'byte 6 of stdin of the process cat differs: recorded "hello world" EOF, got "hello mars!"'],
    ['more bytes', [one.file(0, 'hello world!')], 'byte 11 of stdin of the process cat differs: recorded "hello world" EOF, got "hello world!"'],
    ['an early end', [one.file(0, 'hello'), one.eof(0)], 'byte 5 of stdin of the process cat differs: recorded "hello world" EOF, got "hello" EOF'],
    ['a resize', [one.resize(80, 24)], 'resize 1 of the process cat differs: recorded nothing, got 80x24'],
    ['a signal', [one.signal('INT')], 'signal 1 of the process cat differs: recorded nothing, got INT'],
    ['a message of the server', [one.done], "the client sent done for the process cat, which is not a client's to send"],
    ['bytes that mean nothing', [Buffer.from([0xff])], 'the client sent bytes that are no ExecMessage'],
  ])('fails with its stream at %s', (_what, messages, why) => {
    const { live, stage } = streaming((stream) => cat(stream).cancels());
    live.says(one.init(['cat']), ...messages);
    expect(live.status).toMatchObject({ code: 9, message: `bridgetape: on LLBBridge/ExecProcess (call 2 of the cassette), ${why}` });
    expect(stage.misses).toEqual([live.status?.message]);
  });

  it('that ended without reading its stdin does not mind how much of it is sent', () => {
    const record = (stream: TapedCall): TapedCall =>
      stream.sends(one.init()).headed().answers(one.started).sends(one.file(0, 'some of it ')).answers(one.exit(3, 'exit code: 3')).sends(one.file(0, 'and more')).sends(one.eof(0)).answers(one.done).cancels();
    for (const messages of [[one.file(0, 'some of it and more and even more')], [one.file(0, 'some of it ')]]) {
      const { live, stage } = streaming(record);
      live.says(one.init(), ...messages, one.eof(0));
      expect(live.words).toEqual(['1 started', '1 exit 3  UNKNOWN: exit code: 3', '1 done']);
      expect(stage.misses).toEqual([]);
    }
  });

  it('on a terminal is resized and signalled in the recorded order', () => {
    const { live, stage } = streaming((stream) =>
      stream
        .sends(one.init(['sh'], { Tty: true }))
        .headed()
        .answers(one.started)
        .sends(one.resize(80, 24))
        .answers(one.file(1, '80x24\r\n'))
        .sends(one.resize(120, 40))
        .answers(one.file(1, '120x40\r\n'))
        .sends(one.signal('INT'))
        .answers(one.exit(130))
        .answers(one.done)
        .cancels(),
    );
    live.says(one.init(['sh'], { Tty: true }));
    expect(live.says(one.resize(80, 24)).words.at(-1)).toBe('1 stdout 7 B "80x24\\r\\n"');
    expect(live.says(one.resize(120, 40)).words.at(-1)).toBe('1 stdout 8 B "120x40\\r\\n"');
    expect(live.says(one.signal('INT')).words.slice(-2)).toEqual(['1 exit 130', '1 done']);
    expect(stage.misses).toEqual([]);
  });

  it('is another one when it was started in another way', () => {
    const { live, stage } = streaming((stream) => cat(stream).cancels());
    live.says(one.init(['cat', '-n']));
    expect(live.status?.message).toBe('bridgetape: the cassette has no answer for this LLBBridge/ExecProcess; the closest is the process cat of call 2, which differs in Init.Meta.args[1]: recorded nothing, got "-n"');
    expect(stage.misses).toHaveLength(1);
  });

  it('ends when its container is released, on another call', () => {
    const { live, stage } = streaming((stream, tape) => {
      stream.sends(one.init()).headed().answers(one.started);
      tape.unary('ReleaseContainer', releaseContainer(CONTAINER), NOTHING);
      stream.answers(one.exit(137)).answers(one.done).cancels();
    });
    live.says(one.init());
    expect(live.words).toEqual(['1 started']);
    stage.bridge('ReleaseContainer').asks(releaseContainer(CONTAINER));
    expect(live.words).toEqual(['1 started', '1 exit 137', '1 done']);
  });

  it('that writes nothing but errors has its ids in them', () => {
    const own = id('x');
    const { live, stage } = streaming((stream) => stream.sends(one.init()).headed().answers(one.exit(1, `container ${CONTAINER} is gone`)).cancels(), { containers: [CONTAINER] });
    stage.bridge('NewContainer').asks(newContainer(own));
    live.says(new Process(`${own}:7`, own).init());
    expect(live.words).toEqual([`7 exit 1  UNKNOWN: container ${own} is gone`]);
  });

  it('keeps what it printed, ids or not', () => {
    const own = id('x');
    const { live, stage } = streaming((stream) => stream.sends(one.init()).headed().answers(one.file(1, CONTAINER)).cancels(), { containers: [CONTAINER] });
    stage.bridge('NewContainer').asks(newContainer(own));
    live.says(new Process(`${own}:7`, own).init());
    expect(live.words).toEqual([`7 stdout 25 B "${CONTAINER}"`]);
  });
});

describe('processes on one stream', () => {
  /** Two shells that run at once; the second one ends first. */
  const both = (stream: TapedCall): TapedCall =>
    stream
      .sends(one.init(['a']))
      .headed()
      .answers(one.started)
      .sends(two.init(['b']))
      .answers(two.started)
      .answers(one.file(1, 'from a'))
      .sends(two.file(0, 'to b'))
      .answers(two.file(1, 'from b'))
      .answers(two.exit())
      .sends(two.eof(0))
      .answers(two.done)
      .sends(one.eof(0))
      .answers(one.exit())
      .answers(one.done)
      .cancels();

  it('are interleaved as recorded', () => {
    const { live, stage } = streaming(both);
    live.says(one.init(['a']), two.init(['b']), two.file(0, 'to b'), two.eof(0), one.eof(0));
    expect(live.words).toEqual(['1 started', '2 started', '1 stdout 6 B "from a"', '2 stdout 6 B "from b"', '2 exit 0', '2 done', '1 exit 0', '1 done']);
    expect(stage.misses).toEqual([]);
  });

  it('may be started in another order', () => {
    const { live, stage } = streaming(both);
    live.says(two.init(['b']), two.file(0, 'to b'), one.init(['a']), one.eof(0), two.eof(0));
    expect(live.words.filter((word) => word.startsWith('1'))).toEqual(['1 started', '1 stdout 6 B "from a"', '1 exit 0', '1 done']);
    expect(live.words.filter((word) => word.startsWith('2'))).toEqual(['2 started', '2 stdout 6 B "from b"', '2 exit 0', '2 done']);
    expect(stage.misses).toEqual([]);
  });

  it('have the ids that this client gave them, of whatever length', () => {
    const { live } = streaming(both, { containers: [CONTAINER] });
    const own = [new Process('s', CONTAINER), new Process('l'.repeat(200), CONTAINER)] as const;
    live.says(own[0].init(['a']), own[1].init(['b']), own[1].file(0, 'to b'), own[1].eof(0), own[0].eof(0));
    expect(new Set(live.messages.map((payload) => parseExec(payload)?.process))).toEqual(new Set([own[0].id, own[1].id]));
    expect(live.words.at(-1)).toBe('s done');
  });

  it('that were started alike change places when their stdin shows that they were taken for one another', () => {
    const { live, stage } = streaming((stream) =>
      stream
        .sends(one.init())
        .headed()
        .answers(one.started)
        .sends(two.init())
        .answers(two.started)
        .sends(one.file(0, 'first'))
        .answers(one.file(1, 'I am the first'))
        .sends(two.file(0, 'second'))
        .answers(two.file(1, 'I am the second'))
        .cancels(),
    );
    live.says(one.init(), two.init(), one.file(0, 'second'), two.file(0, 'first'));
    expect(live.words).toEqual(['1 started', '2 started', '2 stdout 14 B "I am the first"', '1 stdout 15 B "I am the second"']);
    expect(stage.misses).toEqual([]);
  });

  it('of containers that were made alike change places with them', () => {
    const [left, right] = [id('l'), id('m')];
    const [inLeft, inRight] = [new Process(`${left}:1`, left), new Process(`${right}:2`, right)];
    const { live, stage } = streaming(
      (stream) => stream.sends(inLeft.init()).headed().answers(inLeft.started).sends(inRight.init()).answers(inRight.started).sends(inLeft.file(0, 'left')).answers(inLeft.file(1, 'L')).sends(inRight.file(0, 'right')).answers(inRight.file(1, 'R')).cancels(),
      { containers: [left, right] },
    );
    for (const container of [left, right]) stage.bridge('NewContainer').asks(newContainer(container));
    live.says(inLeft.init(), inRight.init(), inRight.file(0, 'left'), inLeft.file(0, 'right'));
    expect(live.words).toEqual(['1 started', '2 started', '2 stdout 1 B "L"', '1 stdout 1 B "R"']);
    expect(stage.misses).toEqual([]);
  });

  it('whose container nobody has made yet leave it to whoever makes one next', () => {
    const [left, right] = [id('l'), id('m')];
    const { live, stage } = streaming(
      (stream) => {
        const [inLeft, inRight] = [new Process('1', left), new Process('2', right)];
        stream.sends(inLeft.init(['left'])).headed().answers(inLeft.started).sends(inRight.init(['right'])).answers(inRight.started).cancels();
      },
      { containers: [left, right] },
    );
    const [first, second] = [id('x'), id('y')];
    stage.bridge('NewContainer').asks(newContainer(first));
    live.says(new Process('1', first).init(['right']));
    const late = stage.bridge('NewContainer').asks(newContainer(second));
    live.says(new Process('2', second).init(['left']));
    expect(late.status?.code).toBe(0);
    expect(live.words).toEqual(['2 started', '1 started']);
    expect(stage.misses).toEqual([]);
  });
});

describe('an exec stream', () => {
  it('without a message ends when its client goes', () => {
    const { live, stage } = streaming((stream) => stream.cancels());
    live.cancels();
    expect(stage.misses).toEqual([]);
  });

  it('without a message can end well', () => {
    const { live } = streaming((stream) => stream.cancels());
    expect(live.closes().status?.code).toBe(0);
  });

  it('that the client closed ends as recorded', () => {
    const { live } = streaming((stream) => stream.sends(one.init()).headed().answers(one.started).closes().answers(one.exit()).ends());
    live.says(one.init());
    expect(live.words).toEqual(['1 started']);
    expect(live.closes()).toMatchObject({ words: ['1 started', '1 exit 0'], status: { code: 0 } });
  });

  it('answers a message for a process that nobody started with the recorded error', () => {
    const { live } = streaming((stream) => stream.sends(one.file(0, 'lost')).headed().ends(5, [['grpc-message', 'no such process']]));
    expect(live.says(one.file(0, 'lost')).status).toMatchObject({ code: 5, message: 'no such process' });
  });

  it('fails at a message for a process that nobody started, when the recording has none', () => {
    const { live } = streaming((stream) => cat(stream).cancels());
    live.says(one.init(['cat']), two.file(0, 'lost'));
    expect(live.status?.message).toBe(`bridgetape: on LLBBridge/ExecProcess (call 2 of the cassette), the client sent stdin 4 B "lost" for a process that it has not started on this stream (${two.id})`);
  });

  it('is one of several: each is found by the processes on it', () => {
    const { live, stage } = streaming((stream, tape) => {
      const other = tape.bridge('ExecProcess');
      stream.sends(one.init(['a'])).headed().answers(one.file(1, 'A')).cancels();
      other.sends(two.init(['b'])).headed().answers(two.file(1, 'B')).cancels();
    });
    const second = stage.bridge('ExecProcess').says(two.init(['b']));
    live.says(one.init(['a']));
    expect([live.words, second.words]).toEqual([['1 stdout 1 B "A"'], ['2 stdout 1 B "B"']]);
  });

  it('with ten thousand messages of stdin takes no more time for the last than for the first', () => {
    const pieces = Array.from({ length: 10_000 }, (_, index) => one.file(0, `line ${index}\n`));
    const { live } = streaming((stream) => {
      stream.sends(one.init()).headed().answers(one.started);
      for (const piece of pieces) stream.sends(piece);
      stream.sends(one.eof(0)).answers(one.exit()).cancels();
    });
    live.says(one.init(), ...pieces);
    expect(live.words).toEqual(['1 started']);
    expect(live.says(one.eof(0)).words).toEqual(['1 started', '1 exit 0']);
  });
});
