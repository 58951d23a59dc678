import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { knownMethods } from '../../src/bridge/index.js';
import { Cassette, type FrontendRun } from '../../src/cassette/index.js';
import { callTable, plainPainter, showCassette, surveyCassette, type ViewOptions } from '../../src/view/index.js';
import { bridge, control, encode } from '../bridge/build.js';
import { Folder, HEADER, opened, ordinaryBuild, REF, Tape } from './tape.js';

const shown = (tape: Tape, options: ViewOptions = {}, header = HEADER): Promise<string> =>
  opened(tape, (cassette) => showCassette(surveyCassette(cassette, 'build.cassette'), options).join('\n'), header);

const table = (tape: Tape, options: ViewOptions = {}): Promise<string[]> => opened(tape, (cassette) => callTable(surveyCassette(cassette), options));

describe('the table of a cassette', () => {
  it('says what was recorded, then a line for each call', async () => {
    expect(await shown(ordinaryBuild())).toBe(
      `
build.cassette: whole
  recorded  2026-01-02 03:04:05 UTC, 900 ms, by bridgetape 0.1.0
  BuildKit  v0.32.2, at unix:///run/buildkit/buildkitd.sock
  command   buildctl build --frontend dockerfile.v0 --opt 'target=a b'
  holds     7 calls of 1 build on 1 connection, 36 events
  left out  message bodies of Control/Session, Content/*

                                          CLIENT       SERVER
#  AT (s)    TOOK  METHOD                 MSG   BYTES  MSG   BYTES  STATUS
1   0.003  1.2 ms  Control/ListWorkers      1     0 B    1   651 B  OK
2   0.010  890 ms  Control/Session*         1 1.9 MiB    1 2.1 KiB  client reset
3   0.010  881 ms  Control/Solve            1    69 B    1     0 B  OK
4   0.014  307 ms  LLBBridge/Solve          1    15 B    1     4 B  OK
5   0.330   32 ms  LLBBridge/ExecProcess    1    39 B    4    66 B  client reset
6   0.400  2.3 ms  LLBBridge/ReadFile       1    14 B    0     0 B  NOT_FOUND
   open /missing: no such file or directory
7   0.880  2.0 ms  LLBBridge/Return         1     0 B    1     0 B  OK
* message bodies left out of the cassette`.trimStart(),
    );
  });

  it('says how the container frontend was run that it was recorded from', async () => {
    const frontend = {
      arguments: ['/bin/dockerfile-frontend', 'a b'],
      environment: ['PATH=/bin', 'BUILDKIT_FRONTEND_OPT_1=build-arg:WHO=you and me', 'BUILDKIT_FRONTEND_OPT_0=source=docker/dockerfile:1', 'A=\x1b[2J'],
      directory: '/',
      user: { uid: 0, gid: 0, additionalGids: [] },
      files: [{ path: '/run/config/buildkit/metadata/frontend.bin', data: new Uint8Array(312) }],
    };
    const head = async (of: FrontendRun): Promise<string> => (await shown(new Tape(), {}, { ...HEADER, frontend: of })).split('\n').slice(4, 8).join('\n');
    expect(await head({ ...frontend, exit: { status: 1 } })).toBe(
      `
  frontend  /bin/dockerfile-frontend 'a b' in / as 0:0, exit status 1
  options   'build-arg:WHO=you and me' source=docker/dockerfile:1; 2 other
            variables
  files     /run/config/buildkit/metadata/frontend.bin (312 B)`.slice(1),
    );
    expect(await head({ ...frontend, arguments: ['a\nb'], environment: [], files: [] })).toContain("frontend  'a\\nb' in / as 0:0, its end not seen\n  options   none; 0 other variables\n");
  });

  it('groups the calls of several builds, and knows a session by its Solve', async () => {
    const tape = new Tape();
    tape.call(control('Info'), 1).client(1, new Uint8Array(0)).server(2).status(2);
    for (const [letter, at] of [['a', 5], ['b', 6]] as const) {
      const Ref = letter.repeat(25);
      const Session = letter.repeat(24) + '0';
      tape.solve(at, { Ref, Session, Frontend: letter === 'a' ? 'dockerfile.v0' : '' }).server(90).status(90);
      tape.call(control('Session'), at, { 'x-docker-expose-session-uuid': Session }).reset(95);
      tape.call(control('Status'), at).client(at, encode('moby.buildkit.v1.StatusRequest', { Ref })).status(90);
      tape.bridge('Ping', at + 3, new Uint8Array(0), Ref).server(at + 4).status(at + 4);
    }
    expect((await table(tape)).join('\n')).toBe(
      `
                                    CLIENT     SERVER
#  AT (s)    TOOK  METHOD           MSG BYTES  MSG BYTES  STATUS
outside of the builds
1   0.001  1.0 ms  Control/Info       1   0 B    1   0 B  OK
build aaaaaaaaaaaaaaaaaaaaaaaaa, dockerfile.v0, 4 calls
2   0.005   85 ms  Control/Solve      1  69 B    1   0 B  OK
3   0.005   90 ms  Control/Session    0   0 B    0   0 B  client reset
4   0.005   85 ms  Control/Status     1  27 B    0   0 B  OK
5   0.008  1.0 ms  LLBBridge/Ping     1   0 B    1   0 B  OK
build bbbbbbbbbbbbbbbbbbbbbbbbb, a client, 4 calls
6   0.006   84 ms  Control/Solve      1  54 B    1   0 B  OK
7   0.006   89 ms  Control/Session    0   0 B    0   0 B  client reset
8   0.006   84 ms  Control/Status     1  27 B    0   0 B  OK
9   0.009  1.0 ms  LLBBridge/Ping     1   0 B    1   0 B  OK`.slice(1),
    );
  });

  it('fits into 80 columns with every method of the bridge and every status', async () => {
    const tape = new Tape();
    for (const [index, { path }] of knownMethods('moby.buildkit.v1.frontend.LLBBridge').entries()) {
      tape.call(path, 10_000 * index, { 'buildkit-controlapi-buildid': REF }).client(10_000 * index, new Uint8Array(5000)).server(10_000 * index + 9000, new Uint8Array(70_000)).status(10_000 * index + 9500, index, `it failed ${'for a reason '.repeat(20)}`);
    }
    tape.call(bridge('ExecProcess'), 5).client(6, new Uint8Array(0));
    for (const line of (await shown(tape)).split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  it('shows whole names and sizes where there is room for them', async () => {
    const tape = new Tape();
    tape.bridge('ReadContainerFileOfSomeKind', 1, new Uint8Array(5000)).server(2, new Uint8Array(1_500_000)).status(3, 9, 'not now');
    expect(await table(tape, { width: 120 })).toEqual([
      '                                                          CLIENT       SERVER',
      '#  AT (s)    TOOK  METHOD                                 MSG   BYTES  MSG   BYTES  STATUS',
      '1   0.001  2.0 ms  LLBBridge/ReadContainerFileOfSomeKind    1 4.9 KiB    1 1.4 MiB  FAILED_PRECONDITION',
      '   not now',
    ]);
    expect(await table(tape)).toEqual([
      '                                              CLIENT     SERVER',
      '#  AT (s)    TOOK  METHOD                     MSG BYTES  MSG BYTES  STATUS',
      '1   0.001  2.0 ms  …dContainerFileOfSomeKind    1  4.9K    1  1.4M  FAILED_PREC…',
      '   FAILED_PRECONDITION: not now',
    ]);
  });

  it('shows what is missing: gaps on a call and beside all calls, losses, connections that broke', async () => {
    const tape = new Tape();
    tape.bridge('Solve', 5).gap(6, 312, 'a header block that cannot be decoded').server(7).status(7);
    tape
      .add({ kind: 'gap', time: 8_000_000n, connection: 1, side: 'server', offset: 1000, bytes: 17, reason: 'not HTTP/2' })
      .add({ kind: 'gap', time: 8_500_000n, connection: 0, side: 'client', offset: 0, bytes: 4096, reason: 'the disk is full' })
      .add({ kind: 'connection-close', time: 9_000_000n, connection: 1, side: 'server', error: 'read ECONNRESET' });
    const text = await shown(tape);
    expect(text).toContain('  gap       17 B from the server at 0.008 s, connection 1: not HTTP/2\n');
    expect(text).toContain('  lost      4.0 KiB at 0.008 s: the disk is full\n');
    expect(text).toContain('  ended     connection 1 by an error: read ECONNRESET\n');
    expect(text).toContain('   1 gap: a part of this call is missing');
  });

  it('says of an interrupted cassette what was still open', async () => {
    using folder = new Folder();
    const tape = new Tape();
    tape.bridge('Ping', 1).server(2).status(2);
    tape.bridge('Solve', 3);
    await tape.writeInterrupted(folder.file);
    using cassette = Cassette.open(folder.file);
    const lines = showCassette(surveyCassette(cassette, 'killed.cassette'));
    expect(lines[0]).toBe('killed.cassette: interrupted');
    expect(lines).toContain('  cut off   the recording was not brought to its end; still open: call 2');
    expect(lines.at(-1)).toMatch(/^2 {3}0\.003 {10}LLBBridge\/Solve {2,}1 {3}0 B {4}0 {3}0 B {2}open$/);
  });

  it('says of a damaged cassette where, and which calls that hits', async () => {
    using folder = new Folder();
    await ordinaryBuild().write(folder.file);
    const bytes = readFileSync(folder.file);
    const at = bytes.indexOf('evt');
    bytes.writeUInt8(bytes.readUInt8(at + 40) ^ 0xff, at + 40);
    writeFileSync(folder.file, bytes);
    using cassette = Cassette.open(folder.file);
    const lines = showCassette(surveyCassette(cassette, 'bad.cassette'));
    expect(lines[0]).toBe('bad.cassette: damaged');
    expect(lines.join(' ').replaceAll(/ +/g, ' ')).toMatch(/damage byte \d+ \(\d+ B, events\): the checksum is wrong; hits calls 1, 2, 3, 4, 5, 6, 7/);
    // The index stands: the calls are listed all the same.
    expect(lines.filter((line) => line.includes('LLBBridge/'))).toHaveLength(4);
  });

  it('lets nothing that was recorded act on the terminal', async () => {
    const tape = new Tape();
    tape.call('/evil.Service/\x1b[2JRun\u202e', 1).client(1, new Uint8Array(0)).status(2, 2, '\x07%1B[31mred%0Asecond line');
    const text = await shown(tape, {}, { ...HEADER, command: ['sh', '-c', 'printf "\x1b]0;title\x07"'] });
    // eslint-disable-next-line no-control-regex -- these are the characters that are meant
    expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
    expect(text).toContain('Service/\\u001b[2JRun');
    expect(text).toContain('\\u0007\\u001b[31mred\\nsecond line');
  });

  it('colours with the painter it is given, and pads by what is seen', async () => {
    const painter = { ...plainPainter, green: (text: string): string => `<${text}>`, dim: (text: string): string => text };
    const lines = await table(ordinaryBuild(), { painter });
    expect(lines.at(-2)).toMatch(/ {2}<OK>$/);
  });

  it('has no calls to show in an empty cassette', async () => {
    expect(await table(new Tape())).toEqual(['No calls.']);
  });
});
