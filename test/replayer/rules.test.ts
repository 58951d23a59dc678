/** A user's rules reach everything that a replay compares: calls, builds, containers, processes. */
import { describe, expect, it } from 'vitest';
import { Rules, type UserRule } from '../../src/bridge/index.js';
import { control, encode, FRONTEND, graph, id, type Fields } from '../bridge/build.js';
import { Stage } from './stage.js';
import { newContainer, Process, solveRequest, Tape } from './tape.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const volatile = (place: UserRule['place']): Rules => new Rules({ rules: [{ effect: 'volatile', place }], off: [] });

describe('a rule of a user', () => {
  it('holds for a request that is one message', () => {
    const request = (attrs: Fields): Uint8Array => encode(`${FRONTEND}.SolveRequest`, { Definition: graph([{ name: 'a', op: { source: { identifier: 'git://x', attrs } } }]).fields });
    const answer = (rules: Rules): string | undefined => {
      const tape = new Tape();
      tape.solve();
      tape.unary('Solve', request({ at: '1' }), bytes('built'));
      const stage = new Stage(tape.scriptBy(rules));
      stage.open(control('Solve')).asks(solveRequest({}));
      return stage.bridge('Solve').asks(request({ at: '2' })).texts[0];
    };
    expect(answer(volatile({ kind: 'attribute', name: 'at' }))).toBe('built');
    expect(answer(new Rules())).toBeUndefined();
  });

  it('holds for a request that is written in one way only', () => {
    const answer = (rules: Rules): string | undefined => {
      const tape = new Tape();
      tape.solve();
      tape.unary('ReadFile', encode(`${FRONTEND}.ReadFileRequest`, { FilePath: '/a' }), bytes('a'));
      const stage = new Stage(tape.scriptBy(rules));
      stage.open(control('Solve')).asks(solveRequest({}));
      return stage.bridge('ReadFile').asks(encode(`${FRONTEND}.ReadFileRequest`, { FilePath: '/b' })).texts[0];
    };
    expect(answer(volatile({ kind: 'path', path: 'FilePath' }))).toBe('a');
    expect(answer(new Rules())).toBeUndefined();
  });

  it('holds for what begins a build', () => {
    const code = (rules: Rules): number | undefined => {
      const tape = new Tape();
      const solve = tape.solve({ FrontendAttrs: { commit: 'a' } });
      solve.headed().answers(new Uint8Array()).ends();
      return new Stage(tape.scriptBy(rules)).open(control('Solve')).asks(solveRequest({ FrontendAttrs: { commit: 'b' } })).status?.code;
    };
    expect(code(volatile({ kind: 'option', name: 'commit' }))).toBe(0);
    expect(code(new Rules())).toBe(9);
  });

  it('holds for how a process is started', () => {
    const container = id('c');
    const process = new Process(`${container}:1`, container);
    const started = (rules: Rules): readonly string[] => {
      const tape = new Tape();
      tape.solve();
      tape.unary('NewContainer', newContainer(container), new Uint8Array());
      tape.bridge('ExecProcess').sends(process.init(['make'])).headed().answers(process.started).cancels();
      const stage = new Stage(tape.scriptBy(rules));
      stage.open(control('Solve')).asks(solveRequest({}));
      stage.bridge('NewContainer').asks(newContainer(container));
      return stage.bridge('ExecProcess').says(process.init(['make', 'all'])).words;
    };
    expect(started(new Rules({ rules: [{ effect: 'ignore', place: { kind: 'field', message: 'pb.Meta', field: 'args' } }], off: [] }))).toEqual(['1 started']);
    expect(started(new Rules())).not.toEqual(['1 started']);
  });

  it('is not needed for what only describes, which decides in an exact replay', () => {
    const request = (line: number): Uint8Array => encode(`${FRONTEND}.SolveRequest`, { Definition: graph([{ name: 'a', op: { exec: { meta: { args: ['make'] } } }, line }]).fields });
    const live = (exact: boolean): { readonly code: number | undefined; readonly told: number } => {
      const tape = new Tape();
      tape.solve();
      tape.unary('Solve', request(1), bytes('built'));
      const stage = new Stage(tape.scriptBy(new Rules(undefined, { exact })));
      stage.open(control('Solve')).asks(solveRequest({}));
      return { code: stage.bridge('Solve').asks(request(2)).status?.code, told: stage.reannotations.length };
    };
    expect(live(false)).toEqual({ code: 0, told: 1 });
    expect(live(true)).toEqual({ code: 9, told: 0 });
  });
});
