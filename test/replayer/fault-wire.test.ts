/** What a client sees on the wire of each fault: the frames, and how its connection ends. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Accept } from '../../src/replayer/call.js';
import { FaultPlan } from '../../src/replayer/fault-plan.js';
import { parseFault } from '../../src/replayer/fault-spec.js';
import { GrpcServer } from '../../src/replayer/grpc-server.js';
import { ping, requestFields } from '../compliance/bytes.js';
import { type Frame, Witness } from '../compliance/frames.js';
import { concat, data, headers, latin1, literals, message, PREFACE, settings } from '../wire/bytes.js';
import { FakeClock } from './stage.js';
import { fields } from './tape.js';

const PATH = '/some.Service/Chat';
const ACK = settings({}, 1);
const GRPC = { ':path': PATH, 'content-type': 'application/grpc', te: 'trailers' };
const request = (stream: number, end = true): Uint8Array => headers(stream, literals(...requestFields(GRPC)), { end });

let folder: string;
let server: GrpcServer;
let listener: Server;
let client: RawClient;
let clock: FakeClock;
let plan: FaultPlan;
let told: string[];
let heard: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bt-faults-'));
  clock = new FakeClock();
  told = [];
  heard = [];
});

afterEach(async () => {
  client.socket.destroy();
  await server.close(0);
  listener.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Three messages for each call. */
const play: Accept = (call) => {
  heard.push('call');
  return {
    message: (payload) => heard.push(`${payload.length} B`),
    halfClose: () => {
      for (const text of ['one', 'two', 'three']) call.send(latin1(text));
      call.end(fields([['grpc-status', '0']]));
    },
    cancelled: () => heard.push('cancelled'),
    drained: () => undefined,
  };
};

/** A client made of bytes, which waits for what it is sent. */
class RawClient {
  readonly witness = new Witness();
  /** How the connection ended: `end`, or the code of an error. */
  ended: string | undefined;
  private wake: () => void = () => undefined;
  private pings = 0;

  constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Uint8Array) => {
      this.witness.serverSent(chunk);
      this.wake();
    });
    const over = (how: string): void => {
      this.ended ??= how;
      this.wake();
    };
    socket.on('end', () => over('end'));
    socket.on('error', (error: NodeJS.ErrnoException) => over(error.code ?? 'error'));
  }

  send(...chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) this.witness.clientSent(chunk);
    this.socket.write(concat(...chunks));
  }

  on(stream: number): readonly Frame[] {
    return this.witness.frames.filter((frame) => 'stream' in frame && frame.stream === stream);
  }

  async until<T>(look: () => T | undefined | false): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== undefined && found !== false) return found;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  /** All that was sent has been read by the server, and answered as far as it goes. */
  async settled(): Promise<void> {
    this.pings += 1;
    const name = String(this.pings).padStart(8);
    this.send(ping(name));
    await this.until(() => this.witness.frames.some((frame) => frame.type === 'PING' && frame.payload === name));
  }
}

async function serving(specs: readonly string[], over: 'unix' | 'tcp' = 'unix', limits = {}): Promise<RawClient> {
  plan = new FaultPlan(specs.map(parseFault), [PATH], clock, (error) => told.push(String(error)));
  const own = new GrpcServer({ accept: plan.before(play), clock, limits, onUnsendable: (_path, text) => told.push(text), onBroken: (text) => told.push(text), onCrash: (error) => told.push(String(error)) });
  const listening = createServer((socket) => own.serve(socket));
  const path = join(folder, 'replay.sock');
  await new Promise<void>((resolve) => (over === 'unix' ? listening.listen(path, resolve) : listening.listen(0, '127.0.0.1', resolve)));
  const socket = over === 'unix' ? connect(path) : connect((listening.address() as AddressInfo).port, '127.0.0.1');
  [server, listener, client] = [own, listening, new RawClient(socket)];
  client.send(PREFACE, settings(), ACK);
  return client;
}

const last = (from: RawClient, stream: number): Frame | undefined => from.on(stream).at(-1);
const content = (from: RawClient, stream: number): string => Buffer.concat(from.on(stream).flatMap((frame) => (frame.type === 'DATA' ? [frame.bytes] : []))).toString('latin1');

describe('on the wire', () => {
  it('a status is a header list alone, and the call is never played', async () => {
    const from = await serving(['Chat#1=UNAVAILABLE:gone']);
    from.send(request(1), request(3));
    const answer = await from.until(() => from.on(1)[0]);
    expect(answer).toMatchObject({ type: 'HEADERS', end: true, fields: [[':status', '200'], ['content-type', 'application/grpc'], ['grpc-status', '14'], ['grpc-message', 'gone']] });
    await from.settled();
    expect(last(from, 3)).toMatchObject({ type: 'HEADERS', end: true, fields: [['grpc-status', '0']] });
    expect([heard, told]).toEqual([['call'], []]);
  });

  it('an end without a status is an empty header list', async () => {
    const from = await serving(['Chat=end']);
    from.send(request(1));
    expect(await from.until(() => from.on(1)[0])).toMatchObject({ type: 'HEADERS', end: true, fields: [[':status', '200'], ['content-type', 'application/grpc']] });
  });

  it('a stream cut in the middle of a message has the length of all of it, and the rest never comes', async () => {
    const from = await serving(['Chat@5B=end']);
    from.send(request(1));
    await from.settled();
    clock.pass(0);
    await from.settled();
    expect(content(from, 1)).toBe('\0\0\0\0\x03one\0\0\0\0\x03tw');
    expect(last(from, 1)).toMatchObject({ type: 'HEADERS', end: true, fields: [] });
    expect([heard, told]).toEqual([['call'], []]);
  });

  it('RST_STREAM comes behind what was sent', async () => {
    const from = await serving(['Chat@2messages=RST_STREAM:REFUSED_STREAM']);
    from.send(request(1));
    await from.settled();
    clock.pass(0);
    await from.settled();
    expect(content(from, 1)).toBe('\0\0\0\0\x03one\0\0\0\0\x03two');
    expect(last(from, 1)).toEqual({ type: 'RST_STREAM', stream: 1, code: 'REFUSED_STREAM' });
  });

  it('GOAWAY without an error lets the call end, and then the connection does', async () => {
    const from = await serving(['Chat#1=GOAWAY']);
    from.send(request(1));
    const drain = await from.until(() => from.witness.frames.find((frame) => frame.type === 'PING' && !frame.ack));
    expect(from.witness.frames.find((frame) => frame.type === 'GOAWAY')).toMatchObject({ code: 'NO_ERROR', last: 2 ** 31 - 1 });
    from.send(ping(drain.type === 'PING' ? drain.payload : '', 1));
    expect(await from.until(() => from.ended)).toBe('end');
    expect(last(from, 1)).toMatchObject({ type: 'HEADERS', end: true, fields: [['grpc-status', '0']] });
    expect([plan.tallies[0]?.fired, told]).toEqual([1, []]);
  });

  it('GOAWAY with an error is the last of the connection, and nobody takes it for one of the client', async () => {
    const from = await serving(['Chat#2=GOAWAY:ENHANCE_YOUR_CALM']);
    from.send(request(1, false));
    await from.settled();
    from.send(request(3));
    expect(await from.until(() => from.ended)).toBe('end');
    expect(from.witness.frames.at(-1)).toMatchObject({ type: 'GOAWAY', code: 'ENHANCE_YOUR_CALM', last: 3 });
    expect([heard, told]).toEqual([['call', 'cancelled'], []]);
  });

  it('a reset is one over TCP', async () => {
    const from = await serving(['Chat#2=reset'], 'tcp');
    from.send(request(1, false));
    await from.settled();
    from.send(request(3));
    expect(await from.until(() => from.ended)).toBe('ECONNRESET');
    expect(from.witness.frames.some(({ type }) => type === 'GOAWAY')).toBe(false);
    expect([heard, told]).toEqual([['call', 'cancelled'], []]);
  });

  it('a reset is the end of a unix socket, behind what was sent', async () => {
    const from = await serving(['Chat@2messages=reset']);
    from.send(request(1));
    await from.settled();
    clock.pass(0);
    await from.until(() => from.ended);
    expect(content(from, 1)).toBe('\0\0\0\0\x03one\0\0\0\0\x03two');
    expect(from.witness.frames.some(({ type }) => type === 'GOAWAY')).toBe(false);
    expect([heard, told]).toEqual([['call'], []]);
  });

  it('a call that hangs ends with the deadline of its client, and one without with the replay', async () => {
    const from = await serving(['Chat=hang']);
    from.send(headers(1, literals(...requestFields({ ...GRPC, 'grpc-timeout': '900m' })), { end: true }), request(3));
    await from.settled();
    clock.pass(899);
    await from.settled();
    expect([from.on(1), from.on(3)]).toEqual([[], []]);
    clock.pass(1);
    await from.settled();
    expect(last(from, 1)).toMatchObject({ type: 'HEADERS', end: true });
    expect(JSON.stringify(last(from, 1))).toContain('["grpc-status","4"]');
    await server.close(0);
    await from.until(() => from.ended);
    expect(JSON.stringify(last(from, 3))).toContain('["grpc-status","14"]');
    expect([heard, told, plan.isHolding()]).toEqual([[], [], false]);
  });

  it('a delay sends nothing before its time', async () => {
    const from = await serving(['Chat=delay:2s']);
    from.send(request(1));
    await from.settled();
    clock.pass(1999);
    await from.settled();
    expect(from.on(1)).toEqual([]);
    clock.pass(1);
    await from.settled();
    expect(content(from, 1)).toBe('\0\0\0\0\x03one\0\0\0\0\x03two\0\0\0\0\x05three');
    expect(last(from, 1)).toMatchObject({ type: 'HEADERS', end: true, fields: [['grpc-status', '0']] });
  });

  it('a slow reader opens its small window as it reads, and takes a message in when it has come to its end', async () => {
    const from = await serving(['Chat#1=slow-read:1KiB/s'], 'unix', { streamWindowBytes: 4096 });
    await from.settled();
    expect(from.witness.frames.find((frame) => frame.type === 'SETTINGS' && !frame.ack)).toMatchObject({ values: { 4: 4096 } });
    const whole = message(new Uint8Array(6000));
    from.send(request(1, false), data(1, whole.subarray(0, 4096)));
    await from.settled();
    clock.pass(3999);
    await from.settled();
    expect(from.on(1)).toEqual([]);
    clock.pass(1);
    await from.settled();
    expect(from.on(1)).toEqual([{ type: 'WINDOW_UPDATE', stream: 1, increment: 4096 }]);
    from.send(data(1, whole.subarray(4096), { end: true }));
    await from.settled();
    expect(heard).toEqual(['call']);
    clock.pass(2000);
    await from.settled();
    expect(heard).toEqual(['call', '6000 B']);
    expect(last(from, 1)).toMatchObject({ type: 'HEADERS', end: true, fields: [['grpc-status', '0']] });
    // Nobody else is read slowly.
    from.send(request(3, false), data(3, whole.subarray(0, 4096)));
    await from.settled();
    expect(from.on(3)).toEqual([{ type: 'WINDOW_UPDATE', stream: 3, increment: 4096 }]);
  });
});
