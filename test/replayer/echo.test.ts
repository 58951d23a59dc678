import { describe, expect, it } from 'vitest';
import { EXEC_PROCESS, PING } from '../../src/bridge/index.js';
import { Bindings } from '../../src/replayer/bindings.js';
import { echoOf, endedAlike } from '../../src/replayer/echo.js';
import { bridge, encode, FRONTEND, id } from '../bridge/build.js';
import { fields, Process } from './tape.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const SOLVE = bridge('Solve');
const solved = (ref: string): Uint8Array => encode(`${FRONTEND}.SolveResponse`, { result: { ref: { id: ref } } });

describe('answers that come again', () => {
  it('are told one by one, and what comes after them is new', () => {
    const echo = echoOf('/some.Service/Talk', [bytes('a'), bytes('b')], new Bindings());
    expect([echo.isAhead, echo.hear(bytes('a')), echo.isAhead, echo.hear(bytes('b')), echo.isAhead, echo.hear(bytes('c'))]).toEqual([true, 'again', true, 'again', false, bytes('c')]);
  });

  it('are different when they say something else', () => {
    expect(echoOf('/some.Service/Talk', [bytes('a')], new Bindings()).hear(bytes('b'))).toBe('different');
  });

  it('may have other ids of the daemon, which are bound', () => {
    const bindings = new Bindings();
    const echo = echoOf(SOLVE, [solved(id('x'))], bindings);
    expect([echo.hear(solved(id('y'))), bindings.recorded.get(id('x'))]).toEqual(['again', id('y')]);
    expect(Buffer.from(bindings.toLive(bytes(`ref ${id('y')}`))).toString()).toBe(`ref ${id('x')}`);
  });

  it('are different when an id would stand for two', () => {
    const echo = echoOf(SOLVE, [solved(id('x')), solved(id('x'))], new Bindings());
    expect([echo.hear(solved(id('y'))), echo.hear(solved(id('z')))]).toEqual(['again', 'different']);
  });

  it('of Ping are the same whatever they say', () => {
    expect(echoOf(PING, [bytes('a')], new Bindings()).hear(bytes('b'))).toBe('again');
  });
});

describe('messages of processes that come again', () => {
  const one = new Process('1', 'c');
  const two = new Process('2', 'c');
  const heard = (sent: readonly Uint8Array[], again: readonly Uint8Array[]): readonly unknown[] => {
    const echo = echoOf(EXEC_PROCESS, sent, new Bindings());
    return [...again.map((payload) => echo.hear(payload)), echo.isAhead ? 'ahead' : 'level'];
  };

  it('may be cut in other places, as long as they do not go beyond what was sent', () => {
    expect(heard([one.file(1, 'hel'), one.file(1, 'lo')], [one.file(1, 'hello'), one.file(1, '!')])).toEqual(['again', one.file(1, '!'), 'level']);
    expect(heard([one.file(1, 'hel')], [one.file(1, 'hello')])).toEqual(['different', 'ahead']);
    expect(heard([one.file(1, 'hello')], [one.file(1, 'hel')])).toEqual(['again', 'ahead']);
  });

  it('race: processes, their outputs and the ends of these come in any order', () => {
    expect(heard([one.started, two.started, one.file(1, 'out'), one.file(2, 'err'), one.eof(1), one.eof(2), one.exit()], [two.started, one.started, one.file(2, 'err'), one.eof(2), one.file(1, 'out'), one.exit(), one.eof(1)])).toEqual([...Array.from({ length: 7 }, () => 'again'), 'level']);
  });

  it.each<[string, Uint8Array, Uint8Array]>([
    ['other output', one.file(1, 'a'), one.file(1, 'b')],
    ['another exit code', one.exit(1), one.exit(2)],
    ['an end with more before it', one.file(1, 'a'), one.file(1, 'ab', true)],
    ['something that is no message of a process', Buffer.from([0xff, 1]), Buffer.from([0xff, 2])],
  ])('are different with %s', (_what, sent, again) => {
    expect(heard([sent], [again])).toEqual(['different', 'ahead']);
  });

  it('are different when a part of one was sent before', () => {
    expect(heard([one.file(1, 'a')], [one.file(1, 'a', true)])).toContain('different');
  });

  it('of other processes and outputs are new', () => {
    expect(heard([one.file(1, 'a')], [two.file(1, 'a'), one.file(2, 'a')])).toEqual([two.file(1, 'a'), one.file(2, 'a'), 'ahead']);
  });
});

describe('two ends of a call', () => {
  const trailers = (message: string): Parameters<typeof endedAlike>[0] => ({ kind: 'trailers', trailers: fields([['grpc-status', '2'], ['grpc-message', message]]) });

  it('are alike but for ids, which are bound', () => {
    const bindings = new Bindings();
    expect([endedAlike(trailers(`no ${id('x')}`), trailers(`no ${id('y')}`), bindings), bindings.recorded.get(id('x'))]).toEqual([true, id('y')]);
  });

  it.each([
    [trailers('no'), trailers('never')],
    [trailers('no'), { kind: 'reset', code: 2 } as const],
    [{ kind: 'reset', code: 2 } as const, { kind: 'reset', code: 8 } as const],
  ])('are not alike: %j and %j', (one, other) => {
    expect(endedAlike(one, other, new Bindings())).toBe(false);
  });
});
