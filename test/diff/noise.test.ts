import { describe, expect, it } from 'vitest';
import { isSame, setNoiseApart } from '../../src/diff/index.js';
import { build, difference, inCall, onlyOne, op, report } from './report.js';

const size = (before: string, after: string) => difference('stat.size', before, after, { class: 'responses' });

describe('noise', () => {
  it('is what varies within a side too, whatever its values are', () => {
    const across = report([build([inCall('StatFile', 4, 4, [size('10', '20'), difference('stat.mode', '644', '755', { class: 'responses' })], '/log')])]);
    const within = report([build([inCall('StatFile', 5, 7, [size('11', '12')], '/log')])]);
    const apart = setNoiseApart(across, [within]);
    expect(apart.report.builds[0]?.calls[0]?.differences.map(({ at }) => at)).toEqual(['stat.mode']);
    expect(apart.noise.builds[0]?.calls[0]?.differences.map(({ at }) => at)).toEqual(['stat.size']);
    expect([apart.report.counts.responses, apart.noise.counts.responses]).toEqual([1, 1]);
  });

  it('is none where the same field varies in another call, op, class or build', () => {
    const across = report([build([inCall('StatFile', 4, 4, [size('10', '20')], '/log')]), build([inCall('Solve', 6, 6, [difference('exec.meta.args[2]', 'a', 'b', { op: { before: op(1, 'RUN a'), after: op(1, 'RUN b') } })])], { name: 'other' })]);
    const within = [
      report([build([inCall('StatFile', 4, 4, [size('10', '20')], '/other'), inCall('ReadDir', 5, 5, [size('10', '20')], '/log'), inCall('StatFile', 4, 4, [difference('stat.size', '1', '2')], '/log')])]),
      report([build([inCall('Solve', 6, 6, [difference('exec.meta.args[2]', 'a', 'b', { op: { before: op(1, 'RUN a'), after: op(1, 'RUN b') } })])])]),
      report([build([inCall('Solve', 6, 6, [difference('exec.meta.args[2]', 'c', 'd', { op: { before: op(1, 'RUN c'), after: op(1, 'RUN d') } })])], { name: 'other' })]),
    ];
    const apart = setNoiseApart(across, within);
    expect(apart.report).toEqual(across);
    expect(isSame(apart.noise)).toBe(true);
    expect(apart.noise.builds).toEqual([]);
  });

  it('is an op that varies under the name of either side', () => {
    const changed = (before: string, after: string) => difference('exec.meta.args[2]', before, after, { op: { before: op(1, `RUN ${before}`), after: op(1, `RUN ${after}`) } });
    const across = report([build([inCall('Solve', 6, 6, [changed('one', 'three')])])]);
    expect(isSame(setNoiseApart(across, [report([build([inCall('Solve', 6, 6, [changed('two', 'three')])])])]).report)).toBe(true);
    expect(isSame(setNoiseApart(across, [report([build([inCall('Solve', 6, 6, [changed('one', 'two')])])])]).report)).toBe(true);
    expect(isSame(setNoiseApart(across, [report([build([inCall('Solve', 6, 6, [changed('four', 'two')])])])]).report)).toBe(false);
  });

  it('of a removed op is not that of what has no op', () => {
    const removed = difference('op', undefined, undefined, { op: { before: op(1, 'RUN one') } });
    const across = report([build([inCall('Solve', 6, 6, [difference('op', 'a', 'b')])])]);
    expect(isSame(setNoiseApart(across, [report([build([inCall('Solve', 6, 6, [removed])])])]).report)).toBe(false);
  });

  it('is what is told once for several ops only where it varies in all of them', () => {
    const inOps = (...names: readonly string[]) => {
      const [first, ...rest] = names.map((name, index) => ({ before: op(index, name), after: op(index, name) }));
      return report([build([inCall('Solve', 6, 6, [difference('exec.meta.env[0]', 'A=1', 'A=2', { ...(first === undefined ? {} : { op: first }), otherOps: rest })])])]);
    };
    expect(isSame(setNoiseApart(inOps('RUN a', 'RUN b'), [inOps('RUN b')]).report)).toBe(false);
    expect(isSame(setNoiseApart(inOps('RUN a', 'RUN b'), [inOps('RUN b'), inOps('RUN a')]).report)).toBe(true);
    expect(isSame(setNoiseApart(inOps('RUN b'), [inOps('RUN a', 'RUN b')]).report)).toBe(true);
  });

  it('is how often the same is asked for, where that varies', () => {
    const across = report([build([onlyOne('StatFile', undefined, 9, '/ready'), onlyOne('StatFile', undefined, 10, '/other')])]);
    const apart = setNoiseApart(across, [report([build([onlyOne('StatFile', 8, undefined, '/ready')])])]);
    expect(apart.report.builds[0]?.calls.map(({ about }) => about)).toEqual(['/other']);
    expect(apart.noise.builds[0]?.calls.map(({ about }) => about)).toEqual(['/ready']);
  });

  it('leaves a build that only one side has in the report', () => {
    const missing = build([], { name: 'lint', builds: { before: 2 } });
    const across = { ...report([missing]), counts: { ...report([]).counts, order: 1 } };
    const apart = setNoiseApart(across, [report([])]);
    expect(apart.report).toEqual(across);
    expect(apart.noise.builds).toEqual([]);
    expect(isSame(apart.noise)).toBe(true);
  });

  it('outside of builds is set apart as well', () => {
    const environment = [inCall('Info', 1, 1, [difference('uptime', '1', '2', { class: 'environment' })])];
    const apart = setNoiseApart(report([], { environment }), [report([], { environment })]);
    expect(apart.report.environment).toEqual([]);
    expect([apart.report.counts.environment, apart.noise.counts.environment]).toEqual([0, 1]);
  });
});
