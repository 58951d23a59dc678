import { describe, expect, it } from 'vitest';
import { control, encode, FRONTEND, id, type Fields } from '../bridge/build.js';
import { Stage } from './stage.js';
import { readFile, solveRequest, Tape } from './tape.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);

function recorded(...paths: readonly string[]): Stage {
  const tape = new Tape();
  tape.solve();
  for (const path of paths) tape.unary('ReadFile', readFile(path), bytes(path));
  const stage = new Stage(tape.script);
  stage.open(control('Solve')).asks(solveRequest({}));
  return stage;
}

const ask = (stage: Stage, request: Fields): string | undefined => stage.bridge('ReadFile').asks(encode(`${FRONTEND}.ReadFileRequest`, request)).status?.message;

describe('a request that nothing matches', () => {
  it('is answered at once with FAILED_PRECONDITION, and told', () => {
    const stage = recorded('/a');
    const call = stage.bridge('ReadFile').says(readFile('/b'));
    expect(call.status?.code).toBe(9);
    expect(stage.misses).toEqual([call.status?.message]);
    call.closes();
    expect(stage.misses).toHaveLength(1);
  });

  it('names the closest recorded call and the fields that differ', () => {
    const stage = recorded('/a', '/etc/passwd');
    expect(ask(stage, { Ref: id('r'), FilePath: '/etc/passwd', Range: { Offset: 5, Length: 9 } })).toBe(
      'bridgetape: the cassette has no answer for this LLBBridge/ReadFile; the closest is call 3, which differs in Range: recorded nothing, got { Offset: 5, Length: 9 }',
    );
  });

  it('prefers a call that is still to be used', () => {
    const stage = recorded('/a', '/b');
    stage.bridge('ReadFile').asks(readFile('/a'));
    expect(ask(stage, { Ref: id('r'), FilePath: '/c' })).toBe(
      'bridgetape: the cassette has no answer for this LLBBridge/ReadFile; the closest is call 3, which differs in FilePath: recorded "/b", got "/c"; used up: call 2',
    );
    stage.bridge('ReadFile').asks(readFile('/b'));
    expect(ask(stage, { Ref: id('r'), FilePath: '/c' })).toBe(
      'bridgetape: the cassette has no answer for this LLBBridge/ReadFile; the closest is call 2 (already used), which differs in FilePath: recorded "/a", got "/c"; used up: calls 2, 3',
    );
  });

  it('shows neither long values nor many of them', () => {
    const tape = new Tape();
    const attributes = (value: string): Fields => ({ FrontendAttrs: Object.fromEntries(Array.from({ length: 8 }, (_, index) => [`key${index}`, value])) });
    tape.solve(attributes('x'));
    const stage = new Stage(tape.script);
    const message = stage.open(control('Solve')).asks(solveRequest(attributes('long '.repeat(100)))).status?.message ?? '';
    expect(message).toContain(`FrontendAttrs["key0"]: recorded "x", got "${'long '.repeat(23)}long… (502 characters)`);
    expect(message).toMatch(/key4.*; and 3 more$/);
  });

  it('cuts no character in half', () => {
    const tape = new Tape();
    tape.solve({ FrontendAttrs: { key: 'x' } });
    const stage = new Stage(tape.script);
    for (const lead of ['', 'a']) {
      const message = stage.open(control('Solve')).asks(solveRequest({ FrontendAttrs: { key: lead + '😀'.repeat(100) } })).status?.message ?? '';
      expect(message).toContain('😀…');
      expect(message).not.toContain('\ufffd');
    }
  });

  it('of a method that was not recorded says so', () => {
    expect(recorded().bridge('StatFile').says(bytes('')).status?.message).toBe('bridgetape: the cassette has no answer for this LLBBridge/StatFile: it holds no call of that method');
  });

  it('because requests were left out says how to record them', () => {
    const tape = new Tape();
    const call = tape.call('/some.Service/Secret');
    call.events.push({ kind: 'client-message', seq: 1000, time: 0n, connection: 1, call: 1, compressed: false, size: 9, data: undefined });
    call.headed().ends();
    expect(new Stage(tape.script).open('/some.Service/Secret').says(bytes('question')).status?.message).toBe(
      'bridgetape: the cassette has no answer for this Service/Secret: the requests of that method (1 call) were left out; record again with --bodies /some.Service/Secret',
    );
  });

  it('of a method that was not recorded, of a service that was, is one', () => {
    const tape = new Tape();
    tape.call('/some.Service/Known').sends(bytes('q')).closes().headed().ends();
    const stage = new Stage(tape.script);
    const calls = ['/some.Service/Other', control('Prune')].map((path) => stage.open(path).asks(bytes('q')));
    expect(calls.map(({ status }) => [status?.code, status?.message])).toEqual([
      [9, 'bridgetape: the cassette has no answer for this Service/Other: it holds no call of that method'],
      [9, 'bridgetape: the cassette has no answer for this Control/Prune: it holds no call of that method'],
    ]);
    expect(stage.misses).toEqual(calls.map(({ status }) => status?.message));
  });

  it.each([
    ['/grpc.reflection.v1.ServerReflection/ServerReflectionInfo', 'grpc.reflection.v1.ServerReflection'],
    ['/grpc.health.v1.Health/Watch', 'grpc.health.v1.Health'],
    ['/containerd.services.content.v1.Content/Info', 'containerd.services.content.v1.Content'],
    ['/nonsense', '/nonsense'],
  ])('because nobody called the service of %s is answered with UNIMPLEMENTED before it is sent, and told', (path, service) => {
    const stage = new Stage(new Tape().script);
    const call = stage.open(path);
    const text = `bridgetape: the cassette holds no call of the service ${service}, so whether the daemon has it is not known`;
    expect([call.status?.code, call.status?.message, stage.misses]).toEqual([12, text, [text]]);
    call.asks(bytes('question'));
    expect([call.texts, stage.misses.length, stage.crashes]).toEqual([[], 1, []]);
  });

  it('that is no Solve at all is refused as that', () => {
    expect(recorded().open(control('Solve')).says(Buffer.from([0xff])).status?.message).toBe('bridgetape: the client sent bytes that are no SolveRequest');
  });

  it('between requests that are too large together to compare them all still names the closest', () => {
    // Half a MiB each, and all lines of one differ from those of the others.
    const files = Array.from({ length: 9 }, (_, file) => Object.fromEntries(Array.from({ length: 64 }, (_, at) => [`line ${at}`, `${file} `.repeat(4096)])));
    const tape = new Tape();
    files.forEach((FrontendAttrs, file) => tape.solve({ Ref: id(String(file)), FrontendAttrs }));
    const ask = (FrontendAttrs: Fields): string | undefined => new Stage(tape.script).open(control('Solve')).asks(solveRequest({ Ref: id('n'), FrontendAttrs })).status?.message;
    expect(ask({ ...files[7], 'line 1': 'changed' })).toContain('the closest is call 8, which differs in FrontendAttrs["line 1"]: recorded "7 7');
    expect(ask({ ...files[2], 'line 60': 'changed' })).toContain('the closest is call 3, which differs in FrontendAttrs["line 60"]: recorded "2 2');
  });

  it('leaves the rest of the build as it was', () => {
    const stage = recorded('/a');
    stage.bridge('ReadFile').asks(readFile('/b'));
    expect(stage.bridge('ReadFile').asks(readFile('/a')).texts).toEqual(['/a']);
  });
});
