// The tests of examples/go-frontend as its README has them: with Go alone, no daemon, no registry, no network.
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bridgetapeOffline, describeInterop, runCommand, temporaryFolder, type CommandResult, type TemporaryFolder } from './harness/index.js';

const example = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'examples', 'go-frontend');

/** A first build of its tests on two busy cores. */
const GO_TIMEOUT = 900_000;

interface TestEvent {
  readonly Action: string;
  readonly Test?: string;
}

/** How the tests themselves ended, without their packages. */
function ended({ stdout }: CommandResult, action: 'pass' | 'fail' | 'skip'): readonly string[] {
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as TestEvent)
    .flatMap(({ Action, Test }) => (Action === action && Test !== undefined && !Test.includes('/') ? [Test] : []))
    .sort();
}

describeInterop('the Go example', () => {
  let folder: TemporaryFolder;
  const changed = (): string => join(folder.path, 'changed');
  const run = (cwd: string): Promise<CommandResult> =>
    bridgetapeOffline(['replay', 'cassettes/tests.cassette', '--strict', '--', 'go', 'test', '-count=1', '-json', '.'], { cwd, env: { GOFLAGS: '-mod=readonly', GOPROXY: 'off' }, timeout: GO_TIMEOUT });

  beforeAll(async () => {
    folder = temporaryFolder('bt-go-example-');
    cpSync(example, changed(), { recursive: true });
    const { status, stderr } = await runCommand(['go', 'vet', './...'], { cwd: example, timeout: GO_TIMEOUT });
    expect(status, stderr).toBe(0);
  }, GO_TIMEOUT);
  afterAll(() => folder.remove());

  it(
    'is green offline, its tests side by side',
    async () => {
      const result = await run(example);
      expect(result.stderr).toBe('');
      expect(ended(result, 'pass')).toHaveLength(8);
      expect([ended(result, 'fail'), ended(result, 'skip'), result.status]).toEqual([[], [], 0]);
    },
    GO_TIMEOUT,
  );

  it(
    'is red when the frontend sends another command, and the miss names the op with both commands',
    async () => {
      const file = join(changed(), 'shipfile.go');
      writeFileSync(file, readFileSync(file, 'utf8').replace('"/bin/sh", "-c", command', '"/bin/sh", "-ec", command'));
      const result = await run(changed());
      expect(result.stderr).toMatch(/no answer for LLBBridge\/Solve in cassettes\/tests\.cassette\n.*closest {3}call \d+/);
      expect(result.stderr).toMatch(/exec\.meta\.args\[1\]\n.*recorded {2}"-c"\n.*got {7}"-ec"/);
      expect(result.stderr).toMatch(/record {4}bridgetape record -o cassettes\/tests\.cassette --force -- go test -count=1/);
      expect(ended(result, 'pass')).toEqual(['TestBuildNeedsARecipe', 'TestBuildTakesNoUnknownWords', 'TestParseRecipeTellsWhatIsWrong']);
      expect(ended(result, 'fail')).toHaveLength(5);
      expect(result.status).toBe(1);
    },
    GO_TIMEOUT,
  );

  it(
    'runs on its stdio against the recording of its container',
    async () => {
      const program = join(folder.path, 'shipfile-frontend');
      const { status, stderr } = await runCommand(['go', 'build', '-o', program, './cmd/shipfile-frontend'], { cwd: example, timeout: GO_TIMEOUT });
      expect(status, stderr).toBe(0);
      expect(await bridgetapeOffline(['run', 'cassettes/container.cassette', '--', program], { cwd: example })).toMatchObject({ status: 0, stderr: '' });
    },
    GO_TIMEOUT,
  );
});
