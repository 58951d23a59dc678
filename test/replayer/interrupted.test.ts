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

  it.each([
    [7, 14],
    [8, 1],
    [2, 13],
  ])('by a reset with error code %d has the status that clients make of it', (code, status) => {
    const tape = new Tape();
    tape.call('/some.Service/Talk').sends(bytes('go')).headed().resets(code);
    expect(new Stage(tape.script).open('/some.Service/Talk').says(bytes('go')).status).toMatchObject({
      code: status,
      message: `bridgetape: the recorded call was reset by the server (HTTP/2 error code ${code})`,
    });
  });

  // grpc-go's server resets a call whose deadline passes, in a race with its client.
  it.each([
    ['at its deadline is left to the deadline of the live one', 300, undefined],
    ['before its deadline is cancelled', 299, 1],
  ])('by a reset of the server %s', (_, ms, code) => {
    const tape = new Tape();
    const recorded = tape.call('/some.Service/Talk', [['grpc-timeout', '300m']]).sends(bytes('go')).headed();
    tape.after(ms);
    recorded.resets(8);
    const stage = new Stage(tape.script);
    const call = stage.open('/some.Service/Talk').says(bytes('go'));
    stage.clock.pass(1000);
    expect(call.status?.code).toBe(code);
    call.cancels();
    expect(stage.misses).toEqual([]);
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
