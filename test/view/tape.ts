/** Small cassettes for the tests of the view and of the commands that print it. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { Cassette, CassetteWriter, type HeaderField, HTTP_1, type NewEvent, type NewHeader, whole } from '../../src/cassette/index.js';
import { bridge, control, encode, FRONTEND } from '../bridge/build.js';

export const HEADER: NewHeader = {
  tool: 'bridgetape 0.1.0',
  startedAt: new Date('2026-01-02T03:04:05.678Z'),
  listen: ['unix:///tmp/tape.sock'],
  upstream: 'unix:///run/buildkit/buildkitd.sock',
  command: ['buildctl', 'build', '--frontend', 'dockerfile.v0', '--opt', 'target=a b'],
  buildkitVersion: 'v0.32.2',
  bodiesLeftOut: ['/moby.buildkit.v1.Control/Session', '/containerd.services.content.v1.Content/*'],
};

export const REF = 'r'.repeat(25);
export const SESSION = 's'.repeat(25);

const field = (name: string, value: string | Uint8Array): HeaderField => ({ name, value: new Uint8Array(Buffer.from(value)) });
const ns = (ms: number): bigint => BigInt(Math.round(ms * 1e6));

/** A folder that is gone after the test. */
export class Folder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'view-test-'));
  readonly file = join(this.path, 'build.cassette');

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** The events of a recording, told call by call; times in ms. */
export class Tape {
  readonly events: NewEvent[] = [{ kind: 'connection-open', time: 0n, connection: 1, address: 'unix:///tmp/tape.sock' }];
  #calls = 0;

  call(path: string, at: number, headers: Readonly<Record<string, string>> = {}): TapedCall {
    const call = new TapedCall(this.events, ++this.#calls);
    this.events.push({ kind: 'client-header', time: ns(at), ...call.place, headers: [field(':path', path), ...Object.entries(headers).map(([name, value]) => field(name, value))] });
    return call;
  }

  /** A call of LLBBridge within a build, with one request. */
  bridge(method: string, at: number, request: Uint8Array = new Uint8Array(0), build = REF): TapedCall {
    return this.call(bridge(method), at, { 'buildkit-controlapi-buildid': build }).client(at, request).halfClose(at);
  }

  /** An exchange of HTTP/1.1 on a connection of its own, without content; begins it and its answer. */
  exchange(method: string, target: string, at: number, status: number, headers: Readonly<Record<string, string>> = {}): TapedCall {
    const connection = 100 + ++this.#calls;
    const call = new TapedCall(this.events, this.#calls, connection);
    this.events.push({ kind: 'connection-open', time: ns(at), connection, address: 'unix:///tmp/docker.sock', protocol: HTTP_1 });
    const fields = [field(':method', method), field(':path', target), ...Object.entries(headers).map(([name, value]) => field(name, value))];
    this.events.push({ kind: 'client-header', time: ns(at), ...call.place, headers: fields }, { kind: 'client-half-close', time: ns(at), ...call.place });
    this.events.push({ kind: 'server-header', time: ns(at), ...call.place, headers: [field(':status', String(status))] });
    return call;
  }

  solve(at: number, { Ref = REF, Session = SESSION, Frontend = 'dockerfile.v0' } = {}): TapedCall {
    return this.call(control('Solve'), at).client(at, encode('moby.buildkit.v1.SolveRequest', { Ref, Session, Frontend })).halfClose(at);
  }

  add(event: NewEvent): this {
    this.events.push(event);
    return this;
  }

  /** Events go into a cassette in the order of their times. */
  sorted(): NewEvent[] {
    return this.events.toSorted((a, b) => Number(a.time - b.time));
  }

  async write(path: string, header: NewHeader = HEADER): Promise<void> {
    await (await this.#append(path, header)).close();
  }

  /** What a recorder that was killed leaves behind. */
  async writeInterrupted(path: string): Promise<void> {
    const writer = await this.#append(`${path}.live`, HEADER);
    while (eventsIn(`${path}.live`) < this.events.length) await delay(5);
    copyFileSync(`${path}.live`, path);
    await writer.close();
  }

  async #append(path: string, header: NewHeader): Promise<CassetteWriter> {
    const writer = await CassetteWriter.create(path, header);
    for (const event of this.sorted()) writer.append(event);
    return writer;
  }
}

function eventsIn(path: string): number {
  using cassette = Cassette.open(path);
  return cassette.eventCount;
}

export class TapedCall {
  readonly place: { readonly connection: number; readonly call: number };

  constructor(
    private readonly events: NewEvent[],
    call: number,
    connection = 1,
  ) {
    this.place = { connection, call };
  }

  client(at: number, data: Uint8Array): this {
    return this.message('client-message', at, data);
  }

  server(at: number, data: Uint8Array = new Uint8Array(0)): this {
    return this.message('server-message', at, data);
  }

  /** A message whose body is not kept. */
  leftOut(kind: 'client-message' | 'server-message', at: number, size: number): this {
    this.events.push({ kind, time: ns(at), ...this.place, compressed: false, size, data: undefined });
    return this;
  }

  message(kind: 'client-message' | 'server-message', at: number, data: Uint8Array, compressed = false): this {
    this.events.push({ kind, time: ns(at), ...this.place, compressed, size: data.length, data: [whole(data)] });
    return this;
  }

  halfClose(at: number): this {
    this.events.push({ kind: 'client-half-close', time: ns(at), ...this.place });
    return this;
  }

  headers(at: number): this {
    this.events.push({ kind: 'server-header', time: ns(at), ...this.place, headers: [field(':status', '200'), field('content-type', 'application/grpc')] });
    return this;
  }

  /** The end of an exchange of HTTP/1.1. */
  ends(at: number): this {
    this.events.push({ kind: 'server-trailer', time: ns(at), ...this.place, headers: [] });
    return this;
  }

  status(at: number, code = 0, message = '', others: Readonly<Record<string, string>> = {}): this {
    const headers = [field('grpc-status', String(code)), field('grpc-message', message), ...Object.entries(others).map(([name, value]) => field(name, value))];
    this.events.push({ kind: 'server-trailer', time: ns(at), ...this.place, headers });
    return this;
  }

  reset(at: number, side: 'client' | 'server' = 'client', code = 8): this {
    this.events.push({ kind: 'reset', time: ns(at), ...this.place, side, code });
    return this;
  }

  gap(at: number, bytes: number, reason: string): this {
    this.events.push({ kind: 'gap', time: ns(at), ...this.place, side: 'server', offset: 512, bytes, reason });
    return this;
  }
}

/** An ExecMessage. */
export const exec = (fields: Readonly<Record<string, unknown>>, ProcessID = 'c1:p1'): Uint8Array => encode(`${FRONTEND}.ExecMessage`, { ProcessID, ...fields });

/** A build as it crosses, with an exec in it and one call that fails. */
export function ordinaryBuild(): Tape {
  const tape = new Tape();
  tape.call(control('ListWorkers'), 3).client(3, new Uint8Array(0)).halfClose(3).server(4, new Uint8Array(651)).status(4.2);
  tape.call(control('Session'), 10, { 'x-docker-expose-session-uuid': SESSION }).leftOut('client-message', 12, 2_000_000).leftOut('server-message', 13, 2200).reset(900);
  tape.solve(10).server(890).status(891);
  tape.bridge('Solve', 14, encode(`${FRONTEND}.SolveRequest`, { Frontend: 'dockerfile.v0' })).server(320, encode(`${FRONTEND}.SolveResponse`, { ref: 'r1' })).status(321);
  tape
    .call(bridge('ExecProcess'), 330, { 'buildkit-controlapi-buildid': REF })
    .client(330, exec({ Init: { ContainerID: 'c1', Meta: { args: ['sh', '-c', 'echo tick1'] }, Fds: [1, 2] } }))
    .server(340, exec({ Started: {} }))
    .server(350, exec({ File: { Fd: 1, Data: Buffer.from('tick1\n') } }))
    .server(360, exec({ Exit: { Code: 3, Error: { code: 2, message: 'exit code: 3' } } }))
    .server(361, exec({ Done: {} }))
    .reset(362);
  tape.bridge('ReadFile', 400, encode(`${FRONTEND}.ReadFileRequest`, { FilePath: '/missing', Ref: 'r1' })).status(402.3, 5, 'open /missing: no such file or directory');
  tape.bridge('Return', 880).server(882).status(882);
  return tape;
}

/** Writes the recording, opens it, and gives it to `use`. */
export async function opened<T>(tape: Tape, use: (cassette: Cassette) => T, header: NewHeader = HEADER): Promise<T> {
  using folder = new Folder();
  await tape.write(folder.file, header);
  using cassette = Cassette.open(folder.file);
  return use(cassette);
}
