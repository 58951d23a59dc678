import { describe, expect, it } from 'vitest';
import { control } from '../bridge/build.js';
import { Stage } from './stage.js';
import { BUILD, Process, readFile, solveRequest, statusRequest, Tape } from './tape.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);

describe('a recording that stops before a call ended', () => {
  it('gives what it has, then says where it stops', () => {
    const tape = new Tape();
    tape.call('/some.Service/Talk').sends(bytes('go')).headed().answers(bytes('so far'));
    const stage = new Stage(tape.script);
    const call = stage.open('/some.Service/Talk').says(bytes('go'));
    expect(call.texts).toEqual(['so far']);
    expect(call.status).toMatchObject({ code: 9, message: 'bridgetape: the recording stops before this Service/Talk (call 1 of the cassette) ended' });
    expect(stage.misses).toEqual([call.status?.message]);
  });

  it('ends an exec stream the same way, after its last output', () => {
    const tape = new Tape();
    tape.solve();
    const process = new Process('p', 'c');
    tape.bridge('ExecProcess').sends(process.init()).headed().answers(process.started).answers(process.file(1, 'last words'));
    const stage = new Stage(tape.script);
    stage.open(control('Solve')).asks(solveRequest({}));
    const call = stage.bridge('ExecProcess').says(process.init());
    const why = 'bridgetape: the recording stops before this LLBBridge/ExecProcess (call 2 of the cassette) ended';
    // BuildKit's client waits for its processes, not for the stream: each of them has to end too.
    expect(call.words).toEqual(['p started', 'p stdout 10 B "last words"', expect.stringMatching(/^p exit 255/), 'p done']);
    expect(call.words[2]).toContain(why);
    expect(call.status?.message).toBe(why);
  });

  const cut = (): Tape => {
    const tape = new Tape();
    tape.solve();
    tape.status().headed().answers(bytes('began'));
    tape.unary('ReadFile', readFile('/a'), bytes('a'));
    return tape;
  };
  const ends = ['Control/Solve (call 1', 'Control/Status (call 2'].map((call) => `bridgetape: the recording stops before this ${call} of the cassette) ended`);

  it('lets Solve and Status go on until the client returns', () => {
    const stage = new Stage(cut().script);
    const calls = [stage.open(control('Solve')).asks(solveRequest({})), stage.open(control('Status')).asks(statusRequest(BUILD))];
    stage.bridge('ReadFile').asks(readFile('/a'));
    expect(calls.map(({ status }) => status)).toEqual([undefined, undefined]);
    const missed = stage.bridge('Return').asks(bytes(''));
    expect(missed.status?.message).toBe('bridgetape: the cassette has no answer for this LLBBridge/Return: it holds no call of that method');
    expect(calls.map(({ status }) => status?.message)).toEqual([missed.status?.message, missed.status?.message]);
  });

  it('lets Solve and Status fail when the client does nothing more', () => {
    const stage = new Stage(cut().script, { stallMs: 1000 });
    const calls = [stage.open(control('Solve')).asks(solveRequest({})), stage.open(control('Status')).asks(statusRequest(BUILD))];
    stage.bridge('ReadFile').asks(readFile('/a'));
    stage.clock.pass(1500);
    expect(calls.map(({ status }) => status?.message)).toEqual(ends);
    expect(stage.misses).toEqual(ends);
  });

  it('fails a build without bridge calls at once', () => {
    const tape = new Tape();
    tape.solve();
    expect(new Stage(tape.script).open(control('Solve')).asks(solveRequest({})).status?.message).toBe(ends[0]);
  });

  it('that the client had cancelled waits for the client to cancel', () => {
    const tape = new Tape();
    tape.call('/some.Service/Talk').sends(bytes('go')).headed().answers(bytes('on and on')).cancels();
    const stage = new Stage(tape.script);
    const call = stage.open('/some.Service/Talk').says(bytes('go'));
    stage.clock.pass(1000);
    expect(call.status).toBeUndefined();
    call.cancels();
    expect(stage.misses).toEqual([]);
  });
});

describe('a call that the server reset', () => {
  it.each([0, 2, 7, 8, 11])('is reset with the recorded code %d, after what it was sent', (code) => {
    const tape = new Tape();
    tape.call('/some.Service/Talk').sends(bytes('go')).headed().answers(bytes('so far')).resets(code);
    const stage = new Stage(tape.script);
    const call = stage.open('/some.Service/Talk').says(bytes('go'));
    expect([call.texts, call.resetCode, call.status]).toEqual([['so far'], code, undefined]);
    expect([stage.misses, stage.crashes]).toEqual([[], []]);
  });

  it('leaves the processes on it as the server left them', () => {
    const tape = new Tape();
    tape.solve();
    const process = new Process('p', 'c');
    tape.bridge('ExecProcess').sends(process.init()).headed().answers(process.started).resets(2);
    const stage = new Stage(tape.script);
    stage.open(control('Solve')).asks(solveRequest({}));
    const call = stage.bridge('ExecProcess').says(process.init());
    expect([call.words, call.resetCode, stage.misses]).toEqual([['p started'], 2, []]);
  });

  it('after its end has ended as the trailers say', () => {
    const tape = new Tape();
    tape.call('/some.Service/Talk').sends(bytes('go')).headed().ends(3).resets(0);
    const call = new Stage(tape.script).open('/some.Service/Talk').says(bytes('go'));
    expect([call.status?.code, call.resetCode]).toEqual([3, undefined]);
  });
});

describe('a message whose body was left out', () => {
  it('cannot be given back, and the error says how to record it', () => {
    const tape = new Tape();
    tape.call('/some.Service/Secret').sends(bytes('go')).headed().answersLeftOut(17).ends();
    const stage = new Stage(tape.script);
    const call = stage.open('/some.Service/Secret').says(bytes('go'));
    expect(call.status).toMatchObject({ code: 9, message: expect.stringContaining('record again with --bodies /some.Service/Secret') as unknown });
    expect(stage.misses).toHaveLength(1);
  });
});
