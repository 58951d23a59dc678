import { describe, expect, it } from 'vitest';
import { describeUnused } from '../../src/replayer/index.js';
import { reportOf, verdictOf } from '../../src/replayer/report.js';
import { BRIDGE } from '../../src/bridge/index.js';
import { control, id } from '../bridge/build.js';
import { Stage } from './stage.js';
import { BUILD, Process, readFile, solveRequest, Tape } from './tape.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const unused = (stage: Stage): readonly string[] => stage.replayer.unasked.map(({ id: call, path }) => `${call} ${path.slice(path.lastIndexOf('/') + 1)}`);

describe('what was recorded and not asked for', () => {
  it('is every call that a client has to make again, of builds that nobody began too', () => {
    const tape = new Tape();
    tape.solve();
    tape.unary('ReadFile', readFile('/a'), bytes(''));
    tape.unary('ReadFile', readFile('/b'), bytes(''));
    tape.solve({ Ref: id('c'), FrontendAttrs: { target: 'other' } });
    tape.call(control('Prune')).sends(bytes('')).closes().headed().ends();
    const stage = new Stage(tape.script);
    expect(unused(stage)).toEqual(['1 Solve', '2 ReadFile', '3 ReadFile', '4 Solve', '5 Prune']);
    stage.open(control('Solve')).asks(solveRequest({}));
    stage.bridge('ReadFile').asks(readFile('/b'));
    expect(unused(stage)).toEqual(['2 ReadFile', '4 Solve', '5 Prune']);
    stage.open(control('Prune')).asks(bytes(''));
    expect(unused(stage)).toEqual(['2 ReadFile', '4 Solve']);
  });

  it('is no call that need not come again', () => {
    const tape = new Tape();
    for (const path of [control('ListWorkers'), control('Info'), control('Session'), '/grpc.health.v1.Health/Check', '/containerd.services.content.v1.Content/Read', `${BRIDGE}Ping`]) {
      tape.call(path, path.startsWith(BRIDGE) ? [['buildkit-controlapi-buildid', BUILD]] : []).sends(bytes('')).closes().headed().ends();
    }
    tape.status().headed().ends();
    // A stream that nothing was said on, and a call that its client gave up.
    tape.bridge('ExecProcess').headed().cancels();
    tape.bridge('ReadFile').sends(readFile('/a')).closes().cancels();
    expect(unused(new Stage(tape.script))).toEqual([]);
  });

  it('is an exec stream that was used, though its client cancels it at the end', () => {
    const tape = new Tape();
    tape.bridge('ExecProcess').sends(new Process('p', 'c').init()).headed().cancels();
    expect(unused(new Stage(tape.script))).toEqual(['1 ExecProcess']);
  });

  it('is remembered of builds that ended long ago', () => {
    const tape = new Tape();
    const solve = tape.solve();
    tape.unary('ReadFile', readFile('/a'), bytes(''));
    solve.headed().ends();
    const stage = new Stage(tape.script);
    stage.open(control('Solve')).asks(solveRequest({}));
    stage.bridge('ReadFile').asks(readFile('/a'));
    for (let count = 0; count < 100; count += 1) {
      const ref = String(count).padStart(25, 'z');
      stage.open(control('Solve')).asks(solveRequest({ Ref: ref })).cancels();
    }
    expect(stage.replayer.remembered).toBeLessThan(100);
    expect(unused(stage)).toEqual([]);
  });

  it('is told in a line for each cassette, by method', () => {
    const calls = (cassette: string, path: string, ...numbers: readonly number[]) => numbers.map((call) => ({ cassette, call, path }));
    expect(
      describeUnused([
        ...calls('a.cassette', `${BRIDGE}ReadFile`, 3, 5),
        ...calls('b.cassette', `${BRIDGE}Return`, 9),
        ...calls('a.cassette', `${BRIDGE}Solve`, 1, 2, 4, 6, 7, 8, 9, 10, 11),
      ]),
    ).toEqual([
      'bridgetape: not asked for, of what a.cassette holds: LLBBridge/ReadFile (calls 3, 5), LLBBridge/Solve (calls 1, 2, 4, 6, 7, 8, 9, 10, …)',
      'bridgetape: not asked for, of what b.cassette holds: LLBBridge/Return (call 9)',
    ]);
    expect(describeUnused([])).toEqual([]);
  });
});

describe('the verdict', () => {
  const failed = { arguments: ['x'], status: 1 };
  it.each([
    ['passed', 0, 0, { strict: true }],
    ['passed', 0, 2, { strict: false }],
    ['unused', 0, 2, { strict: true }],
    ['missed', 1, 0, { strict: false }],
    ['missed', 1, 2, { strict: true, command: failed }],
    ['command-failed', 0, 2, { strict: true, command: failed }],
    ['fault-unfired', 0, 0, { strict: true }, 0],
    ['passed', 0, 0, { strict: true }, 1],
    ['unused', 0, 2, { strict: true }, 0],
    ['command-failed', 0, 0, { strict: false, command: failed }, 0],
  ] as const)('is %s after %i misses and %i unused calls', (verdict, misses, unusedCalls, outcome, fired = 1) => {
    const nothing = (count: number): readonly undefined[] => Array.from({ length: count }, () => undefined);
    expect(verdictOf({ misses: nothing(misses), unused: nothing(unusedCalls), faults: [{ spec: 'x', calls: 1, fired }] }, outcome)).toBe(verdict);
  });

  it('stands in a report that says how many there were, however many it lists', () => {
    const report = reportOf({ cassettes: ['a'], notWhole: () => [], misses: [{ path: '/a', text: 'b' }], missCount: 5000, reannotations: [], faults: [], afterFaults: [], unused: () => Array.from({ length: 3000 }, (_, call) => ({ cassette: 'a', call, path: '/p' })) }, { strict: false });
    expect([report.misses.count, report.misses.listed.length, report.unused.count, report.unused.listed.length]).toEqual([5000, 1, 3000, 1000]);
  });
});
