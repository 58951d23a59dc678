/** Builders: a recording written down event by event, as it would have crossed. */
import { BUILT_IN_RULES, type Rules } from '../../src/bridge/index.js';
import type { CallEvent, HeaderField } from '../../src/cassette/index.js';
import { originOf } from '../../src/replayer/origin.js';
import type { RecordedCall } from '../../src/replayer/recorded-call.js';
import { scriptOf, type Script } from '../../src/replayer/script.js';
import { bridge, control, encode, FRONTEND, header, id, type Fields } from '../bridge/build.js';

export const BUILD = id('b');
export const SESSION_ID = id('s');

export type Pairs = readonly (readonly [string, string])[];

export const fields = (pairs: Pairs): HeaderField[] => pairs.map(([name, value]) => header(name, value));
export const ofBuild = (build = BUILD): Pairs => [['buildkit-controlapi-buildid', build]];

/** A recording: its events get the next number and the time that has come to. */
export class Tape {
  private readonly calls: TapedCall[] = [];
  private seq = 0;
  private time = 0n;

  /** Time passes. */
  after(ms: number): this {
    this.time += BigInt(Math.round(ms * 1e6));
    return this;
  }

  call(path: string, headers: Pairs = []): TapedCall {
    const call = new TapedCall(this.calls.length + 1, path, fields([[':path', path], ...headers]), () => ({ seq: this.seq++, time: this.time }));
    this.calls.push(call);
    return call;
  }

  /** A bridge call of a build. */
  bridge(method: string, build?: string): TapedCall {
    return this.call(bridge(method), ofBuild(build));
  }

  /** A bridge call from its request to its end. */
  unary(method: string, request: Uint8Array, answer: Uint8Array, build?: string): TapedCall {
    return this.bridge(method, build).sends(request).closes().headed().answers(answer).ends();
  }

  /** A Solve whose request is given, still open. */
  solve(request: Fields = {}): TapedCall {
    return this.call(control('Solve')).sends(solveRequest(request)).closes();
  }

  status(build = BUILD): TapedCall {
    return this.call(control('Status')).sends(encode('moby.buildkit.v1.StatusRequest', { Ref: build })).closes();
  }

  get script(): Script {
    return this.scriptBy(BUILT_IN_RULES);
  }

  scriptBy(rules: Rules): Script {
    return scriptOf(this.calls, rules);
  }

  /** The script as that of a cassette at this path. */
  in(file: string): Script {
    const origin = originOf(file, { upstream: 'unix:///run/buildkit/buildkitd.sock' });
    return scriptOf(
      this.calls.map(({ id: number, path, headers, events }) => ({ id: number, path, headers, events, origin })),
      undefined,
      origin,
    );
  }
}

export class TapedCall implements RecordedCall {
  readonly events: CallEvent[] = [];

  constructor(
    readonly id: number,
    readonly path: string,
    readonly headers: readonly HeaderField[],
    private readonly next: () => { readonly seq: number; readonly time: bigint },
  ) {
    this.add({ kind: 'client-header', headers });
  }

  sends(data: Uint8Array): this {
    return this.add({ kind: 'client-message', compressed: false, size: data.length, data });
  }

  closes(): this {
    return this.add({ kind: 'client-half-close' });
  }

  cancels(): this {
    return this.add({ kind: 'reset', side: 'client', code: 8 });
  }

  headed(headers: Pairs = []): this {
    return this.add({ kind: 'server-header', headers: fields([[':status', '200'], ['content-type', 'application/grpc'], ...headers]) });
  }

  answers(data: Uint8Array): this {
    return this.add({ kind: 'server-message', compressed: false, size: data.length, data });
  }

  answersLeftOut(size: number): this {
    return this.add({ kind: 'server-message', compressed: false, size, data: undefined });
  }

  ends(status = 0, more: Pairs = []): this {
    return this.add({ kind: 'server-trailer', headers: fields([['grpc-status', String(status)], ...more]) });
  }

  resets(code: number): this {
    return this.add({ kind: 'reset', side: 'server', code });
  }

  private add(event: Unplaced): this {
    this.events.push({ ...event, ...this.next(), connection: 1, call: this.id });
    return this;
  }
}

type Unplaced = CallEvent extends infer Event ? (Event extends CallEvent ? Omit<Event, 'seq' | 'time' | 'connection' | 'call'> : never) : never;

export const solveRequest = (request: Fields): Uint8Array => encode('moby.buildkit.v1.SolveRequest', { Ref: BUILD, Session: SESSION_ID, ...request });
export const readFile = (path: string, ref = id('r')): Uint8Array => encode(`${FRONTEND}.ReadFileRequest`, { Ref: ref, FilePath: path });
export const statusRequest = (ref: string): Uint8Array => encode('moby.buildkit.v1.StatusRequest', { Ref: ref });
export const newContainer = (container: string, more: Fields = {}): Uint8Array => encode(`${FRONTEND}.NewContainerRequest`, { ContainerID: container, ...more });
export const releaseContainer = (container: string): Uint8Array => encode(`${FRONTEND}.ReleaseContainerRequest`, { ContainerID: container });
export const exec = (process: string, input: Fields): Uint8Array => encode(`${FRONTEND}.ExecMessage`, { ProcessID: process, ...input });

/** The messages of a process, by what they are. */
export class Process {
  constructor(
    readonly id: string,
    readonly container: string,
  ) {}

  init(args: readonly string[] = ['sh'], more: Fields = {}): Uint8Array {
    return exec(this.id, { Init: { ContainerID: this.container, Meta: { args }, Fds: [0, 1, 2], ...more } });
  }

  file(fd: number, data: string | Uint8Array, eof = false): Uint8Array {
    return exec(this.id, { File: { Fd: fd, Data: Buffer.from(data), EOF: eof } });
  }

  eof(fd: number): Uint8Array {
    return exec(this.id, { File: { Fd: fd, EOF: true } });
  }

  resize(cols: number, rows: number): Uint8Array {
    return exec(this.id, { Resize: { Cols: cols, Rows: rows } });
  }

  signal(name: string): Uint8Array {
    return exec(this.id, { Signal: { Name: name } });
  }

  get started(): Uint8Array {
    return exec(this.id, { Started: {} });
  }

  exit(code = 0, message?: string): Uint8Array {
    return exec(this.id, { Exit: { Code: code, ...(message !== undefined && { Error: { code: 2, message } }) } });
  }

  get done(): Uint8Array {
    return exec(this.id, { Done: {} });
  }
}
