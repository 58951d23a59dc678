import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HTTP_1, whole, type NewEvent } from '../../src/cassette/index.js';
import { Cassette, pack, unpack, type BridgetapeError } from '../../src/index.js';
import { DIFFERENCE_CLASSES, diffCassettes, isSame } from '../../src/diff/index.js';
import { encode, FRONTEND } from '../bridge/build.js';
import { anyEvents, asRead, bytes, everyKind, expectSame, fields, Folder, header, readAll, record, unary } from '../cassette/recording.js';
import { sampleEvents, sampleHeader } from '../cassette/sample.js';
import { ordinaryBuild } from '../view/tape.js';

const recordings = join(import.meta.dirname, '..', '..', 'cassettes');
const SOLVE = `/${FRONTEND}.LLBBridge/Solve`;
const EVERYTHING = { classes: DIFFERENCE_CLASSES, control: true } as const;

/** Unpacked and packed again. */
async function again(folder: Folder, form: 'a.yaml' | 'a'): Promise<string> {
  const text = join(folder.path, form);
  unpack(folder.file, text);
  const packed = join(folder.path, 'b.cassette');
  const { stale } = await pack(text, packed);
  expect(stale).toEqual([]);
  return packed;
}

/** A cassette's text changed and packed. */
async function edited(folder: Folder, change: (text: string) => string): Promise<{ readonly packed: string; readonly stale: readonly unknown[] }> {
  const text = join(folder.path, 'edited.yaml');
  unpack(folder.file, text, { force: true });
  const before = readFileSync(text, 'utf8');
  const after = change(before);
  expect(after).not.toBe(before);
  writeFileSync(text, after);
  const packed = join(folder.path, 'edited.cassette');
  const { stale } = await pack(text, packed, { force: true });
  return { packed, stale };
}

async function refusal(text: string): Promise<string> {
  using folder = new Folder();
  const file = join(folder.path, 'it.yaml');
  writeFileSync(file, text);
  try {
    await pack(file, folder.file);
  } catch (error) {
    // Neither in its place nor beside it.
    expect(readdirSync(folder.path)).toEqual(['it.yaml']);
    expect((error as BridgetapeError).code).toBe('bad-text');
    return (error as BridgetapeError).what.replace(`${folder.path}/`, '');
  }
  throw new Error('it was packed');
}

const HEAD = `textForm: 1
header:
  tool: by hand
  startedAt: 2026-01-02T03:04:05Z
  listen: []
  upstream: unix:///run/buildkit/buildkitd.sock
  bodiesLeftOut: []
events:
`;

describe('a cassette that was unpacked and packed', { timeout: 120_000 }, () => {
  test.each(readdirSync(recordings).filter((name) => name.endsWith('.cassette')))('holds the same: %s', async (name) => {
    using folder = new Folder();
    copyFileSync(join(recordings, name), folder.file);
    for (const form of ['a.yaml', 'a'] as const) {
      const packed = await again(folder, form);
      expectSame(readAll(packed), readAll(folder.file));
      using one = Cassette.open(folder.file);
      using other = Cassette.open(packed);
      expect(other.header).toEqual(one.header);
      expect(other.state).toBe('whole');
      expect(isSame(diffCassettes(one, other, EVERYTHING))).toBe(true);
      rmSync(packed);
    }
  });

  test.each<[string, readonly NewEvent[]]>([['every kind of event', everyKind], ['the sample', sampleEvents], ['nothing', []]])('holds the same: %s', async (_what, events) => {
    using folder = new Folder();
    await record(folder.file, events);
    expectSame(readAll(await again(folder, 'a.yaml')), asRead(events));
  });

  test('holds the same, whatever crossed', async () => {
    await fc.assert(
      fc.asyncProperty(anyEvents, fc.constantFrom('a.yaml' as const, 'a' as const), async (events, form) => {
        using folder = new Folder();
        await record(folder.file, events);
        const packed = await again(folder, form);
        expectSame(readAll(packed), readAll(folder.file));
        using one = Cassette.open(folder.file);
        using other = Cassette.open(packed);
        expect(isSame(diffCassettes(one, other, EVERYTHING))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test('holds the same: the earliest and the latest time', async () => {
    using folder = new Folder();
    const events: NewEvent[] = [-(1n << 62n), (1n << 62n) - 1n].map((time) => ({ kind: 'connection-open', time, connection: 1, address: '' }));
    await record(folder.file, events);
    expectSame(readAll(await again(folder, 'a.yaml')), asRead(events));
  });

  test('keeps messages of known methods whose bytes are of no kind that BuildKit writes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 2, maxLength: 12 }), fc.constantFrom(SOLVE, '/new.Service/Method', '/moby.buildkit.v1.Control/Status'), async (payloads, path) => {
        using folder = new Folder();
        await record(folder.file, payloads.flatMap((payload, index) => unary(index + 1, BigInt(index * 2000), payload, payloads.at(-1 - index) ?? payload, path)));
        expectSame(readAll(await again(folder, 'a.yaml')), readAll(folder.file));
      }),
      { numRuns: 40 },
    );
  });

  // What made calls easy to tell apart was taken for the text's last line.
  test('keeps a text that ends with empty lines in front of a call', async () => {
    using folder = new Folder();
    const path = `/${FRONTEND}.LLBBridge/ReadFile`;
    const answer = encode(`${FRONTEND}.ReadFileResponse`, { Data: bytes('FROM scratch\n\n') });
    const [start, request, ...rest] = unary(1, 0n, bytes(''), answer, path);
    const isAnswer = ({ kind }: NewEvent): boolean => kind === 'server-message';
    await record(folder.file, [start!, request!, ...rest.filter(isAnswer), ...unary(2, 9000n, bytes(''), answer, path), ...rest.filter((event) => !isAnswer(event))]);
    expectSame(readAll(await again(folder, 'a.yaml')), readAll(folder.file));
    expect(readFileSync(join(folder.path, 'a.yaml'), 'utf8')).toContain('|+\n');
  });

  test('keeps its header, a frontend run and all', async () => {
    using folder = new Folder();
    const frontend = {
      arguments: ['/bin/frontend', ''],
      environment: ['A=b\nc', 'PATH=/bin', '# none'],
      directory: '/',
      user: { uid: 1000, gid: 0, additionalGids: [0, 4_294_967_295] },
      files: [{ path: '/run/x/frontend.bin', data: new Uint8Array(encode('pb.Definition', { def: [encode('pb.Op', { source: { identifier: 'docker-image://x' } })] })) }, { path: '/a.bin', data: bytes('no definition') }, { path: '/b', data: new Uint8Array([0, 255]) }],
      exit: { signal: 'SIGKILL' },
    };
    const about = { ...header, docker: 'unix:///run/docker.sock', buildkitVersion: 'v0.32.2', frontend };
    await record(folder.file, everyKind, {}, about);
    using cassette = Cassette.open(await again(folder, 'a.yaml'));
    expect(cassette.header).toEqual({ ...about, formatVersion: 1 });
  });

  test('keeps exchanges of HTTP/1.1, compressed messages and bodies that were left out', async () => {
    using folder = new Folder();
    const on = { connection: 1, call: 1 };
    const events: NewEvent[] = [
      { kind: 'connection-open', time: 0n, connection: 1, address: 'unix:///d.sock', protocol: HTTP_1 },
      { kind: 'client-header', time: 1n, ...on, headers: fields([':method', 'GET'], [':path', '/version'], ['x', 'one'], ['x', 'two']) },
      { kind: 'server-message', time: 2n, ...on, compressed: false, size: 9, data: [whole(bytes('{"a": 1}\n'))] },
      { kind: 'connection-open', time: 3n, connection: 2, address: '', upgradeOf: 1 },
      { kind: 'client-header', time: 4n, connection: 2, call: 2, headers: fields([':path', SOLVE]) },
      { kind: 'client-message', time: 5n, connection: 2, call: 2, compressed: true, size: 3, data: [whole(bytes('zzz'))] },
      { kind: 'client-message', time: 5n, connection: 2, call: 2, compressed: true, size: 77, data: undefined },
    ];
    await record(folder.file, events);
    expectSame(readAll(await again(folder, 'a.yaml')), asRead(events));
    expect(readFileSync(join(folder.path, 'a.yaml'), 'utf8')).toContain('bytes: |\n    {"a": 1}\n');
  });

  test('has the same text each time, and its text is what its cassette would be unpacked to', async () => {
    using folder = new Folder();
    copyFileSync(join(recordings, 'failing-v0.32.2.cassette'), folder.file);
    const packed = await again(folder, 'a.yaml');
    unpack(packed, join(folder.path, 'b.yaml'));
    expect(readFileSync(join(folder.path, 'b.yaml'), 'utf8')).toBe(readFileSync(join(folder.path, 'a.yaml'), 'utf8'));
  });

  test('is interrupted when it was', async () => {
    using folder = new Folder();
    const killed = ordinaryBuild();
    killed.bridge('Solve', 950);
    await killed.writeInterrupted(folder.file);
    const packed = await again(folder, 'a.yaml');
    using cassette = Cassette.open(packed);
    expect(cassette.state).toBe('interrupted');
    expectSame(readAll(packed), readAll(folder.file));
  });

  test('has a gap where it was damaged, and says so in the text', async () => {
    using folder = new Folder();
    await ordinaryBuild().write(folder.file);
    const content = readFileSync(folder.file);
    const place = content.indexOf('evt') + 40;
    content.writeUInt8(content.readUInt8(place) ^ 0xff, place);
    writeFileSync(folder.file, content);
    const packed = await again(folder, 'a.yaml');
    expect(readFileSync(join(folder.path, 'a.yaml'), 'utf8')).toMatch(/\nstate: damaged\n# {3}events at byte \d+, \d+ bytes: "the checksum is wrong"\n/);
    expect(readAll(packed).map(({ kind }) => kind)).toContain('gap');
  });

  test('of large messages has files in a folder, named by their digests, each once', async () => {
    using folder = new Folder();
    const contents = Buffer.alloc(16 * 1024 * 1024, 'line of a file\n');
    const random = Buffer.alloc(100_000, Buffer.from([0, 1, 2, 254]));
    const answer = (data: Uint8Array): Uint8Array => encode(`${FRONTEND}.ReadFileResponse`, { Data: data });
    const path = `/${FRONTEND}.LLBBridge/ReadFile`;
    await record(folder.file, [...unary(1, 0n, bytes(''), answer(contents), path), ...unary(2, 5000n, bytes(''), answer(contents), path), ...unary(3, 9000n, bytes(''), answer(random), path)]);
    expectSame(readAll(await again(folder, 'a')), readAll(folder.file));
    expect(readdirSync(join(folder.path, 'a', 'payloads')).sort()).toEqual([expect.stringMatching(/^[0-9a-f]{64}\.(txt|bin)$/), expect.stringMatching(/^[0-9a-f]{64}\.(txt|bin)$/)]);
    expect(statSync(join(folder.path, 'a', 'cassette.yaml')).size).toBeLessThan(10_000);
    expect(statSync(join(folder.path, 'a', 'cassette.yaml')).mode & 0o777).toBe(0o600);
    rmSync(join(folder.path, 'b.cassette'));
    expectSame(readAll(await again(folder, 'a.yaml')), readAll(folder.file));
  });
});

describe('a text that was changed', { timeout: 120_000 }, () => {
  test('packs as what it says now', async () => {
    using folder = new Folder();
    copyFileSync(join(recordings, 'dialogue-v0.32.2.cassette'), folder.file);
    const { packed, stale } = await edited(folder, (text) => text.replace('Data: "tick 1\\r\\n"', 'Data: "tock\\r\\n"'));
    expect(stale).toEqual([]);
    const changed = readAll(packed).filter((event, seq) => JSON.stringify(event, jsonable) !== JSON.stringify(readAll(folder.file)[seq], jsonable));
    expect(changed).toHaveLength(1);
    expect(changed[0]).toMatchObject({ kind: 'server-message', data: expect.toSatisfy((data: Uint8Array) => Buffer.from(data).includes('tock\r\n')) as unknown });
  });

  test('has the digests of what builds on a changed op worked out anew', async () => {
    using folder = new Folder();
    copyFileSync(join(recordings, 'container-v0.32.2.cassette'), folder.file);
    const { packed } = await edited(folder, (text) => text.replaceAll('- echo hello', '- echo goodbye').replaceAll('local://context', 'local://elsewhere'));
    const text = join(folder.path, 'after.yaml');
    unpack(packed, text);
    // Every input is still an op of its definition: none stands there as a digest.
    expect(readFileSync(text, 'utf8')).not.toMatch(/- digest: sha256:/);
    expect(readFileSync(text, 'utf8')).toContain('local://elsewhere');
  });

  test('says which exact bytes were not used, and where', async () => {
    using folder = new Folder();
    await record(folder.file, unary(1, 0n, Buffer.from('288100' + '120178', 'hex'), bytes(''), SOLVE));
    const { packed, stale } = await edited(folder, (text) => text.replace('Frontend: x', 'Frontend: other'));
    expect(stale).toEqual([{ line: expect.any(Number) as unknown, key: 'exact' }]);
    const message = readAll(packed).find(({ kind }) => kind === 'client-message');
    expect(message).toMatchObject({ data: new Uint8Array(Buffer.from('2801' + '12056f74686572', 'hex')) });
  });

  test('can be written by hand', async () => {
    using folder = new Folder();
    const text = join(folder.path, 'hand.yaml');
    writeFileSync(
      text,
      `${HEAD}
- connection-open: 1
  address: unix:///tmp/x.sock
- {client-header: 1, at: 0.5, connection: 1, headers: [{':path': ${SOLVE}}]}
- client-message: 1
  message:
    Frontend: gateway.v0   # a comment
    FrontendOpt: { source: docker/dockerfile, "no": no }
    Definition:
      def:
        - {name: base, source: {identifier: 'docker-image://alpine'}}
        - inputs: [{digest: base}]
- server-trailer: 1
  at: 1
  headers:
    - grpc-status: 2
    - grpc-status-details-bin:
        code: 2
        details:
          - type_url: github.com/moby/buildkit/gatewayapi.ExitMessage+json
            value: {Code: 7}
- reset: 1
  side: server
  code: CANCEL
`,
    );
    await pack(text, folder.file);
    const [open, start, message, trailer, reset] = readAll(folder.file);
    expect([open?.time, start?.time, message?.time, trailer?.time, reset?.time]).toEqual([0n, 500_000_000n, 500_000_000n, 1_000_000_000n, 1_000_000_000n]);
    const base = encode('pb.Op', { source: { identifier: 'docker-image://alpine' } });
    expect(message).toMatchObject({ connection: 1, call: 1 });
    const sent = Buffer.from((message as { data: Uint8Array }).data);
    expect(sent.includes(Buffer.from(base))).toBe(true);
    expect(sent.includes('no')).toBe(true);
    const details = encode('google.rpc.Status', { code: 2, details: [{ type_url: 'github.com/moby/buildkit/gatewayapi.ExitMessage+json', value: Buffer.from('{"Code":7}') }] });
    expect(trailer).toMatchObject({ headers: fields(['grpc-status', '2'], ['grpc-status-details-bin', Buffer.from(details).toString('base64').replaceAll('=', '')]) });
    expect(reset).toMatchObject({ side: 'server', code: 8 });
  });

  test('may have lines that end as on Windows', async () => {
    using folder = new Folder();
    copyFileSync(join(recordings, 'container-v0.8.3.cassette'), folder.file);
    const { packed } = await edited(folder, (text) => text.replaceAll('\n', '\r\n'));
    expectSame(readAll(packed), readAll(folder.file));
  });
});

const jsonable = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value);

describe('a text that cannot be packed is told with its line and key, and nothing is written:', () => {
  const call = `- client-header: 1\n  connection: 1\n  headers:\n  - :path: ${SOLVE}\n`;
  test.each<[string, string, string]>([
    ['an empty file', '', 'it.yaml:1: the text '],
    ['another form', 'textForm: 2\n', 'it.yaml:1: textForm is 2; this bridgetape reads form 1.'],
    ['no header', 'textForm: 1\n', 'it.yaml:1: the text has no header, which it needs.'],
    ['a key of the header', HEAD.replace('tool:', 'tools:'), 'it.yaml:3: header.tools is not known here; there are tool, startedAt,'],
    ['no time', HEAD.replace('2026-01-02T03:04:05Z', 'yesterday'), 'it.yaml:4: header.startedAt is "yesterday", and should be a time'],
    // Such a text was once packed as a recording of nothing.
    ['no events', HEAD.replace('events:\n', ''), 'it.yaml:1: the text has no events, which it needs.'],
    ['no event', `${HEAD}- client-mesage: 1\n`, 'it.yaml:9: event 0 is no event: it has none of connection-open,'],
    ['an event without its connection', `${HEAD}- client-header: 1\n  headers: []\n`, 'it.yaml:9: event 0 is the first event of call 1, and has to name its connection.'],
    ['a field', `${HEAD}${call}- client-message: 1\n  message:\n    Frontend: x\n    FrontendOpts: {}\n`, `it.yaml:16: message.FrontendOpts ${FRONTEND}.SolveRequest has no field "FrontendOpts"; it has Definition,`],
    ['a value', `${HEAD}${call}- client-message: 1\n  message:\n    allowResultReturn: 3\n`, 'it.yaml:15: message.allowResultReturn is "3", and should be a bool.'],
    ['an op', `${HEAD}${call}- client-message: 1\n  message:\n    Definition:\n      def:\n      - inputs:\n        - digest: base\n`, 'it.yaml:18: message.Definition.def[0].inputs[0].digest no op of this definition has the name "base".'],
    ['a message twice', `${HEAD}${call}- client-message: 1\n  message: {}\n  bytes: x\n`, 'it.yaml:13: event 1 has to have one of message, bytes, and leftOut.'],
    ['a time', `${HEAD}- connection-open: 1\n  address: x\n  at: 1.0000000001\n`, 'it.yaml:11: at is "1.0000000001", and should be seconds'],
    ['a time that no other one can be told from', `${HEAD}- connection-open: 1\n  address: x\n  at: -9223372036.854775807\n`, 'it.yaml:11: at is "-9223372036.854775807", and should be seconds'],
    ['a body of no size', `${HEAD}${call}- client-message: 1\n  leftOut: 9007199254740992\n`, 'it.yaml:14: leftOut is "9007199254740992", and should be a whole number from 0 to 9007199254740991.'],
    ['a code', `${HEAD}${call}- reset: 1\n  side: client\n  code: CANCELED\n`, 'it.yaml:15: code is "CANCELED", and should be one of NO_ERROR, PROTOCOL_ERROR, '],
    ['a code that is too large', `${HEAD}${call}- reset: 1\n  side: client\n  code: 9007199254740992\n`, 'it.yaml:15: code is "9007199254740992", and should be a whole number from 0 to 9007199254740991.'],
    // They became gaps, and nothing was said.
    ['a header list that no cassette keeps', `${HEAD}${call}${'  - a: b\n'.repeat(66_000)}`, 'it.yaml:9: event 0 cannot be kept: a header list of 66001 fields is longer than'],
    ['an event that no cassette keeps', `${HEAD}- gap: 1\n  side: client\n  offset: 0\n  bytes: 0\n  reason: ${'y'.repeat(17 << 20)}\n`, 'it.yaml:9: event 0 cannot be kept: a gap event is larger than'],
    ['a header that no cassette keeps', HEAD.replace('by hand', 'y'.repeat(25 << 20)), 'it.yaml: header cannot be written: the header takes 2'],
    ['a tab', `${HEAD}- connection-open: 1\n\taddress: x\n`, 'it.yaml:10: the text is no YAML here: a line is indented by blanks, never by a tab.'],
    ['a key that acts on a terminal', HEAD.replace('tool:', '"\\e[31mtool":'), 'it.yaml:3: header.\\e[31mtool is not known here'],
    ['an alias', `${HEAD}- connection-open: &a 1\n  address: *a\n`, 'it.yaml:9: [0].connection-open has an anchor'],
    ['a file where there is no folder', `${HEAD}- connection-open: 1\n  address: !file payloads/x\n`, 'it.yaml:10: [0].address names a file, which only a folder that was unpacked has.'],
    ['no YAML', `${HEAD}- connection-open: 1\n  address: "x\n`, 'it.yaml:1'],
    ['what stands behind the events', `${HEAD}- connection-open: 1\n  address: x\nmore: 1\n`, 'it.yaml:11: more the list of events is the last of the file'],
    ['a list in the place of events', HEAD.replace('events:\n', 'events: [{gap: 1}]\n'), 'it.yaml:8: events should be written with each event on lines of its own'],
  ])('%s', async (_what, text, told) => {
    expect(await refusal(text)).toContain(told);
  });

  test('what is wrong at the end of it leaves the cassette that is to be replaced as it was', async () => {
    using folder = new Folder();
    await record(folder.file, everyKind);
    const before = readFileSync(folder.file);
    const text = join(folder.path, 'it.yaml');
    writeFileSync(text, `${HEAD}${'- connection-open: 1\n  address: x\n'.repeat(20_000)}- connection-open: x\n`);
    await expect(pack(text, folder.file, { force: true })).rejects.toMatchObject({ what: expect.stringContaining(':40009: connection-open is "x"') as unknown });
    expect(readFileSync(folder.file)).toEqual(before);
    expect(readdirSync(folder.path).sort()).toEqual(['it.yaml', basename(folder.file)].sort());
  });

  test('when it is given up, too', async () => {
    using folder = new Folder();
    const text = join(folder.path, 'it.yaml');
    writeFileSync(text, `${HEAD}${'- connection-open: 1\n  address: x\n'.repeat(20_000)}`);
    const given = new Error('given up');
    await expect(pack(text, folder.file, { signal: AbortSignal.abort(given) })).rejects.toBe(given);
    expect(readdirSync(folder.path)).toEqual(['it.yaml']);
  });

  test('bytes that are no UTF-8', async () => {
    using folder = new Folder();
    writeFileSync(join(folder.path, 'it.yaml'), Buffer.from([0xff, 0xfe]));
    await expect(pack(join(folder.path, 'it.yaml'), folder.file)).rejects.toMatchObject({ code: 'bad-text' });
  });

  test('a payload that is outside of the folder, is a link, or is not there', async () => {
    using folder = new Folder();
    const text = join(folder.path, 'text');
    mkdirSync(join(text, 'payloads'), { recursive: true });
    writeFileSync(join(folder.path, 'secret'), 'secret');
    symlinkSync(join(folder.path, 'secret'), join(text, 'payloads', 'link'));
    mkdirSync(join(text, 'payloads', 'folder'));
    for (const name of ['../secret', 'payloads/../../secret', '/etc/passwd', 'payloads/..', 'payloads/link', 'payloads/folder', 'payloads/none']) {
      writeFileSync(join(text, 'cassette.yaml'), `${HEAD}- connection-open: 1\n  address: !file ${name}\n`);
      await expect(pack(text, folder.file), name).rejects.toMatchObject({ code: 'bad-text' });
      expect(existsSync(folder.file)).toBe(false);
    }
    rmSync(join(text, 'payloads'), { recursive: true });
    symlinkSync(folder.path, join(text, 'payloads'));
    writeFileSync(join(text, 'cassette.yaml'), `${HEAD}- connection-open: 1\n  address: !file payloads/secret\n`);
    await expect(pack(text, folder.file)).rejects.toMatchObject({ code: 'bad-text' });
  });
});

describe('unpacking', () => {
  test('replaces nothing unless it is told to, and then only what was unpacked there', async () => {
    using folder = new Folder();
    await record(folder.file, everyKind, {}, sampleHeader);
    for (const output of [join(folder.path, 'a.yaml'), join(folder.path, 'a')]) {
      unpack(folder.file, output);
      expect(() => unpack(folder.file, output)).toThrow(expect.objectContaining({ code: 'text-exists' }) as Error);
      unpack(folder.file, output, { force: true });
    }
    mkdirSync(join(folder.path, 'mine'));
    writeFileSync(join(folder.path, 'mine', 'thesis.txt'), '');
    expect(() => unpack(folder.file, join(folder.path, 'mine'), { force: true })).toThrow(expect.objectContaining({ code: 'text-exists' }) as Error);
    expect(() => unpack(folder.file, join(folder.path, 'none', 'a.yaml'))).toThrow(expect.objectContaining({ code: 'text-not-writable' }) as Error);
    chmodSync(folder.path, 0o700);
  });

  test('takes away what one that was killed has left', async () => {
    using folder = new Folder();
    await record(folder.file, everyKind, {}, sampleHeader);
    // No process has the first number; the second is this one's parent.
    for (const pid of [2 ** 22 + 1, process.ppid]) writeFileSync(join(folder.path, `.a.yaml.new-${pid}`), 'half');
    unpack(folder.file, join(folder.path, 'a.yaml'));
    expect(readdirSync(folder.path).filter((name) => name.startsWith('.'))).toEqual([`.a.yaml.new-${process.ppid}`]);
  });
});
