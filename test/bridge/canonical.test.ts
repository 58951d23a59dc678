import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalRequest, decodeDefinition, knownMethods, knownServices, VOLATILE_RULES, type Canonical, type IdMap } from '../../src/bridge/index.js';
import { messageType } from '../../src/bridge/schema.js';
import { bridge, control, digestOf, encode, FRONTEND, graph, id, oneofLast, root, type BuiltGraph, type Fields, type GraphOptions, type OpSpec } from './build.js';

const NONE: IdMap = new Map();

const solve = (fields: Fields, ids: IdMap = NONE): Canonical => canonicalRequest(bridge('Solve'), encode(`${FRONTEND}.SolveRequest`, fields), ids);
const ofGraph = (built: BuiltGraph): Canonical => solve({ Definition: built.fields });

/** A Dockerfile of a context, an image, a copy and a command, as one client would send it. */
interface World {
  readonly session: string;
  readonly unique: string;
  readonly group: string;
}
const here: World = { session: id('a'), unique: id('b'), group: id('c') };
const there: World = { session: id('x'), unique: id('y'), group: id('z') };

function ops({ session, unique, group }: World, change: (name: string, op: Fields) => Fields = (_name, op) => op): readonly OpSpec[] {
  const specs: readonly OpSpec[] = [
    {
      name: 'context',
      op: { source: { identifier: 'local://context', attrs: { 'local.session': session, 'local.sharedkeyhint': `hint of ${session}`, 'local.followpaths': '["a"]' } } },
    },
    { name: 'other', op: { source: { identifier: 'local://other', attrs: { 'local.unique': unique } } } },
    {
      name: 'layout',
      op: { source: { identifier: `oci-layout://${unique}@${digestOf(Buffer.from('1'))}`, attrs: { 'oci.session': session, 'oci.store': unique } } },
    },
    { name: 'upload', op: { source: { identifier: `http://buildkit-session/${unique}`, attrs: {} } } },
    { name: 'image', op: { source: { identifier: 'docker-image://docker.io/library/busybox:latest' }, platform: { OS: 'linux', Architecture: 'amd64' } } },
    {
      name: 'copy',
      inputs: ['image', 'context', 'other', 'layout', 'upload'],
      op: { file: { actions: [{ input: 0, secondaryInput: 1, output: 0, copy: { src: '/a', dest: '/b', mode: -1, timestamp: -1 } }] } },
      metadata: { progress_group: { id: group, name: 'copies' }, description: { 'llb.customname': 'COPY a b' } },
      line: 2,
    },
    {
      name: 'run',
      inputs: ['copy', { op: 'image', index: 1 }],
      op: {
        exec: { meta: { args: ['/bin/sh', '-c', 'make'], env: ['A=b'], cwd: '/w' }, mounts: [{ input: 0, dest: '/' }, { input: 1, dest: '/m', readonly: true }] },
        platform: { OS: 'linux', Architecture: 'amd64' },
        constraints: { filter: ['a'] },
      },
      metadata: { description: { 'llb.customname': 'RUN make' }, caps: { 'exec.meta.base': true } },
      line: 3,
    },
  ];
  return specs.map((spec) => ({ ...spec, op: change(spec.name, spec.op) }));
}

const dockerfile = { data: Buffer.from('FROM busybox\nCOPY a b\nRUN make\n'), language: 'Dockerfile' };
const make = (world: World, options: GraphOptions = {}, change?: (name: string, op: Fields) => Fields): BuiltGraph =>
  graph(ops(world, change), { source: dockerfile, ...options });

describe('the same definition', () => {
  const expected = ofGraph(make(here));

  it.each<[string, BuiltGraph]>([
    ['in another session', make(there)],
    ['with its maps in another order', make(here, { reversed: true })],
    ['encoded as from v0.17', make(here, { encodeOp: oneofLast })],
    ['all of that', make(there, { reversed: true, encodeOp: oneofLast })],
  ])('%s is equal', (_what, built) => {
    expect(ofGraph(built).text).toBe(expected.text);
  });

  it('maps the digests of each world to the same canonical ones', () => {
    const [mine, theirs] = [make(here), make(there, { encodeOp: oneofLast })];
    const [one, other] = [ofGraph(mine).digests, ofGraph(theirs).digests];
    expect(one.size).toBe(8);
    for (const [name, digest] of mine.digests) {
      expect(one.get(digest)).toMatch(/^sha256:[0-9a-f]{64}$/);
      expect(other.get(theirs.digests.get(name) ?? '')).toBe(one.get(digest));
    }
  });

  it('reports what it took out, at the same places', () => {
    const [one, other] = [ofGraph(make(here)).volatile, ofGraph(make(there)).volatile];
    expect(other.map(({ at, kind }) => [at, kind])).toEqual(one.map(({ at, kind }) => [at, kind]));
    const values = (list: typeof one, kind: string): string[] => list.filter((item) => item.kind === kind).map(({ value }) => value);
    expect(values(one, 'session')).toEqual([here.session, here.session]);
    expect(values(other, 'session')).toEqual([there.session, there.session]);
    expect(values(one, 'upload')).toEqual([here.unique]);
    expect(values(one, 'progress-group')).toEqual([here.group]);
  });

  it('has one canonical digest for an op wherever it stands', () => {
    const built = make(here);
    const inReturn = canonicalRequest(
      bridge('Return'),
      encode(`${FRONTEND}.ReturnRequest`, { result: { refs: { refs: { a: { id: 'r', def: built.fields } } } } }),
      new Map([[here.session, 'bound']]),
    );
    expect(inReturn.digests).toEqual(expected.digests);
  });
});

describe('another definition', () => {
  const expected = ofGraph(make(here)).text;
  const set =
    (target: string, path: readonly string[], value: unknown) =>
    (name: string, op: Fields): Fields => {
      if (name !== target) return op;
      const copy = structuredClone(op) as Record<string, unknown>;
      let at: Record<string, unknown> = copy;
      for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>;
      at[path.at(-1) ?? ''] = value;
      return copy;
    };

  it.each<[string, (name: string, op: Fields) => Fields, string]>([
    ['command', set('run', ['exec', 'meta', 'args', '2'], 'make all'), 'exec.meta.args[2]'],
    ['environment', set('run', ['exec', 'meta', 'env'], ['A=c']), 'exec.meta.env[0]'],
    ['working directory', set('run', ['exec', 'meta', 'cwd'], '/x'), 'exec.meta.cwd'],
    ['mount', set('run', ['exec', 'mounts', '1', 'dest'], '/n'), 'exec.mounts[1].dest'],
    ['read-only mount', set('run', ['exec', 'mounts', '1', 'readonly'], false), 'exec.mounts[1].readonly'],
    ['network', set('run', ['exec', 'network'], 1), 'exec.network'],
    ['platform', set('run', ['platform', 'Architecture'], 'arm64'), 'platform.Architecture'],
    ['worker constraint', set('run', ['constraints', 'filter'], ['b']), 'constraints.filter[0]'],
    ['image', set('image', ['source', 'identifier'], 'docker-image://docker.io/library/alpine:latest'), 'source.identifier'],
    ['local source', set('context', ['source', 'attrs', 'local.followpaths'], '["b"]'), 'source.attrs["local.followpaths"]'],
    ['digest of an OCI layout', set('layout', ['source', 'identifier'], `oci-layout://${here.unique}@${digestOf(Buffer.from('2'))}`), 'source.identifier'],
    ['file action', set('copy', ['file', 'actions', '0', 'copy', 'dest'], '/c'), 'file.actions[0].copy.dest'],
  ])('differs by its %s, and says where', (_what, change, path) => {
    const other = ofGraph(make(here, {}, change));
    expect(other.text).not.toBe(expected);
    const before = new Map(ofGraph(make(here)).fields);
    const changed = other.fields.filter(([at, value]) => before.get(at) !== value).map(([at]) => at);
    const gone = [...before.keys()].filter((at) => !other.fields.some(([other]) => other === at));
    expect([...new Set([...changed, ...gone])]).toEqual([expect.stringContaining(path)]);
  });

  it('differs by an edge', () => {
    const rewired = ops(here).map((spec) => (spec.name === 'run' ? { ...spec, inputs: ['copy', 'image'] } : spec));
    expect(ofGraph(graph(rewired, { source: dockerfile })).text).not.toBe(expected);
  });

  it.each<[string, Fields]>([
    ['that its cache is not used', { ignore_cache: true }],
    ['what its frontend needs', { caps: { 'exec.mount.cache': true } }],
    ['what is exported of it', { export_cache: { Value: true } }],
  ])('differs by what metadata say of an op: %s', (_what, metadata) => {
    const changed = ops(here).map((spec) => (spec.name === 'run' ? { ...spec, metadata } : spec));
    expect(ofGraph(graph(changed, { source: dockerfile })).text).not.toBe(expected);
  });

  it('differs by fields of an op, of its inputs and of its metadata that are newer than proto/', () => {
    const later = (bytes: readonly number[]): BuiltGraph => {
      const op = Buffer.concat([encode('pb.Op', { exec: { meta: { args: ['a'] } } }), Buffer.from(bytes)]);
      return { fields: { def: [op] }, bytes: op, digests: new Map() };
    };
    const texts = [[], [0x62, 1, 1], [0x62, 1, 2], [0x0a, 2, 0x18, 1], [0x0a, 2, 0x18, 2]].map((bytes) => ofGraph(later(bytes)).text);
    expect(new Set(texts).size).toBe(texts.length);
  });
});

describe('a definition that is described in another way', () => {
  const expected = ofGraph(make(here));
  const described = (change: (spec: OpSpec) => OpSpec): Canonical => ofGraph(graph(ops(here).map((spec) => (spec.name === 'run' ? change(spec) : spec)), { source: dockerfile }));

  it.each<[string, Canonical, string]>([
    ['by a name on the screen', described((spec) => ({ ...spec, metadata: { ...spec.metadata, description: { 'llb.customname': 'RUN it' } } })), 'Definition.metadata[op[6]].description["llb.customname"]'],
    ['by a group on the screen', described((spec) => ({ ...spec, metadata: { ...spec.metadata, progress_group: { name: 'more' } } })), 'Definition.metadata[op[6]].progress_group.name'],
    ['by its source file', ofGraph(make(here, { source: { ...dockerfile, data: Buffer.from('FROM x') } })), 'Definition.Source.infos[0].data'],
    ['by the line that an op comes from', described((spec) => ({ ...spec, line: 4 })), 'Definition.Source.locations[op[6]].locations[0].ranges[0].start.line'],
  ])('is the same, annotated otherwise: %s', (_what, other, where) => {
    expect(other.text).toBe(expected.text);
    const before = new Map(expected.annotations);
    expect(other.annotations.filter(([at, value]) => before.get(at) !== value).map(([at]) => at)).toContain(where);
  });

  it('is the same with metadata that say nothing, and without any', () => {
    const bare = ops(here).map(({ name, inputs = [], op }): OpSpec => ({ name, inputs, op }));
    expect(ofGraph(graph(bare)).text).toBe(ofGraph(graph(bare.map((spec) => ({ ...spec, metadata: { description: { a: 'b' } } })))).text);
  });
});

describe('definitions that real clients made', () => {
  const real = (name: string): Uint8Array => Buffer.from(readFileSync(join(import.meta.dirname, 'fixtures', `${name}.b64`), 'utf8'), 'base64');
  const request = (definition: Uint8Array): Canonical => {
    const type = root.lookupType('pb.Definition');
    return solve({ Definition: type.toObject(type.decode(definition)) });
  };

  it.each(['llb-v0.11.6-a', 'llb-v0.17.3-a', 'llb-v0.32.2-a', 'llb-v0.32.2-b'])("%s: each op's digest is the one that BuildKit gave it", (name) => {
    const { ops } = decodeDefinition(real(name));
    expect(ops).toHaveLength(7);
    const type = root.lookupType('pb.Definition');
    const known = Object.keys((type.toObject(type.decode(real(name))) as { metadata: object }).metadata);
    expect(new Set(ops.map(({ digest }) => digest))).toEqual(new Set(known));
    expect(ops.slice(1).flatMap(({ inputs }) => inputs).every(({ op }) => op !== null)).toBe(true);
  });

  it('are equal between sessions', () => {
    expect(request(real('llb-v0.32.2-a')).text).toBe(request(real('llb-v0.32.2-b')).text);
  });

  it('are equal between v0.17.3 and v0.32.2, whose clients make the same graph', () => {
    expect(request(real('llb-v0.17.3-a')).text).toBe(request(real('llb-v0.32.2-b')).text);
  });

  it('of v0.11.6 are equal to themselves with the oneof last, though every digest is another', () => {
    // The trap between v0.16 and v0.17, on real bytes.
    const type = root.lookupType('pb.Definition');
    const opType = root.lookupType('pb.Op');
    const old = type.toObject(type.decode(real('llb-v0.11.6-a'))) as { def: Uint8Array[]; metadata: Record<string, unknown>; Source: { locations: Record<string, unknown> } };
    const renamed = new Map<string, string>();
    const def = old.def.map((bytes) => {
      const op = opType.toObject(opType.decode(bytes)) as { inputs?: { digest: string; index?: unknown }[] };
      const inputs = op.inputs?.map((input) => ({ ...input, digest: renamed.get(input.digest) }));
      const encoded = oneofLast({ ...op, inputs });
      renamed.set(digestOf(bytes), digestOf(encoded));
      return encoded;
    });
    const rekey = (map: Record<string, unknown>): Fields => Object.fromEntries(Object.entries(map).map(([digest, value]) => [renamed.get(digest) ?? digest, value]));
    expect([...renamed].filter(([before, after]) => before !== after).length).toBe(old.def.length);
    const later = { def, metadata: rekey(old.metadata), Source: { ...old.Source, locations: rekey(old.Source.locations) } };
    expect(solve({ Definition: later }).text).toBe(request(real('llb-v0.11.6-a')).text);
  });
});

describe('ids', () => {
  const bound: IdMap = new Map([
    [id('l'), id('r')],
    [`${id('l')}:${id('p')}`, `${id('r')}:${id('q')}`],
  ]);

  it('that a message defines become placeholders, and are named', () => {
    const request = (container: string): Canonical =>
      canonicalRequest(bridge('NewContainer'), encode(`${FRONTEND}.NewContainerRequest`, { ContainerID: container, hostname: `h-${container}` }), NONE);
    expect(request(id('a')).fields).toEqual([
      ['ContainerID', '"⟨container⟩"'],
      ['hostname', '"h-⟨container⟩"'],
    ]);
    expect(request(id('a')).text).toBe(request(id('b')).text);
    expect(request('any name').defines).toEqual([{ kind: 'container', id: 'any name' }]);
  });

  it('of a build and its session are defined by Control/Solve', () => {
    const request = (ref: string, session: string): Canonical =>
      canonicalRequest(
        control('Solve'),
        encode('moby.buildkit.v1.SolveRequest', {
          Ref: ref,
          Session: session,
          Frontend: 'dockerfile.v0',
          FrontendAttrs: { filename: 'Dockerfile', 'local-sessionid:context': session, context: `http://buildkit-session/${session}`, 'context:x': `oci-layout://${session}@sha256:1` },
          Exporters: [{ Type: 'image', Attrs: { name: 'n' } }],
          SourcePolicySession: session,
        }),
        NONE,
      );
    expect(request(id('a'), id('b')).text).toBe(request(id('c'), id('d')).text);
    expect(request(id('a'), id('b')).defines).toEqual([
      { kind: 'build', id: id('a') },
      { kind: 'session', id: id('b') },
    ]);
    expect(request(id('a'), id('b')).text).toContain('Exporters[0].Attrs["name"] = "n"');
    expect(request(id('a'), id('b')).text).toContain('FrontendAttrs["context:x"] = "oci-layout://⟨store⟩@sha256:1"');
  });

  it('that are bound are renamed wherever they stand', () => {
    const status = canonicalRequest(control('Status'), encode('moby.buildkit.v1.StatusRequest', { Ref: id('l') }), bound);
    expect(status.fields).toEqual([['Ref', JSON.stringify(id('r'))]]);
    const file = canonicalRequest(bridge('ExecProcess'), encode(`${FRONTEND}.ExecMessage`, { ProcessID: `${id('l')}:${id('p')}`, Resize: { Rows: 1 } }), bound);
    expect(file.fields[0]).toEqual(['ProcessID', JSON.stringify(`${id('r')}:${id('q')}`)]);
    const init = canonicalRequest(bridge('ExecProcess'), encode(`${FRONTEND}.ExecMessage`, { ProcessID: `${id('l')}:${id('z')}`, Init: { ContainerID: id('l'), Meta: { env: [`C=${id('l')}`] } } }), bound);
    expect(init.fields).toEqual([
      ['ProcessID', '"⟨process⟩"'],
      ['Init.ContainerID', JSON.stringify(id('r'))],
      ['Init.Meta.env[0]', JSON.stringify(`C=${id('r')}`)],
    ]);
    expect(init.defines).toEqual([{ kind: 'process', id: `${id('l')}:${id('z')}` }]);
  });

  it('that are not bound stay as they are, so that two clients differ by them', () => {
    const read = (ref: string): string => canonicalRequest(bridge('ReadFile'), encode(`${FRONTEND}.ReadFileRequest`, { Ref: ref }), NONE).text;
    expect(read(id('a'))).not.toBe(read(id('b')));
    expect(canonicalRequest(bridge('ReleaseContainer'), encode(`${FRONTEND}.ReleaseContainerRequest`, { ContainerID: id('a') }), NONE).defines).toEqual([]);
  });

  it('are renamed in methods and fields that nobody knows', () => {
    const request = (name: string, ids: IdMap): string =>
      canonicalRequest('/later.Service/Method', encode(`${FRONTEND}.ReadFileRequest`, { Ref: name }), ids).text;
    expect(request(id('l'), bound)).toBe(request(id('r'), NONE));
    for (const filler of [Buffer.from([0xff, 0]), Buffer.alloc(5000, 0xff), Buffer.alloc(5000, ' ')]) {
      const raw = (name: string, ids: IdMap): string => canonicalRequest('/later.Service/Method', Buffer.concat([filler, Buffer.from(name), filler]), ids).text;
      expect(raw(id('l'), bound)).toBe(raw(id('r'), NONE));
      expect(raw(id('l'), NONE)).not.toBe(raw(id('r'), NONE));
    }
  });
});

describe('what a request says about digests', () => {
  it('is compared by what the digest stands for', () => {
    const [mine, theirs] = [make(here), make(there)];
    const warn = (built: BuiltGraph, ids: IdMap): string =>
      canonicalRequest(bridge('Warn'), encode(`${FRONTEND}.WarnRequest`, { digest: built.digests.get('run'), short: Buffer.from('careful') }), ids).text;
    expect(warn(mine, NONE)).not.toBe(warn(theirs, NONE));
    expect(warn(mine, ofGraph(mine).digests)).toBe(warn(theirs, ofGraph(theirs).digests));
  });

  const failed = (built: BuiltGraph, world: World, space: number, more: Fields[] = []): Uint8Array => {
    const detail = (name: string, value: unknown): Fields => ({
      type_url: `github.com/moby/buildkit/${name}+json`,
      value: Buffer.from(JSON.stringify(value, null, space)),
    });
    return encode(`${FRONTEND}.ReturnRequest`, {
      error: {
        code: 2,
        message: 'failed to solve: exit code: 1',
        details: [
          detail('stack.Stack', { frames: [{ Name: 'main' }], pid: world.session.charCodeAt(0), cmdline: ['buildkitd', world.session] }),
          detail('errdefs.Vertex', { digest: built.digests.get('run') }),
          detail('errdefs.Solve', {
            inputIDs: ['worker::ref'],
            op: { inputs: [{ digest: built.digests.get('copy') }], source: { identifier: 'local://x', attrs: { 'local.session': world.session } } },
          }),
          detail('errdefs.Source', {
            info: { filename: 'Dockerfile', definition: { def: (built.fields['def'] as Uint8Array[]).map((op) => Buffer.from(op).toString('base64')), metadata: { [built.digests.get('run') ?? '']: { caps: { a: true } } } } },
            ranges: [{ start: { line: 3 } }],
          }),
          ...more,
        ],
      },
      result: { ref: { id: 'r', def: built.fields } },
    });
  };

  it("is so in an error's details too, JSON or not, whatever their white space, and without stack traces", () => {
    const one = canonicalRequest(bridge('Return'), failed(make(here), here, 0), NONE);
    const other = canonicalRequest(bridge('Return'), failed(make(there), there, 2), NONE);
    expect(other.text).toBe(one.text);
    expect(one.text).not.toContain('stack.Stack');
    expect(one.annotations).toContainEqual(['error.details[2].value["info"]["definition"].op[6].exec.meta.args[2]', '"make"']);
    expect(other.annotations).toEqual(one.annotations);
  });

  it('differs when a detail differs', () => {
    const one = canonicalRequest(bridge('Return'), failed(make(here), here, 0), NONE).text;
    for (const value of ['{"name":"x"}', '{"name":"y"}', '[]', '{}', 'no JSON', '12345678901234567890', '12345678901234567891']) {
      const more = { type_url: 'github.com/moby/buildkit/errdefs.Subrequest+json', value: Buffer.from(value) };
      expect(canonicalRequest(bridge('Return'), failed(make(here), here, 0, [more]), NONE).text).not.toBe(one);
    }
    const number = (value: string): string =>
      canonicalRequest(bridge('Return'), failed(make(here), here, 0, [{ type_url: 'a+json', value: Buffer.from(value) }]), NONE).text;
    expect(number('12345678901234567890')).not.toBe(number('12345678901234567891'));
  });
});

describe('any request', () => {
  const paths = knownServices().flatMap((service) => knownMethods(service).map(({ path }) => path));

  it('has a canonical form, whatever its bytes are', () => {
    fc.assert(
      fc.property(fc.constantFrom(...paths, '/un/known'), fc.uint8Array({ maxLength: 200 }), (path, bytes) => {
        const one = canonicalRequest(path, bytes, NONE);
        expect(canonicalRequest(path, Buffer.from(bytes), NONE)).toEqual(one);
      }),
    );
  });

  it('differs by its unknown fields, and by bytes that are no message', () => {
    const of = (bytes: readonly number[]): string => canonicalRequest(bridge('Ping'), Buffer.from(bytes), NONE).text;
    const texts = [[], [0x50, 1], [0x50, 2], [0x55, 1, 0, 0, 0], [0x52, 1, 65], [0x52, 1, 66], [0xff], [0xfe]].map(of);
    expect(new Set(texts).size).toBe(texts.length);
  });

  it('is never equal to another of the same type by accident of writing', () => {
    const type = root.lookupType(`${FRONTEND}.SolveRequest`);
    const text = fc.string({ unit: fc.constantFrom('a', '"', '\n', ' = ', ']', '[', '.', 'Frontend'), maxLength: 4 });
    const request = fc.record({ Frontend: text, FrontendOpt: fc.dictionary(text, text, { maxKeys: 3 }), ImportCacheRefsDeprecated: fc.array(text, { maxLength: 3 }) });
    fc.assert(
      fc.property(request, request, (one, other) => {
        const plain = (fields: typeof one): string => JSON.stringify([fields.Frontend, Object.entries(fields.FrontendOpt).sort(), fields.ImportCacheRefsDeprecated]);
        const canonical = (fields: typeof one): string => canonicalRequest(bridge('Solve'), type.encode(type.fromObject(fields)).finish(), NONE).text;
        expect(canonical(one) === canonical(other)).toBe(plain(one) === plain(other));
      }),
    );
  });

  it('does not grow a stack with the depth of its graph, nor with definitions within definitions', () => {
    const chain = Array.from({ length: 5000 }, (_none, index): OpSpec => ({ name: String(index), inputs: index === 0 ? [] : [String(index - 1)], op: { merge: {} } }));
    expect(ofGraph(graph(chain)).digests.size).toBe(5001);
    let nested: Uint8Array = encode('pb.Op', { exec: {} });
    for (let level = 0; level < 300; level += 1) nested = encode('pb.Op', { build: { def: { def: [nested] } } });
    expect(solve({ Definition: { def: [nested] } }).text).toContain('build.def');
  });
});

describe('the table of volatile values', () => {
  it.each(VOLATILE_RULES.filter(({ message }) => message !== '*'))('$message.$field ($kind) names a field of proto/', ({ message, field }) => {
    expect([...(messageType(message)?.fields.values() ?? [])].map(({ name }) => name)).toContain(field);
  });

  it('takes trace contexts out of any text', () => {
    const init = (trace: string): string =>
      canonicalRequest(bridge('ExecProcess'), encode(`${FRONTEND}.ExecMessage`, { Init: { Meta: { env: [`TRACEPARENT=00-${trace.repeat(32)}-${trace.repeat(16)}-01`] } } }), NONE).text;
    expect(init('1')).toBe(init('2'));
    expect(init('1')).toContain('TRACEPARENT=⟨traceparent⟩');
  });
});
