/** A replay as the public API has it: where it listens, how it is reached, how it ends. */
import * as grpc from '@grpc/grpc-js';
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { duplexPair } from './duplex-pair.js';
import { replay, type Replay, type ReplayOptions } from '../../src/replayer/index.js';

const CASSETTE = join(import.meta.dirname, '..', '..', 'cassettes', 'dialogue-v0.32.2.cassette');
const LIST_WORKERS = '/moby.buildkit.v1.Control/ListWorkers';
const EXEC_PROCESS = '/moby.buildkit.v1.frontend.LLBBridge/ExecProcess';
const tls = (name: string): string => join(import.meta.dirname, '..', 'socket', 'fixtures', name);
const SERVER = { certificate: tls('server.pem'), key: tls('server-key.pem') };
const same = (bytes: Buffer): Buffer => bytes;

let folder: string;
let replaying: Replay | undefined;
let client: grpc.Client | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bt-replay-'));
});

afterEach(async () => {
  client?.close();
  await replaying?.close();
  replaying = undefined;
  rmSync(folder, { recursive: true, force: true });
});

async function start(options: Partial<ReplayOptions> = {}): Promise<Replay> {
  replaying = await replay({ file: CASSETTE, ...options });
  return replaying;
}

/** What ListWorkers answers, in bytes; rejects with the error of a call that failed. */
function listWorkers(address: string, credentials = grpc.credentials.createInsecure()): Promise<number> {
  client = new grpc.Client(address.replace(/^unix:\/\//, 'unix:').replace(/^tcp:\/\//, ''), credentials);
  return unary(client, LIST_WORKERS);
}

function unary(from: grpc.Client, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    from.makeUnaryRequest(path, same, same, Buffer.alloc(0), new grpc.Metadata(), { deadline: Date.now() + 10_000 }, (error, answer) =>
      error === null && answer !== undefined ? resolve(answer.length) : reject(error ?? new Error('no answer')),
    );
  });
}

describe('a replay listens', () => {
  it('before it has read the cassette, and serves who came meanwhile', async () => {
    const early: Promise<number>[] = [];
    const { address } = await start({
      onListening: (told) => {
        expect(replaying).toBeUndefined();
        expect(statSync(told.slice('unix://'.length)).isSocket()).toBe(true);
        early.push(listWorkers(told));
      },
    });
    expect(await Promise.all(early)).toEqual([656]);
    expect(await listWorkers(address)).toBe(656);
  });

  it('on a new unix socket that only its user can dial, and leaves nothing behind', async () => {
    const { address } = await start();
    const path = address.slice('unix://'.length);
    expect([statSync(path).mode & 0o777, statSync(dirname(path)).mode & 0o777]).toEqual([0o600, 0o700]);
    expect(await listWorkers(address)).toBe(656);
    await replaying?.close();
    expect(existsSync(dirname(path))).toBe(false);
  });

  it('on a loopback port', async () => {
    const { address } = await start({ listen: { kind: 'tcp', host: '127.0.0.1', port: 0 } });
    expect(address).toMatch(/^tcp:\/\/127\.0\.0\.1:[1-9]\d+$/);
    expect(await listWorkers(address)).toBe(656);
  });

  it('with TLS', async () => {
    const { address } = await start({ listen: { kind: 'tcp', host: 'localhost', port: 0 }, tls: SERVER });
    expect(await listWorkers(address, grpc.credentials.createSsl(readFileSync(tls('ca.pem'))))).toBe(656);
    client?.close();
    await expect(listWorkers(address, grpc.credentials.createSsl())).rejects.toThrow(/certificate/i);
  });

  it('with TLS for clients that show a certificate, and no others', async () => {
    const { address } = await start({ listen: { kind: 'tcp', host: 'localhost', port: 0 }, tls: { ...SERVER, clientAuthority: tls('ca.pem') } });
    const [ca, key, certificate] = ['ca.pem', 'client-key.pem', 'client.pem'].map((name) => readFileSync(tls(name)));
    if (ca === undefined || key === undefined || certificate === undefined) throw new Error('no fixtures');
    expect(await listWorkers(address, grpc.credentials.createSsl(ca, key, certificate))).toBe(656);
    client?.close();
    await expect(listWorkers(address, grpc.credentials.createSsl(ca))).rejects.toThrow();
  });

  it('on no TLS with files that are none', async () => {
    await expect(replay({ file: CASSETTE, tls: { certificate: tls('server.pem'), key: join(folder, 'nothing') } })).rejects.toMatchObject({ code: 'bad-argument' });
    await expect(replay({ file: CASSETTE, tls: { certificate: CASSETTE, key: SERVER.key } })).rejects.toThrow(/There is no certificate in/);
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each([
    ['a pace', { pace: -1 }],
    ['a pace of a method', { paces: { Ping: NaN } }],
    ['a longest silence', { maxGapMs: Infinity }],
    ['a time that is waited', { stallMs: Infinity }],
  ])('not at all with %s that is no number', async (_what, options) => {
    await expect(replay({ file: CASSETTE, listen: { kind: 'unix', path: join(folder, 'a.sock') }, ...options })).rejects.toMatchObject({ code: 'bad-argument' });
    expect(readdirSync(folder)).toEqual([]);
  });

  it.skipIf(process.platform !== 'linux')('not at all where no folder for a socket can be made, and keeps no file open', async () => {
    vi.stubEnv('TMPDIR', join(folder, 'none'));
    await expect(replay({ file: CASSETTE })).rejects.toMatchObject({ code: 'bad-address' });
    vi.unstubAllEnvs();
    const open = readdirSync('/proc/self/fd').filter((fd) => existsSync(`/proc/self/fd/${fd}`) && readlinkSync(`/proc/self/fd/${fd}`) === CASSETTE);
    expect(open).toEqual([]);
  });

  it('not at all without a cassette', async () => {
    await expect(replay({ file: [] })).rejects.toMatchObject({ code: 'cassette-not-found' });
  });

  it('at the other end of any stream', async () => {
    const running = await start();
    const [ours, theirs] = duplexPair();
    running.serve(ours);
    const session = connectHttp2('http://frontend', { createConnection: () => theirs });
    const stream = session.request({ ':method': 'POST', ':path': LIST_WORKERS, 'content-type': 'application/grpc', te: 'trailers' });
    stream.end(Buffer.alloc(5));
    const bytes: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => bytes.push(chunk));
    const trailers = await new Promise<Record<string, unknown>>((resolve) => stream.on('trailers', resolve));
    expect(trailers['grpc-status']).toBe('0');
    expect(Buffer.concat(bytes)).toHaveLength(656 + 5);
    session.destroy();
  });
});

describe('a signal', () => {
  it('ends the replay as close does, and leaves nothing behind', async () => {
    const control = new AbortController();
    const { address } = await start({ signal: control.signal });
    expect(await listWorkers(address)).toBe(656);
    control.abort();
    await replaying?.close();
    await expect(listWorkers(address)).rejects.toMatchObject({ code: grpc.status.UNAVAILABLE });
    expect(existsSync(dirname(address.slice('unix://'.length)))).toBe(false);
  });

  it('that was given before a replay begins stops it from doing so', async () => {
    const listen = { kind: 'unix', path: join(folder, 'a.sock') } as const;
    await expect(replay({ file: CASSETTE, listen, signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('that is given while it begins to listen stops it too', async () => {
    const control = new AbortController();
    const listen = { kind: 'unix', path: join(folder, 'a.sock') } as const;
    const starting = replay({ file: CASSETTE, listen, signal: control.signal });
    control.abort(new Error('enough'));
    await expect(starting).rejects.toThrow('enough');
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('the end of a replay', () => {
  /** An ExecProcess that nothing is said on, whose stream the server has. */
  async function openExec(address: string): Promise<{ readonly stream: grpc.ClientDuplexStream<Buffer, Buffer>; readonly status: Promise<grpc.StatusObject> }> {
    await listWorkers(address);
    const stream = client?.makeBidiStreamRequest<Buffer, Buffer>(EXEC_PROCESS, same, same, new grpc.Metadata());
    if (stream === undefined || client === undefined) throw new Error('no client');
    stream.on('error', () => undefined);
    stream.on('data', () => undefined);
    const status = new Promise<grpc.StatusObject>((resolve) => stream.on('status', resolve));
    // It comes after the stream, on the same connection.
    await unary(client, LIST_WORKERS);
    return { stream, status };
  }

  it('cuts the calls that are open, when there is no grace', async () => {
    const running = await start({ stallMs: 0 });
    const { status } = await openExec(running.address);
    await running.close();
    expect(await status).toMatchObject({ code: grpc.status.UNAVAILABLE, details: 'bridgetape: the replay has ended' });
  });

  it('lets them end in the time that it gives, and takes no new ones', async () => {
    const running = await start({ stallMs: 0 });
    const { stream, status } = await openExec(running.address);
    const closing = running.close(60_000);
    await expect(new Promise((resolve, reject) => connect(running.address.slice('unix://'.length)).on('connect', resolve).on('error', reject))).rejects.toThrow();
    stream.cancel();
    expect((await status).code).toBe(grpc.status.CANCELLED);
    await closing;
  });

  it('cuts them at once when it is told so while they have time', async () => {
    const running = await start({ stallMs: 0 });
    const { status } = await openExec(running.address);
    const closing = running.close(60_000);
    await running.close();
    expect((await status).code).toBe(grpc.status.UNAVAILABLE);
    await closing;
  });

  it('cuts what is still open after that time', async () => {
    const running = await start({ stallMs: 0 });
    const { status } = await openExec(running.address);
    await running.close(20);
    expect((await status).code).toBe(grpc.status.UNAVAILABLE);
  });
});
