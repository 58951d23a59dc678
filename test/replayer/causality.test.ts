import { describe, expect, it } from 'vitest';
import { control } from '../bridge/build.js';
import { Stage, type LiveCall } from './stage.js';
import { BUILD, readFile, solveRequest, statusRequest, Tape } from './tape.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const NOTHING = new Uint8Array();

/** Solve and Status, which report what two reads and the Return in between did. */
function build(): Tape {
  const tape = new Tape();
  const solve = tape.solve();
  const status = tape.status().headed().answers(bytes('began'));
  tape.unary('ReadFile', readFile('/a'), bytes('a'));
  status.answers(bytes('a was read'));
  tape.unary('ReadFile', readFile('/b'), bytes('b'));
  status.answers(bytes('b was read'));
  const end = tape.bridge('Return').sends(NOTHING).closes().headed().answers(NOTHING).ends();
  expect(end.events.length).toBe(6);
  status.ends();
  solve.headed().answers(bytes('built')).ends();
  return tape;
}

function begun(tape: Tape): { readonly stage: Stage; readonly solve: LiveCall; readonly status: LiveCall } {
  const stage = new Stage(tape.script);
  const solve = stage.open(control('Solve')).asks(solveRequest({}));
  const status = stage.open(control('Status')).asks(statusRequest(BUILD));
  return { stage, solve, status };
}

describe('a server event', () => {
  it('waits for the client events before it on its call', () => {
    const tape = new Tape();
    tape.call('/some.Service/Talk').sends(bytes('1')).sends(bytes('2')).headed().answers(bytes('after two')).sends(bytes('3')).closes().answers(bytes('after the end')).ends();
    const call = new Stage(tape.script).open('/some.Service/Talk');
    expect(call.says(bytes('1')).responseHeaders).toBeUndefined();
    expect(call.says(bytes('2')).texts).toEqual(['after two']);
    expect(call.says(bytes('3')).texts).toEqual(['after two']);
    expect(call.closes().texts).toEqual(['after two', 'after the end']);
  });

  it('waits for nothing that the client did later', () => {
    const tape = new Tape();
    tape.call('/some.Service/Talk').sends(bytes('1')).headed().answers(bytes('early')).ends().closes();
    expect(new Stage(tape.script).open('/some.Service/Talk').says(bytes('1'))).toMatchObject({ texts: ['early'], status: { code: 0 } });
  });

  it('of Status comes when what it reports has happened again', () => {
    const { stage, status } = begun(build());
    expect(status.texts).toEqual(['began']);
    stage.bridge('ReadFile').asks(readFile('/a'));
    expect(status.texts).toEqual(['began', 'a was read']);
    stage.bridge('ReadFile').asks(readFile('/b'));
    expect(status.texts).toEqual(['began', 'a was read', 'b was read']);
    expect(status.status).toBeUndefined();
  });

  it('of Status comes at the latest when all before it has happened, in whichever order', () => {
    const { stage, status } = begun(build());
    stage.bridge('ReadFile').asks(readFile('/b'));
    expect(status.texts).toEqual(['began']);
    stage.bridge('ReadFile').asks(readFile('/a'));
    expect(status.texts).toEqual(['began', 'a was read', 'b was read']);
  });

  it('that ends Solve comes after Return', () => {
    const { stage, solve, status } = begun(build());
    for (const path of ['/a', '/b']) stage.bridge('ReadFile').asks(readFile(path));
    expect(solve.responseHeaders).toBeUndefined();
    const end = stage.bridge('Return').asks(NOTHING);
    expect([end, solve, status].map((call) => call.status?.code)).toEqual([0, 0, 0]);
    expect(solve.texts).toEqual(['built']);
  });
});

describe('a client that does less than the recorded one', () => {
  it('is told the end all the same once it has returned', () => {
    const { stage, solve, status } = begun(build());
    stage.bridge('Return').asks(NOTHING);
    expect(solve.status?.code).toBe(0);
    expect(status.texts).toEqual(['began', 'a was read', 'b was read']);
    expect(stage.misses).toEqual([]);
  });

  it('is not told the end while a call of its is open', () => {
    const tape = new Tape();
    const solve = tape.solve();
    const stream = tape.bridge('Talk').sends(bytes('1')).headed().answers(bytes('one'));
    tape.bridge('Return').sends(NOTHING).closes().headed().answers(NOTHING).ends();
    stream.sends(bytes('2')).closes().ends();
    solve.headed().ends();
    const stage = new Stage(tape.script);
    const live = stage.open(control('Solve')).asks(solveRequest({}));
    const talk = stage.bridge('Talk').says(bytes('1'));
    stage.bridge('Return').asks(NOTHING);
    expect(live.status).toBeUndefined();
    talk.cancels();
    expect(live.status?.code).toBe(0);
  });
});
