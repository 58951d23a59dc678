/** What the executable does with calls that are not a frontend's: under the shells that are sh somewhere. */
import { spawnSync } from 'node:child_process';
import { chmodSync, closeSync, mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';

import { isRuntimeScript, quoted, runtimeScript, SCRIPT_HEAD } from '../../src/runtime/script.js';
import { FRONTEND_ENV, StandIn } from './stand-in.js';

const TELLS_ARGUMENTS = `printf '%s\\n' "$#"; for word do printf '[%s]\\n' "$word"; done`;

let there: StandIn | undefined;
function standIn(...args: ConstructorParameters<typeof StandIn>): StandIn {
  return (there = new StandIn(...args));
}
afterEach(() => there?.[Symbol.dispose]());

describe('a call that is no frontend', () => {
  it.each([
    ['--version'],
    ['state', 'id'],
    ['--log', 'run', 'kill', 'id', '9'],
    ['--root=/a b', 'delete', '--force', 'x'],
    [],
    ['', 'a b', 'line\nbreak', '*', '$HOME', "it's", '\\', '--'],
    ['exec', '--process', '/a/process.json', 'run'],
  ])('reaches the runtime with its arguments: %j', (...args) => {
    const { stdout, status, stderr } = standIn(TELLS_ARGUMENTS).ran(args);
    expect(stdout).toBe(`${args.length}\n${args.map((word) => `[${word}]\n`).join('')}`);
    expect([status, stderr]).toEqual([0, '']);
  });

  it('ends as the runtime does, by a status or by a signal', () => {
    const runtime = standIn('case $1 in kill) kill -TERM $$ ;; *) exit "$1" ;; esac');
    expect(runtime.ran(['7']).status).toBe(7);
    expect(runtime.ran(['255']).status).toBe(255);
    expect(runtime.ran(['kill']).signal).toBe('SIGTERM');
  });

  it('is the runtime: the process that was started, its stdio and its descriptors', () => {
    const runtime = standIn('echo $$; for fd in 0 1 2 3 7; do readlink /proc/$$/fd/$fd; done');
    const file = openSync(runtime.at('given'), 'w');
    const { stdout, pid } = spawnSync(runtime.executable, ['run', '--bundle', '/none', 'id'], { encoding: 'utf8', stdio: ['ignore', 'pipe', file, 'ignore', 'ignore', 'ignore', 'ignore', file] });
    closeSync(file);
    const lines = stdout.split('\n');
    expect(lines[0]).toBe(String(pid));
    expect(lines[1]).toBe('/dev/null');
    expect(lines.slice(3)).toEqual([runtime.at('given'), runtime.at('given'), '']);
    expect(stdout).not.toContain('node');
  });

  it.each<readonly [string, (runtime: StandIn) => readonly string[]]>([
    ['has an environment without a session', (runtime) => runtime.runArguments(runtime.bundle({ args: ['sh'], env: ['A=BUILDKIT_SESSION_ID=x'] }))],
    ['has no bundle', (runtime) => runtime.runArguments(runtime.at('nothing'))],
    ['is detached', (runtime) => ['run', '--bundle', runtime.bundle(), '--detach', 'id']],
    ['has a terminal', (runtime) => ['run', '--console-socket', '/c', '--bundle', runtime.bundle(), 'id']],
    ['is another command', (runtime) => ['create', '--bundle', runtime.bundle(), 'run']],
  ])('is the runtime also when it reads from a pipe and %s', async (_, args) => {
    const runtime = standIn('echo "$PPID"; cat');
    const { stdout, status } = await runtime.talked(args(runtime), 'said on stdin');
    expect([stdout, status]).toEqual([`${process.pid}\nsaid on stdin`, 0]);
    expect(runtime.made()).toEqual([]);
  });

  it('is not recorded when its Dockerfile sets what a frontend is told: a step has nothing on stdin', () => {
    const runtime = standIn('echo "$PPID"');
    expect(runtime.ran(runtime.runArguments()).stdout).toBe(`${process.pid}\n`);
    expect(runtime.made()).toEqual([]);
  });

  it('that has the text of a session, but not as a frontend has it, goes through with the stdio that it came with', async () => {
    const runtime = standIn('readlink /proc/$$/fd/0; cat; exit 3');
    const bundle = runtime.bundle({ args: ['BUILDKIT_SESSION_ID=x'], env: ['A=b'] });
    const { stdout, status } = await runtime.talked(runtime.runArguments(bundle), 'hello');
    expect(stdout).toMatch(/^socket:\[\d+\]\nhello$/);
    expect(status).toBe(3);
    expect(runtime.made()).toEqual([]);
  });
});

describe('a frontend that cannot be recorded runs, and stderr says why in one line, when', () => {
  const ran = async (runtime: StandIn, why: string): Promise<void> => {
    const { stdout, stderr, status } = await runtime.talked(runtime.runArguments(), 'hello');
    expect(stderr).toContain(why);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect([stdout, status]).toEqual([`hello`, 5]);
  };
  const BODY = 'cat; exit 5';

  it('Node is gone', () => ran(standIn(BODY, { node: '/nowhere/bin/node' }), 'Node is not at /nowhere/bin/node any more'));

  it('Node does not start', async () => {
    const runtime = standIn(BODY, { node: join('/', 'bin', 'false') });
    await ran(runtime, 'Node at /bin/false does not start');
  });

  it('bridgetape is gone', () => ran(standIn(BODY, { recorder: '/nowhere/frontend.cjs' }), 'bridgetape is not at /nowhere/frontend.cjs any more'));

  it('the folder for cassettes is gone', async () => {
    const runtime = standIn(BODY);
    rmSync(runtime.cassettes, { recursive: true });
    await ran(runtime, `there is no folder ${runtime.cassettes}`);
  });

  it('the folder for cassettes is a file', async () => {
    const runtime = standIn(BODY);
    rmSync(runtime.cassettes, { recursive: true });
    writeFileSync(runtime.cassettes, '');
    await ran(runtime, `there is no folder ${runtime.cassettes}`);
  });

  it.skipIf(process.getuid?.() === 0)('the folder for cassettes cannot be written to', async () => {
    const runtime = standIn(BODY);
    chmodSync(runtime.cassettes, 0o500);
    await ran(runtime, `the folder ${runtime.cassettes} cannot be written to`);
  });

  it.skipIf(process.getuid?.() !== 0)('the folder for cassettes is on a disk that is only read', async ({ skip }) => {
    const runtime = standIn(BODY);
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', runtime.cassettes]).status !== 0) skip();
    try {
      await ran(runtime, `the folder ${runtime.cassettes} cannot be written to`);
    } finally {
      spawnSync('umount', [runtime.cassettes]);
    }
  });

  it('grep is not there', () => {
    const runtime = standIn('/bin/cat; exit 5');
    mkdirSync(runtime.at('empty'));
    const args = runtime.runArguments();
    const { status, stderr, stdout } = spawnSync(runtime.executable, args, { encoding: 'utf8', input: 'hello', env: { PATH: runtime.at('empty') } });
    expect(stderr).toContain('grep cannot look into');
    expect([stdout, status]).toEqual(['hello', 5]);
  });
});

describe('the script', () => {
  const SHELLS = ['dash', 'bash', 'busybox'].filter((shell) => spawnSync('sh', ['-c', 'command -v "$1"', 'sh', shell]).status === 0);
  const SCRIPT = runtimeScript({ tool: 'bridgetape 0.1.0', folder: '/c', runc: '/r', node: '/n', recorder: '/f' });

  it.each(SHELLS)('is read by %s, which decides the same', (shell) => {
    const runtime = standIn(TELLS_ARGUMENTS, { node: '/nowhere/node' });
    const through = (args: readonly string[], input?: string): ReturnType<typeof spawnSync> =>
      spawnSync(shell, [...(shell === 'busybox' ? ['sh'] : []), runtime.executable, ...args], { encoding: 'utf8', ...(input === undefined ? { stdio: ['ignore', 'pipe', 'pipe'] as const } : { input }) });
    expect(through(['state', 'a b'])).toMatchObject({ stdout: '2\n[state]\n[a b]\n', stderr: '' });
    expect(through(runtime.runArguments(), 'x').stderr).toContain('Node is not at /nowhere/node any more');
    const step = runtime.bundle({ args: ['sh'], env: FRONTEND_ENV.slice(0, 1) });
    expect(through(runtime.runArguments(step), 'x').stderr).toBe('');
    expect(through(['run', `--bundle=${runtime.bundle()}`, 'id'], 'x').stderr).toContain('Node is not at');
    expect(through(['--root=/x', '--debug', 'run', '--pid-file', '--bundle', '-b', runtime.bundle(), 'id'], 'x').stderr).toContain('Node is not at');
  });

  it('quotes any text as one word', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        fc.pre(!text.includes('\0'));
        expect(spawnSync('sh', ['-c', `printf %s ${quoted(text)}`], { encoding: 'utf8' }).stdout).toBe(text);
      }),
      { numRuns: 60, examples: [["it's $HOME `x` \"y\" \\"]] },
    );
  });

  it('is known again by its first bytes, and nothing else is', () => {
    expect(isRuntimeScript(SCRIPT.slice(0, SCRIPT_HEAD))).toBe(true);
    expect(isRuntimeScript(SCRIPT.slice(20))).toBe(false);
    expect(isRuntimeScript('#!/bin/sh\nexec runc "$@"\n')).toBe(false);
    expect(isRuntimeScript('')).toBe(false);
  });
});
