/** Processes whose clients do something else than recorded, or nothing: what is said, to whom, and about which place. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { missLines, reportOf } from '../../src/replayer/index.js';
import type { Told } from '../../src/replayer/miss.js';
import { control, id } from '../bridge/build.js';
import { Stage, type LiveCall } from './stage.js';
import { newContainer, Process, releaseContainer, solveRequest, Tape, type TapedCall } from './tape.js';

const NOTHING = new Uint8Array();
const FILE = 'tests/shell.cassette';
const RECORD = `bridgetape record -o ${FILE} --force`;
const one = new Process(`${id('c')}:1`, id('c'));
const two = new Process(`${id('c')}:2`, id('c'));

interface Talk {
  readonly live: LiveCall;
  readonly stage: Stage;
  /** What was missed, as a replay keeps it. */
  readonly told: readonly Told[];
}

/** A recorded build with one exec stream, and a client that has begun it and opened its own. */
function talk(record: (stream: TapedCall, tape: Tape) => unknown, script: 'of a cassette' | 'of nowhere' = 'of nowhere'): Talk {
  const tape = new Tape();
  tape.solve();
  record(tape.bridge('ExecProcess'), tape);
  const told: Told[] = [];
  const stage = new Stage(script === 'of nowhere' ? tape.script : tape.in(FILE), { stallMs: 2000, onMiss: (miss) => told.push(miss) });
  stage.open(control('Solve')).asks(solveRequest({}));
  return { live: stage.bridge('ExecProcess'), stage, told };
}

/** A shell on a terminal: asked for its size, resized, asked again. */
const sized = (stream: TapedCall): TapedCall =>
  stream
    .sends(one.init(['sh'], { Tty: true }))
    .headed()
    .answers(one.started)
    .sends(one.resize(80, 24))
    .answers(one.file(1, '$ '))
    .sends(one.file(0, 'stty size\n'))
    .answers(one.file(1, '24 80\r\n'))
    .sends(one.resize(120, 40))
    .sends(one.file(0, 'stty size\n'))
    .answers(one.file(1, '40 120\r\n'))
    .sends(one.signal('TERM'))
    .answers(one.exit(143))
    .sends(one.eof(0))
    .answers(one.done)
    .cancels();
const start = one.init(['sh'], { Tty: true });

const cat = (stream: TapedCall): TapedCall => stream.sends(one.init(['cat'])).headed().answers(one.started).sends(one.file(0, 'hello ')).sends(one.file(0, 'world', true)).answers(one.file(1, 'hello world')).answers(one.exit()).answers(one.done).cancels();

const lines = ([miss]: readonly Told[]): string => (miss === undefined ? '' : missLines(miss).join('\n'));
const said = (text: string): string => `bridgetape: on LLBBridge/ExecProcess (call 2 of the cassette), ${text}`;

describe('a client that writes something else to a process', () => {
  it('is told at which byte, of which process, with both, and how to record it', () => {
    const { live, told } = talk(cat, 'of a cassette');
    live.says(one.init(['cat']), one.file(0, 'hel'), one.file(0, 'lo mars'));
    expect(live.status).toMatchObject({ code: 9, message: said(`byte 6 of stdin of the process cat differs: recorded "hello world" EOF, got "hello mars"; to record it: ${RECORD}`) });
    expect(lines(told)).toBe(
      [
        `bridgetape: not as recorded: LLBBridge/ExecProcess in ${FILE}`,
        '  process   cat (call 2)',
        '  differs   byte 6 of stdin',
        '              recorded  "hello world" EOF',
        '              got       "hello mars"',
        `  record    ${RECORD}`,
      ].join('\n'),
    );
    const { misses } = reportOf({ cassettes: [FILE], notWhole: () => [], misses: told, missCount: 1, afterFaults: [], faults: [], reannotations: [], unused: () => [] }, { strict: false });
    expect(misses.listed).toEqual([
      {
        method: '/moby.buildkit.v1.frontend.LLBBridge/ExecProcess',
        message: live.status?.message,
        cassette: FILE,
        process: { call: 2, command: 'cat', at: { kind: 'bytes', fd: 0, byte: 6 }, recorded: '"hello world" EOF', live: '"hello mars"' },
        recordAgain: RECORD,
      },
    ]);
  });

  it('learns it from its process as well, which is all that BuildKit\'s client heeds', () => {
    const { live } = talk(cat);
    live.says(one.init(['cat']), one.file(0, 'x'));
    expect(live.words).toEqual(['1 started', `1 exit 255  FAILED_PRECONDITION: ${live.status?.message}`, '1 done']);
  });

  it.each<[string, string, string, string]>([
    ['a long text: from a little before', `${'x'.repeat(1000)}hello world`, `${'x'.repeat(1000)}hello mars!`, `byte 1006 of stdin of the process cat differs: recorded …"${'x'.repeat(18)}hello world" EOF, got …"${'x'.repeat(18)}hello mars!"`],
    ['more than is shown', 'a'.repeat(100), 'b'.repeat(100), `byte 0 of stdin of the process cat differs: recorded "${'a'.repeat(48)}"…, got "${'b'.repeat(48)}"…`],
    ['within a character', 'grün', 'grän', 'byte 3 of stdin of the process cat differs: recorded "grün" EOF, got "grän"'],
    ['of which a shown part begins within a character', `${'ü'.repeat(20)}1`, `${'ü'.repeat(20)}2`, `byte 40 of stdin of the process cat differs: recorded …"${'ü'.repeat(12)}1" EOF, got …"${'ü'.repeat(12)}2"`],
  ])('is shown %s', (_what, recorded, live, text) => {
    const { live: call } = talk((stream) => stream.sends(one.init(['cat'])).headed().answers(one.started).sends(one.file(0, recorded)).sends(one.eof(0)).answers(one.exit()).cancels());
    call.says(one.init(['cat']), one.file(0, live));
    expect(call.status?.message).toBe(said(text));
  });

  it('is shown bytes that are no text one by one', () => {
    const { live } = talk((stream) => stream.sends(one.init(['cat'])).headed().sends(one.file(0, Buffer.from([0xc3, 0xa9, 0x22]))).sends(one.eof(0)).answers(one.exit()).cancels());
    live.says(one.init(['cat']), one.file(0, Buffer.from([0xe9, 0x00])));
    expect(live.status?.message).toBe(said(String.raw`byte 0 of stdin of the process cat differs: recorded "\xc3\xa9\x22" EOF, got "\xe9\x00"`));
  });

  it('is told the process by its command, cut where that is long', () => {
    const args = ['sh', '-c', 'x'.repeat(500)];
    const { live } = talk((stream) => stream.sends(one.init(args)).headed().sends(one.file(0, 'a', true)).answers(one.exit()).cancels());
    live.says(one.init(args), one.file(0, 'b'));
    expect(live.status?.message).toBe(said(`byte 0 of stdin of the process ${`sh -c ${'x'.repeat(120)}`.slice(0, 120)}… differs: recorded "a" EOF, got "b"`));
  });

  it('is compared with the one of several processes that were started alike of which it wrote the most', () => {
    const { live } = talk((stream) => {
      stream.headed();
      ['make\n', 'make test\n', 'ls\n'].forEach((text, at) => {
        const process = new Process(`p${at}`, one.container);
        stream.sends(process.init()).answers(process.started).sends(process.file(0, text)).answers(process.file(1, text));
      });
      stream.cancels();
    });
    live.says(one.init(), one.file(0, 'make tea\n'));
    expect(live.status?.message).toBe(said('byte 7 of stdin of the process sh differs: recorded "make test\\n", got "make tea\\n"'));
  });

  it('or closes what a process still read from, is told where it was to go on', () => {
    // The process ended by itself, so its stdin was closed only then.
    const { live } = talk((stream) => stream.sends(one.init()).headed().answers(one.started).sends(one.file(0, 'a\n')).answers(one.file(1, 'A')).sends(one.file(0, 'exit 3\n')).answers(one.exit(3)).sends(one.eof(0)).answers(one.done).cancels());
    live.says(one.init(), one.file(0, 'a\n'), one.eof(0));
    expect(live.status?.message).toBe(said(String.raw`byte 2 of stdin of the process sh differs: recorded "a\nexit 3\n", got "a\n" EOF`));
  });

  it('or writes to what the recorded one did not even hold, is told that', () => {
    const { live } = talk(cat);
    live.says(one.init(['cat']), one.file(7, 'x'));
    expect(live.status?.message).toBe(said('byte 0 of fd 7 of the process cat differs: recorded nothing, got "x"'));
  });
});

describe('a process that is started as none was', () => {
  it('is compared with the processes one by one, and the closest is named by its command', () => {
    const { live, told } = talk((stream) => stream.sends(one.init(['ls', '/a'])).headed().answers(one.started).sends(two.init(['cat', '/b'])).answers(two.started).cancels(), 'of a cassette');
    live.says(one.init(['ls', '/a']), two.init(['cat', '/c']));
    expect(live.status?.message).toBe(`bridgetape: the cassette has no answer for this LLBBridge/ExecProcess; the closest is the process cat /b of call 2, which differs in Init.Meta.args[1]: recorded "/b", got "/c"; to record it: ${RECORD}`);
    expect(lines(told)).toBe(
      [
        `bridgetape: no answer for LLBBridge/ExecProcess in ${FILE}`,
        '  closest   call 2, process cat /b, not used yet',
        '  differs   Init.Meta.args[1]',
        '              recorded  "/b"',
        '              got       "/c"',
        `  record    ${RECORD}`,
      ].join('\n'),
    );
  });

  it('once more than recorded is told that those are used up', () => {
    const { live, told } = talk((stream) => stream.sends(one.init(['ls'])).headed().answers(one.started).cancels());
    live.says(one.init(['ls']), two.init(['ls']));
    expect(live.status?.message).toBe('bridgetape: the cassette has no answer for this LLBBridge/ExecProcess: it has the process ls, started like this, once, in call 2, and that is used up');
    expect(told[0]?.comparison).toMatchObject({ same: 1, closest: { call: 2, process: 'ls', alreadyUsed: true, distance: 0 } });
  });

  it('in another container is told both by the calls that made them, not by ids that nobody has seen', () => {
    const tape = new Tape();
    tape.solve();
    const [a, b] = [new Process('p', id('a')), new Process('p', id('b'))];
    tape.unary('NewContainer', newContainer(a.container, { Network: 1 }), NOTHING);
    tape.unary('NewContainer', newContainer(b.container), NOTHING);
    tape.bridge('ExecProcess').sends(a.init(['ls'])).headed().answers(a.started).cancels();
    const stage = new Stage(tape.script);
    stage.open(control('Solve')).asks(solveRequest({}));
    stage.bridge('NewContainer').asks(newContainer(id('x'), { Network: 1 }));
    stage.bridge('NewContainer').asks(newContainer(id('y')));
    const live = stage.bridge('ExecProcess').says(new Process('q', id('y')).init(['ls']));
    expect(live.status?.message).toContain('the closest is the process ls of call 4, which differs in Init.ContainerID: recorded "⟨container of call 2⟩", got "⟨container of call 3⟩"');
  });
});

describe('resizes and signals', () => {
  it.each<[string, readonly Uint8Array[], string]>([
    ['of another size', [start, one.resize(120, 40)], 'resize 1 of the process sh differs: recorded 80x24, got 120x40'],
    ['of another name', [start, one.resize(80, 24), one.file(0, 'stty size\n'), one.resize(120, 40), one.file(0, 'stty size\n'), one.signal('INT')], 'signal 1 of the process sh differs: recorded TERM, got INT'],
    ['too many of them', [start, one.resize(80, 24), one.file(0, 'stty size\n'), one.resize(120, 40), one.resize(1, 1)], 'resize 3 of the process sh differs: recorded nothing, got 1x1'],
  ])('%s are told by their number and with both', (_what, messages, text) => {
    const { live } = talk(sized);
    live.says(...messages);
    expect(live.status?.message).toBe(said(text));
  });

  it.each<[string, readonly Uint8Array[], string]>([
    ['a resize before the bytes that were answered first', [start, one.resize(80, 24), one.resize(120, 40)], String.raw`byte 0 of stdin of the process sh differs: recorded "stty size\n", got resize 120x40`],
    ['a signal before a resize', [start, one.resize(80, 24), one.file(0, 'stty size\n'), one.signal('TERM')], 'resize 2 of the process sh differs: recorded 120x40, got signal TERM'],
    ['bytes before a resize', [start, one.file(0, 'stty')], 'resize 1 of the process sh differs: recorded 80x24, got byte 0 of stdin, "stty"'],
  ])('keep the order on which an answer depended: not %s', (_what, messages, text) => {
    const { live } = talk(sized);
    live.says(...messages);
    expect(live.status?.message).toBe(said(text));
  });

  it('come in any order where nothing was answered between them', () => {
    const record = (stream: TapedCall): TapedCall =>
      stream.sends(start).headed().answers(one.started).sends(one.resize(80, 24)).sends(one.file(0, 'sleep 9\n')).sends(one.signal('INT')).answers(one.exit(130)).sends(one.eof(0)).answers(one.done).cancels();
    const [resize, text, signal] = [one.resize(80, 24), one.file(0, 'sleep 9\n'), one.signal('INT')];
    for (const order of [[signal, text, resize], [text, signal, resize], [resize, signal, text]]) {
      const { live, told } = talk(record);
      live.says(start, ...order, one.eof(0));
      expect([live.words, told]).toEqual([['1 started', '1 exit 130', '1 done'], []]);
    }
  });

  it('tell apart processes that were started alike, by their order too', () => {
    const { live, told } = talk((stream) => {
      stream.headed();
      // The first was resized when it had answered; the second before it was written to.
      stream.sends(one.init()).answers(one.started).sends(one.file(0, 'a')).answers(one.file(1, 'early')).sends(one.resize(1, 1)).answers(one.exit(1));
      stream.sends(two.init()).answers(two.started).sends(two.resize(1, 1)).answers(two.file(1, '')).sends(two.file(0, 'a')).answers(two.exit(2)).cancels();
    });
    live.says(one.init(), one.resize(1, 1), one.file(0, 'a'), two.init(), two.file(0, 'a'), two.resize(1, 1));
    expect([live.words.filter((word) => word.includes('exit')), told]).toEqual([['2 exit 1', '1 exit 2'], []]);
  });
});

describe('a client that goes silent', () => {
  it('within what it writes is told from which byte on the recording goes on', () => {
    const { live, told, stage } = talk(cat, 'of a cassette');
    live.says(one.init(['cat']), one.file(0, 'hello wo'));
    stage.clock.pass(2500);
    expect(live.status?.message).toBe(`bridgetape: the recording goes on with byte 8 of stdin of the process cat, "rld" EOF, on LLBBridge/ExecProcess (call 2 of the cassette), and for 2 s nothing came; to record it: ${RECORD}`);
    expect(lines(told)).toBe(
      [`bridgetape: not as recorded: LLBBridge/ExecProcess in ${FILE}`, '  process   cat (call 2)', '  waited    2 s for byte 8 of stdin', '              recorded  "rld" EOF', `  record    ${RECORD}`].join('\n'),
    );
    expect(told[0]?.process).toMatchObject({ call: 2, command: 'cat', at: { kind: 'bytes', fd: 0, byte: 8 }, recorded: '"rld" EOF', silentFor: 2 });
  });

  it.each<[string, readonly Uint8Array[], string]>([
    ['a resize', [start], 'resize 1 of the process sh, 80x24,'],
    ['a signal', [start, one.resize(80, 24), one.file(0, 'stty size\n'), one.resize(120, 40), one.file(0, 'stty size\n')], 'signal 1 of the process sh, TERM,'],
  ])('before %s is told which', (_what, messages, text) => {
    const { live, stage } = talk(sized);
    live.says(...messages);
    stage.clock.pass(2500);
    expect(live.status?.message).toBe(`bridgetape: the recording goes on with ${text} on LLBBridge/ExecProcess (call 2 of the cassette), and for 2 s nothing came`);
  });

  it('before a process that was started at the same time is told which that is', () => {
    const { live, told, stage } = talk((stream) => stream.sends(one.init(['a'])).headed().sends(two.init(['b'])).answers(one.started).cancels(), 'of a cassette');
    live.says(one.init(['a']));
    stage.clock.pass(2500);
    expect(live.status?.message).toContain('the recording goes on with the start of the process b on LLBBridge/ExecProcess (call 2 of the cassette)');
    expect(lines(told)).toContain('  process   b (call 2)\n  waited    2 s for its start\n');
  });

  it('before a call that a process waits for is told which', () => {
    const { live, stage } = talk((stream, tape) => {
      stream.sends(one.init()).headed().answers(one.started);
      tape.unary('ReleaseContainer', releaseContainer(one.container), NOTHING);
      stream.answers(one.exit(137)).cancels();
    });
    live.says(one.init());
    stage.clock.pass(2500);
    expect(live.status?.message).toContain('the recording goes on with the request of LLBBridge/ReleaseContainer (call 3 of the cassette)');
  });

  it('is one miss, whatever waits for it', () => {
    const tape = new Tape();
    const end = tape.solve();
    tape.unary('NewContainer', newContainer(one.container), NOTHING);
    cat(tape.bridge('ExecProcess'));
    end.headed().ends();
    const stage = new Stage(tape.script, { stallMs: 2000 });
    const solve = stage.open(control('Solve')).asks(solveRequest({}));
    stage.bridge('NewContainer').asks(newContainer(one.container));
    const live = stage.bridge('ExecProcess').says(one.init(['cat']));
    stage.clock.pass(2500);
    expect(solve.status?.message).toBe(live.status?.message);
    expect(stage.misses).toEqual([live.status?.message]);
  });
});

describe('what a client writes', () => {
  const cut = (data: Uint8Array, places: readonly number[]): readonly Uint8Array[] => {
    const ends = [...new Set([0, ...places.map((place) => place % (data.length + 1)), data.length])].sort((a, b) => a - b);
    return ends.slice(1).map((end, at) => data.subarray(ends[at], end));
  };
  const pieces = fc.array(fc.nat(), { maxLength: 6 });

  it('is compared as bytes, however either side cut it; where one differs, that one is named', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), pieces, pieces, fc.boolean(), fc.option(fc.nat()), (data, recordedCuts, liveCuts, closes, changed) => {
        const { live, told } = talk((stream) => {
          stream.sends(one.init(['cat'])).headed().answers(one.started);
          // It answers to every piece.
          for (const piece of cut(data, recordedCuts)) stream.sends(one.file(0, piece)).answers(one.file(1, piece));
          if (closes) stream.sends(one.eof(0));
          stream.answers(one.exit()).answers(one.done).cancels();
        });
        const at = changed === null ? undefined : changed % data.length;
        const written = data.map((byte, index) => (index === at ? byte ^ 1 : byte));
        live.says(one.init(['cat']));
        for (const piece of cut(written, liveCuts)) live.says(one.file(0, piece));
        if (at === undefined) {
          live.says(one.eof(0));
          expect([live.words.at(-1), told]).toEqual(['1 done', []]);
        } else {
          expect(told.map(({ process }) => process?.at)).toEqual([{ kind: 'bytes', fd: 0, byte: at }]);
        }
      }),
      { numRuns: 300 },
    );
  });
});
