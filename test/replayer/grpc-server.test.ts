import * as grpc from '@grpc/grpc-js';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { HeaderField } from '../../src/cassette/index.js';
import type { Accept, Call, CallHandler } from '../../src/replayer/call.js';
import { GrpcServer } from '../../src/replayer/grpc-server.js';
import { Hearing } from '../../src/replayer/hearing.js';
import { ConnectionDecoder } from '../../src/wire/index.js';
import { concat, PREFACE, requestHeader, settings } from '../wire/bytes.js';
import { FakeClock } from './stage.js';
import { fields } from './tape.js';

const PATH = '/some.Service/Method';
const same = (bytes: Buffer): Buffer => bytes;

const IDLE: CallHandler = { message: () => undefined, halfClose: () => undefined, cancelled: () => undefined, drained: () => undefined };

let folder: string;
let listener: Server | undefined;
let connections: Socket[];
let server: GrpcServer | undefined;
let client: grpc.Client | undefined;
let told: string[];
let crashes: unknown[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'replayer-test-'));
  told = [];
  crashes = [];
  connections = [];
});

afterEach(() => {
  client?.close();
  void server?.close(0);
  listener?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A server on a unix socket whose calls go to `accept`, and a client of it. */
async function serving(accept: Accept, hearing?: Hearing): Promise<grpc.Client> {
  const own = new GrpcServer({ accept, hearing, onUnsendable: (_path, text) => told.push(text), onBroken: (text) => told.push(text), onCrash: (error) => crashes.push(error) });
  const socket = join(folder, 'replay.sock');
  const listening = createServer({ noDelay: true }, (connection) => {
    connections.push(connection);
    own.serve(connection);
  });
  await new Promise<void>((resolve) => listening.listen(socket, resolve));
  [server, listener] = [own, listening];
  client = new grpc.Client(`unix:${socket}`, grpc.credentials.createInsecure(), { 'grpc.max_receive_message_length': -1 });
  return client;
}

interface Answer {
  readonly headers: grpc.Metadata | undefined;
  readonly messages: readonly Buffer[];
  readonly status: grpc.StatusObject;
}

interface Asked {
  readonly stream: grpc.ClientDuplexStream<Buffer, Buffer>;
  readonly answer: Promise<Answer>;
}

function ask(from: grpc.Client, metadata = new grpc.Metadata(), options: grpc.CallOptions = {}, path = PATH): Asked {
  const stream = from.makeBidiStreamRequest<Buffer, Buffer>(path, same, same, metadata, options);
  let headers: grpc.Metadata | undefined;
  const messages: Buffer[] = [];
  stream.on('metadata', (received: grpc.Metadata) => {
    headers = received;
  });
  stream.on('data', (message: Buffer) => messages.push(message));
  stream.on('error', () => undefined);
  const answer = new Promise<Answer>((resolve) => stream.on('status', (status: grpc.StatusObject) => resolve({ headers, messages, status })));
  return { stream, answer };
}

const text = (headers: readonly HeaderField[], name: string): string[] => headers.filter((field) => field.name === name).map(({ value }) => Buffer.from(value).toString('latin1'));

describe('a call', () => {
  it('comes with its metadata, text and binary, and its messages as bytes', async () => {
    const seen: Promise<{ call: Call; messages: string[] }> = new Promise((resolve) => {
      void serving((call) => {
        const messages: string[] = [];
        return {
          ...IDLE,
          message: (payload) => messages.push(Buffer.from(payload).toString()),
          halfClose: () => {
            call.end(fields([['grpc-status', '0']]));
            resolve({ call, messages });
          },
        };
      }).then((from) => {
        const metadata = new grpc.Metadata();
        metadata.add('buildkit-controlapi-buildid', 'abc');
        metadata.add('some-bin', Buffer.from([0, 255, 128]));
        const { stream } = ask(from, metadata);
        stream.write(Buffer.from('one'));
        stream.write(Buffer.alloc(0));
        stream.write(Buffer.from('three'));
        stream.end();
      });
    });
    const { call, messages } = await seen;
    expect(call.path).toBe(PATH);
    expect(text(call.headers, 'buildkit-controlapi-buildid')).toEqual(['abc']);
    expect(text(call.headers, 'some-bin')).toEqual([Buffer.from([0, 255, 128]).toString('base64')]);
    expect(messages).toEqual(['one', '', 'three']);
  });

  it('gets headers, messages and trailers as they were recorded', async () => {
    const from = await serving((call) => ({
      ...IDLE,
      halfClose: () => {
        call.sendHeaders(fields([[':status', '200'], ['content-type', 'application/grpc'], ['x-text', 'yes'], ['x-bin', 'AP+A']]));
        call.send(Buffer.from('one'));
        call.send(Buffer.from('two'));
        call.end(fields([['grpc-status', '5'], ['grpc-message', 'no %E2%82%AC here: 100%25, a/b?c#d'], ['x-after-bin', 'AAEC']]));
      },
    }));
    const { stream, answer } = ask(from);
    stream.end();
    const { headers, messages, status } = await answer;
    expect([headers?.get('x-text'), headers?.get('x-bin')]).toEqual([['yes'], [Buffer.from([0, 255, 128])]]);
    expect(messages.map(String)).toEqual(['one', 'two']);
    expect([status.code, status.details, status.metadata.get('x-after-bin')]).toEqual([5, 'no € here: 100%, a/b?c#d', [Buffer.from([0, 1, 2])]]);
  });

  it('that failed before its first message has trailers only', async () => {
    const from = await serving((call) => ({ ...IDLE, message: () => call.end(fields([['grpc-status', '7'], ['grpc-message', 'not%20you'], ['why', 'because']])) }));
    const { stream, answer } = ask(from);
    stream.write(Buffer.from('question'));
    const { headers, status } = await answer;
    expect([status.code, status.details, status.metadata.get('why')]).toEqual([7, 'not you', ['because']]);
    expect(headers?.get('why') ?? []).toEqual([]);
  });

  it('with a status that no one knows has it all the same', async () => {
    const from = await serving((call) => ({ ...IDLE, halfClose: () => call.end(fields([['grpc-status', '77']])) }));
    const { stream, answer } = ask(from);
    stream.end();
    expect((await answer).status.code).toBe(77);
  });

  it('takes messages of many megabytes', async () => {
    const big = Buffer.alloc(20 * 1024 * 1024, 7);
    const from = await serving((call) => ({
      ...IDLE,
      message: (payload) => {
        call.send(payload);
        call.end(fields([['grpc-status', '0']]));
      },
    }));
    const { stream, answer } = ask(from);
    stream.write(big);
    expect((await answer).messages[0]?.equals(big)).toBe(true);
  });
});

describe('a client that is gone', () => {
  it.each<[string, (asked: Asked) => unknown, number]>([
    ['by cancelling', ({ stream }) => stream.cancel(), 20_000],
    ['by its deadline', () => undefined, 1000],
    ['with its connection', () => connections.forEach((connection) => connection.destroy()), 20_000],
  ])('%s is noticed once, and nothing is sent to it', async (_how, leave, patience) => {
    let times = 0;
    let asks = (): void => undefined;
    const asked = new Promise<void>((resolve) => {
      asks = resolve;
    });
    const noticed = new Promise<Call>((resolve) => {
      void serving((call) => ({
        ...IDLE,
        message: asks,
        cancelled: () => {
          times += 1;
          resolve(call);
        },
      })).then(async (from) => {
        const live = ask(from, undefined, { deadline: Date.now() + patience });
        live.stream.write(Buffer.from('question'));
        await asked;
        leave(live);
      });
    });
    const call = await noticed;
    call.sendHeaders([]);
    expect(call.send(Buffer.from('late'))).toBe(true);
    call.end(fields([['grpc-status', '0']]));
    await new Promise((done) => setTimeout(done, 20));
    expect(times).toBe(1);
  });

  it('is not noticed after a call that ended well', async () => {
    let cancelled = 0;
    const from = await serving((call) => ({
      ...IDLE,
      halfClose: () => call.end(fields([['grpc-status', '0']])),
      cancelled: () => {
        cancelled += 1;
      },
    }));
    const { stream, answer } = ask(from);
    stream.end();
    await answer;
    await new Promise((done) => setTimeout(done, 20));
    expect(cancelled).toBe(0);
  });
});

describe('backpressure', () => {
  it('holds what a client does not read, and lets it go when it reads', async () => {
    // Node 24's client takes tens of megabytes before anybody reads them.
    const TOTAL = 4000;
    const piece = Buffer.alloc(64 * 1024, 1);
    let sent = 0;
    const from = await serving((call) => {
      const on = (): void => {
        while (sent < TOTAL) {
          sent += 1;
          if (!call.send(piece)) return;
        }
        call.end(fields([['grpc-status', '0']]));
      };
      return { ...IDLE, message: on, drained: on };
    });
    const stream = from.makeBidiStreamRequest<Buffer, Buffer>(PATH, same, same, new grpc.Metadata());
    stream.on('error', () => undefined);
    stream.write(Buffer.from('go'));
    await new Promise((done) => setTimeout(done, 200));
    expect(sent).toBeLessThan(TOTAL);
    let received = 0;
    stream.on('data', (message: Buffer) => {
      received += message.length;
    });
    await new Promise((resolve) => stream.on('status', resolve));
    expect(received).toBe(TOTAL * piece.length);
  });
});

describe('a long status', () => {
  const details = (bytes: number): string => Buffer.alloc(bytes, 'x').toString('base64').replace(/=+$/, '');

  // Node's own HTTP/2 takes no field that is sent as more than 64 KiB, so this client shows both sides of that: Node 20 ends
  // its connection over it, Node 24 resets the call.
  it.each([1000, 48_000, 49_200, 200_000])('of %d bytes of details arrives, or is told to have broken the connection or the call', async (bytes) => {
    for (const headed of [false, true]) {
      told.length = 0;
      const from = await serving((call) => ({
        ...IDLE,
        halfClose: () => {
          if (headed) call.sendHeaders([]);
          call.end(fields([['grpc-status', '3'], ['grpc-message', 'it failed'], ['grpc-status-details-bin', details(bytes)]]));
        },
      }));
      // After such a break grpc-js never ends the call by itself.
      const { stream, answer } = ask(from, undefined, { deadline: Date.now() + 1000 });
      stream.end();
      const { status } = await answer;
      if (bytes <= 49_200) {
        expect([status.code, status.details, status.metadata.get('grpc-status-details-bin')[0]?.length]).toEqual([3, 'it failed', bytes]);
        expect(told).toEqual([]);
      } else {
        expect(status.code).not.toBe(0);
        // The client knows before it says so.
        await vi.waitFor(() => expect(told).not.toEqual([]));
        expect(told).toEqual([expect.stringMatching(/^(a client's connection broke: the client ended the connection|the client reset a call that was answered) with [A-Z_]+; the longest header block that it was sent has \d{5,6} bytes$/)]);
      }
      client?.close();
      void server?.close(0);
      listener?.close();
      rmSync(join(folder, 'replay.sock'), { force: true });
    }
  });

  it('of more than the client has said that it takes is replaced by one that says so, and told of', async () => {
    await serving((call) => ({ ...IDLE, halfClose: () => call.end(fields([['grpc-status', '3'], ['grpc-message', 'x'.repeat(2000)]])) }));
    const MAX_HEADER_LIST_SIZE = 6;
    const request = concat(PREFACE, settings({ [MAX_HEADER_LIST_SIZE]: 1000 }), requestHeader(1, { end: true }));
    const socket = connect(join(folder, 'replay.sock'));
    const trailers = new Promise<readonly HeaderField[]>((resolve) => {
      const decoder = new ConnectionDecoder((event) => {
        if (event.kind === 'server-trailer') resolve(event.headers);
      });
      decoder.push('client', request, 0n);
      socket.on('data', (bytes) => decoder.push('server', bytes, 0n));
    });
    socket.write(request);
    expect(text(await trailers, 'grpc-message')[0]).toMatch(/longer than the header list that this client has said it takes/);
    expect(text(await trailers, 'grpc-status')).toEqual(['13']);
    expect(told).toHaveLength(1);
    socket.destroy();
  });
});

describe('a handler that throws', () => {
  it.each<[string, (bug: () => never) => Accept]>([
    ['at the call', (bug) => () => bug()],
    ['at a message', (bug) => () => ({ ...IDLE, message: () => bug() })],
    ['at the half-close', (bug) => () => ({ ...IDLE, halfClose: () => bug() })],
  ])('%s fails that call with INTERNAL, and no other', async (_where, broken) => {
    let first = true;
    const bug = (): never => {
      throw new TypeError('a\ud800 bug');
    };
    const from = await serving((call) => {
      if (!first) return { ...IDLE, halfClose: () => call.end(fields([['grpc-status', '0']])) };
      first = false;
      return broken(bug)(call);
    });
    const { stream, answer } = ask(from);
    stream.write(Buffer.from('question'));
    stream.end();
    expect((await answer).status).toMatchObject({ code: 13, details: 'bridgetape: internal error: a\ufffd bug' });
    expect(crashes).toHaveLength(1);
    const next = ask(from);
    next.stream.end();
    expect((await next.answer).status.code).toBe(0);
  });

  it('when its client goes does no harm', async () => {
    const seen = new Promise<void>((resolve) => {
      void serving(() => ({
        ...IDLE,
        cancelled: () => {
          setImmediate(resolve);
          throw new Error('at the end');
        },
      })).then((from) => {
        const { stream } = ask(from);
        stream.write(Buffer.from('question'));
        setTimeout(() => stream.cancel(), 50);
      });
    });
    await seen;
    expect(crashes).toHaveLength(1);
  });
});

describe('what came while something else was handled', () => {
  it('is not taken for an answer to what that was answered with, however long it took', async () => {
    const clock = new FakeClock();
    const hearing = new Hearing(clock, () => 0);
    const began = clock.now();
    const heard: bigint[] = [];
    let beginsAnother = (): void => undefined;
    await serving((call) => {
      heard.push(hearing.time - began);
      beginsAnother();
      clock.pass(5);
      return { ...IDLE, halfClose: () => call.end(fields([['grpc-status', '0']])) };
    }, hearing);
    const socket = connect(join(folder, 'replay.sock'));
    const second = new Promise<void>((resolve) => {
      beginsAnother = () => {
        beginsAnother = resolve;
        socket.write(requestHeader(3, { end: true }));
      };
    });
    socket.write(concat(PREFACE, settings({}), requestHeader(1, { end: true })));
    await second;
    socket.destroy();
    expect(heard).toEqual([0n, 0n]);
  });
});

describe('closing', () => {
  it('ends connections, those too on which nobody ever spoke', async () => {
    await serving(() => IDLE);
    const silent = connect(join(folder, 'replay.sock'));
    await new Promise((resolve) => silent.once('connect', resolve));
    await new Promise((resolve) => setTimeout(resolve, 20));
    const closed = new Promise((resolve) => silent.once('close', resolve));
    silent.on('error', () => undefined);
    silent.resume();
    void server?.close(0);
    await closed;
  });
});
