/** The same decision for programs: a replay of a real build stands in for BuildKit. */
import { getEventListeners } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Cassette } from '../../src/cassette/index.js';
import { drive } from '../../src/driver/index.js';
import { planFor, useCassette, type CassetteUse, type Mode } from '../../src/mode/index.js';
import { replay, type Replay } from '../../src/replayer/index.js';
import { parseAddress } from '../../src/socket/index.js';

const DIALOGUE = join(import.meta.dirname, '..', '..', 'cassettes', 'dialogue-v0.32.2.cassette');

let folder: string;
let daemon: Replay;
const file = (): string => join(folder, 'a.cassette');

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bt-mode-'));
  daemon = await replay({ file: DIALOGUE });
  vi.stubEnv('CI', undefined);
  vi.stubEnv('BRIDGETAPE_MODE', undefined);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await daemon.close();
  rmSync(folder, { recursive: true, force: true });
});

async function play({ address }: CassetteUse): Promise<void> {
  using cassette = Cassette.open(DIALOGUE);
  await drive(cassette, { target: address.replace('unix://', 'unix:') });
}

const use = (mode?: Mode, more: Partial<Parameters<typeof useCassette>[0]> = {}): Promise<CassetteUse> => useCassette({ file: file(), mode, upstream: parseAddress(daemon.address), ...more });

describe('a cassette in use', () => {
  it('is recorded once, and replayed then', async () => {
    const first = await use('once');
    expect(first.kind).toBe('record');
    await play(first);
    expect(await first.close()).toMatchObject({ file: file(), rejected: undefined, calls: 9 });
    const second = await use('once');
    await play(second);
    if (second.kind !== 'replay') throw new Error('not replayed');
    expect([second.replay.misses, second.replay.unused()]).toEqual([[], []]);
    await second.close();
    expect(existsSync(dirname(second.address.slice('unix://'.length)))).toBe(false);
  });

  it('stays as it was when its user says that the recording failed', async () => {
    const recording = await use('all');
    await play(recording);
    if (recording.kind !== 'record') throw new Error('not recorded');
    expect(await recording.close('the test failed')).toMatchObject({ file: `${file()}.new`, rejected: 'the test failed' });
    expect(readdirSync(folder)).toEqual(['a.cassette.new']);
    await expect(use()).rejects.toMatchObject({ code: 'cassette-not-found' });
  });

  it('is no cassette when the recording was aborted, and nothing is left open', async () => {
    const control = new AbortController();
    const recording = await use('once', { signal: control.signal });
    await play(recording);
    control.abort();
    expect(await recording.close()).toMatchObject({ rejected: 'the recording was aborted' });
    expect(readdirSync(folder)).toEqual(['a.cassette.new']);
    expect(existsSync(dirname(recording.address.slice('unix://'.length)))).toBe(false);
  });

  it('leaves nothing with a signal that goes on, and no folder that was made for nothing', async () => {
    const { signal } = new AbortController();
    const path = join(folder, 'new', 'folders', 'a.cassette');
    const unused = await use('once', { file: path, signal });
    expect(await unused.close()).toMatchObject({ rejected: 'nothing was asked of BuildKit' });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    await expect(use('once', { file: path, signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is neither for a mode that is none', async () => {
    await expect(use('sometimes' as Mode)).rejects.toMatchObject({ code: 'bad-argument', what: 'mode got "sometimes", which is no mode.' });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is recorded by one at a time', async () => {
    const recording = await use('once');
    await expect(use('once')).rejects.toThrow(`process ${process.pid} is recording to it`);
    await recording.close();
  });

  it('follows the variable, and what is asked for in code before that', async () => {
    vi.stubEnv('BRIDGETAPE_MODE', 'once');
    const recording = await use();
    expect(recording.kind).toBe('record');
    await recording.close();
    await expect(use('none')).rejects.toMatchObject({ code: 'cassette-not-found' });
  });
});

describe('in CI', () => {
  it.each([
    ['none', 'cassette-not-found'],
    ['once', 'cassette-not-found'],
    ['all', 'recording-refused'],
  ] as const)('the mode %s records nothing: %s', async (mode, code) => {
    vi.stubEnv('CI', 'true');
    await expect(use(mode)).rejects.toMatchObject({ code });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('all records when that is what was meant', async () => {
    vi.stubEnv('CI', '1');
    const recording = await use('all', { recordInCi: true });
    expect(recording.kind).toBe('record');
    await recording.close();
  });

  it.each(['', '0', 'false', 'False', undefined])('is not where CI is %j', (CI) => {
    expect(planFor([file()], { mode: 'once', recordsInCi: false }, { CI })).toBe('record');
  });
});
