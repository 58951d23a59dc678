import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { diffJson, diffJunit, diffMarkdown, diffStat, DIFFERENCE_CLASSES } from '../../src/diff/index.js';
import { build, calls, difference, inCall, onlyOne, op, ordinary, report } from './report.js';
import { parseXml, type Element } from './xml.js';

const COMPARED = DIFFERENCE_CLASSES.filter((name) => name !== 'time');

describe('the JSON of a comparison', () => {
  it('has its format, a verdict, and every difference', () => {
    const text = [...diffJson(ordinary())].join('\n');
    expect(JSON.parse(text)).toMatchObject({
      format: 'bridgetape-diff',
      version: 1,
      tool: expect.stringMatching(/^bridgetape \d/) as unknown,
      verdict: 'different',
      before: { path: 'old.cassette', startedAt: '2026-01-02T03:04:05.678Z', durationNs: 2_000_000_000, buildkitVersion: 'v0.8.3', builds: 1, calls: 10, whole: true },
      after: { path: 'new.cassette', calls: 12 },
      compared: { builds: 1, calls: 10, messages: 96 },
      counts: { requests: 7, responses: 1, errors: 0, exec: 2, environment: 1, order: 4, time: 0 },
      builds: [
        {
          name: 'dockerfile.v0 target=release',
          builds: { before: 1, after: 1 },
          calls: expect.arrayContaining([{ method: 'LLBBridge/ReadFile', calls: { after: { call: 10, startNs: 10_000_000 } }, about: '.dockerignore', differences: [{ class: 'order', at: 'call', otherOps: [], value: {}, text: false, annotation: false, again: [] }] }]) as unknown,
        },
        { name: 'dockerfile.v0 target=test', builds: { after: 2 } },
      ],
      environment: [{ method: 'Control/ListWorkers' }],
      notes: [expect.stringContaining('ResolveSourceMeta')],
    });
    const [first] = (JSON.parse(text) as { builds: { calls: { differences: unknown[] }[] }[] }).builds[0]?.calls[0]?.differences ?? [];
    expect(first).toEqual({
      class: 'requests',
      at: 'source.identifier',
      op: { before: op(0, 'source docker-image://docker.io/library/alpine:3.19', 1), after: op(0, 'source docker-image://docker.io/library/alpine:3.20', 1) },
      otherOps: [],
      value: { before: '"docker-image://docker.io/library/alpine:3.19"', after: '"docker-image://docker.io/library/alpine:3.20"' },
      text: false,
      annotation: false,
      again: [
        { before: { call: 8, startNs: 8_000_000 }, after: { call: 11, startNs: 11_000_000 } },
        { before: { call: 9, startNs: 9_000_000 }, after: { call: 12, startNs: 12_000_000 } },
      ],
    });
  });

  it('keeps every character, without one that a terminal would act on', () => {
    const value = '\u001b[31m\u009b\u202e\ud800\n"\\u001b"';
    const text = [...diffJson(report([build([inCall('Solve', 1, 1, [difference('a', value, undefined)])])]))].join('\n');
    // eslint-disable-next-line no-control-regex -- these are the characters that are meant
    expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
    expect(JSON.parse(text)).toMatchObject({ builds: [{ calls: [{ differences: [{ value: { before: value } }] }] }] });
  });

  it('is what docs/diff.md says, member by member', () => {
    const documented = new Set(readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'diff.md'), 'utf8').split('\n').filter((line) => line.startsWith('| `')).flatMap((line) => [...line.matchAll(/`(\w+)`/g)].map(([, name]) => name)));
    const names = new Set<string>();
    const collect = (value: unknown): void => {
      if (Array.isArray(value)) value.forEach(collect);
      else if (typeof value === 'object' && value !== null) for (const [name, member] of Object.entries(value)) {
        names.add(name);
        collect(member);
      }
    };
    collect(JSON.parse([...diffJson({ ...ordinary(), before: { ...ordinary().before, command: ['make'] } })].join('\n')));
    expect([...names].filter((name) => !documented.has(name))).toEqual([]);
  });
});

describe('the Markdown of a comparison', () => {
  const lines = diffMarkdown(ordinary());

  it('sums up, and has a table for each build', () => {
    expect(lines.slice(0, 11)).toEqual([
      '### bridgetape diff: different',
      '',
      '<code>old.cassette</code> (BuildKit v0.8.3, 10 calls of 1 build) → <code>new.cassette</code> (BuildKit v0.32.2, 12 calls of 1 build)',
      '',
      '15 differences&#58; requests 7, responses 1, exec 2, environment 1, order 4; 1 of them only describes',
      '',
      '> LLBBridge/ResolveImageConfig in old.cassette stands for LLBBridge/ResolveSourceMeta in new.cassette.',
      '',
      '#### Outside of builds',
      '',
      '| | class | where | before | after |',
    ]);
    expect(lines).toContain('| ~ | requests | <code>LLBBridge/Solve</code> call 7 → 9<br><code>RUN make test</code> Dockerfile&#58;12<br><code>exec.meta.args&#91;2&#93;</code> | <code>"make"</code> | <code>"make test"</code> |');
    expect(lines).toContain('| + | order | <code>LLBBridge/ReadFile</code> call 10 <code>.dockerignore</code> |  |  |');
    expect(lines).toContain('#### &#43; build 2&#58; dockerfile.v0 target=test');
  });

  it('folds long texts, as diffs', () => {
    const at = lines.findIndex((line) => line.startsWith('<details>'));
    expect(lines.slice(at, at + 10)).toEqual(['<details><summary>LLBBridge/Solve call 7 → 9 <code>RUN set -e gcc main.c -O2</code> <code>exec.meta.args&#91;2&#93;</code></summary>', '', '```diff', ' set -e', '-gcc main.c', '+gcc main.c -O2', ' ls', '```', '', '</details>']);
  });

  it('takes nothing of what was recorded for markup', () => {
    const nasty = '<img src=x>|`a`|\\|[x](y) **b** @user #1 $x$ &amp;';
    const [row] = diffMarkdown(report([build([inCall('Solve', 1, 1, [difference('a|b', nasty, 'x')], nasty)], { name: nasty })])).filter((line) => line.startsWith('| ~'));
    // Five cells, and only our own elements within them.
    expect(row?.split('|')).toHaveLength(7);
    expect(row?.replaceAll(/<\/?code>|<br>/g, '')).not.toMatch(/[<>`[\]@#*](?!\d)/);
    const fenced = diffMarkdown(report([build([inCall('Solve', 1, 1, [difference('a', undefined, 'one\n````\n</details>\n')])])]));
    expect(fenced.filter((line) => line.startsWith('`'))).toEqual(['`````diff', '`````']);
  });

  it.each([1, 2000])('fits into a comment with %i calls of long texts, and says what it leaves out', (count) => {
    const text = Array.from({ length: 4000 }, (_, index) => `line ${index} ${'é'.repeat(60)}\n`).join('');
    const many = report([build(Array.from({ length: count }, (_, index) => inCall('Solve', index, index, [difference('a', undefined, text), difference('b', 'x'.repeat(500), 'y'.repeat(500))])))]);
    for (const full of [false, true]) {
      const comment = diffMarkdown(many, { full }).join('\n');
      expect(comment.length).toBeLessThanOrEqual(65_536);
      if (count > 1 || full) expect(comment).toMatch(/\n\*\*Cut:\*\* .*have no room in a comment/);
      expect(comment.match(/<details>/g)?.length ?? 0).toBe(comment.match(/<\/details>/g)?.length ?? 0);
    }
  });

  it('says that recordings are the same', () => {
    expect(diffMarkdown(report([]))).toContain('same&#58; 1 build, 10 calls, 96 messages compared');
  });
});

describe('the JUnit file of a comparison', () => {
  const suitesOf = (xml: Iterable<string>): readonly Element[] => parseXml([...xml].join('\n')).children.filter(({ name }) => name === 'testsuite');

  it('has a suite for each build and a test for each class', () => {
    const root = parseXml([...diffJunit(ordinary(), COMPARED)].join('\n'));
    expect([root.name, root.attributes]).toEqual(['testsuites', { name: 'bridgetape diff', tests: '21', failures: '6', errors: '0', skipped: '3' }]);
    const suites = suitesOf(diffJunit(ordinary(), COMPARED));
    expect(suites.map(({ attributes }) => attributes['name'])).toEqual(['outside of builds', 'build 1: dockerfile.v0 target=release', 'build 2: dockerfile.v0 target=test']);
    const cases = suites[1]?.children.filter(({ name }) => name === 'testcase') ?? [];
    expect(cases.map(({ attributes, children }) => [attributes['name'], children.map(({ name }) => name)])).toEqual([
      ['requests', ['failure']],
      ['responses', ['failure']],
      ['errors', []],
      ['exec', ['failure']],
      ['environment', []],
      ['order', ['failure']],
      ['time', ['skipped']],
    ]);
    expect(cases[5]?.children[0]).toMatchObject({ attributes: { message: '3 differences', type: 'order' }, text: '\n+ LLBBridge/ReadFile  call 10  .dockerignore\n- LLBBridge/StatFile  calls 4, 5  Dockerfile' });
    expect(suites[2]?.children.flatMap(({ children }) => children.filter(({ name }) => name === 'failure'))).toMatchObject([{ attributes: { message: 'only in the second recording' } }]);
  });

  it('has tests that pass for builds that are alike', () => {
    const suites = suitesOf(diffJunit(report([], { compared: { builds: 3, calls: 10, messages: 96 } }), COMPARED));
    expect(suites.map(({ attributes }) => [attributes['name'], attributes['failures']])).toEqual([['outside of builds', '0'], ['3 builds', '0']]);
  });

  it('carries what XML cannot', () => {
    const nasty = '\u0000\u001b\ufffe\ud800 <a b="c">&amp;]]>';
    const [, suite] = suitesOf(diffJunit(report([build([inCall('Solve', 1, 1, [difference('a', nasty, 'x')])], { name: nasty })]), COMPARED));
    const legibly = '\\u0000\\u001b\\ufffe\\ud800 <a b="c">&amp;]]>';
    expect(suite?.attributes['name']).toBe(`build 1: ${legibly}`);
    expect(suite?.children.flatMap(({ children }) => children).map(({ text }) => text).join('')).toContain(`~ a  ${legibly} → x`);
  });
});

describe('the classes of a comparison', () => {
  it('stand a line each, those that took part', () => {
    expect([...diffStat(ordinary(), COMPARED)]).toEqual([
      'requests     7  in 1 call',
      'responses    1  in 1 call',
      'errors       0',
      'exec         2  in 1 call',
      'environment  1  in 1 call',
      'order        4  in 4 calls',
    ]);
    const many = report([build([inCall('Solve', 1, 1, Array.from({ length: 1200 }, () => difference('a', 'b', 'c'))), onlyOne('Ping', 2, undefined)])], { environment: [{ method: 'x', calls: calls(1, 1), differences: [] }] });
    expect([...diffStat(many, ['requests', 'order'])]).toEqual(['requests     1,200  in 1 call', 'order            1  in 1 call']);
  });
});
