/** How faults are written: what is taken, and what is said of what is not. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';

import { BridgetapeError } from '../../src/errors.js';
import { closestName } from '../../src/replayer/closest-name.js';
import { DAY_MS, ERROR_CODE_NAMES, kindOf, MOST, type Effect, type Fault, type Point } from '../../src/replayer/fault.js';
import { faultPath } from '../../src/replayer/fault-method.js';
import { formatFault, parseFault } from '../../src/replayer/fault-spec.js';

const BRIDGE = '/moby.buildkit.v1.frontend.LLBBridge';

function refused(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(BridgetapeError);
    expect(error).toMatchObject({ code: 'bad-argument' });
    return error instanceof Error ? error.message : '';
  }
  throw new Error('it was taken');
}

const name = fc.stringMatching(/^[A-Za-z_]\w{0,12}$/);
const method = fc.oneof(fc.constant('*'), name, fc.tuple(name, name).map(([service, it]) => `${service}/${it}`), fc.tuple(name, name, name).map(([where, service, it]) => `/${where}.${service}/${it}`));
const ms = fc.oneof(fc.integer({ min: 0, max: DAY_MS }), fc.integer({ min: 0, max: DAY_MS / 60_000 }).map((minutes) => minutes * 60_000));
const count = fc.oneof(fc.integer({ min: 1, max: MOST }), fc.integer({ min: 1, max: 1000 }).map((mib) => mib * 1024 * 1024));
const code = fc.integer({ min: 0, max: ERROR_CODE_NAMES.length - 1 });
const point: fc.Arbitrary<Point> = fc.oneof(
  fc.record({ kind: fc.constant('time' as const), ms }),
  fc.record({ kind: fc.constantFrom('messages' as const, 'bytes' as const), count }),
);
const effect: fc.Arbitrary<Effect> = fc.oneof(
  fc.record({ kind: fc.constant('status' as const), code: fc.integer({ min: 0, max: 16 }), message: fc.option(fc.string({ minLength: 1, maxLength: 60 }), { nil: undefined }) }),
  fc.record({ kind: fc.constantFrom('end' as const, 'reset' as const, 'hang' as const) }),
  fc.record({ kind: fc.constantFrom('RST_STREAM' as const, 'GOAWAY' as const), code }),
  fc.record({ kind: fc.constantFrom('delay' as const, 'delay-each' as const), ms }),
  fc.record({ kind: fc.constant('slow-read' as const), bytesPerSecond: count }),
);
const fault: fc.Arbitrary<Fault> = fc
  .record({ method, nth: fc.option(fc.integer({ min: 1, max: MOST }), { nil: undefined }), point: fc.option(point, { nil: undefined }), effect })
  .filter((it) => it.point === undefined || kindOf(it.effect).points.includes(it.point.kind));

describe('a fault', () => {
  test.prop([fault])('is read as what it was written for', (it) => {
    expect(parseFault(formatFault(it))).toEqual(it);
  });

  test.prop([fc.oneof(fc.string({ maxLength: 40 }), fc.tuple(method, fc.string({ maxLength: 10 }), fc.string({ maxLength: 10 })).map(([where, more, what]) => `${where}${more}=${what}`))])(
    'of any other text is taken for one fault, or refused with a reason',
    (text) => {
      let taken: Fault;
      try {
        taken = parseFault(text);
      } catch (error) {
        expect(error).toBeInstanceOf(BridgetapeError);
        return;
      }
      expect(parseFault(formatFault(taken))).toEqual(taken);
    },
  );

  it.each<[string, Fault]>([
    ['ReadFile#2=UNAVAILABLE', { method: 'ReadFile', nth: 2, point: undefined, effect: { kind: 'status', code: 14, message: undefined } }],
    ['LLBBridge/Solve=INTERNAL:disk: full = bad', { method: 'LLBBridge/Solve', nth: undefined, point: undefined, effect: { kind: 'status', code: 13, message: 'disk: full = bad' } }],
    ['Ping=4', { method: 'Ping', nth: undefined, point: undefined, effect: { kind: 'status', code: 4, message: undefined } }],
    ['ExecProcess@1500ms=reset', { method: 'ExecProcess', nth: undefined, point: { kind: 'time', ms: 1500 }, effect: { kind: 'reset' } }],
    ['ExecProcess@1.5s=RST_STREAM', { method: 'ExecProcess', nth: undefined, point: { kind: 'time', ms: 1500 }, effect: { kind: 'RST_STREAM', code: 2 } }],
    ['ExecProcess#1@1message=RST_STREAM:REFUSED_STREAM', { method: 'ExecProcess', nth: 1, point: { kind: 'messages', count: 1 }, effect: { kind: 'RST_STREAM', code: 7 } }],
    ['*#3=GOAWAY', { method: '*', nth: 3, point: undefined, effect: { kind: 'GOAWAY', code: 0 } }],
    ['Status@64KiB=end', { method: 'Status', nth: undefined, point: { kind: 'bytes', count: 65_536 }, effect: { kind: 'end' } }],
    ['Session=slow-read:1KiB/s', { method: 'Session', nth: undefined, point: undefined, effect: { kind: 'slow-read', bytesPerSecond: 1024 } }],
    ['ReadDir@2messages=delay-each:2min', { method: 'ReadDir', nth: undefined, point: { kind: 'messages', count: 2 }, effect: { kind: 'delay-each', ms: 120_000 } }],
  ])('written as %s is that', (spec, expected) => {
    expect(parseFault(spec)).toEqual(expected);
  });

  it.each([
    ['ReadFile', 'has no "=", so it does not say what is to happen (character 9)', 'ReadFile#2=UNAVAILABLE'],
    ['=end', 'names no method (character 1)', 'or with * for all'],
    ['ReadFile#0=end', 'has "0" for the number of a call (character 10)', 'counted from 1'],
    ['ReadFile#-1=end', 'has "-1" for the number of a call (character 10)', 'counted from 1'],
    ['ReadFile#2@3=end', 'has "3" for the moment of the call at which it sets in (character 12)', '@3messages'],
    ['ReadFile@0messages=end', 'has "0messages" for the moment', '@3messages'],
    ['ReadFile@25000min=end', 'has "25000min" for the moment', '@1min'],
    ['ReadFile=', 'does not say what is to happen (character 10)', 'UNAVAILABLE'],
    ['ReadFile=UNAVAILBLE', 'has "UNAVAILBLE" for what is to happen (character 10)', 'Did you mean UNAVAILABLE?'],
    ['ReadFile=unavailable', 'has "unavailable" for what is to happen', 'Did you mean UNAVAILABLE?'],
    ['ReadFile=status', 'has "status" for what is to happen', 'There is end, '],
    ['ReadFile=17', 'has "17" for what is to happen', 'UNAUTHENTICATED'],
    ['ReadFile=UNAVAILABLE:', 'has "" behind its status (character 22)', 'UNAVAILABLE[:text]'],
    ['ReadFile=reset:now', 'has "now" behind reset (character 16)', 'Write it as reset.'],
    ['ReadFile=delay', 'leaves out what delay needs behind it', 'delay:2s'],
    ['ReadFile=delay:2', 'has "2" behind delay (character 16)', 'delay:2s'],
    ['ReadFile=slow-read:1KiB', 'has "1KiB" behind slow-read', 'slow-read:1KiB/s'],
    ['ReadFile=RST_STREAM:CANCELLED', 'has "CANCELLED" for an error code of HTTP/2 (character 21)', 'Did you mean CANCEL?'],
    ['ReadFile@1KiB=delay:1s', 'lets delay set in after so many bytes (character 9)', '@1500ms'],
    ['ReadFile@1s=slow-read:1B/s', 'lets slow-read set in after so many seconds', 'Leave out the @'],
  ])('written as %s is refused: it %s', (spec, what, hint) => {
    const message = refused(() => parseFault(spec));
    expect(message).toContain(`The fault "${spec}" ${what}`);
    expect(message).toContain(hint);
    expect(message).toContain('bridgetape replay --help faults');
  });

  it('is refused when it is endless, and not repeated whole', () => {
    const message = refused(() => parseFault(`ReadFile=UNAVAILABLE:${'x'.repeat(5000)}`));
    expect(message).toContain('is 5021 characters long');
    expect(message.length).toBeLessThan(400);
  });
});

describe('the method of a fault', () => {
  const path = (written: string, recorded: readonly string[] = []): string | undefined => faultPath(parseFault(`${written}=end`), recorded);

  it.each(['ReadFile', 'LLBBridge/ReadFile', `${BRIDGE}/ReadFile`])('is found when it is written as %s', (written) => {
    expect(path(written)).toBe(`${BRIDGE}/ReadFile`);
  });

  it('is every one for *', () => expect(path('*')).toBeUndefined());

  it('can be one that only the cassette knows', () => {
    expect(path('Chat', ['/some.Service/Chat'])).toBe('/some.Service/Chat');
    expect(path('/some.Service/Chat', ['/some.Service/Chat'])).toBe('/some.Service/Chat');
  });

  it('is never guessed between two', () => {
    expect(refused(() => path('Solve'))).toContain('names the method "Solve", which there is more than once (character 1).\nWrite Control/Solve or LLBBridge/Solve.');
    expect(refused(() => path('Chat', ['/a.Service/Chat', '/b.Service/Chat']))).toContain('Write /a.Service/Chat or /b.Service/Chat.');
  });

  it('is refused when nobody knows it, with the closest one', () => {
    expect(refused(() => path('ReadFiel'))).toContain('names the method "ReadFiel", which neither the cassette nor bridgetape knows (character 1).\nDid you mean ReadFile?');
    expect(refused(() => path('LLBridge/Ping'))).toContain('Did you mean LLBBridge/Ping?');
    expect(refused(() => path('Nonsense', ['/some.Service/Chat']))).toContain('The cassette has calls of Service/Chat.');
  });
});

describe('the closest name', () => {
  it('is the one with the fewest letters changed, in whatever case', () => {
    expect(closestName('goaway', ['GOAWAY', 'reset'])).toBe('GOAWAY');
    expect(closestName('delayeach', ['delay', 'delay-each'])).toBe('delay-each');
  });

  it('is none when all are far off, or the name is absurdly long', () => {
    expect(closestName('frobnicate', ['GOAWAY', 'reset'])).toBeUndefined();
    expect(closestName('x'.repeat(10_000), ['x'.repeat(10_000)])).toBeUndefined();
  });
});
