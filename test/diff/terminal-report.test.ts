import { describe, expect, it } from 'vitest';

import { showDiff, type Difference, type DiffReport, type DiffViewOptions } from '../../src/diff/index.js';
import { plainPainter, width } from '../../src/view/index.js';
import { build, calls, difference, inCall, onlyOne, op, ordinary, report } from './report.js';

const shown = (what: DiffReport, options: DiffViewOptions = { width: 100 }): readonly string[] => [...showDiff(what, options)];

/** The lines below the build's title, without what stands under them all. */
function ofCalls(differing: Parameters<typeof build>[0], options?: DiffViewOptions): readonly string[] {
  const lines = shown(report([build(differing)]), options);
  return lines.slice(lines.indexOf('build 1: dockerfile.v0 target=release') + 1, lines.lastIndexOf(''));
}

const ofSolve = (differences: readonly Difference[], options?: DiffViewOptions): readonly string[] => ofCalls([inCall('Solve', 7, 9, differences)], options).slice(1);

describe('the terminal report', () => {
  it('shows the class of a difference, however long the path is', () => {
    const [line = ''] = ofCalls([inCall('ReadFile', 7, 9, [difference('Data', '1', '2', { class: 'responses' })], `src/${'deep/'.repeat(30)}main.go`)], { width: 80 });
    expect(line).toMatch(/^ {2}LLBBridge\/ReadFile {2}call 7 → 9 {2}src\/deep\/.*… {2}responses$/);
    expect(width(line)).toBe(80);
  });

  it('reads as a review: what, where, old and new', () => {
    expect(shown(ordinary())).toEqual([
      '--- old.cassette  BuildKit v0.8.3, 10 calls of 1 build, 2026-01-02 03:04:05 UTC',
      '+++ new.cassette  BuildKit v0.32.2, 12 calls of 1 build, 2026-01-02 03:04:05 UTC',
      '',
      'outside of builds',
      '  Control/ListWorkers  call 1  environment',
      '    ~ record[0].platforms  linux/amd64 → linux/amd64, linux/arm64',
      '',
      'build 1: dockerfile.v0 target=release',
      '  LLBBridge/Solve  call 7 → 9',
      '    requests',
      '      - source docker-image://docker.io/library/alpine:3.19',
      '      + source docker-image://docker.io/library/alpine:3.20',
      '        Dockerfile:1  also in calls 8 → 11, 9 → 12',
      '      ~ RUN make → RUN make test  Dockerfile:12',
      '          + exec.meta.env[3]  CGO_ENABLED=0',
      '      + RUN strip /bin/app  Dockerfile:13',
      '      ~ RUN set -e gcc main.c -O2  Dockerfile:14-18 → 15-19',
      '          ~ exec.meta.args[2]',
      '             set -e',
      '            -gcc main.c',
      '            +gcc main.c -O2',
      '             ls',
      '      ~ FrontendOpt["build-arg:WHO"]  you → me',
      '    responses',
      '      ~ metadata["containerimage.config"]  {"a":1} → {"a":2}',
      '    only describes',
      '      ~ Definition.Source.infos[0].filename  Dockerfile → Containerfile',
      '  + LLBBridge/ReadFile  call 10  .dockerignore',
      '  - LLBBridge/StatFile  calls 4, 5  Dockerfile',
      '  LLBBridge/ExecProcess  call 11 → 14  sh -c ls  exec',
      '    ~ sh -c ls',
      '        ~ stdout',
      '           one',
      '          -two',
      '          +\\u001b[31mthree',
      '        ~ exit  0 → 1',
      '',
      '+ build 2: dockerfile.v0 target=test',
      '',
      'note  LLBBridge/ResolveImageConfig in old.cassette stands for LLBBridge/ResolveSourceMeta in',
      '      new.cassette.',
      '',
      '15 differences: requests 7, responses 1, exec 2, environment 1, order 4; 1 of them only describes',
    ]);
  });

  it('is one line for recordings that are the same', () => {
    expect(shown(report([]))).toEqual(['same: 1 build, 10 calls, 96 messages compared']);
    expect(shown(report([], { notes: ['The first recording has 1 gap.'] }))).toEqual(['same: 1 build, 10 calls, 96 messages compared', '', 'note  The first recording has 1 gap.']);
  });

  it('says that a recording is not whole, and that all differences only describe', () => {
    const differing = [build([inCall('Solve', 7, 9, [difference('a', '1', '2', { isAnnotation: true }), difference('b', '1', '2', { isAnnotation: true })])])];
    const lines = shown(report(differing, { after: { ...report([]).after, isWhole: false } }));
    expect(lines[1]).toBe('+++ new.cassette  not whole, BuildKit v0.32.2, 12 calls of 1 build, 2026-01-02 03:04:05 UTC');
    expect(lines.at(-1)).toBe('2 differences: requests 2; all of them only describe');
  });

  it('names calls that only one recording has in one line, and what is no call without a number', () => {
    const again = [calls(undefined, 12), calls(undefined, 14)];
    expect(ofCalls([inCall('ReadFile', undefined, 10, [difference('call', undefined, 'made 3 times', { class: 'order', again })], 'Dockerfile'), { method: 'frontend', calls: {}, differences: [difference('user', '"0:0"', '"1:1"', { class: 'environment' })] }])).toEqual([
      '  + LLBBridge/ReadFile  calls 10, 12, 14  Dockerfile',
      '  frontend  environment',
      '    ~ user  "0:0" → "1:1"',
    ]);
    expect(ofCalls([inCall('ReadFile', undefined, 10, [difference('count', '1 times', '2 times', { class: 'order' })], 'Dockerfile')])).toEqual(['  + LLBBridge/ReadFile  call 10  Dockerfile', '    ~ count  1 times → 2 times']);
  });

  it.each([40, 80, 200])('keeps to %i columns', (columns) => {
    const long = 'x'.repeat(300);
    const lines = shown(report([...ordinary().builds, build([inCall('Solve', 7, 9, [difference(long, long, `${long}y`), difference('a', 'b', long), difference('c', undefined, `${long}\n${long}\n`)], long), onlyOne(long, 1, undefined, long)], { name: long })]), { width: columns });
    expect(Math.max(...lines.map(width))).toBeLessThanOrEqual(columns);
    expect(lines.at(-1)).toMatch(/^What is cut/);
  });

  it('cuts two long values where they differ, not before', () => {
    const path = '/a/long/way/'.repeat(12);
    expect(ofSolve([difference('exec.meta.cwd', `${path}src`, `${path}work`)], { width: 60 })).toEqual([
      '    ~ exec.meta.cwd',
      '      - …long/way//a/long/way//a/long/way//a/long/way//a/long/way/src',
      '      + …long/way//a/long/way//a/long/way//a/long/way//a/long/way/work',
    ].map((line) => expect.stringMatching(new RegExp(`^${line.slice(0, 8).replace(/[+]/g, '\\+')}.*${line.slice(-4)}$`)) as string));
  });

  it('cuts nothing with full', () => {
    const long = `${'x'.repeat(300)}${'\nline'.repeat(100)}`;
    const lines = shown(report([build([inCall('Solve', 7, 9, Array.from({ length: 40 }, (_, index) => difference(`field${index}`, undefined, long)))])]), { width: 40, full: true });
    expect(lines.filter((line) => line.endsWith('x'.repeat(300)))).toHaveLength(40);
    expect(lines.join('\n')).not.toContain('…');
  });

  it('counts what it leaves out, and says how to see it', () => {
    const lines = shown(report([build([inCall('Solve', 7, 9, Array.from({ length: 20 }, (_, index) => difference(`field${index}`, 'a', 'b')))])]));
    expect(lines).toContain('    … 8 more differences');
    expect(lines.at(-1)).toBe('What is cut (…) is whole with --full.');
  });

  it('shows where lines stand when not all of them are there', () => {
    const lines = Array.from({ length: 20 }, (_, index) => `line ${index + 1}`);
    const before = `${lines.join('\n')}\n`;
    expect(ofSolve([difference('stdout', before, before.replace('line 10\n', ''), { isText: true })])).toEqual([
      '    ~ stdout',
      '      @@ -7,7 +7,6 @@',
      '       line 7',
      '       line 8',
      '       line 9',
      '      -line 10',
      '       line 11',
      '       line 12',
      '       line 13',
    ]);
  });

  it('tells a missing line end, and other line ends, from none', () => {
    expect(ofSolve([difference('stdout', 'a\nb\n', 'a\nb')])).toEqual(['    ~ stdout', '       a', '      -b', '      +b', '      \\ No newline at end of file']);
    expect(ofSolve([difference('stdout', 'a\nb\n', 'a\r\nb\n')])).toEqual(['    ~ stdout', '      -a', '      +a\\r', '       b']);
  });

  it('shows texts that have nothing in common without looking for it for long', () => {
    const text = (of: string): string => Array.from({ length: 20_000 }, (_, index) => `${of}${index}\n`).join('');
    expect(ofSolve([difference('stdout', text('a'), text('b'))]).slice(1, 3)).toEqual(['      -a0', '      -a1']);
  });

  it('says once in which other calls the same differs, at the op or at its fields', () => {
    const both = { before: op(1, 'RUN make', 2), after: op(1, 'RUN make', 2) };
    const [one, other] = [[calls(8, 11)], [calls(8, 11), calls(9, 12)]];
    expect(ofSolve([difference('a', '1', '2', { op: both, again: one }), difference('b', '1', '2', { op: both, again: one })])).toEqual([
      '    ~ RUN make  Dockerfile:2  also in call 8 → 11',
      '        ~ a  1 → 2',
      '        ~ b  1 → 2',
    ]);
    expect(ofSolve([difference('a', '1', '2', { op: both, again: one }), difference('b', '1', '2', { op: both, again: other })])).toEqual([
      '    ~ RUN make  Dockerfile:2',
      '        ~ a  1 → 2  also in call 8 → 11',
      '        ~ b  1 → 2  also in calls 8 → 11, 9 → 12',
    ]);
    expect(ofSolve([difference('a', '1', '2', { again: other })])).toEqual(['    ~ a  1 → 2  also in calls 8 → 11, 9 → 12']);
  });

  it('paints what only describes in no other colour', () => {
    const painter = { ...plainPainter, red: (text: string) => `<red ${text}>`, dim: (text: string) => `<dim ${text}>` };
    const lines = ofSolve([difference('Frontend', 'a', 'b'), difference('description', 'a', 'b', { isAnnotation: true })], { width: 100, painter });
    expect(lines).toEqual(['    ~ Frontend<red   a> → b', '    <dim only describes>', '    <dim   ~ description  a → b>']);
  });
});
