import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CONFIG_FILE, findConfig, readConfig } from '../../src/config/index.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bridgetape-config-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(text: string): string {
  const file = join(folder, CONFIG_FILE);
  writeFileSync(file, text);
  return file;
}

describe('bridgetape.yaml', () => {
  it('names places that are ignored or volatile, and rules that are off', () => {
    const file = write(`
rules:
  ignore:
    - attribute: git.fullurl
      reason: differs from one clone to the next
    - path: Definition.op[*].exec.meta.cwd
  volatile:
    - env: BUILD_*
      pattern: '\\d+'
    - field: pb.Meta.hostname
    - option: build-arg:COMMIT
  off: [local.unique]
`);
    expect(readConfig(file).rules).toEqual({
      rules: [
        { effect: 'ignore', place: { kind: 'attribute', name: 'git.fullurl' }, reason: 'differs from one clone to the next' },
        { effect: 'ignore', place: { kind: 'path', path: 'Definition.op[*].exec.meta.cwd' } },
        { effect: 'volatile', place: { kind: 'env', name: 'BUILD_*' }, pattern: /\d+/gu },
        { effect: 'volatile', place: { kind: 'field', message: 'pb.Meta', field: 'hostname' } },
        { effect: 'volatile', place: { kind: 'option', name: 'build-arg:COMMIT' } },
      ],
      off: ['local.unique'],
    });
  });

  it.each(['', '# nothing yet\n', 'rules: {}\n'])('can be without settings: %j', (text) => {
    expect(readConfig(write(text)).rules).toEqual({ rules: [], off: [] });
  });

  it.each<[string, string, string]>([
    ['a key that nobody knows', 'rules:\n  ignored: []\n', ':2: rules: Unrecognized key: "ignored"'],
    ['a key that nobody knows after others', '# mine\nrules:\n  off: []\nrule: []\n', ':4: the file: Unrecognized key: "rule"'],
    ['no list', 'rules:\n  ignore: 3\n', ':2: rules.ignore: '],
    ['a rule without a place', 'rules:\n  ignore:\n    - reason: because\n', ':3: rules.ignore[0]: names one place'],
    ['a rule with two places', 'rules:\n  ignore:\n    - env: A\n    - env: B\n      option: C\n', ':4: rules.ignore[1]: names one place'],
    ['an empty name', 'rules:\n  ignore:\n    - env: ""\n', ':3: rules.ignore[0].env: is empty'],
    ['a number', 'rules:\n  ignore:\n    - env: 12\n', ':3: rules.ignore[0].env: '],
    ['a pattern where all is ignored', 'rules:\n  ignore:\n    - env: A\n      pattern: b\n', ':4: rules.ignore[0]: Unrecognized key: "pattern"'],
    ['no regular expression', 'rules:\n  volatile:\n    - env: A\n      pattern: "("\n', ':4: rules.volatile[0].pattern: is no regular expression'],
    ['an unknown message', 'rules:\n  volatile:\n    - field: pb.Nothing.x\n', ':3: rules.volatile[0].field: proto/ has no message pb.Nothing'],
    ['an unknown field', 'rules:\n  ignore:\n    - env: A\n    - field: pb.Meta.host\n', ':4: rules.ignore[1].field: pb.Meta has no field host; it has args'],
    ['a rule that is not there', 'rules:\n  off:\n    - local.unique\n    - nothing\n', ':4: rules.off[1]: no rule is called nothing; there are '],
    ['no YAML', 'rules:\n  ignore: [\n', ':3'],
    ['a scalar', 'hello\n', ':1: the file: '],
    ['a key twice', 'rules: {}\nrules: {}\n', ':2: Map keys must be unique.\n'],
  ])('is refused with %s, with its line and key', (_what, text, expected) => {
    const file = write(text);
    expect(() => readConfig(file)).toThrow(`${file}${expected}`);
    expect(() => readConfig(file)).toThrow(expect.objectContaining({ code: 'bad-config' }));
  });

  it('is refused when it cannot be read or is no settings by its size', () => {
    expect(() => readConfig(join(folder, 'none.yaml'))).toThrow('cannot be read');
    expect(() => readConfig(write(`# ${'x'.repeat(2 * 1024 * 1024)}`))).toThrow('more than 1048576 are not read');
  });

  it.runIf(existsSync('/dev/zero'))('is refused when it has no end', () => {
    expect(() => readConfig('/dev/zero')).toThrow('has no end in sight; more than 1048576 bytes are not read');
  });

  it('is refused when aliases make it large', () => {
    const lines = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
    for (const [name, of] of ['ba', 'cb', 'dc', 'ed', 'fe'].map(([one = '', other = '']) => [one, other] as const)) lines.push(`${name}: &${name} [${Array(10).fill(`*${of}`).join(', ')}]`);
    expect(() => readConfig(write(lines.join('\n')))).toThrow(expect.objectContaining({ code: 'bad-config' }));
  });
});

describe('the nearest bridgetape.yaml', () => {
  it('is that of the folder, or of one above it up to the repository', () => {
    const deep = join(folder, 'repo', 'a', 'b');
    mkdirSync(deep, { recursive: true });
    mkdirSync(join(folder, 'repo', '.git'));
    writeFileSync(join(folder, CONFIG_FILE), '');
    expect(findConfig(deep)).toBeUndefined();
    const own = join(folder, 'repo', CONFIG_FILE);
    writeFileSync(own, '');
    expect(findConfig(deep)).toBe(own);
    expect(findConfig(join(folder, 'repo'))).toBe(own);
    expect(findConfig(folder)).toBe(join(folder, CONFIG_FILE));
  });
});
