import { describe, expect, it } from 'vitest';

import type { Decoded } from '../../src/bridge/index.js';
import { outline } from '../../src/view/outline.js';

const lines = (value: Decoded, width = 60): string => outline(value, { width, full: false }).join('\n');

describe('a decoded value as lines', () => {
  it('puts short lists and objects on one line, and longer ones below their name', () => {
    expect(lines({ args: ['sh', '-c', 'a b'], at: { line: 3, character: 0 }, none: {}, nothing: [] })).toBe('args: [sh, -c, "a b"]\nat: { line: 3, character: 0 }\nnone: {}\nnothing: []');
    expect(lines({ args: ['x'.repeat(30), 'y'.repeat(30)] })).toBe(`args:\n  - ${'x'.repeat(30)}\n  - ${'y'.repeat(30)}`);
    expect(lines({ a: { b: { c: 1 } } })).toBe('a:\n  b: { c: 1 }');
    expect(lines([{ a: 1, b: { c: ['d', { e: 2 }] } }])).toBe('- a: 1\n  b:\n    c:\n      - d\n      - { e: 2 }');
  });

  it('quotes strings that could be taken for something else', () => {
    expect(lines({ a: 'true', b: '1.5', c: '', d: ' x', e: 'a: b', f: null, g: true, h: 1.5, i: 'k=v', j: '- x' })).toBe(
      'a: "true"\nb: "1.5"\nc: ""\nd: " x"\ne: "a: b"\nf: null\ng: true\nh: 1.5\ni: k=v\nj: "- x"',
    );
    expect(lines({ json: '{"a":"b"}', both: `"it's"`, 'odd name:': 1 })).toBe(`json: '{"a":"b"}'\nboth: "\\"it's\\""\n"odd name:": 1`);
  });

  it('shows texts of several lines line by line, bytes as base64 with their size, and what was cut', () => {
    expect(lines({ data: 'FROM a\nRUN b\n' })).toBe('data: | (13 B)\n  FROM a\n  RUN b');
    expect(lines({ data: { base64: 'AAE=', size: 2 } })).toBe('data: AAE= (base64, 2 B)');
    expect(lines({ data: { text: 'begin', size: 99_000, truncated: true } })).toBe('data: "begin"… (97 KiB in all)');
    expect(lines({ data: { text: 'a\nb', size: 99_000, truncated: true } })).toBe('data: | (97 KiB)\n  a\n  b\n  … cut, 97 KiB in all');
    // A message that happens to have such members is a message.
    expect(lines({ file: { text: 'x', size: 1 } })).toBe('file: { text: x, size: 1 }');
  });

  it('shows an empty message as such', () => {
    expect(lines({})).toBe('(empty)');
  });

  it('escapes what a terminal would act on, in names too', () => {
    expect(lines({ 'a\x1bb': 'c\x1bd', text: 'one\n\x07two' })).toBe('"a\\u001bb": "c\\u001bd"\ntext: | (8 B)\n  one\n  \\u0007two');
  });
});
