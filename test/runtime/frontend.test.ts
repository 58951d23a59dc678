/** A frontend's run through the executable, in front of a stand-in for runc that is the frontend as well. */
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, copyFileSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

import { Cassette, verify } from '../../src/cassette/index.js';
import { concat, data, headers, literals, message, PREFACE, settings } from '../wire/bytes.js';
import { FRONTEND_ENV, gone, output, RECORDER, StandIn, until } from './stand-in.js';

let there: StandIn | undefined;
function standIn(...args: ConstructorParameters<typeof StandIn>): StandIn {
  return (there = new StandIn(...args));
}
afterEach(() => there?.[Symbol.dispose]());

/** What a frontend says first: the preface, its settings, and one Ping. */
const request = (stream: number, method: string): Uint8Array =>
  headers(stream, literals([':method', 'POST'], [':scheme', 'http'], [':path', `/moby.buildkit.v1.frontend.LLBBridge/${method}`], ['content-type', 'application/grpc']));
const PING = concat(PREFACE, settings(), request(1, 'Ping'), data(1, message(''), { end: true }));

const only = (runtime: StandIn): string => {
  const [path = '', ...others] = runtime.made();
  expect(others).toEqual([]);
  return path;
};

describe("a frontend's run", () => {
  it('is the same in both directions, byte for byte, however much crosses', async () => {
    const runtime = standIn('cat');
    const input = Buffer.concat([PING, randomBytes(8 * 1024 * 1024)]);
    const { stdout, stderr, status } = await runtime.talked(runtime.runArguments(), input);
    expect(createHash('sha256').update(stdout, 'latin1').digest('hex')).toBe(createHash('sha256').update(input).digest('hex'));
    expect([stderr, status]).toEqual(['', 0]);
  });

  it('is a connection in a cassette, with all that it takes to run it again', async () => {
    const runtime = standIn(`cat "$0.says"; exit 4`);
    writeFileSync(runtime.at('runc.says'), PING);
    mkdirSync(runtime.at('metadata'));
    writeFileSync(runtime.at('metadata', 'frontend.bin'), 'definition');
    const process = { args: ['/bin/frontend', 'a b'], env: FRONTEND_ENV, cwd: '/work', user: { uid: 1, gid: 2, additionalGids: [3, 4] } };
    const bundle = runtime.bundle(process, { mounts: [{ destination: '/run/config/buildkit/metadata', source: runtime.at('metadata') }] });
    expect((await runtime.talked(runtime.runArguments(bundle))).status).toBe(4);
    using cassette = Cassette.open(only(runtime));
    expect(cassette.state).toBe('whole');
    expect(cassette.header).toMatchObject({
      listen: ['stdio:'],
      upstream: 'stdio:',
      buildkitVersion: 'v0.32.2',
      bodiesLeftOut: [],
      frontend: {
        arguments: ['/bin/frontend', 'a b'],
        environment: FRONTEND_ENV,
        directory: '/work',
        user: { uid: 1, gid: 2, additionalGids: [3, 4] },
        files: [{ path: '/run/config/buildkit/metadata/frontend.bin', data: new Uint8Array(Buffer.from('definition')) }],
        exit: { status: 4 },
      },
    });
    expect(cassette.connections).toMatchObject([{ address: 'stdio:', side: 'client' }]);
    expect(cassette.calls).toMatchObject([{ path: '/moby.buildkit.v1.frontend.LLBBridge/Ping', clientMessages: 1, outcome: { kind: 'open' } }]);
    expect(only(runtime)).toMatch(/\/20\d\d-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z-7kqsession\.cassette$/);
    expect(statSync(only(runtime)).mode & 0o777).toBe(0o600);
  });

  it('gives its arguments and the descriptors that it was given to the runtime', async () => {
    const runtime = standIn(`printf '%s|' "$@"; for fd in 3 5 7; do readlink /proc/$$/fd/$fd || echo none; done`);
    const file = openSync(runtime.at('given'), 'w');
    const args = [...runtime.runArguments(), 'a b', '', '$x'];
    const ended = await output(runtime.start(args, { stdio: ['pipe', 'pipe', 'pipe', 'ignore', 'ignore', file, 'ignore', file] }));
    closeSync(file);
    expect(ended.stdout).toBe(`${args.join('|')}|none\n${runtime.at('given')}\n${runtime.at('given')}\n`);
  });

  it('hands signals on, and ends by the one that ended the runtime', async () => {
    const runtime = standIn(`trap 'echo got TERM; exit 9' TERM; echo ready; while :; do read -r line; done`);
    const child = runtime.start(runtime.runArguments());
    const ended = output(child);
    await until(child.stdout, 'ready');
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ status: 9, stdout: 'ready\ngot TERM\n' });
    runtime.write('runc', '#!/bin/sh\nkill -HUP $$\n');
    expect((await runtime.talked(runtime.runArguments())).signal).toBe('SIGHUP');
  });

  it('that was killed leaves an interrupted cassette', async () => {
    const runtime = standIn(`cat "$0.says"; exit 137`);
    writeFileSync(runtime.at('runc.says'), PING);
    expect((await runtime.talked(runtime.runArguments())).status).toBe(137);
    expect(verify(only(runtime)).state).toBe('interrupted');
    using cassette = Cassette.open(only(runtime));
    expect(cassette.calls).toMatchObject([{ outcome: { kind: 'open' } }]);
    expect(cassette.header.frontend?.exit).toBeUndefined();
  });

  it('takes the runtime with it when it is killed itself, and what was said 100 ms before is in the cassette', async () => {
    // It heeds no signal but SIGKILL, and does not end with its stdin.
    const runtime = standIn(`trap '' TERM HUP INT; cat "$0.says"; echo "$$" >&2; while :; do read -r line || sleep 1; done`);
    writeFileSync(runtime.at('runc.says'), PING);
    const child = runtime.start(runtime.runArguments());
    const [pid] = await Promise.all([until(child.stderr, '\n'), until(child.stdout, 'Ping')]);
    await new Promise((done) => setTimeout(done, 100)); // what is promised
    child.kill('SIGKILL');
    await gone(Number.parseInt(pid, 10));
    expect(verify(only(runtime)).state).toBe('interrupted');
    using cassette = Cassette.open(only(runtime));
    expect(cassette.calls).toMatchObject([{ path: '/moby.buildkit.v1.frontend.LLBBridge/Ping', clientMessages: 1 }]);
  });

  it('has a cassette of its own when several of one build run side by side', async () => {
    const runtime = standIn('cat');
    const args = runtime.runArguments();
    const ended = await Promise.all(Array.from({ length: 6 }, () => runtime.talked(args, PING)));
    expect(ended.map(({ status }) => status)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(runtime.made()).toHaveLength(6);
    for (const path of runtime.made()) expect(verify(path).state).toBe('whole');
  });
});

describe('whatever the recorder does, the frontend runs, and stderr says in one line that it is not recorded, when it', () => {
  /** dist/cli with another frontend-recorder.cjs. */
  const withRecorder = (source: string | undefined): StandIn => {
    const runtime = standIn('cat; exit 5');
    const recorder = runtime.at('frontend.cjs');
    copyFileSync(RECORDER, recorder);
    if (source !== undefined) writeFileSync(runtime.at('frontend-recorder.cjs'), source);
    const script = readFileSync(runtime.executable, 'utf8').replace(/^bridgetape_recorder=.*$/m, `bridgetape_recorder="$(dirname "$0")/frontend.cjs"`);
    writeFileSync(runtime.executable, script);
    return runtime;
  };
  const TAP = 'bytes: () => true, ready: async () => {}, end: () => {}, close: () => {}';

  it.each<readonly [string, string | undefined, string]>([
    ['cannot be found', undefined, 'Cannot find module'],
    ['cannot be read', 'this is no script', 'Unexpected identifier'],
    ['throws when it is loaded', 'throw new Error("no luck")', 'no luck'],
    ['cannot begin', 'exports.recordFrontend = async () => { throw new Error("no room") }', 'no room'],
    ['throws while it is told', `exports.recordFrontend = async () => ({ tap: { ${TAP}, bytes() { throw new Error("no idea") } }, end: async () => {} })`, 'no idea'],
    ['asks for a pause and fails then', `exports.recordFrontend = async () => ({ tap: { ${TAP}, bytes: () => false, ready: () => Promise.reject(new Error("no rest")) }, end: async () => {} })`, 'no rest'],
    ['asks for a pause and falls over meanwhile', `exports.recordFrontend = async () => ({ tap: { ${TAP}, bytes: () => { setImmediate(() => { throw new Error("no more") }); return false; }, ready: () => new Promise(() => {}) }, end: async () => {} })`, 'no more'],
    ['leaves a promise that fails', `exports.recordFrontend = async () => { void Promise.reject(new Error("no care")); return { tap: { ${TAP} }, end: async () => {} } }`, 'no care'],
    ['cannot be closed', `exports.recordFrontend = async () => ({ tap: { ${TAP} }, end: async () => { throw new Error("no end") } })`, 'no end'],
    ['complains again and again', `exports.recordFrontend = async (_, __, say) => { for (let i = 0; i < 9; i++) say(new Error("no disk")); return { tap: { ${TAP} }, end: async () => {} } }`, 'no disk'],
  ])('%s', async (_, source, why) => {
    const runtime = withRecorder(source);
    const input = randomBytes(300_000);
    const { stdout, stderr, status } = await runtime.talked(runtime.runArguments(), input);
    expect(stderr).toContain(why);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(Buffer.from(stdout, 'latin1').equals(input)).toBe(true);
    expect(status).toBe(5);
  });

  it('does its work: then it says nothing', async () => {
    const runtime = withRecorder(readFileSync(join(dirname(RECORDER), 'frontend-recorder.cjs'), 'utf8'));
    expect(await runtime.talked(runtime.runArguments(), PING)).toMatchObject({ stderr: '', status: 5 });
    expect(verify(only(runtime)).state).toBe('whole');
  });

  it.skipIf(process.getuid?.() !== 0)('finds the disk full, before or after it has begun', async ({ skip }) => {
    const runtime = standIn('cat; exit 5');
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', runtime.cassettes]).status !== 0) skip();
    try {
      const input = Buffer.concat([PING, largeCall(4 * 1024 * 1024)]);
      const during = await runtime.talked(runtime.runArguments(), input);
      expect(during.stderr).toMatch(/^bridgetape: .*ENOSPC[^\n]*\n$/);
      expect([during.stdout.length, during.status]).toEqual([input.length, 5]);
      expect(verify(only(runtime)).losses).toHaveLength(1);
      rmSync(only(runtime));
      spawnSync('dd', ['if=/dev/zero', `of=${join(runtime.cassettes, 'full')}`, 'bs=4096']);
      const before = await runtime.talked(runtime.runArguments(), input);
      expect(before.stderr).toMatch(/^bridgetape: .*the disk is full[^\n]*\n$/);
      expect([before.stdout.length, before.status]).toEqual([input.length, 5]);
      expect(readdirSync(runtime.cassettes)).toEqual(['full']);
    } finally {
      spawnSync('umount', [runtime.cassettes]);
    }
  });

  it('has no runtime to run: 127, as a shell has it', async () => {
    const runtime = standIn('cat', { runc: '/nowhere/runc' });
    expect(await runtime.talked(runtime.runArguments())).toMatchObject({ status: 127, stderr: expect.stringContaining('/nowhere/runc') as unknown });
  });
});

/** A call with messages of so many bytes in all. */
function largeCall(bytes: number): Uint8Array {
  const frames = Array.from({ length: Math.ceil(bytes / 16_000) }, () => data(3, message(randomBytes(16_000))));
  return concat(request(3, 'Solve'), ...frames);
}
