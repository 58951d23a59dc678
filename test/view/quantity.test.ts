import { describe, expect, it } from 'vitest';

import { hexDump } from '../../src/view/hex-dump.js';
import { cutEnd, cutStart, legible, width, wrap } from '../../src/view/legible.js';
import { duration, plural, seconds, shortSize, size } from '../../src/quantity.js';

describe('a quantity', () => {
  it.each([
    [0, '0 B', '0B'],
    [1023, '1023 B', '1023B'],
    [1024, '1.0 KiB', '1.0K'],
    [10_188, '9.9 KiB', '9.9K'],
    [10_189, '10 KiB', '10K'],
    [1_048_063, '1023 KiB', '1023K'],
    [1_048_064, '1.0 MiB', '1.0M'],
    [5 * 1024 ** 4, '5.0 TiB', '5.0T'],
  ])('of %d bytes reads %s', (bytes, long, short) => {
    expect(size(bytes)).toBe(long);
    expect(shortSize(bytes)).toBe(short);
  });

  it.each([
    [0n, '0.0 ms'],
    [9_949_999n, '9.9 ms'],
    [9_950_000n, '10 ms'],
    [999_499_999n, '999 ms'],
    [999_500_000n, '1.00 s'],
    [59_990_000_000n, '59.99 s'],
    [59_995_000_000n, '1m00s'],
    [3_599_400_000_000n, '59m59s'],
    [3_725_000_000_000n, '1h02m'],
  ])('of %d ns reads %s', (ns, text) => {
    expect(duration(ns)).toBe(text);
  });

  it('in seconds is rounded down, so that the order stays', () => {
    expect(seconds(1_999_999n, 3)).toBe('0.001');
    expect(seconds(-1_500_000n, 3)).toBe('-0.001');
    expect(seconds(12_345_678_901n, 6)).toBe('12.345678');
  });

  it('has a plural', () => {
    expect([plural(1, 'call'), plural(0, 'call'), plural(12_345, 'call'), plural(2, 'loss', 'losses')]).toEqual(['1 call', '0 calls', '12,345 calls', '2 losses']);
  });
});

describe('a line', () => {
  it('counts the columns that a terminal gives to its characters', () => {
    expect([width('abc'), width('äé'), width('漢字'), width('e\u0301'), width('🚀')]).toEqual([3, 2, 4, 1, 2]);
  });

  it('is cut at either end, wide characters whole', () => {
    expect([cutEnd('LLBBridge', 5), cutStart('LLBBridge', 5), cutEnd('漢字漢字', 4), cutEnd('abc', 3)]).toEqual(['LLBB…', '…idge', '漢…', 'abc']);
  });

  it('is wrapped at blanks', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrap('a-very-long-word b', 4)).toEqual(['a-very-long-word', 'b']);
  });

  it('shows control characters as escapes', () => {
    expect(legible('a\tb\r\n\x1b\x9b\u202e\ud800')).toBe('a\\tb\\r\\n\\u001b\\u009b\\u202e\\ud800');
  });
});

describe('bytes that nothing is known about', () => {
  it('are dumped sixteen a line', () => {
    expect(hexDump(Buffer.from('ping'), 256)).toEqual([`0000  70 69 6e 67${' '.repeat(39)}ping`]);
    expect(hexDump(Buffer.alloc(40), 32)).toHaveLength(3);
    expect(hexDump(Buffer.alloc(40), 32).at(-1)).toBe('… 8 bytes more');
    expect(hexDump(Buffer.alloc(0), 32)).toEqual([]);
  });
});
