import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Plain, type Literal, type LiteralMap } from '../../src/bridge/index.js';
import { Piece, pieces, TextError } from '../../src/text/read-yaml.js';
import { mapLines } from '../../src/text/write-yaml.js';

const none = (): undefined => undefined;
const noFiles = (name: string): Uint8Array => {
  throw new TextError(`no ${name}`, 0, '');
};
const written = (map: LiteralMap): string => `${[...mapLines(map, '', none)].join('\n')}\n`;
const read = (source: string): Literal => new Piece(source, 1, noFiles).value;

/** Texts that were read without quotes are the same texts. */
function settled(literal: Literal): unknown {
  if (literal instanceof Plain) return literal.source;
  if (literal instanceof Uint8Array) return `bytes ${Buffer.from(literal).toString('hex')}`;
  if (literal instanceof Map) return new Map(Array.from(literal as LiteralMap, ([key, value]) => [key, settled(value)]));
  return Array.isArray(literal) ? literal.map((item: Literal) => settled(item)) : literal;
}

const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc.array(fc.constantFrom('a', ' ', '\n', '\t', '#', ':', '-', '- ', ': ', '"', "'", '\\', '\r', '%', '\u2028', '\ufeff', '|', '>', '{', '0', 'true'), { maxLength: 12 }).map((parts) => parts.join('')),
  fc.constantFrom('true', 'No', '~', '', '0x1F', '1e3', '2026-01-01', '12:30:00', '.inf', '<<', '=', 'null', '---', '...', '- a', '? b', 'a: b', 'a #b', '&a', '*a', '!a', '\ud800'),
);
const { any } = fc.letrec<{ any: Literal; list: readonly Literal[]; map: LiteralMap }>((tie) => ({
  any: fc.oneof({ maxDepth: 4, withCrossShrink: true }, text, fc.uint8Array({ maxLength: 100 }), fc.integer().map((n) => new Plain(String(n))), tie('list'), tie('map')),
  list: fc.array(tie('any'), { maxLength: 4 }),
  map: fc.dictionary(fc.oneof(text, fc.string({ minLength: 1000, maxLength: 1100 })), tie('any'), { maxKeys: 4 }).map((object) => new Map(Object.entries(object))),
}));

describe('YAML', { timeout: 120_000 }, () => {
  test.prop([any], { numRuns: 2000 })('that was written is read as the same', (literal) => {
    const map = new Map([['it', literal]]);
    expect(settled(read(written(map)))).toEqual(settled(map));
  });

  test.prop([text], { numRuns: 1000 })('has texts that no other reader takes for something else', (value) => {
    for (const version of ['1.1', '1.2'] as const) expect(parse(written(new Map([['it', value]])), { version })).toEqual({ it: value });
  });

  it('has lines as lines, and short bytes on one', () => {
    expect(written(new Map<string, Literal>([['file', 'FROM scratch\nRUN a # b\n\n  indented\n'], ['data', Buffer.from([0, 255])], ['list', ['a', new Map([['b', new Plain('1')]]), []]]]))).toBe(
      'file: |\n  FROM scratch\n  RUN a # b\n\n    indented\ndata: !!binary AP8=\nlist:\n  - a\n  - b: 1\n  - []\n',
    );
  });

  it.each<[string, string, number, string]>([
    ['an alias', 'a: &x 1\nb: *x\n', 1, 'a'],
    ['a bomb', 'a: [x, x]\nb:\n  - *a\n', 3, ''],
    ['a key twice', 'a: 1\nb:\n  c: 1\n  c: 2\n', 4, 'b.c'],
    ['a tag of another program', 'a: 1\nb: !!js/function x\n', 2, 'b'],
    ['no base64', 'a: !!binary "a b?"\n', 1, 'a'],
    ['no YAML', 'a: 1\nb: ]\n', 2, ''],
    ['a second document', 'a: 1\n---\nb: 1\n', 2, ''],
    ['a deep nest', `a: ${'['.repeat(300)}${']'.repeat(300)}\n`, 1, ''],
    ['a nest that no stack holds', `a: ${'['.repeat(50_000)}\n`, 1, ''],
  ])('is refused with its line: %s', (_what, source, line, key) => {
    try {
      read(source);
    } catch (error) {
      expect(error).toBeInstanceOf(TextError);
      if (!(error instanceof TextError)) return;
      expect(error.line).toBe(line);
      if (key !== '') expect(error.key).toBe(key);
      return;
    }
    expect.unreachable();
  });

  it('of a long list comes in pieces, with the lines of the whole', () => {
    const item = (n: number): string => `- n: ${n}\n  text: |\n    - no item\n    ${'x'.repeat(1000)}\n`;
    const source = `head: 1\nevents:\n${Array.from({ length: 600 }, (_none, n) => item(n)).join('')}`;
    const [head, ...rest] = pieces(source, 'events', noFiles);
    expect(settled(head!.value)).toEqual(new Map([['head', '1'], ['events', '']]));
    expect(rest.length).toBeGreaterThan(2);
    const items = rest.flatMap((piece) => (piece.value as readonly LiteralMap[]).map((entry, at) => ({ n: settled(entry.get('n')!), line: piece.lineOf([at, 'n']) })));
    expect(items).toEqual(Array.from({ length: 600 }, (_none, n) => ({ n: String(n), line: 3 + n * 4 })));
  });
});
