import { describe, expect, it } from 'vitest';

import { parseArguments } from '../../src/cli/arguments.js';
import { BridgetapeError } from '../../src/errors.js';

const synopsis = {
  name: 'dub',
  about: 'Makes a copy.',
  operands: { file: { required: true, about: 'What to copy' }, side: { about: 'A or B' } },
  options: {
    output: { kind: 'text', short: 'o', value: 'FILE', required: true, about: 'Where to' },
    speed: { kind: 'text', value: 'N', about: 'How fast', default: '1' },
    label: { kind: 'text', value: 'TEXT', about: 'What to write on it' },
    loud: { kind: 'flag', about: 'Say so' },
    cut: { kind: 'list', value: 'PART', about: 'Leave this out' },
  },
  runsCommand: true,
  examples: [],
  notes: [],
} as const;

const parse = (...words: string[]): unknown => parseArguments(synopsis, words, undefined);
const unset = { speed: '1', label: undefined, loud: false, cut: [] };

describe('arguments', () => {
  it('have their defaults where nothing was given', () => {
    expect(parse('a', '--output', 'b')).toMatchObject({ file: 'a', output: 'b', ...unset });
  });

  it.each([[['--output', 'b']], [['--output=b']], [['-o', 'b']], [['-o=b']]])('take a value as in %j', (words) => {
    expect(parse('a', ...words)).toMatchObject({ file: 'a', output: 'b', ...unset });
  });

  it('stand in any order', () => {
    expect(parse('--loud', '--cut', 'x', 'a', '-o', 'b', 'B', '--cut=y', '--debug')).toMatchObject({ file: 'a', side: 'B', output: 'b', loud: true, cut: ['x', 'y'] });
  });

  it('keep an equals sign, a dash and a number that belong to a value', () => {
    expect(parse('-', '-o', '-', '--label=a=b', '--speed', '-1')).toMatchObject({ file: '-', output: '-', label: 'a=b', speed: '-1' });
  });

  it('count the last of several values', () => {
    expect(parse('a', '-o', 'b', '-o', 'c')).toMatchObject({ output: 'c' });
  });

  it.each([
    ['an operand that is missing', ['-o', 'b'], 'dub needs FILE.'],
    ['an option that is missing', ['a'], 'dub needs --output FILE.'],
    ['a word too many', ['a', 'A', 'b', '-o', 'c'], '"b" is one word too many for dub.'],
    ['an option that is not there', ['a', '--fast'], 'dub does not take --fast.'],
    ['an option that every object has', ['a', '--toString'], 'dub does not take --toString.'],
    ['a letter that is not there', ['a', '-x'], 'dub does not take -x.'],
    ['a value for a flag', ['a', '--loud=yes'], '--loud takes no value.'],
    ['no value at the end', ['a', '-o'], '--output needs FILE behind it.'],
    ['an option in the place of a value', ['a', '-o', '--loud'], '--output needs FILE behind it.'],
  ])('refuse %s', (_what, words, message) => {
    expect(() => parse(...words)).toThrow(new BridgetapeError('bad-argument', message, 'bridgetape dub --help lists what it takes.'));
  });

  it('refuse a command behind -- where none is run', () => {
    expect(() => parseArguments({ ...synopsis, runsCommand: false }, ['a', '-o', 'b'], [])).toThrow('dub runs no command');
    expect(parseArguments(synopsis, ['a', '-o', 'b'], ['true', '--loud'])).toMatchObject({ loud: false });
  });
});
