import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeDefinition, decodeMessage, decodeStatus, describeExec, knownMethods, knownServices } from '../../src/bridge/index.js';
import { bridge, control, encode, FRONTEND, graph, header, id } from './build.js';

describe('a message to look at', () => {
  it('has the field names of proto/, enums by name, and no defaults', () => {
    const request = encode(`${FRONTEND}.NewContainerRequest`, {
      ContainerID: 'c1',
      Mounts: [{ dest: '/', resultID: 'r1', mountType: 'BIND' }, { dest: '/run/s', mountType: 'SECRET', secretOpt: { ID: 's', mode: 0o400 } }],
      Network: 'HOST',
      extraHosts: [{ Host: 'h', IP: '10.0.0.1' }],
    });
    expect(decodeMessage(bridge('NewContainer'), 'client', request)).toEqual({
      ContainerID: 'c1',
      Mounts: [
        { dest: '/', resultID: 'r1' },
        { dest: '/run/s', mountType: 'SECRET', secretOpt: { ID: 's', mode: 0o400 } },
      ],
      Network: 'HOST',
      extraHosts: [{ Host: 'h', IP: '10.0.0.1' }],
    });
  });

  it('keeps 64-bit numbers whole', () => {
    const range = (Offset: string, Length: string): unknown =>
      decodeMessage(bridge('ReadFile'), 'client', encode(`${FRONTEND}.ReadFileRequest`, { Range: { Offset, Length } }));
    expect(range('9007199254740991', '9007199254740993')).toEqual({ Range: { Offset: 9007199254740991, Length: '9007199254740993' } });
    expect(range('-9223372036854775808', '-1')).toEqual({ Range: { Offset: '-9223372036854775808', Length: -1 } });
  });

  it('shows bytes as text where they are, else as base64', () => {
    const file = (Data: Uint8Array): unknown => decodeMessage(bridge('ReadFile'), 'server', encode(`${FRONTEND}.ReadFileResponse`, { Data }));
    expect(file(Buffer.from('grüße\n'))).toEqual({ Data: 'grüße\n' });
    expect(file(Buffer.from([0xff, 0]))).toEqual({ Data: { base64: '/wA=', size: 2 } });
    expect(file(Buffer.from('\x1b[2J'))).toEqual({ Data: { base64: 'G1sySg==', size: 4 } });
  });

  it('shows times as protobuf JSON does', () => {
    const vertexes = [{ digest: 'sha256:1', started: { seconds: 1_700_000_000, nanos: 5 } }, { completed: {} }, { completed: { seconds: '9223372036854775807' } }];
    expect(decodeMessage(control('Status'), 'server', encode('moby.buildkit.v1.StatusResponse', { vertexes }))).toEqual({
      vertexes: [
        { digest: 'sha256:1', started: '2023-11-14T22:13:20.000000005Z' },
        { completed: '1970-01-01T00:00:00.000000000Z' },
        { completed: { seconds: '9223372036854775807', nanos: 0 } },
      ],
    });
  });

  it('keeps unknown fields by number, and an enum that is too new as its number', () => {
    const bytes = Buffer.concat([
      encode(`${FRONTEND}.NewContainerRequest`, { Network: 9 }),
      Buffer.from([0x82, 0x01, 2, 0x68, 0x69, 0x88, 0x01, 7, 0x88, 0x01, 8]),
    ]);
    expect(decodeMessage(bridge('NewContainer'), 'client', bytes)).toEqual({ Network: 9, '#16': { bytes: 'hi' }, '#17': [{ varint: 7 }, { varint: 8 }] });
  });

  it('shows the fields of an unknown method by number', () => {
    expect(decodeMessage('/a.B/C', 'client', Buffer.from([0x0a, 2, 0x68, 0x69]))).toEqual({
      undecodable: '/a.B/C is not known to this version of bridgetape',
      fields: { '#1': { bytes: 'hi' } },
    });
  });

  it('says why bytes are no message', () => {
    expect(decodeMessage(bridge('Ping'), 'client', Buffer.from([0x0a, 9]))).toEqual({
      undecodable: 'a length of 9 at byte 2 reaches past the end, 2',
      bytes: '\n\t',
    });
  });

  it("decodes a returned error's details", () => {
    const error = {
      code: 2,
      message: 'boom',
      details: [
        { type_url: 'github.com/moby/buildkit/errdefs.Vertex+json', value: Buffer.from('{"digest":"sha256:1"}') },
        { type_url: 'type.googleapis.com/moby.buildkit.v1.StatusRequest', value: encode('moby.buildkit.v1.StatusRequest', { Ref: 'r' }) },
        { type_url: 'x/unknown', value: Buffer.from([1, 2]) },
      ],
    };
    expect(decodeMessage(bridge('Return'), 'client', encode(`${FRONTEND}.ReturnRequest`, { error }))).toEqual({
      error: {
        code: 2,
        message: 'boom',
        details: [
          { '@type': 'github.com/moby/buildkit/errdefs.Vertex+json', value: { digest: 'sha256:1' } },
          { '@type': 'type.googleapis.com/moby.buildkit.v1.StatusRequest', value: { Ref: 'r' } },
          { '@type': 'x/unknown', value: { base64: 'AQI=', size: 2 } },
        ],
      },
    });
  });

  it('cuts what is long and says how long it was', () => {
    const data = encode(`${FRONTEND}.ReadFileResponse`, { Data: Buffer.from('ab€'.repeat(1000)) });
    expect(decodeMessage(bridge('ReadFile'), 'server', data, { maxText: 4 })).toEqual({ Data: { text: 'ab', size: 5000, truncated: true } });
    const entries = Array.from({ length: 50 }, (_none, index) => ({ path: String(index) }));
    const dir = decodeMessage(bridge('ReadDir'), 'server', encode(`${FRONTEND}.ReadDirResponse`, { entries }), { maxValues: 20 });
    expect(dir).toMatchObject({ entries: expect.arrayContaining([{ path: '0' }, { omitted: 40 }]) as unknown });
  });

  it('can be had of any bytes, as JSON', () => {
    const paths = [...knownServices().flatMap((service) => knownMethods(service).map(({ path }) => path)), '/un/known'];
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.constantFrom('client' as const, 'server' as const), fc.uint8Array({ maxLength: 200 }), (path, side, bytes) => {
        const decoded = decodeMessage(path, side, bytes);
        expect(JSON.parse(JSON.stringify(decoded))).toEqual(decoded);
        describeExec(bytes, side);
        decodeDefinition(bytes);
        decodeStatus([header('grpc-status', bytes), header('grpc-message', bytes), header('grpc-status-details-bin', bytes)]);
        decodeStatus([header('grpc-status-details-bin', Buffer.from(bytes).toString('base64'))]);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a definition to look at', () => {
  const built = graph(
    [
      { name: 'image', op: { source: { identifier: 'docker-image://busybox', attrs: { 'image.resolvemode': 'local' } }, platform: { OS: 'linux', Architecture: 'arm64', Variant: 'v8' } } },
      {
        name: 'files',
        inputs: ['image'],
        op: {
          file: {
            actions: [
              { mkdir: { path: '/d' } },
              { mkfile: { path: '/d/f', data: Buffer.from('12345') } },
              { copy: { src: '/a', dest: '/b' } },
              { rm: { path: '/c' } },
              { symlink: { oldpath: '/b', newpath: '/l' } },
            ],
          },
        },
        metadata: { description: { 'llb.customname': 'COPY' } },
        line: 4,
      },
      { name: 'run', inputs: ['files', { op: 'image', index: 1 }], op: { exec: { meta: { args: ['sh', '-c', 'a b'] } }, constraints: { filter: ['x'] } }, line: 5 },
      { name: 'both', inputs: ['files', 'run'], op: { merge: { inputs: [{ input: 0 }, { input: 1 }] } } },
      { name: 'more', inputs: ['both', 'image'], op: { diff: { lower: { input: 1 }, upper: { input: 0 } } } },
    ],
    { source: { data: Buffer.from('FROM busybox') } },
  );
  const definition = decodeDefinition(built.bytes);

  it('lists ops with what they are', () => {
    expect(definition.ops.map(({ index, kind, summary, inputs }) => [index, kind, summary, inputs.map(({ op, output }) => `${String(op)}:${output}`).join(' ')])).toEqual([
      [0, 'source', 'docker-image://busybox', ''],
      [1, 'file', 'mkdir /d, mkfile /d/f 5 B, copy /a → /b, rm /c, symlink /l → /b', '0:0'],
      [2, 'exec', 'sh -c "a b"', '1:0 0:1'],
      [3, 'merge', 'merges 2 inputs', '1:0 2:0'],
      [4, 'diff', 'what upper has over lower', '3:0 0:0'],
      [5, 'result', '', '4:0'],
    ]);
  });

  it('has the digests, and beside them platform, constraints, metadata and source lines', () => {
    expect(definition.ops.map(({ digest }) => digest)).toEqual(['image', 'files', 'run', 'both', 'more', ''].map((name) => built.digests.get(name)));
    expect(definition.ops[0]).toMatchObject({ platform: 'linux/arm64/v8', body: { attrs: { 'image.resolvemode': 'local' } } });
    expect(definition.ops[1]).toMatchObject({ metadata: { description: { 'llb.customname': 'COPY' } }, locations: [{ file: 'Dockerfile', line: 4, endLine: 4 }] });
    expect(definition.ops[2]).toMatchObject({ constraints: ['x'] });
    expect(definition.sources).toEqual([{ filename: 'Dockerfile', data: 'FROM busybox' }]);
  });

  it('stands where a message holds one', () => {
    const request = encode(`${FRONTEND}.SolveRequest`, { Definition: built.fields, FrontendInputs: { a: built.fields } });
    expect(decodeMessage(bridge('Solve'), 'client', request)).toEqual({ Definition: definition, FrontendInputs: { a: definition } });
  });

  it('names a kind of op that is newer than proto/ by its number', () => {
    const op = Buffer.from([0x62, 1, 65]);
    expect(decodeDefinition(encode('pb.Definition', { def: [op] })).ops[0]).toMatchObject({ kind: '#12', '#12': { bytes: 'A' } });
  });

  it('shows an op that can not be read, and an edge that leads nowhere', () => {
    const lost = encode('pb.Op', { inputs: [{ digest: 'sha256:gone' }], exec: {} });
    const { ops } = decodeDefinition(encode('pb.Definition', { def: [Buffer.from([0xff]), lost] }));
    expect(ops[0]).toMatchObject({ kind: 'undecodable', bytes: { base64: '/w==', size: 1 } });
    expect(ops[1]?.inputs).toEqual([{ op: null, digest: 'sha256:gone', output: 0 }]);
  });

  it('stops where there is too much, and says so', () => {
    const { ops, omitted } = decodeDefinition(built.bytes, { maxValues: 8 });
    expect(ops.length).toBeLessThan(6);
    expect(omitted).toBe(6 - ops.length);
  });
});

describe('a status', () => {
  it('has its code by name, and its message decoded', () => {
    expect(decodeStatus([header('grpc-status', '5'), header('grpc-message', 'no such file %C3%A4%0A100%')])).toEqual({
      code: 5,
      codeName: 'NOT_FOUND',
      message: 'no such file ä\n100%',
      details: [],
    });
    expect(decodeStatus([header('grpc-status', '0')])).toMatchObject({ code: 0, codeName: 'OK', message: '' });
    expect(decodeStatus([header('grpc-status', '77')])).toMatchObject({ code: 77, codeName: '77' });
  });

  it('keeps a message that decodes to no text as it came', () => {
    expect(decodeStatus([header('grpc-status', '2'), header('grpc-message', 'a%FF')]).message).toBe('a%FF');
  });

  it('shows the JSON in the details', () => {
    const details = [
      { type_url: 'github.com/moby/buildkit/errdefs.Source+json', value: Buffer.from('{ "info": {"filename":"Dockerfile"}, "ranges": [{"start":{"line":3}}] }') },
      { type_url: 'github.com/moby/buildkit/errdefs.Vertex+json', value: Buffer.from('not JSON') },
      { type_url: 'github.com/moby/buildkit/stack.Stack+json', value: Buffer.from(`{"pid":7,"cmdline":["${id('a')}"]}`) },
    ];
    const bytes = Buffer.from(encode('google.rpc.Status', { code: 2, message: 'm', details }));
    const expected = {
      code: 2,
      codeName: 'UNKNOWN',
      message: 'm',
      details: [
        { typeUrl: 'github.com/moby/buildkit/errdefs.Source+json', value: { info: { filename: 'Dockerfile' }, ranges: [{ start: { line: 3 } }] } },
        { typeUrl: 'github.com/moby/buildkit/errdefs.Vertex+json', value: 'not JSON' },
        { typeUrl: 'github.com/moby/buildkit/stack.Stack+json', value: { pid: 7, cmdline: [id('a')] } },
      ],
    };
    for (const text of [bytes.toString('base64'), bytes.toString('base64').replace(/=+$/, '')]) {
      expect(decodeStatus([header('grpc-status', '2'), header('grpc-message', 'm'), header('grpc-status-details-bin', text)])).toEqual(expected);
    }
  });

  it('says what is missing or can not be read', () => {
    expect(decodeStatus([])).toEqual({ code: -1, codeName: 'MISSING', message: '', details: [] });
    expect(decodeStatus([header('grpc-status', 'zero')])).toMatchObject({ code: -1, codeName: 'MISSING' });
    expect(decodeStatus([header('grpc-status', '2'), header('grpc-status-details-bin', '/w==')])).toMatchObject({
      code: 2,
      details: [],
      undecodable: 'ends in the middle of a field, at byte 1',
    });
  });
});
