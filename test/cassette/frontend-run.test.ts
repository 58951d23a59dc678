import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Cassette, CassetteWriter, type FrontendRun } from '../../src/cassette/index.js';
import { memorySource } from '../../src/cassette/disk.js';
import { decodeHeader, encodeHeader } from '../../src/cassette/v1/header-record.js';
import { Malformed, type Packable } from '../../src/cassette/v1/msgpack.js';
import { encode } from '../../src/cassette/v1/msgpack-encoder.js';
import { MemoryDisk } from './memory-disk.js';
import { bytes, header } from './recording.js';

const run: FrontendRun = {
  arguments: ['/bin/dockerfile-frontend'],
  environment: ['PATH=/bin', 'BUILDKIT_SESSION_ID=7kq', 'EMPTY=', 'NOTHING'],
  directory: '/',
  user: { uid: 0, gid: 0, additionalGids: [10, 0xffff_ffff] },
  files: [{ path: '/run/config/buildkit/metadata/frontend.bin', data: bytes('\n\0\x01') }],
};

const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const id = fc.integer({ min: 0, max: 0xffff_ffff });
const anyRun: fc.Arbitrary<FrontendRun> = fc.record(
  {
    arguments: fc.array(text),
    environment: fc.array(text),
    directory: text,
    user: fc.record({ uid: id, gid: id, additionalGids: fc.array(id) }),
    files: fc.array(fc.record({ path: text, data: fc.uint8Array({ maxLength: 400 }) })),
    exit: fc.oneof(id.map((status) => ({ status })), fc.constantFrom('SIGKILL', 'SIGTERM').map((signal) => ({ signal }))),
  },
  { requiredKeys: ['arguments', 'environment', 'directory', 'user', 'files'], noNullPrototype: true },
);

describe("a frontend's run in a cassette", () => {
  test('comes back as it was, whatever it holds', () => {
    fc.assert(
      fc.property(anyRun, (frontend) => {
        expect(decodeHeader(encodeHeader({ ...header, frontend }, 17)).header).toEqual({ ...header, formatVersion: 1, frontend });
      }),
    );
  });

  test('is there while it runs, and its exit once the recording is closed', async () => {
    const disk = new MemoryDisk();
    const writer = await CassetteWriter.create('/a.cassette', { ...header, frontend: run }, { disk });
    using journal = Cassette.open('journal', { source: memorySource(disk.bytes('/a.cassette')) });
    expect(journal.header.frontend).toEqual(run);
    await writer.close({ frontend: { ...run, exit: { status: 1 } } });
    using packed = Cassette.open('packed', { source: memorySource(disk.bytes('/a.cassette')) });
    expect(packed.header.frontend).toEqual({ ...run, exit: { status: 1 } });
  });

  test('that no reader would take is refused when the cassette is created', async () => {
    const many = { ...run, environment: Array.from({ length: 1 << 16 }, (_, i) => `V${i}=`) };
    await expect(CassetteWriter.create('/a.cassette', { ...header, frontend: many }, { disk: new MemoryDisk() })).rejects.toMatchObject({ code: 'bad-argument' });
  });

  test('that became too large meanwhile leaves the journal, readable', async () => {
    const disk = new MemoryDisk();
    const writer = await CassetteWriter.create('/a.cassette', { ...header, frontend: run }, { disk });
    const closed = await writer.close({ frontend: { ...run, files: [{ path: '/f', data: new Uint8Array(5 * 1024 * 1024) }] } });
    expect(closed.packFailure?.message).toContain('files take more than');
    using journal = Cassette.open('journal', { source: memorySource(disk.bytes('/a.cassette')) });
    expect(journal.state).toBe('whole');
    expect(journal.header.frontend).toEqual(run);
  });
});

describe('a header whose frontend', () => {
  const decoded = (changes: { readonly [key: string]: Packable }): unknown => {
    const user = [0, 0, []];
    const frontend = { arguments: ['/run'], environment: [], directory: '/', user, files: [], ...changes };
    const fields = { tool: 'x', startedAt: '2026-01-02T03:04:05.678Z', listen: [], upstream: '', bodiesLeftOut: [] };
    return decodeHeader(encode({ ...fields, frontend })).header.frontend;
  };

  test('has a field that is not known is read past it', () => {
    expect(decoded({ later: [1, 2], user: [1, 2, [3], 'more'], files: [['/f', bytes('x'), 7]] })).toEqual({
      arguments: ['/run'],
      environment: [],
      directory: '/',
      user: { uid: 1, gid: 2, additionalGids: [3] },
      files: [{ path: '/f', data: bytes('x') }],
    });
  });

  test.each<readonly [string, { readonly [key: string]: Packable }]>([
    ['is in too many groups', { user: [0, 0, Array.from({ length: 65_537 }, () => 0)] }],
    ['has a uid that no system has', { user: [2 ** 32, 0, []] }],
    ['has no user', { user: null }],
    ['has too many arguments', { arguments: Array.from({ length: 65_536 }, () => '') }],
    ['has too long a variable', { environment: ['x'.repeat(6 * 1024 * 1024)] }],
    ['has too many files', { files: Array.from({ length: 257 }, () => ['/f', bytes('')]) }],
    ['has too large a file', { files: [['/f', new Uint8Array(4 * 1024 * 1024)]] }],
    ['has a file of text', { files: [['/f', 'text']] }],
    ['has a directory that is no text', { directory: 7 }],
    ['ended in no known way', { exit: [1] }],
  ])('%s is refused', (_, changes) => {
    expect(() => decoded(changes)).toThrow(Malformed);
  });
});
