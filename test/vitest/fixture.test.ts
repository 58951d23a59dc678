/** Tests of tests: samples are run by vitest in a process of its own, and what it reports is looked at. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { replay, type Replay } from '../../src/replayer/index.js';

const ROOT = join(import.meta.dirname, '..', '..');
const DIALOGUE = join(ROOT, 'cassettes', 'dialogue-v0.32.2.cassette');
/** vitest starts in some seconds, and much later on a busy machine. */
const PATIENCE_MS = 120_000;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bt-vitest-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Result {
  readonly status: string;
  readonly failureMessages: readonly string[];
}

/** Runs the tests of a sample. @returns what came of each, by its title */
async function runSample(name: string, env: Record<string, string> = {}): Promise<ReadonlyMap<string, Result>> {
  const file = join(folder, 'report.json');
  const samples = join(import.meta.dirname, 'samples');
  const args = [join(ROOT, 'node_modules', 'vitest', 'vitest.mjs'), 'run', name, '--root', samples, '--config', join(samples, 'vitest.config.ts'), '--reporter=json', `--outputFile=${file}`];
  const outside = { ...process.env, VITEST: undefined, CI: undefined };
  await once(spawn(process.execPath, args, { cwd: samples, stdio: ['ignore', 'ignore', 'inherit'], env: { ...outside, BRIDGETAPE_MODE: '', NO_COLOR: '1', ...env } }), 'exit');
  const { testResults } = JSON.parse(readFileSync(file, 'utf8')) as { readonly testResults: readonly { readonly assertionResults: readonly (Result & { readonly title: string })[] }[] };
  return new Map(testResults.flatMap(({ assertionResults }) => assertionResults.map((result) => [result.title, result])));
}

describe('a test fails', () => {
  let results: ReadonlyMap<string, Result>;
  beforeAll(async () => {
    results = await runSample('failing');
  }, PATIENCE_MS);

  const messages = (title: string): readonly string[] => results.get(title)?.failureMessages ?? [];

  it('for a miss that its client swallowed, which is told as on a terminal', () => {
    expect(messages('swallows a miss')).toHaveLength(1);
    expect(messages('swallows a miss')[0]).toMatch(
      /^Error: bridgetape: no answer for Control\/DiskUsage in \S+dialogue-v0\.32\.2\.cassette\n {2}why {7}no call of that method was recorded\n {2}record {4}BRIDGETAPE_MODE=all npx vitest run failing\.sample\.ts -t 'swallows a miss'$/,
    );
  });

  it('with its own reason first, and a miss after it', () => {
    const [own, miss, ...more] = messages('fails by itself after a miss');
    expect(own).toContain("expected 'its own' to be 'reason'");
    expect(miss).toContain('no answer for Control/DiskUsage');
    expect(more).toEqual([]);
  });

  it.each([
    ['is strict and asks for little', /^Error: bridgetape: not asked for, of what \S+ holds: Control\/Solve \(call 4\), /],
    ['lets no fault happen', /^Error: bridgetape: the fault ReadFile=end never fired$/],
    ['has not replayed everything', /expected all of \S+ to have been replayed, and nothing else\n\nbridgetape: not asked for, /],
    ['was to call something else', /expected Solve to have been called; called were Control\/ListWorkers/],
    ['names no method', /toHaveCalled\('Slove'\): BuildKit has no such method, and none was called; called were none/],
    ['asks something else', /toHaveReplayedEverything is for the fixture/],
    ['has no cassette', /There is no cassette at cassettes\/failing\.sample\/has-no-cassette\.cassette\.\nRecord it with a BuildKit at hand: BRIDGETAPE_MODE=once npx vitest run failing\.sample\.ts -t 'has no cassette'/],
  ])('that %s', (title, message) => {
    expect(results.get(title)?.status).toBe('failed');
    expect(messages(title)[0]).toMatch(message);
  });

  it('that was to call it with something else, and the closest request is shown', () => {
    const [own = ''] = messages('was to call it with something else');
    expect(own).toContain('expected Control/ListWorkers to have been called with these members; it was called 2 times, and the closest request differs');
  });
});

describe('a test that records', () => {
  let daemon: Replay;
  let tapes: string;
  beforeAll(async () => {
    daemon = await replay({ file: DIALOGUE });
    tapes = join(folder, 'tapes');
  });
  afterAll(() => daemon.close());

  const run = (env: Record<string, string>): Promise<ReadonlyMap<string, Result>> => runSample('recording', { SAMPLE_FOLDER: tapes, BUILDKIT_HOST: daemon.address, ...env });
  const failed = (results: ReadonlyMap<string, Result>): readonly string[] => [...results].filter(([, { status }]) => status !== 'passed').map(([title]) => title).sort();
  const cassettes = (): readonly string[] => readdirSync(tapes, { recursive: true, encoding: 'utf8' }).filter((name) => /cassette/.test(name)).sort();

  it('makes a cassette of its own, at the same time as others, and replays that with nobody there', async () => {
    const first = await run({ BRIDGETAPE_MODE: 'once', SAMPLE_FAILS: '1' });
    expect(failed(first)).toEqual(['fails where it is told to', 'the same name']);
    expect(first.get('the same name')?.failureMessages.join('\n')).toContain('Two tests are called "the same name" here');
    expect(cassettes()).toEqual([
      'recording.sample/fails-where-it-is-told-to.cassette.new',
      'recording.sample/is-recorded-always.cassette',
      'recording.sample/twice--the-same-name.cassette',
      'recording.sample/workers--are-listed-1.cassette',
      'recording.sample/workers--are-listed-2.cassette',
      'recording.sample/workers--are-listed-3.cassette',
      'recording.sample/workers--are-listed-4.cassette',
      expect.stringMatching(/^recording\.sample\/workers--are-named-oddly-and-or-long\.[0-9a-f]{8}\.cassette$/),
    ]);
    await daemon.close();
    const second = await run({ CI: 'true', BUILDKIT_HOST: 'unix:///nowhere.sock' });
    expect(failed(second)).toEqual(['fails where it is told to', 'is recorded always', 'the same name']);
    expect(second.get('is recorded always')?.failureMessages[0]).toContain('would record');
    expect(second.get('fails where it is told to')?.failureMessages[0]).toContain('There is no cassette at');
  }, 2 * PATIENCE_MS);
});
