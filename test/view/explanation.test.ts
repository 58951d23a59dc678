import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ANNOTATION_RULES, BUILT_IN_RULES, Rules, VOLATILE_RULES } from '../../src/bridge/index.js';
import { Cassette } from '../../src/cassette/index.js';
import { explanationJson, showExplanation } from '../../src/view/index.js';
import { bridge, encode, FRONTEND, graph, id } from '../bridge/build.js';
import { Folder, Tape } from './tape.js';

/** A cassette whose first call is a Solve of one local source. */
async function explained(rules: Rules, options = {}): Promise<{ readonly lines: readonly string[]; readonly json: readonly unknown[] }> {
  using folder = new Folder();
  const file = join(folder.path, 'x.cassette');
  const tape = new Tape();
  const { fields } = graph([{ name: 'src', op: { source: { identifier: 'local://context', attrs: { 'local.session': id('s'), 'git.fullurl': 'u' } } }, metadata: { description: { 'llb.customname': 'load\x1b[31m it' } } }]);
  tape.bridge('Solve', 0, encode(`${FRONTEND}.SolveRequest`, { Definition: fields }));
  await tape.write(file);
  using cassette = Cassette.open(file);
  const [call] = cassette.calls;
  if (call === undefined) throw new Error('no call');
  const events = [...cassette.call(1)];
  return { lines: [...showExplanation(call, events, rules, options)], json: [...explanationJson(call, events, rules)].map((line): unknown => JSON.parse(line)) };
}

describe('an explanation', () => {
  it('lists what decides, what only describes, and what each rule took out', async () => {
    const rules = new Rules({ rules: [{ effect: 'ignore', place: { kind: 'attribute', name: 'git.fullurl' } }], off: [] });
    expect((await explained(rules, { width: 100 })).lines).toEqual([
      'call 1  LLBBridge/Solve',
      '',
      'message 1: what decides',
      '  Definition.op[0].source.identifier = "local://context"',
      '  Definition.op[0].source.attrs["local.session"] = "⟨session⟩"',
      '  Definition.op[1].inputs[0] = op[0]:0',
      '  Definition.head = op[1]',
      'what only describes',
      '  Definition.metadata[op[0]].description["llb.customname"] = "load\\u001b[31m it"',
      '  Definition.Source.infos[0].filename = "Dockerfile"',
      'what rules took out',
      '  local.session: names the session that has the folder; a new session has a new id',
      '    Definition.op[0].source.attrs["local.session"] was "sssssssssssssssssssssssss"',
      '  attribute git.fullurl',
      '    Definition.op[0].source.attrs["git.fullurl"] is ignored',
    ]);
  });

  it('tells processes apart by their numbers, whose ids decide nothing', () => {
    using cassette = Cassette.open(join(import.meta.dirname, '..', '..', 'cassettes', 'exec-v0.32.2.cassette'));
    const call = cassette.calls.find(({ path }) => path === bridge('ExecProcess'));
    if (call === undefined) throw new Error('no call');
    const lines = [...showExplanation(call, cassette.call(call.id), BUILT_IN_RULES, { full: true })];
    expect(lines[1]).toMatch(/^What a client writes to a process counts as bytes/);
    const ids = new Set(lines.filter((line) => /^ {2}(ProcessID|Init\.ContainerID) = /.test(line)).map((line) => line.replace(/\d+/, 'N')));
    expect([...ids]).toEqual(['  ProcessID = "⟨process N⟩"', '  Init.ContainerID = "⟨container⟩"']);
  });

  it('cuts lines at the width, unless all is wanted', async () => {
    const longest = async (options: object): Promise<number> => Math.max(...(await explained(BUILT_IN_RULES, options)).lines.map(({ length }) => length));
    expect(await longest({ width: 40 })).toBe(40);
    expect(await longest({ width: 40, full: true })).toBeGreaterThan(60);
  });

  it('is an object a message for programs', async () => {
    expect((await explained(BUILT_IN_RULES)).json).toEqual([
      {
        call: 1,
        method: bridge('Solve'),
        message: 1,
        decides: expect.objectContaining({ 'Definition.head': 'op[1]' }) as unknown,
        describes: expect.objectContaining({ 'Definition.Source.infos[0].filename': '"Dockerfile"' }) as unknown,
        volatile: [{ at: 'Definition.op[0].source.attrs["local.session"]', rule: 'local.session', value: id('s') }],
        ignored: [],
      },
    ]);
  });
});

describe('docs/rules.md', () => {
  const text = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'rules.md'), 'utf8');

  it.each([...VOLATILE_RULES, ...ANNOTATION_RULES])('has the rule $name for $message.$field', ({ name, reason, source }) => {
    expect(text.split('\n')).toContainEqual(expect.stringMatching(new RegExp(`^\\| \`${name.replace(/[.*]/g, '\\$&')}\` \\| .*\\| ${reason.replace(/[.*()]/g, '\\$&')} \\| ${source.replace(/[.*]/g, '\\$&')} \\|$`)));
  });
});
