import { describe, expect, it } from 'vitest';
import { BUILT_IN_RULES } from '../../src/bridge/index.js';
import { missLines } from '../../src/replayer/index.js';
import type { Told } from '../../src/replayer/miss.js';
import { originOf, shellCommand } from '../../src/replayer/origin.js';
import { scriptOf } from '../../src/replayer/script.js';
import { control, encode, FRONTEND, graph, type Fields, type OpSpec } from '../bridge/build.js';
import { Stage } from './stage.js';
import { readFile, solveRequest, Tape } from './tape.js';

const ORIGIN = originOf('tests/make.cassette', { upstream: 'unix:///run/buildkit/buildkitd.sock', command: ['go', 'test', './...', '-run', 'a|b'] });
const RECORD = "bridgetape record -o tests/make.cassette --force -- go test ./... -run 'a|b'";

const bytes = (text: string): Uint8Array => Buffer.from(text);
const step = (name: string, script: string, on?: string): OpSpec => ({
  name,
  inputs: on === undefined ? [] : [on],
  op: { exec: { meta: { args: ['/bin/sh', '-c', script], cwd: '/' } } },
});
const solve = (...scripts: readonly string[]): Uint8Array =>
  encode(`${FRONTEND}.SolveRequest`, { Definition: graph(scripts.map((script, at) => step(String(at), script, at === 0 ? undefined : String(at - 1)))).fields });

/** The misses of a client that began the recorded build. */
function missesOf(record: (tape: Tape) => unknown, ask: (stage: Stage) => unknown, origin = ORIGIN): { readonly told: readonly Told[]; readonly statuses: readonly (string | undefined)[] } {
  const tape = new Tape();
  const build = tape.solve();
  record(tape);
  build.headed().ends();
  const calls = tape.script.builds.flatMap((build) => build.calls);
  const told: Told[] = [];
  const stage = new Stage(scriptOf(calls.map(({ id, path, headers, events }) => ({ id, path, headers, events, origin })), BUILT_IN_RULES, origin), { onMiss: (miss) => told.push(miss) });
  stage.open(control('Solve')).asks(solveRequest({}));
  ask(stage);
  return { told, statuses: told.map(({ text }) => text) };
}

const lines = (told: readonly Told[]): string => told.flatMap((miss) => missLines(miss)).join('\n');

describe('a miss for people', () => {
  it('names the method, the closest call, the ops that differ, the calls used up, and how to record it', () => {
    const { told } = missesOf(
      (tape) => {
        tape.unary('Solve', solve('configure'), bytes(''));
        tape.unary('Solve', solve('configure', 'make', 'make install'), bytes(''));
      },
      (stage) => {
        stage.bridge('Solve').asks(solve('configure'));
        stage.bridge('Solve').asks(solve('configure', 'make test', 'strip', 'make install'));
      },
    );
    expect(lines(told)).toBe(
      [
        'bridgetape: no answer for LLBBridge/Solve in tests/make.cassette',
        '  closest   call 3, not used yet',
        '  differs   op[1] RUN make → op[1] RUN make test',
        '              exec.meta.args[2]',
        '                recorded  "make"',
        '                got       "make test"',
        '            op[2] RUN strip: not recorded',
        '  used up   call 2',
        `  record    ${RECORD}`,
      ].join('\n'),
    );
  });

  it('is one line of a status for the client, with the same in it', () => {
    const { statuses } = missesOf(
      (tape) => tape.unary('Solve', solve('configure', 'make', 'clean'), bytes('')),
      (stage) => stage.bridge('Solve').asks(solve('configure', 'make test')),
    );
    expect(statuses).toEqual([
      'bridgetape: the cassette has no answer for this LLBBridge/Solve; the closest is call 2, which differs in op[1] RUN make, exec.meta.args[2]: recorded "make", got "make test"; op[2] RUN clean: only recorded; to record it: ' +
        RECORD,
    ]);
  });

  it('of a method without recorded calls says so', () => {
    const { told, statuses } = missesOf(
      () => undefined,
      (stage) => stage.bridge('StatFile').says(bytes('')),
    );
    expect(lines(told)).toBe(['bridgetape: no answer for LLBBridge/StatFile in tests/make.cassette', '  why       no call of that method was recorded', `  record    ${RECORD}`].join('\n'));
    expect(statuses).toEqual([`bridgetape: the cassette has no answer for this LLBBridge/StatFile: it holds no call of that method; to record it: ${RECORD}`]);
  });

  it('of a request whose recorded calls are all used up says so', () => {
    const { told } = missesOf(
      (tape) => tape.unary('ReadFile', readFile('/a'), bytes('')),
      (stage) => [1, 2].map(() => stage.bridge('ReadFile').asks(readFile('/a'))),
    );
    expect(lines(told)).toBe(
      [
        'bridgetape: no answer for LLBBridge/ReadFile in tests/make.cassette',
        '  closest   call 2, already used',
        '  why       it has this request once, in call 2, and that is used up',
        '  used up   call 2',
        `  record    ${RECORD}`,
      ].join('\n'),
    );
  });

  it('of something else than a request is one line', () => {
    expect(missLines({ path: '/a', text: 'bridgetape: the client \u001b[2Jwent' })).toEqual(['bridgetape: the client \\x1b[2Jwent']);
  });

  it('has colours where it is given some', () => {
    const { told } = missesOf(
      (tape) => tape.unary('ReadFile', readFile('/a'), bytes('')),
      (stage) => stage.bridge('ReadFile').asks(readFile('/b')),
    );
    const mark = (letter: string) => (text: string) => `<${letter}>${text}</${letter}>`;
    const text = told.flatMap((miss) => missLines(miss, { bold: mark('b'), dim: mark('d'), red: mark('r'), green: mark('g') })).join('\n');
    expect(text).toContain('<b>LLBBridge/ReadFile</b>');
    expect(text).toContain('recorded  <r>"/a"</r>');
    expect(text).toContain('got       <g>"/b"</g>');
  });
});

describe('a miss', () => {
  it('keeps only so much of a long value, from a little before where it differs', () => {
    const long = 'x'.repeat(5000);
    const { told, statuses } = missesOf(
      (tape) => tape.unary('ReadFile', readFile(`${long}/a/${long}`), bytes('')),
      (stage) => stage.bridge('ReadFile').asks(readFile(`${long}/b/${long}`)),
    );
    const [difference] = told[0]?.comparison?.closest?.differences ?? [];
    expect(difference?.recorded).toMatch(/^…x{29}\/a\/x{368}… \(10005 characters\)$/);
    expect(difference?.live).toMatch(/^…x{29}\/b\/x{368}… \(10005 characters\)$/);
    expect(statuses[0]).toMatch(/recorded …x{29}\/a\/x{88}… \(10005 characters\), got …x{29}\/b\/x{88}… \(10005 characters\); to record it/);
  });

  it('is short enough for a header, whatever the request is', () => {
    const options = (value: string): Fields => ({ FrontendOpt: Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`${'😀'.repeat(300)}${at}`, value.repeat(500)])) });
    const { told, statuses } = missesOf(
      (tape) => tape.unary('Solve', encode(`${FRONTEND}.SolveRequest`, options('ä')), bytes('')),
      (stage) => stage.bridge('Solve').asks(encode(`${FRONTEND}.SolveRequest`, options('ö'))),
    );
    // What encodeURI takes for special in an address is itself in a status.
    const encoded = encodeURI(statuses[0] ?? '').replace(/%(?:20|22|5B|5D|7C)/g, ' ');
    expect(encoded.length).toBeLessThanOrEqual(4096);
    expect(encoded.length).toBeGreaterThan(4000);
    expect(statuses[0]).toContain(RECORD);
    expect(told[0]?.comparison?.closest).toMatchObject({ call: 2, distance: 100 });
    expect(told[0]?.comparison?.closest?.differences).toHaveLength(50);
  });

  it('finds the closest of many graphs, whatever stands before it', () => {
    const { told } = missesOf(
      (tape) => {
        for (const script of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']) tape.unary('Solve', solve(script, 'x', script), bytes(''));
        tape.unary('Solve', solve('new', 'one', 'two', 'three'), bytes(''));
      },
      (stage) => stage.bridge('Solve').asks(solve('one', 'two', 'three')),
    );
    expect(told[0]?.comparison?.closest).toMatchObject({ call: 12, distance: 1, differences: [{ op: { recorded: 'op[0] RUN new' } }] });
  });

  it('takes the op that has a field otherwise for closer than a graph without it', () => {
    const { told } = missesOf(
      (tape) => {
        tape.unary('Solve', solve('one', 'two'), bytes(''));
        tape.unary('Solve', solve('one'), bytes(''));
      },
      (stage) => stage.bridge('Solve').asks(solve('one', 'another')),
    );
    expect(told[0]?.comparison?.closest).toMatchObject({ call: 2, differences: [{ field: 'Definition.op[1].exec.meta.args[2]', recorded: '"two"', live: '"another"' }] });
  });
});

describe('the command that records again', () => {
  it('is what is run now, else what was run then, from where it was recorded', () => {
    const header = { upstream: 'tcp://builder:1234', command: ['make', 'test'] };
    expect(originOf('a b.cassette', header).reRecord).toBe("bridgetape record -o 'a b.cassette' --force --to tcp://builder:1234 -- make test");
    expect(originOf('a.cassette', header, ['go', 'test']).reRecord).toBe('bridgetape record -o a.cassette --force --to tcp://builder:1234 -- go test');
    expect(originOf('a.cassette', { upstream: 'unix:///run/buildkit/buildkitd.sock' }).reRecord).toBe('bridgetape record -o a.cassette --force');
  });

  it('is quoted for a shell', () => {
    expect(shellCommand(['a', '$HOME', "it's", '', 'x\ny'])).toBe(String.raw`a '$HOME' 'it'\''s' '' 'x` + "\ny'");
  });
});
