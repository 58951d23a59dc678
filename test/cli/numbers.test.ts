import { describe, expect, it } from 'vitest';
import { factors } from '../../src/cli/numbers.js';

describe('factors', () => {
  it('are for everything, or for what is named; the last one counts', () => {
    expect(factors('--pace', [])).toEqual({ all: undefined, named: {} });
    expect(factors('--pace', ['1', 'A=2', '/s.S/B=0.5', '3', 'A=4'])).toEqual({ all: 3, named: { A: 4, '/s.S/B': 0.5 } });
  });

  it.each(['', 'x', '-1', 'A=', 'A=x', 'Infinity', '1e10', 'A=1e300'])('are numbers from 0 to 1e9: not %j', (text) => {
    expect(() => factors('--pace', [text])).toThrow(expect.objectContaining({ code: 'bad-argument' }));
  });
});
