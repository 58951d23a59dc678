/** What each fault does to a call, with time that passes when a test says so. */
import { describe, expect, it } from 'vitest';

import { parseFault } from '../../src/replayer/fault-spec.js';
import { control } from '../bridge/build.js';
import { Stage, type LiveCall } from './stage.js';
import { newContainer, Process, readFile, solveRequest, Tape } from './tape.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const CHAT = '/some.Service/Chat';

/** A replay of one stream of five messages, 100 ms apart when it is paced, with faults. */
function chat(specs: readonly string[], pace = 0): Stage {
  const tape = new Tape();
  for (let times = 0; times < 3; times += 1) {
    const call = tape.call(CHAT).sends(bytes('hello')).closes().headed();
    for (const text of ['one', 'two', 'three', 'four', 'five']) {
      tape.after(100);
      call.answers(bytes(text));
    }
    call.ends();
  }
  return new Stage(tape.script, { pace, stallMs: 10_000 }, specs.map(parseFault));
}

const ask = (stage: Stage): LiveCall => stage.open(CHAT).asks(bytes('hello'));
const WHOLE = ['one', 'two', 'three', 'four', 'five'];
const fired = ({ plan }: Stage): readonly number[] => plan.tallies.map((tally) => tally.fired);

describe('a status', () => {
  it('comes instead of the call, which is answered when it is tried again', () => {
    const stage = chat(['Chat#1=UNAVAILABLE']);
    expect(ask(stage)).toMatchObject({ status: { code: 14, message: 'bridgetape: the fault Chat#1=UNAVAILABLE' }, messages: [] });
    for (const again of [ask(stage), ask(stage), ask(stage)]) expect(again).toMatchObject({ texts: WHOLE, status: { code: 0 } });
    expect(stage.misses).toEqual([]);
    expect(stage.plan.tallies).toEqual([{ spec: 'Chat#1=UNAVAILABLE', calls: 4, fired: 1 }]);
  });

  it('comes to every call when none is named, with its own words', () => {
    const stage = chat(['*=INTERNAL:100 % gone']);
    expect([ask(stage).status?.message, ask(stage).status?.message]).toEqual(['100 % gone', '100 % gone']);
    expect(fired(stage)).toEqual([2]);
  });

  it('cuts a stream after so many messages', () => {
    const stage = chat(['Chat@2messages=ABORTED']);
    const call = ask(stage);
    stage.clock.pass(0);
    expect(call).toMatchObject({ texts: ['one', 'two'], status: { code: 10 } });
    expect(fired(stage)).toEqual([1]);
    expect(stage.crashes).toEqual([]);
  });

  it('cuts a stream in the middle of a message, after so many bytes', () => {
    const stage = chat(['Chat@8B=ABORTED']);
    const call = ask(stage);
    stage.clock.pass(0);
    expect(call).toMatchObject({ texts: ['one', 'two'], status: { code: 10 } });
    expect(call.parts.map((part) => Buffer.from(part).toString())).toEqual(['th']);
  });

  it('cuts a stream between two messages, when the bytes come out even', () => {
    const stage = chat(['Chat@6B=ABORTED']);
    const call = ask(stage);
    stage.clock.pass(0);
    expect(call).toMatchObject({ texts: ['one', 'two'], parts: [], status: { code: 10 } });
  });

  it('cuts a stream at its time', () => {
    const stage = chat(['Chat@250ms=ABORTED'], 1);
    const call = ask(stage);
    stage.clock.pass(249);
    expect(call.status).toBeUndefined();
    stage.clock.pass(1);
    expect(call).toMatchObject({ texts: ['one', 'two'], status: { code: 10 } });
    stage.clock.pass(1000);
    expect(call.messages).toHaveLength(2);
  });

  it('of OK cuts a stream off as if that were all of it', () => {
    const stage = chat(['Chat@1message=OK']);
    const call = ask(stage);
    stage.clock.pass(0);
    expect(call).toMatchObject({ texts: ['one'], status: { code: 0, message: '' } });
  });

  it('that is due after the end never fires', () => {
    const stage = chat(['Chat@9messages=ABORTED', 'Chat@1min=ABORTED']);
    expect(ask(stage)).toMatchObject({ texts: WHOLE, status: { code: 0 } });
    expect(fired(stage)).toEqual([0, 0]);
    stage.clock.pass(10_000);
    expect(stage.clock.pending).toBe(0);
  });

  it('that is due when its client has gone never fires', () => {
    const stage = chat(['Chat@250ms=ABORTED'], 1);
    ask(stage).cancels();
    stage.clock.pass(10_000);
    expect(fired(stage)).toEqual([0]);
    expect(stage.clock.pending).toBe(0);
  });
});

describe('other ends', () => {
  it.each([
    ['end', { status: { code: 0, trailers: [] } }],
    ['RST_STREAM', { resetCode: 2 }],
    ['RST_STREAM:REFUSED_STREAM', { resetCode: 7 }],
    ['GOAWAY:ENHANCE_YOUR_CALM', { goneAway: 11 }],
    ['reset', { isBrokenOff: true }],
  ])('of %s come at once, or in the middle', (what, expected) => {
    expect(ask(chat([`Chat=${what}`]))).toMatchObject({ ...expected, messages: [] });
    const stage = chat([`Chat@2messages=${what}`]);
    const call = ask(stage);
    stage.clock.pass(0);
    expect(call).toMatchObject({ ...expected, texts: ['one', 'two'] });
    expect(fired(stage)).toEqual([1]);
    expect(stage.crashes).toEqual([]);
  });

  it('leave the call alone when GOAWAY only announces them', () => {
    for (const spec of ['Chat#1=GOAWAY', 'Chat#1@2messages=GOAWAY', 'Chat#1@0ms=GOAWAY']) {
      const stage = chat([spec], 1);
      const call = ask(stage);
      stage.clock.pass(1000);
      expect(call).toMatchObject({ goneAway: 0, texts: WHOLE, status: { code: 0 } });
      expect(fired(stage)).toEqual([1]);
    }
  });
});

describe('a call that hangs', () => {
  it('says nothing more until its client gives up, and stalls nobody', () => {
    for (const [spec, texts] of [['Chat#1=hang', []], ['Chat#1@2messages=hang', ['one', 'two']]] as const) {
      const stage = chat([spec]);
      const call = ask(stage);
      stage.clock.pass(60_000);
      expect(call).toMatchObject({ texts, status: undefined });
      expect(stage.plan.isHolding()).toBe(true);
      call.cancels();
      expect(stage.plan.isHolding()).toBe(false);
      expect(stage.misses).toEqual([]);
      expect(ask(stage)).toMatchObject({ texts: WHOLE });
      expect(fired(stage)).toEqual([1]);
    }
  });

  it('fails no other call of its build for the silence of its client, which is given its time afterwards', () => {
    const tape = new Tape();
    const end = tape.solve();
    tape.unary('ReadFile', readFile('/a'), bytes('a'));
    tape.unary('Return', new Uint8Array(), new Uint8Array());
    end.headed().ends();
    const stage = new Stage(tape.script, { stallMs: 1000 }, [parseFault('ReadFile=hang')]);
    const solve = stage.open(control('Solve')).asks(solveRequest({}));
    const reading = stage.bridge('ReadFile').asks(readFile('/a'));
    stage.clock.pass(30_000);
    reading.cancels();
    stage.clock.pass(700);
    expect(solve.status).toBeUndefined();
    stage.clock.pass(1300);
    expect(solve.status?.message).toMatch(/for 1 s nothing came$/);
  });
});

describe('a delay', () => {
  it('holds the answer back as a whole', () => {
    const stage = chat(['Chat=delay:2s']);
    const call = ask(stage);
    stage.clock.pass(1999);
    expect(call).toMatchObject({ responseHeaders: undefined, messages: [] });
    stage.clock.pass(1);
    expect(call).toMatchObject({ texts: WHOLE, status: { code: 0 } });
    expect(new Set(call.times).size).toBe(1);
    expect(fired(stage)).toEqual([1]);
  });

  it('holds back what follows so many messages', () => {
    const stage = chat(['Chat@2messages=delay:2s']);
    const call = ask(stage);
    expect(call.texts).toEqual(['one', 'two']);
    stage.clock.pass(2000);
    expect(call).toMatchObject({ texts: WHOLE, status: { code: 0 } });
  });

  it('holds back what comes next after its time', () => {
    const stage = chat(['Chat@250ms=delay:2s'], 1);
    const call = ask(stage);
    stage.clock.pass(5000);
    expect(call.times.map((time) => time - (call.times[0] ?? 0))).toEqual([0, 100, 2200, 2200, 2200]);
    expect(call.status?.code).toBe(0);
  });

  it('of each message comes before each one', () => {
    const stage = chat(['Chat=delay-each:50ms']);
    const began = Number(stage.clock.now()) / 1e6;
    const call = ask(stage);
    expect(call.responseHeaders).toBeDefined();
    stage.clock.pass(1000);
    expect(call.times.map((time) => time - began)).toEqual([50, 100, 150, 200, 250]);
    expect(call.status?.code).toBe(0);
    expect(fired(stage)).toEqual([1]);
  });

  it('longer than a client may be silent stalls nobody', () => {
    const stage = chat(['Chat=delay:1min']);
    const call = ask(stage);
    stage.clock.pass(60_000);
    expect(call).toMatchObject({ texts: WHOLE, status: { code: 0 } });
    expect(stage.misses).toEqual([]);
  });

  it('goes no further when the client gives up', () => {
    const stage = chat(['Chat=delay:2s', 'Chat=delay-each:1s']);
    ask(stage).cancels();
    stage.clock.pass(10_000);
    expect([stage.clock.pending, stage.plan.isHolding(), stage.crashes]).toEqual([0, false, []]);
  });

  it('lets a client that reads slowly be waited for', () => {
    const stage = chat(['Chat=delay:2s']);
    const call = ask(stage);
    call.isReading = false;
    stage.clock.pass(2000);
    expect(call.texts).toEqual(['one']);
    call.reads();
    expect(call.texts).toEqual(WHOLE);
  });
});

describe('a slow reader', () => {
  it('takes in what a process is sent byte by byte, and gives back the window as slowly', () => {
    const tape = new Tape();
    const end = tape.solve();
    const process = new Process('p', 'c');
    tape.unary('NewContainer', newContainer('c'), new Uint8Array());
    const [init, typed] = [process.init(), process.file(0, 'exit\n')];
    tape.bridge('ExecProcess').sends(init).headed().answers(process.started).sends(typed).answers(process.exit()).cancels();
    end.headed().ends();
    const rate = (init.length + 5) * 2;
    const stage = new Stage(tape.script, { stallMs: 1000 }, [parseFault(`ExecProcess=slow-read:${rate}B/s`)]);
    stage.open(control('Solve')).asks(solveRequest({}));
    stage.bridge('NewContainer').asks(newContainer('c'));
    const call = stage.bridge('ExecProcess');
    call.says(init).spends(init.length + 5);
    stage.clock.pass(499);
    expect(call).toMatchObject({ messages: [], givenBack: 0 });
    stage.clock.pass(1);
    expect(call.words).toEqual(['p started']);
    expect(call.givenBack).toBe(init.length + 5);
    call.says(typed).spends(typed.length + 5);
    expect(call.words).toHaveLength(1);
    stage.clock.pass(500);
    expect(call.words).toEqual(['p started', 'p exit 0']);
    expect(call.givenBack).toBe(init.length + typed.length + 10);
    expect([stage.misses, stage.crashes, fired(stage)]).toEqual([[], [], [1]]);
  });

  it('opens the window while a long message comes, and takes that in at its end', () => {
    const tape = new Tape();
    const long = new Uint8Array(995);
    tape.call(CHAT).sends(long).closes().headed().answers(bytes('got it')).ends();
    const stage = new Stage(tape.script, {}, [parseFault('Chat=slow-read:100B/s')]);
    const call = stage.open(CHAT);
    call.spends(400);
    stage.clock.pass(4000);
    expect(call.givenBack).toBe(400);
    call.spends(400);
    stage.clock.pass(4000);
    // The last frame ends the call, so that there is no window to give back any more.
    call.asks(long);
    stage.clock.pass(1999);
    expect(call.messages).toEqual([]);
    stage.clock.pass(1);
    expect(call).toMatchObject({ texts: ['got it'], status: { code: 0 }, givenBack: 800 });
    stage.clock.pass(10_000);
    expect(stage.clock.pending).toBe(0);
  });
});

describe('an answer in two pieces', () => {
  it('is held back and cut as the message that it is', () => {
    const tape = new Tape();
    const end = tape.solve();
    const process = new Process('p', 'c');
    tape.unary('NewContainer', newContainer('c'), new Uint8Array());
    tape.bridge('ExecProcess').sends(process.init()).headed().answers(process.started).answers(process.file(1, 'x'.repeat(2000))).answers(process.exit()).cancels();
    end.headed().ends();
    const live = new Process('another process', 'c');
    const run = (...specs: string[]): LiveCall => {
      const stage = new Stage(tape.script, { stallMs: 0 }, specs.map(parseFault));
      stage.open(control('Solve')).asks(solveRequest({}));
      stage.bridge('NewContainer').asks(newContainer('c'));
      const call = stage.bridge('ExecProcess').says(live.init());
      stage.clock.pass(10_000);
      return call;
    };
    const answers = [live.started, live.file(1, 'x'.repeat(2000)), live.exit()].map((message) => Buffer.from(message));
    const sent = (call: LiveCall): Buffer[] => [...call.messages, ...call.parts].map((message) => Buffer.from(message));
    expect(sent(run('ExecProcess=delay-each:1s'))).toEqual(answers);
    const bytesBefore = answers[0]?.length ?? 0;
    expect(sent(run(`ExecProcess@${bytesBefore + 100}B=end`))).toEqual([answers[0], answers[1]?.subarray(0, 100)]);
  });
});

describe('several faults', () => {
  it('meet at one call, the first one next to the client', () => {
    const stage = chat(['Chat=delay-each:100ms', 'Chat@2messages=ABORTED']);
    const call = ask(stage);
    stage.clock.pass(1000);
    expect(call).toMatchObject({ texts: ['one', 'two'], status: { code: 10 } });
    const turned = chat(['Chat@2messages=ABORTED', 'Chat=delay-each:100ms']);
    const other = ask(turned);
    turned.clock.pass(1000);
    expect(other).toMatchObject({ texts: ['one', 'two'], status: { code: 10 } });
    expect([fired(stage), fired(turned), stage.crashes, turned.crashes, turned.plan.isHolding()]).toEqual([[1, 1], [1, 1], [], [], false]);
  });

  it('each count their own calls', () => {
    const stage = chat(['Chat#1=ABORTED', 'Chat#2=ABORTED', '*#3=INTERNAL']);
    expect([1, 2, 3, 4].map(() => ask(stage).status?.code)).toEqual([10, 10, 13, 0]);
  });
});
