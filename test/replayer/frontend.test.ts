/** Frontends at the other end of stdio: their calls name no build, and each has a connection of its own. */
import { describe, expect, it } from 'vitest';
import type { Frontend } from '../../src/replayer/replayer.js';
import { bridge, control, encode, FRONTEND, id } from '../bridge/build.js';
import { LiveCall, Stage } from './stage.js';
import { readFile, solveRequest, Tape, type TapedCall } from './tape.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const contents = (text: string): Uint8Array => encode(`${FRONTEND}.ReadFileResponse`, { Data: bytes(text) });
const stat = (path: string, ref = id('r')): Uint8Array => encode(`${FRONTEND}.StatFileRequest`, { Ref: ref, Path: path });
const ranged = (path: string, offset: number, length: number): Uint8Array => encode(`${FRONTEND}.ReadFileRequest`, { Ref: id('r'), FilePath: path, Range: { Offset: offset, Length: length } });

/** A call as a frontend on stdio makes it. */
const unary = (tape: Tape, method: string, request: Uint8Array, answer: Uint8Array): TapedCall => tape.call(bridge(method)).sends(request).closes().headed().answers(answer).ends();

class FrontendStage extends Stage {
  ask(frontend: Frontend, method: string, request: Uint8Array): LiveCall {
    return new LiveCall(bridge(method), [], frontend.accept, this.clock).asks(request);
  }

  read(frontend: Frontend, path: string): string {
    const { texts, status } = this.ask(frontend, 'ReadFile', readFile(path));
    return status?.code === 0 ? (texts[0] ?? '') : (status?.message ?? 'waits');
  }
}

describe('a frontend on stdio', () => {
  const recorded = (): FrontendStage => {
    const tape = new Tape();
    unary(tape, 'ReadFile', readFile('/a'), bytes('of a'));
    unary(tape, 'ReadFile', readFile('/b'), bytes('of b'));
    unary(tape, 'Return', new Uint8Array(), new Uint8Array());
    return new FrontendStage(tape.script);
  };

  it('is answered without naming a build, to its end and beyond', () => {
    const stage = recorded();
    const frontend = stage.replayer.frontend();
    expect([stage.read(frontend, '/b'), stage.read(frontend, '/a')]).toEqual(['of b', 'of a']);
    expect(stage.ask(frontend, 'Return', new Uint8Array()).status?.code).toBe(0);
    expect(stage.read(frontend, '/a')).toMatch(/and that is used up/);
    frontend.ended();
    expect(stage.misses).toHaveLength(1);
  });

  it('takes nothing from another one', () => {
    const stage = recorded();
    const [one, other] = [stage.replayer.frontend(), stage.replayer.frontend()];
    expect([stage.read(one, '/a'), stage.read(other, '/a')]).toEqual(['of a', 'of a']);
  });

  it('tells which recorded calls it has not made', () => {
    const stage = recorded();
    const frontend = stage.replayer.frontend();
    stage.read(frontend, '/a');
    expect(frontend.unasked()?.map(({ id: number }) => number)).toEqual([2, 3]);
  });

  it('is failed when it waits for what the recording does not hold', () => {
    const tape = new Tape();
    tape.call(bridge('ReadFile')).sends(readFile('/a')).closes();
    const stage = new FrontendStage(tape.script, { stallMs: 2000 });
    const frontend = stage.replayer.frontend();
    const call = stage.ask(frontend, 'ReadFile', readFile('/a'));
    expect(call.status?.message).toMatch(/the recording stops before this LLBBridge\/ReadFile/);
    expect(stage.misses).toHaveLength(1);
    frontend.ended();
    stage.clock.pass(10_000);
    expect(stage.clock.pending).toBe(0);
  });

  it('is one of several recorded ones: that which answers it', () => {
    const tape = new Tape();
    const builds = ['one', 'two'].map((answer) => [unary(tape, 'ReadFile', readFile('/a'), bytes('of a')), unary(tape, 'ReadFile', readFile(`/${answer}`), bytes(answer))]);
    // Each on a connection of its own.
    builds.forEach((calls, index) => calls.forEach((call) => call.events.forEach((event) => Object.assign(event, { connection: index + 1 }))));
    const stage = new FrontendStage(tape.script);
    const frontend = stage.replayer.frontend();
    expect([stage.read(frontend, '/a'), stage.read(frontend, '/two')]).toEqual(['of a', 'two']);
    expect(stage.misses).toEqual([]);
  });

  it('can be one whose calls were recorded on a control socket', () => {
    const tape = new Tape();
    const solve = tape.solve();
    tape.unary('ReadFile', readFile('/a'), bytes('of a'));
    solve.headed().answers(new Uint8Array()).ends();
    const stage = new FrontendStage(tape.script);
    expect(stage.read(stage.replayer.frontend(), '/a')).toBe('of a');
  });

  it('is refused in words when the cassette holds calls of none', () => {
    const tape = new Tape();
    tape.call(control('Solve')).sends(solveRequest({})).closes().headed().ends();
    expect(() => new FrontendStage(tape.script).replayer.frontend()).toThrow('The cassette holds no calls of a frontend.');
  });
});

describe("a file in a recorded one's place", () => {
  const placed = (...calls: readonly ((tape: Tape) => unknown)[]): { readonly stage: FrontendStage; readonly ask: (method: string, request: Uint8Array) => LiveCall } => {
    const tape = new Tape();
    for (const call of calls) call(tape);
    unary(tape, 'Return', new Uint8Array(), new Uint8Array());
    const stage = new FrontendStage(tape.script, { files: new Map([['Dockerfile', bytes('edited')]]) });
    const frontend = stage.replayer.frontend();
    return { stage, ask: (method, request) => stage.ask(frontend, method, request) };
  };
  const recordedRead = (tape: Tape): unknown => unary(tape, 'ReadFile', readFile('Dockerfile'), contents('recorded'));

  it('is read in its place, whole or in any part, as often as anybody likes', () => {
    const { stage, ask } = placed(recordedRead);
    for (const request of [readFile('Dockerfile'), readFile('Dockerfile'), readFile('/Dockerfile')]) expect(ask('ReadFile', request).messages).toEqual([new Uint8Array(contents('edited'))]);
    expect(ask('ReadFile', ranged('Dockerfile', 2, 3)).messages).toEqual([new Uint8Array(contents('ite'))]);
    expect(stage.misses).toEqual([]);
  });

  it('is found where the recording found none', () => {
    const { ask } = placed((tape) => tape.call(bridge('ReadFile')).sends(readFile('Dockerfile')).closes().ends(2, [['grpc-message', 'no such file']]));
    expect(ask('ReadFile', readFile('Dockerfile'))).toMatchObject({ messages: [new Uint8Array(contents('edited'))], status: { code: 0 } });
  });

  it('has its own size', () => {
    const { ask } = placed((tape) => unary(tape, 'StatFile', stat('Dockerfile'), encode(`${FRONTEND}.StatFileResponse`, { stat: { path: 'Dockerfile', size: 8, mode: 0o600 } })));
    expect(ask('StatFile', stat('Dockerfile')).messages).toEqual([new Uint8Array(encode(`${FRONTEND}.StatFileResponse`, { stat: { path: 'Dockerfile', mode: 0o600, size: 6 } }))]);
  });

  it('is not read from a result from which the recording read no such file', () => {
    const { stage, ask } = placed(recordedRead);
    expect(ask('ReadFile', readFile('Dockerfile', id('q'))).status?.message).toMatch(/differs in Ref/);
    expect(stage.misses).toHaveLength(1);
  });

  it('leaves all other files as they were recorded', () => {
    const { ask } = placed(recordedRead, (tape) => unary(tape, 'ReadFile', readFile('other'), contents('recorded')));
    expect(ask('ReadFile', readFile('other')).messages).toEqual([contents('recorded')].map((data) => new Uint8Array(data)));
  });
});
