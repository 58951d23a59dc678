import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { environmentFrom, environmentOfClient, type Changes } from '../../src/frontend/environment.js';

const changes = (more: { readonly options?: Readonly<Record<string, string>>; readonly environment?: Readonly<Record<string, string>> } = {}): Changes => ({
  options: new Map(Object.entries(more.options ?? {})),
  environment: new Map(Object.entries(more.environment ?? {})),
});

describe("a frontend's environment", () => {
  it('is the recorded one without what belongs to traces', () => {
    const recorded = ['PATH=/bin', 'OTEL_SERVICE_NAME=x', 'TRACEPARENT=00-1', 'TRACESTATE=', 'EMPTY=', 'A=b=c', 'NOTHING', 'MYTRACEPARENT=kept'];
    expect(environmentFrom(recorded, changes())).toEqual({ PATH: '/bin', EMPTY: '', A: 'b=c', NOTHING: '', MYTRACEPARENT: 'kept' });
  });

  it('has an option of the build replaced where it stands, and a new one at a number that is free', () => {
    const recorded = ['BUILDKIT_FRONTEND_OPT_1=build-arg:A=1=2', 'BUILDKIT_FRONTEND_OPT_0=target=a'];
    const changed = environmentFrom(recorded, changes({ options: { target: 'b', 'build-arg:A': '3=4', platform: 'linux/arm64', x: '' } }));
    expect(changed).toEqual({
      BUILDKIT_FRONTEND_OPT_0: 'target=b',
      BUILDKIT_FRONTEND_OPT_1: 'build-arg:A=3=4',
      BUILDKIT_FRONTEND_OPT_2: 'platform=linux/arm64',
      BUILDKIT_FRONTEND_OPT_3: 'x=',
    });
  });

  it('has variables replaced and added', () => {
    expect(environmentFrom(['A=1', 'B=2'], changes({ environment: { B: '3', C: '4' } }))).toEqual({ A: '1', B: '3', C: '4' });
  });

  it('gives each option once, whatever was recorded and changed', () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd');
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(fc.nat(9), key), { selector: ([number]) => number }), fc.dictionary(key, fc.string()), (recorded, options) => {
        const unique = recorded.filter(([, name], at) => recorded.findIndex(([, other]) => other === name) === at);
        const environment = environmentFrom(unique.map(([number, name]) => `BUILDKIT_FRONTEND_OPT_${number}=${name}=old`), changes({ options }));
        const expected = { ...Object.fromEntries(unique.map(([, name]) => [name, 'old'])), ...options };
        const got = Object.values(environment).map((option) => [option.slice(0, 1), option.slice(2)] as const);
        expect(got).toHaveLength(Object.keys(expected).length);
        expect(Object.fromEntries(got)).toEqual(expected);
      }),
    );
  });

  it("is this process's own, with what its client asked for, where a client.Build was recorded", () => {
    const own = { PATH: '/bin', BUILDKIT_HOST: 'tcp://x', BUILDKIT_FRONTEND_OPT_0: 'old=1', GONE: undefined };
    expect(environmentOfClient(own, { session: 's1', options: [['target', 'a'], ['x', 'y=z']] })).toEqual([
      'PATH=/bin',
      'BUILDKIT_FRONTEND_OPT_0=target=a',
      'BUILDKIT_FRONTEND_OPT_1=x=y=z',
      'BUILDKIT_SESSION_ID=s1',
    ]);
  });
});
