import { describe, expect, it } from 'vitest';
import { bridge, control } from '../bridge/build.js';
import { Hearing } from '../../src/replayer/hearing.js';
import { pacesByPath, type PacingOptions } from '../../src/replayer/pacing.js';
import { Stage } from './stage.js';
import { BUILD, solveRequest, statusRequest, Tape } from './tape.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const TALK = '/some.Service/Talk';

/** Ten ticks, 100 ms apart, the first 50 ms after the question. */
function ticking(): Tape {
  const tape = new Tape();
  const call = tape.call(TALK).sends(bytes('go')).headed();
  tape.after(50);
  for (let tick = 0; tick < 10; tick += 1) {
    call.answers(bytes(String(tick)));
    tape.after(100);
  }
  call.ends();
  return tape;
}

describe('paces by the names of methods', () => {
  it('are of known methods only, and of one each', () => {
    const recorded = new Set([TALK]);
    expect([...pacesByPath({ Talk: 2, ReadFile: 0, 'LLBBridge/Solve': 1, [TALK]: 3 }, recorded)]).toEqual([
      [TALK, 3],
      [bridge('ReadFile'), 0],
      [bridge('Solve'), 1],
    ]);
    expect(() => pacesByPath({ Redfile: 1 }, recorded)).toThrow('A pace is given for the method "Redfile", which neither the cassette nor bridgetape knows.\nDid you mean ReadFile?');
    expect(() => pacesByPath({ Solve: 1 }, recorded)).toThrow('which there is more than once.\nWrite ');
  });
});

describe('pace', () => {
  it.each([
    [0, Array.from({ length: 10 }, () => 0)],
    [0.5, Array.from({ length: 10 }, (_, tick) => 25 + tick * 50)],
    [1, Array.from({ length: 10 }, (_, tick) => 50 + tick * 100)],
    [2, Array.from({ length: 10 }, (_, tick) => 100 + tick * 200)],
  ])('%d gives each message its time', (pace, expected) => {
    const stage = new Stage(ticking().script, { pace });
    const began = Number(stage.clock.now()) / 1e6;
    const call = stage.open(TALK).says(bytes('go'));
    stage.clock.pass(5000);
    expect(call.times.map((time) => Math.round(time - began))).toEqual(expected);
    expect(call.status?.code).toBe(0);
  });

  it('counts from one epoch: timers that are late do not add up', () => {
    const stage = new Stage(ticking().script, { pace: 1 });
    const began = Number(stage.clock.now()) / 1e6;
    const at = stage.clock.at.bind(stage.clock);
    // Every timer is 7 ms late.
    stage.clock.at = (due, run) => at(due + 7_000_000n, run);
    const call = stage.open(TALK).says(bytes('go'));
    stage.clock.pass(5000);
    expect(call.times.map((time) => Math.round(time - began))).toEqual(Array.from({ length: 10 }, (_, tick) => 57 + tick * 100));
  });

  it('does not drift in ten minutes of late timers', () => {
    const tape = new Tape();
    const call = tape.call(TALK).sends(bytes('go')).headed();
    for (let tick = 0; tick < 6000; tick += 1) {
      tape.after(100);
      call.answers(bytes(String(tick)));
    }
    call.ends();
    const stage = new Stage(tape.script, { pace: 1, stallMs: 0 });
    const began = Number(stage.clock.now()) / 1e6;
    const at = stage.clock.at.bind(stage.clock);
    let late = 0n;
    stage.clock.at = (due, run) => at(due + ((late += 777_777n) % 3_000_000n), run);
    const live = stage.open(TALK).says(bytes('go'));
    stage.clock.pass(11 * 60 * 1000);
    const errors = live.times.map((time, tick) => time - began - (tick + 1) * 100);
    expect(errors).toHaveLength(6000);
    expect(Math.max(...errors)).toBeLessThan(3);
    expect(Math.min(...errors)).toBeGreaterThan(-1);
  });

  it('can be one for a method and another for the rest', () => {
    const stage = new Stage(ticking().script, { pace: 0, paces: new Map([[TALK, 2]]) });
    const slow = stage.open(TALK).says(bytes('go'));
    expect(slow.texts).toEqual([]);
    stage.clock.pass(5000);
    expect(slow.texts).toHaveLength(10);
    const quick = new Stage(ticking().script, { pace: 2, paces: new Map([[TALK, 0]]) }).open(TALK).says(bytes('go'));
    expect(quick.texts).toHaveLength(10);
  });

  it('cuts long silences short, and leaves the others as they were', () => {
    const tape = new Tape();
    const call = tape.call(TALK).sends(bytes('go')).headed();
    for (const pause of [30, 5000, 40, 60_000, 100, 101]) {
      tape.after(pause);
      call.answers(bytes(String(pause)));
    }
    call.ends();
    const times = (options: PacingOptions): readonly number[] => {
      const stage = new Stage(tape.script, { stallMs: 0, ...options });
      const began = Number(stage.clock.now()) / 1e6;
      const live = stage.open(TALK).says(bytes('go'));
      stage.clock.pass(200_000);
      return live.times.map((time) => Math.round(time - began));
    };
    expect(times({ pace: 1, maxGapMs: 100 })).toEqual([30, 130, 170, 270, 370, 470]);
    // The silence is cut first, then stretched.
    expect(times({ pace: 2, maxGapMs: 100 })).toEqual([60, 260, 340, 540, 740, 940]);
    expect(times({ pace: 1, maxGapMs: 0 })).toEqual([0, 0, 0, 0, 0, 0]);
    expect(times({ pace: 1 })).toEqual([30, 5030, 5070, 65_070, 65_170, 65_271]);
  });

  it('cuts the silence after what the client did last as well', () => {
    const tape = new Tape();
    const call = tape.call(TALK).sends(bytes('a')).headed();
    tape.after(10);
    call.answers(bytes('A'));
    tape.after(1000);
    call.sends(bytes('b'));
    tape.after(3000);
    call.answers(bytes('B')).ends();
    const stage = new Stage(tape.script, { pace: 1, maxGapMs: 50 });
    const live = stage.open(TALK).says(bytes('a'));
    stage.clock.pass(40);
    live.says(bytes('b'));
    const asked = Number(stage.clock.now()) / 1e6;
    stage.clock.pass(100);
    expect(live.times[1]).toBe(asked + 50);
  });

  it('sends at once what a late timer has left behind', () => {
    const stage = new Stage(ticking().script, { pace: 1 });
    const at = stage.clock.at.bind(stage.clock);
    stage.clock.at = (due, run) => at(due + 450_000_000n, run);
    const call = stage.open(TALK).says(bytes('go'));
    stage.clock.pass(500);
    expect(call.texts).toEqual(['0', '1', '2', '3', '4']);
  });

  it('measures a pause from what the client did last', () => {
    const tape = new Tape();
    const call = tape.call(TALK).sends(bytes('a')).headed();
    tape.after(10);
    call.answers(bytes('A'));
    tape.after(1000);
    call.sends(bytes('b'));
    tape.after(30);
    call.answers(bytes('B')).ends();
    const stage = new Stage(tape.script, { pace: 1 });
    const live = stage.open(TALK).says(bytes('a'));
    stage.clock.pass(40);
    live.says(bytes('b'));
    const asked = Number(stage.clock.now()) / 1e6;
    stage.clock.pass(100);
    expect(live.times[1]).toBe(asked + 30);
  });

  it('counts from when a request came, however long it waited for its turn', () => {
    const tape = new Tape();
    const calls = [1, 2].map((name) => tape.call(TALK).sends(bytes(String(name))).headed());
    tape.after(50);
    for (const call of calls) call.answers(bytes('A')).ends();
    const made: Hearing[] = [];
    const stage = new Stage(tape.script, { pace: 1, heard: () => made[0]?.time ?? 0n });
    const hearing = new Hearing(stage.clock, () => 0);
    made.push(hearing);
    const came = Number(stage.clock.now()) / 1e6;
    hearing.begin();
    const first = stage.open(TALK).says(bytes('1'));
    // It took so long to handle that one.
    stage.clock.pass(20);
    const second = stage.open(TALK).says(bytes('2'));
    hearing.end();
    stage.clock.pass(100);
    expect([first.times, second.times]).toEqual([[came + 50], [came + 50]]);
  });

  it('holds for a build without a bridge call too', () => {
    const tape = new Tape();
    const solve = tape.solve();
    const status = tape.status().headed();
    tape.after(200);
    status.answers(bytes('step'));
    tape.after(300);
    solve.headed().ends();
    status.ends();
    const stage = new Stage(tape.script, { pace: 1 });
    const began = Number(stage.clock.now()) / 1e6;
    const end = stage.open(control('Solve')).asks(solveRequest({}));
    const live = stage.open(control('Status')).asks(statusRequest(BUILD));
    stage.clock.pass(499);
    expect([live.times, end.status]).toEqual([[began + 200], undefined]);
    stage.clock.pass(1);
    expect([live.status?.code, end.status?.code]).toEqual([0, 0]);
  });

  it('stops when the client cancels, and leaves no timer', () => {
    const stage = new Stage(ticking().script, { pace: 1, stallMs: 0 });
    const call = stage.open(TALK).says(bytes('go'));
    stage.clock.pass(250);
    expect(call.texts).toEqual(['0', '1', '2']);
    call.cancels();
    expect(stage.clock.pending).toBe(0);
    stage.clock.pass(5000);
    expect(call.texts).toEqual(['0', '1', '2']);
  });

  it('stops when the replay is closed', () => {
    const stage = new Stage(ticking().script, { pace: 1 });
    const call = stage.open(TALK).says(bytes('go'));
    stage.clock.pass(60);
    stage.replayer.close();
    expect(stage.clock.pending).toBe(0);
    stage.clock.pass(5000);
    expect(call.texts).toEqual(['0']);
  });
});
