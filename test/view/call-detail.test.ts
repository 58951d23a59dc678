import { describe, expect, it } from 'vitest';

import { showCall, type DetailOptions } from '../../src/view/index.js';
import { bridge, control, encode, FRONTEND, graph } from '../bridge/build.js';
import { exec, opened, ordinaryBuild, REF, Tape } from './tape.js';

const detail = (tape: Tape, id: number, options: DetailOptions = {}): Promise<string> =>
  opened(tape, (cassette) => {
    const summary = cassette.calls.find((call) => call.id === id);
    if (summary === undefined) throw new Error(`no call ${id}`);
    return [...showCall(summary, cassette.call(id), options)].join('\n');
  });

/** The text below a line that ends so, up to the next event's line. */
const below = (text: string, line: RegExp): string => {
  const lines = text.split('\n');
  const start = lines.findIndex((each) => line.test(each)) + 1;
  const end = lines.findIndex((each, index) => index >= start && !each.startsWith(' '.repeat(12)));
  return lines
    .slice(start, end === -1 ? undefined : end)
    .map((each) => each.slice(12))
    .join('\n');
};

describe('one call', () => {
  it('has its headers in order, its messages with field names, and its status', async () => {
    const tape = new Tape();
    tape
      .call(bridge('ReadFile'), 1234, { 'grpc-timeout': '15S', authorization: 'Bearer s3cret', 'trace-bin': '\xff\x00', 'buildkit-controlapi-buildid': REF })
      .client(1234.5, encode(`${FRONTEND}.ReadFileRequest`, { FilePath: '/etc/motd', Ref: 'r1', Range: { Offset: 7 } }))
      .halfClose(1234.6)
      .headers(1236)
      .server(1236, encode(`${FRONTEND}.ReadFileResponse`, { Data: Buffer.from('hello\n') }))
      .status(1236.25);
    expect(await detail(tape, 1)).toBe(
      `
call 1  /moby.buildkit.v1.frontend.LLBBridge/ReadFile
  build     rrrrrrrrrrrrrrrrrrrrrrrrr
  at        1.234 s, took 2.3 ms, on connection 1
  client    1 message, 19 B
  server    1 message, 8 B
  status    OK

 0.000000 → headers
            :path: /moby.buildkit.v1.frontend.LLBBridge/ReadFile
            grpc-timeout: 15S
            authorization: Bearer s3cret
            trace-bin: w78A (base64)
            buildkit-controlapi-buildid: rrrrrrrrrrrrrrrrrrrrrrrrr
 0.000500 → ReadFileRequest, 19 B
            Ref: r1
            FilePath: /etc/motd
            Range: { Offset: 7 }
 0.000600 → sends no more
 0.002000 ← headers
            :status: 200
            content-type: application/grpc
 0.002000 ← ReadFileResponse, 8 B
            Data: "hello\\n"
 0.002250 ← trailers
            grpc-status: 0
            grpc-message:`.slice(1),
    );
  });

  it('shows an exec stream as what its processes say and do', async () => {
    expect(below(await detail(ordinaryBuild(), 5), /headers$/)).toBe(`:path: ${bridge('ExecProcess')}\nbuildkit-controlapi-buildid: ${REF}`);
    const lines = (await detail(ordinaryBuild(), 5)).split('\n').slice(10);
    expect(lines).toEqual([
      ' 0.000000 → init sh -c "echo tick1"  fds 1 2',
      '            ProcessID: c1:p1',
      '            Init:',
      '              ContainerID: c1',
      '              Meta:',
      '                args: [sh, -c, "echo tick1"]',
      '              Fds: [1, 2]',
      ' 0.010000 ← started',
      ' 0.020000 ← stdout 6 B "tick1\\n"',
      ' 0.030000 ← exit 3  UNKNOWN: exit code: 3',
      '            ProcessID: c1:p1',
      '            Exit:',
      '              Code: 3',
      '              Error: { code: 2, message: "exit code: 3" }',
      ' 0.031000 ← done',
      ' 0.032000 → reset: CANCEL',
    ]);
  });

  it('tells the processes of one stream apart by numbers', async () => {
    const tape = new Tape();
    tape
      .call(bridge('ExecProcess'), 0)
      .client(1, exec({ Init: { ContainerID: 'c1', Meta: { args: ['cat'] }, Tty: true, Fds: [0, 1, 2] } }, 'c1:first'))
      .client(2, exec({ Init: { ContainerID: 'c2', Meta: { args: ['true'] } } }, 'c2:second'))
      .client(3, exec({ Resize: { Rows: 24, Cols: 80 } }, 'c1:first'))
      .client(4, exec({ Signal: { Name: 'TERM' } }, 'c2:second'))
      .server(5, exec({ Started: {} }, 'never:announced'))
      .client(6, exec({ File: { Fd: 0, EOF: true } }, 'c1:first'));
    const lines = (await detail(tape, 1)).split('\n');
    expect(lines).toContain(' 0.001000 → [1] init cat  tty  fds 0 1 2');
    expect(lines).toContain(' 0.002000 → [2] init true');
    expect(lines).toContain(' 0.003000 → [1] resize 80x24');
    expect(lines).toContain(' 0.004000 → [2] signal TERM');
    expect(lines.slice(lines.indexOf(' 0.005000 ← [3] started'))).toEqual([
      ' 0.005000 ← [3] started',
      '            ProcessID: never:announced',
      '            Started: {}',
      ' 0.006000 → [1] stdin EOF',
      'The recording ends with this call still open.',
    ]);
  });

  it('shows a definition as an op list with its graph', async () => {
    const { fields, digests } = graph([
      { name: 'base', op: { source: { identifier: 'docker-image://docker.io/library/alpine:latest' }, platform: { OS: 'linux', Architecture: 'arm64', Variant: 'v8' } } },
      { name: 'ctx', op: { source: { identifier: 'local://context', attrs: { 'local.session': 'abc', 'local.followpaths': '["a"]' } } }, metadata: { caps: { 'source.local': true, 'source.local.sessionid': true } } },
      { name: 'run', inputs: ['base', { op: 'ctx', index: 1 }], op: { exec: { meta: { args: ['sh', '-c', 'make all'], env: ['A=1'], cwd: '/src' }, mounts: [{ input: 0, dest: '/', output: 0 }] } }, line: 3 },
    ]);
    const short = (name: string): string => (digests.get(name) ?? '').slice(7, 19);
    const tape = new Tape();
    tape.bridge('Solve', 1, encode(`${FRONTEND}.SolveRequest`, { Definition: fields }));
    expect(below(await detail(tape, 1), /SolveRequest/)).toBe(
      `
Definition: 4 ops
  [0] ${short('base')}  source  docker-image://docker.io/library/alpine:latest
      platform: linux/arm64/v8
      metadata: {}
  [1] ${short('ctx')}  source  local://context
      attrs: { local.session: abc, local.followpaths: '["a"]' }
      metadata: { caps: "source.local source.local.sessionid" }
  [2] ${short('run')}  exec    sh -c "make all"  ← [0] [1]:1
      meta:
        env: [A=1]
        cwd: /src
      mounts:
        - { dest: / }
      metadata: {}
      locations: [Dockerfile:3]
  [3] ${short('')}  result  ← [2]
  sources:
    - { filename: Dockerfile }`.slice(1),
    );
  });

  it('decodes the details of a status below its trailers', async () => {
    const vertex = { type_url: 'github.com/moby/buildkit/errdefs.Vertex+json', value: Buffer.from('{"digest":"sha256:1234"}') };
    const bytes = encode('google.rpc.Status', { code: 2, message: 'näh', details: [vertex] });
    const tape = new Tape();
    tape.bridge('Solve', 1).status(2, 2, 'n%C3%A4h', { 'grpc-status-details-bin': Buffer.from(bytes).toString('base64') });
    const text = await detail(tape, 1);
    expect(text).toContain('  status    UNKNOWN: näh\n');
    expect(below(text, /trailers$/)).toBe(
      `
grpc-status: 2
grpc-message: n%C3%A4h
grpc-status-details-bin: ${Buffer.from(bytes).toString('base64')}
status: UNKNOWN
  message: näh
  details:
    - @type: github.com/moby/buildkit/errdefs.Vertex+json
      value: { digest: sha256:1234 }`.slice(1),
    );
  });

  it('shows messages of an unknown method by field number and as a bounded hex dump', async () => {
    const tape = new Tape();
    tape.call('/acme.v1.Widgets/Turn', 1).client(1, Buffer.concat([Buffer.from([0x0a, 2, 0x68, 0x69]), Buffer.from([0x12, 0x80, 4]), Buffer.alloc(512, 0x41)]));
    const text = below(await detail(tape, 1), /→ message, 519 B/);
    expect(text).toContain('undecodable: /acme.v1.Widgets/Turn is not known to this version of bridgetape');
    expect(text).toContain('#1: { bytes: hi }');
    expect(text).toContain('0000  0a 02 68 69 12 80 04 41  41 41 41 41 41 41 41 41  ..hi...AAAAAAAAA\n');
    expect(text).toMatch(/\n00f0 {2}.*\n… 263 bytes more$/);
    expect(await detail(tape, 1, { full: true })).toMatch(/\n {12}0200 {2}41 41 41 41 41 41 41 {30}AAAAAAA\n/);
  });

  it('names unknown fields that the line of an exec message does not have', async () => {
    const tape = new Tape();
    tape.call(bridge('ExecProcess'), 0).client(0, exec({ Init: { ContainerID: 'c1' } })).server(1, Buffer.concat([exec({ Done: {} }), Buffer.from([0x98, 0x06, 7])]));
    expect(below(await detail(tape, 1), /← done$/)).toBe('ProcessID: c1:p1\nDone: {}\n#99: { varint: 7 }');
  });

  it('says what is not there: bodies left out, gaps, bodies that are compressed', async () => {
    const tape = new Tape();
    tape.call(control('Session'), 0).leftOut('client-message', 1, 70_000).message('server-message', 2, Buffer.from([0x1f, 0x8b]), true).gap(3, 2048, 'a message over the limit').reset(4, 'server', 11);
    expect((await detail(tape, 1)).split('\n').slice(3)).toEqual([
      '  server    1 message, 2 B',
      '  status    server reset: ENHANCE_YOUR_CALM',
      '  gaps      1 part of this call could not be read',
      '  left out  the bodies of 1 message',
      '',
      ' 0.000000 → headers',
      '            :path: /moby.buildkit.v1.Control/Session',
      ' 0.001000 → message, 68 KiB (body left out of the cassette)',
      ' 0.002000 ← message, 2 B, compressed',
      `            0000  1f 8b${' '.repeat(45)}..`,
      ' 0.003000 ← gap of 2.0 KiB: a message over the limit',
      ' 0.004000 ← reset: ENHANCE_YOUR_CALM',
    ]);
  });

  it('cuts what is long for people and names its length; nothing is cut with full', async () => {
    const tape = new Tape();
    const line = 'x'.repeat(1000);
    const dockerfile = Array.from({ length: 30 }, (_none, index) => `RUN step ${index}`).join('\n');
    tape
      .call(bridge('Solve'), 0, { 'x-long': 'h'.repeat(500) })
      .client(0, encode(`${FRONTEND}.SolveRequest`, { Frontend: line, FrontendOpt: { dockerfile }, CacheImports: Array.from({ length: 50 }, (_none, index) => ({ Type: `t${index}` })) }))
      .server(1, encode(`${FRONTEND}.SolveResponse`, { result: { metadata: { blob: Buffer.alloc(600) } } }));
    const short = await detail(tape, 1);
    expect(short).toContain(`x-long: ${'h'.repeat(240)}… (500 B in all)\n`);
    expect(short).toContain(`Frontend: "${'x'.repeat(240)}"… (1000 B in all)\n`);
    expect(short).toContain('dockerfile: | (349 B)\n');
    expect(short).toContain(`RUN step 11\n${' '.repeat(16)}… 18 more lines\n`);
    expect(short).toContain('- { Type: t39 }\n');
    expect(short).toContain('… 10 more\n');
    expect(short).toMatch(/blob: A{240}… \(base64, 600 B\)/);
    const full = await detail(tape, 1, { full: true });
    expect(full).not.toContain('…');
    for (const whole of ['h'.repeat(500), `Frontend: ${line}`, 'RUN step 29', '{ Type: t49 }', `blob: ${Buffer.alloc(600).toString('base64')} (base64`]) expect(full).toContain(whole);
  });
});
