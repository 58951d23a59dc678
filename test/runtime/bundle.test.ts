import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { cassetteName } from '../../src/runtime/frontend-recorder.js';
import { parseBundle, readBundle } from '../../src/runtime/bundle.js';
import { readMetadata } from '../../src/runtime/metadata-files.js';

const ENV = ['PATH=/bin', 'BUILDKIT_SESSION_ID=s1', 'BUILDKIT_WORKERS=[]'];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bt-bundle-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a bundle', () => {
  it("is a frontend's when it is told of a session and of workers, and tells how that is run", () => {
    const workers = 'BUILDKIT_WORKERS=[{"id":"w","buildkitVersion":{"version":"v0.32.2"}}]';
    const process = { args: ['/bin/frontend', '-x'], env: [...ENV.slice(0, 2), workers], cwd: '/work', user: { uid: 5, gid: 6, additionalGids: [7] } };
    const mounts = [{ destination: '/proc', source: 'proc' }, { destination: '/run/config/buildkit/metadata', type: 'bind', source: '/tmp/m1' }];
    expect(parseBundle({ process, mounts })).toEqual({
      run: { arguments: ['/bin/frontend', '-x'], environment: [...ENV.slice(0, 2), workers], directory: '/work', user: { uid: 5, gid: 6, additionalGids: [7] } },
      metadata: { path: '/run/config/buildkit/metadata', source: '/tmp/m1' },
      session: 's1',
      buildkitVersion: 'v0.32.2',
    });
  });

  it('of an early BuildKit has no metadata folder and no version', () => {
    expect(parseBundle({ process: { args: ['/run'], env: ENV } })).toEqual({
      run: { arguments: ['/run'], environment: ENV, directory: '/', user: { uid: 0, gid: 0, additionalGids: [] } },
      metadata: undefined,
      session: 's1',
      buildkitVersion: undefined,
    });
  });

  it.each([
    ['no session', { process: { env: ['BUILDKIT_WORKERS=[]'] } }],
    ['no workers', { process: { env: ['BUILDKIT_SESSION_ID=x'] } }],
    ['both in the arguments only', { process: { args: ENV, env: [] } }],
    ['a terminal', { process: { env: ENV, terminal: true } }],
    ['no process', {}],
  ])('with %s is none', (_, config) => {
    expect(parseBundle(config)).toBeUndefined();
  });

  it('of any shape does no harm', () => {
    const json = fc.jsonValue();
    fc.assert(
      fc.property(json, json, json, json, (args, user, mount, workers) => {
        const found = parseBundle({ process: { args, user, cwd: args, env: [...ENV.slice(0, 2), `BUILDKIT_WORKERS=${JSON.stringify(workers)}`, mount] }, mounts: [mount] });
        expect(found?.session).toBe('s1');
        for (const id of [found?.run.user.uid, found?.run.user.gid]) expect(Number.isInteger(id)).toBe(true);
      }),
    );
    fc.assert(fc.property(json, (config) => {
      expect(parseBundle(config)).toBeUndefined();
    }));
  });

  it('that is missing, broken or far too large is none', () => {
    expect(readBundle(join(folder, 'none'))).toBeUndefined();
    writeFileSync(join(folder, 'config.json'), '{"process":');
    expect(readBundle(folder)).toBeUndefined();
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ process: { env: ENV } }));
    expect(readBundle(folder)?.session).toBe('s1');
    truncateSync(join(folder, 'config.json'), 33 * 1024 * 1024);
    expect(readBundle(folder)).toBeUndefined();
  });
});

describe('the metadata folder', () => {
  it('is read as far as it holds files of a bearable size; links are not followed', () => {
    const secret = join(folder, 'secret');
    const metadata = join(folder, 'metadata');
    mkdirSync(metadata);
    writeFileSync(secret, 'not for you');
    writeFileSync(join(metadata, 'frontend.bin'), 'abc');
    writeFileSync(join(metadata, 'large'), '');
    truncateSync(join(metadata, 'large'), 5 * 1024 * 1024);
    mkdirSync(join(metadata, 'more'));
    symlinkSync(secret, join(metadata, 'link'));
    expect(readMetadata('/run/m', metadata)).toEqual({ files: [{ path: '/run/m/frontend.bin', data: new Uint8Array(Buffer.from('abc')) }], leftOut: ['large', 'link', 'more'] });
  });
});

describe("a cassette's name", () => {
  const at = new Date('2026-11-24T10:52:15.123Z');

  it('has the start and the build, and a number when it is taken', () => {
    expect(cassetteName(at, 's1x', 0)).toBe('2026-11-24T10-52-15.123Z-s1x.cassette');
    expect(cassetteName(at, 's1x', 1)).toBe('2026-11-24T10-52-15.123Z-s1x-2.cassette');
    expect(cassetteName(at, '', 0)).toBe('2026-11-24T10-52-15.123Z.cassette');
  });

  it('is a file name, whatever the build calls itself', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (session) => {
        expect(cassetteName(at, session, 0)).toMatch(/^2026-11-24T10-52-15\.123Z(-[\w-]{1,64})?\.cassette$/);
      }),
    );
  });
});
