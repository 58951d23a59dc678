import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';

import { cassetteFile } from '../../src/vitest/cassette-file.js';

describe("a test's cassette", () => {
  it.each([
    [['says hello'], 'x.test/says-hello.cassette'],
    [['a build', 'of 2 stages', 'says hello'], 'x.test/a-build--of-2-stages--says-hello.cassette'],
    [['Says hello'], /^x\.test\/says-hello\.[0-9a-f]{8}\.cassette$/],
    [['a/b', '../../c'], /^x\.test\/a-b--c\.[0-9a-f]{8}\.cassette$/],
    [['多'], /^x\.test\/test\.[0-9a-f]{8}\.cassette$/],
    [['a'.repeat(300)], /^x\.test\/a{60}\.[0-9a-f]{8}\.cassette$/],
  ])('of %j is named so that one sees whose it is', (names, expected) => {
    expect(cassetteFile('.', '/work/x.test.ts', names)).toEqual(typeof expected === 'string' ? expected : expect.stringMatching(expected));
  });

  const names = fc.array(fc.oneof(fc.string(), fc.stringMatching(/^[ab -]{0,4}$/), fc.stringMatching(/^[a-c]( [a-c]){0,3}$/)), { minLength: 1, maxLength: 3 });

  property.prop([names, names])('is nobody else\'s', (one, other) => {
    const same = JSON.stringify(one) === JSON.stringify(other);
    expect(cassetteFile('.', 'x.ts', one) === cassetteFile('.', 'x.ts', other)).toBe(same);
  });

  it('is nobody else\'s where long names differ at their ends', () => {
    const files = ['a', 'b'].map((end) => cassetteFile('.', 'x.ts', ['x'.repeat(29), `${'y'.repeat(30)}${end}`]));
    expect(new Set(files).size).toBe(2);
  });

  property.prop([names])('stays in its folder', (one) => {
    expect(cassetteFile('tapes', 'x.ts', one)).toMatch(/^tapes\/x\/[a-z0-9-]+(\.[0-9a-f]{8})?\.cassette$/);
  });
});
