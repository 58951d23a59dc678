import { describe, expect, it } from 'vitest';
import { control, id } from '../bridge/build.js';
import { Stage } from './stage.js';
import { newContainer, Process, readFile, solveRequest, statusRequest, Tape } from './tape.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const NOTHING = new Uint8Array();

describe('a client that does not go on', () => {
  it('in a process is told what the recording goes on with', () => {
    const tape = new Tape();
    tape.solve();
    const process = new Process('p', 'c');
    tape.bridge('ExecProcess').sends(process.init()).headed().answers(process.started).sends(process.file(0, 'exit\n')).answers(process.exit()).cancels();
    const stage = new Stage(tape.script, { stallMs: 2000 });
    stage.open(control('Solve')).asks(solveRequest({}));
    const call = stage.bridge('ExecProcess').says(process.init());
    stage.clock.pass(1999);
    expect(call.status).toBeUndefined();
    stage.clock.pass(501);
    expect(call.status).toMatchObject({
      code: 9,
      message: 'bridgetape: the recording goes on with byte 0 of stdin of the process sh, "exit\\n", on LLBBridge/ExecProcess (call 2 of the cassette), and for 2 s nothing came',
    });
    expect(stage.misses).toContain(call.status?.message);
  });

  it('on the bridge makes Solve and Status fail', () => {
    const tape = new Tape();
    const end = tape.solve();
    const status = tape.status().headed();
    tape.unary('ReadFile', readFile('/a'), bytes('a'));
    status.ends();
    end.headed().ends();
    const stage = new Stage(tape.script, { stallMs: 1000 });
    const calls = [stage.open(control('Solve')).asks(solveRequest({})), stage.open(control('Status')).asks(statusRequest(id('b')))];
    stage.clock.pass(1500);
    const text = 'bridgetape: the recording goes on with the request of LLBBridge/ReadFile (call 3 of the cassette), and for 1 s nothing came';
    expect(calls.map((call) => call.status?.message)).toEqual([text, text]);
  });

  it('outside of builds is told too', () => {
    const tape = new Tape();
    tape.call('/some.Service/Talk').sends(bytes('a')).headed().answers(bytes('A')).sends(bytes('b')).ends();
    const stage = new Stage(tape.script, { stallMs: 1000 });
    const call = stage.open('/some.Service/Talk').says(bytes('a'));
    stage.clock.pass(1500);
    expect(call.status?.message).toBe('bridgetape: the recording goes on with message 2 of the client on Service/Talk (call 1 of the cassette), and for 1 s nothing came');
    expect(stage.clock.pending).toBe(0);
  });

  it('does not cancel what the recorded one cancelled is told', () => {
    const tape = new Tape();
    tape.call('/some.Service/Talk').sends(bytes('a')).headed().cancels();
    const stage = new Stage(tape.script, { stallMs: 1000 });
    const call = stage.open('/some.Service/Talk').says(bytes('a'));
    stage.clock.pass(1500);
    expect(call.status?.message).toBe('bridgetape: the recording goes on with the client cancelling Service/Talk (call 1 of the cassette), and for 1 s nothing came');
  });

  it('sends calls of a build but never its Solve is told', () => {
    const stage = new Stage(new Tape().script, { stallMs: 1000 });
    const build = id('n');
    const calls = [stage.bridge('ReadFile', build).asks(readFile('/a')), stage.open(control('Status')).asks(statusRequest(build)), stage.bridge('Ping', build).asks(NOTHING)];
    stage.clock.pass(1500);
    const text = `bridgetape: for 1 s the client waited with calls of the build ${build} for which it sent no Control/Solve that the cassette knows`;
    expect(calls.map((call) => call.status?.message)).toEqual([text, text, text]);
    expect(stage.misses).toEqual([text]);
  });
});

describe('a client that takes its time', () => {
  it('is waited for as long as it does anything in its build', () => {
    const tape = new Tape();
    const end = tape.solve();
    for (let number = 0; number < 20; number += 1) tape.unary('ReadFile', readFile(`/${number}`), bytes('x'));
    end.headed().ends();
    const stage = new Stage(tape.script, { stallMs: 1000 });
    const solve = stage.open(control('Solve')).asks(solveRequest({}));
    for (let number = 0; number < 20; number += 1) {
      stage.clock.pass(900);
      stage.bridge('ReadFile').asks(readFile(`/${number}`));
    }
    expect([solve.status?.code, stage.misses]).toEqual([0, []]);
  });

  it('is waited for as long as the recorded one took, and once more', () => {
    const tape = new Tape();
    const call = tape.call('/some.Service/Talk').sends(bytes('a')).headed().answers(bytes('A'));
    tape.after(30_000);
    call.sends(bytes('b')).ends();
    const stage = new Stage(tape.script, { stallMs: 1000 });
    const live = stage.open('/some.Service/Talk').says(bytes('a'));
    stage.clock.pass(59_000);
    expect(live.status).toBeUndefined();
    stage.clock.pass(2000);
    expect(live.status?.code).toBe(9);
  });

  it('is waited for while the recording itself takes its time', () => {
    const tape = new Tape();
    tape.solve();
    const process = new Process('p', 'c');
    const stream = tape.bridge('ExecProcess').sends(process.init()).headed().answers(process.started);
    tape.after(20_000);
    stream.answers(process.exit()).answers(process.done).cancels();
    const stage = new Stage(tape.script, { stallMs: 1000, pace: 1 });
    stage.open(control('Solve')).asks(solveRequest({}));
    const call = stage.bridge('ExecProcess').says(process.init());
    stage.clock.pass(20_100);
    expect([call.words.at(-1), stage.misses]).toEqual(['p done', []]);
  });

  it('is waited for for ever when asked to', () => {
    const tape = new Tape();
    tape.solve().headed();
    tape.unary('NewContainer', newContainer('c'), NOTHING);
    const stage = new Stage(tape.script, { stallMs: 0 });
    const solve = stage.open(control('Solve')).asks(solveRequest({}));
    stage.clock.pass(1e9);
    expect([solve.status, stage.clock.pending]).toEqual([undefined, 0]);
  });
});
