/** A real grpc-js client and server with a recording between them. */
import * as grpc from '@grpc/grpc-js';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { Cassette, verify, type CassetteEvent } from '../../src/cassette/index.js';
import { record, type Recording, type RecordOptions } from '../../src/recorder/index.js';

const PING = '/moby.buildkit.v1.frontend.LLBBridge/Ping';
const EXEC = '/moby.buildkit.v1.frontend.LLBBridge/ExecProcess';
const SESSION = '/moby.buildkit.v1.Control/Session';
const INFO = '/moby.buildkit.v1.Control/Info';
/** InfoResponse { buildkitVersion: { version: "v9.8.7" } } */
const INFO_ANSWER = Buffer.from([0x0a, 0x08, 0x12, 0x06, ...Buffer.from('v9.8.7')]);

const same = (bytes: Buffer): Buffer => bytes;
const method = (path: string): grpc.MethodDefinition<Buffer, Buffer> => ({
  path,
  requestStream: true,
  responseStream: true,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
});

let folder: string;
let server: grpc.Server;
let client: grpc.Client;
let recording: Recording;

const path = (name: string): string => join(folder, name);
const cassettePath = (): string => path('out.cassette');

async function start(options: Partial<RecordOptions> = {}): Promise<void> {
  recording = await record({ output: cassettePath(), listen: { kind: 'unix', path: path('front.sock') }, upstream: { kind: 'unix', path: path('back.sock') }, ...options });
  client = new grpc.Client(recording.address.replace('unix://', 'unix:'), grpc.credentials.createInsecure());
}

function call(name: string, messages: readonly string[], metadata = new grpc.Metadata()): Promise<{ readonly answers: string[]; readonly status: grpc.StatusObject }> {
  return new Promise((resolve) => {
    const answers: string[] = [];
    const stream = client.makeBidiStreamRequest<Buffer, Buffer>(name, same, same, metadata);
    stream.on('data', (data: Buffer) => answers.push(data.toString()));
    stream.on('error', () => undefined);
    stream.on('status', (status: grpc.StatusObject) => resolve({ answers, status }));
    for (const message of messages) stream.write(Buffer.from(message));
    stream.end();
  });
}

async function stop(): Promise<Cassette> {
  client.close();
  await recording.close();
  return Cassette.open(cassettePath());
}

const outline = (events: readonly CassetteEvent[]): string[] =>
  events.map((event) => ('data' in event ? `${event.kind} ${event.size} ${event.data === undefined ? 'left out' : Buffer.from(event.data).toString()}` : event.kind));

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bt-'));
  server = new grpc.Server();
  const echo: grpc.handleBidiStreamingCall<Buffer, Buffer> = (stream) => {
    stream.on('data', (data: Buffer) => {
      if (data.toString() === 'fail') stream.emit('error', { code: grpc.status.NOT_FOUND, details: 'no such thing' });
      else stream.write(Buffer.concat([Buffer.from('echo '), data]));
    });
    stream.on('end', () => stream.end());
  };
  server.addService({ Ping: method(PING), ExecProcess: method(EXEC) }, { Ping: echo, ExecProcess: echo });
  server.addService(
    { Session: method(SESSION), Info: method(INFO) },
    {
      Session: echo,
      Info: ((stream) => {
        stream.write(INFO_ANSWER);
        stream.end();
      }) satisfies grpc.handleBidiStreamingCall<Buffer, Buffer>,
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${path('back.sock')}`, grpc.ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve()));
  });
});

afterEach(() => {
  server.forceShutdown();
  rmSync(folder, { recursive: true, force: true });
});

describe('a recording', () => {
  it('holds each call with its messages in order, and its status', async () => {
    await start();
    await call(PING, ['one']);
    await call(EXEC, ['a', 'bb', 'ccc']);
    const failed = await call(PING, ['fail']);
    expect(failed.status.code).toBe(grpc.status.NOT_FOUND);
    const cassette = await stop();
    expect(cassette.state).toBe('whole');
    expect(cassette.calls.map(({ path: name, outcome }) => [name, outcome])).toEqual([
      [PING, { kind: 'status', code: 0, message: 'OK' }],
      [EXEC, { kind: 'status', code: 0, message: 'OK' }],
      [PING, { kind: 'status', code: 5, message: 'no such thing' }],
    ]);
    expect(outline(cassette.call(1))).toEqual(['client-header', 'client-message 3 one', 'client-half-close', 'server-header', 'server-message 8 echo one', 'server-trailer']);
    expect(outline(cassette.call(2)).filter((line) => line.includes('-message'))).toEqual(
      expect.arrayContaining(['client-message 1 a', 'client-message 2 bb', 'client-message 3 ccc', 'server-message 6 echo a', 'server-message 7 echo bb', 'server-message 8 echo ccc']),
    );
    expect(verify(cassettePath()).damages).toEqual([]);
  });

  it('numbers calls over all connections, and gives each its own events', async () => {
    await start();
    const clients = Array.from({ length: 10 }, () => new grpc.Client(recording.address.replace('unix://', 'unix:'), grpc.credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 }));
    await Promise.all(
      clients.map(async (own, index) => {
        client = own;
        await call(PING, [`client ${index}`]);
      }),
    );
    for (const own of clients) own.close();
    const cassette = await stop();
    expect(cassette.connections).toHaveLength(10);
    const bodies = cassette.calls.map(({ id }) => outline(cassette.call(id)).find((line) => line.startsWith('server-message')));
    expect(new Set(bodies)).toEqual(new Set(Array.from({ length: 10 }, (_, index) => `server-message 13 echo client ${index}`)));
  });

  it('leaves the bodies of sessions out and keeps their sizes, unless they are asked for', async () => {
    await start();
    await call(SESSION, ['secret']);
    const cassette = await stop();
    expect(outline(cassette.call(1)).filter((line) => line.includes('-message'))).toEqual(['client-message 6 left out', 'server-message 11 left out']);
    expect(cassette.header.bodiesLeftOut).toContain(SESSION);
    cassette.close();
    await start({ force: true, bodies: [SESSION] });
    await call(SESSION, ['secret']);
    expect(outline((await stop()).call(1))).toContain('client-message 6 secret');
  });

  it("says BuildKit's version when the traffic shows it", async () => {
    await start();
    await call(INFO, ['']);
    expect((await stop()).header.buildkitVersion).toBe('v9.8.7');
  });

  it('keeps metadata as bytes, in order', async () => {
    await start();
    const metadata = new grpc.Metadata();
    metadata.add('buildkit-controlapi-buildid', 'abc');
    metadata.add('x-bin', Buffer.from([0, 255, 1]));
    await call(PING, ['x'], metadata);
    const [header] = (await stop()).call(1);
    const fields = header?.kind === 'client-header' ? header.headers.map(({ name, value }) => `${name}: ${Buffer.from(value).toString('latin1')}`) : [];
    expect(fields).toContain('buildkit-controlapi-buildid: abc');
    expect(fields).toContain(':path: /moby.buildkit.v1.frontend.LLBBridge/Ping');
    expect(fields.find((field) => field.startsWith('x-bin: '))).toMatch(/^x-bin: AP8B=*$/);
  });

  it('is not begun over a cassette that exists', async () => {
    writeFileSync(cassettePath(), 'something else');
    await expect(start()).rejects.toMatchObject({ code: 'cassette-exists' });
    expect(readdirSync(folder).sort()).toEqual(['back.sock', 'out.cassette']);
  });

  it('leaves nothing behind when it cannot listen', async () => {
    await expect(start({ listen: { kind: 'unix', path: path('back.sock') } })).rejects.toMatchObject({ code: 'address-in-use' });
    expect(existsSync(cassettePath())).toBe(false);
  });

  it('replaces an older cassette when clients can connect, and not before', async () => {
    writeFileSync(cassettePath(), 'an older one');
    await expect(start({ force: true, listen: { kind: 'unix', path: path('back.sock') } })).rejects.toMatchObject({ code: 'address-in-use' });
    await expect(start({ force: true, listenTls: { certificate: path('none'), key: path('none') } })).rejects.toMatchObject({ code: 'bad-argument' });
    expect(readFileSync(cassettePath(), 'utf8')).toBe('an older one');
    expect(readdirSync(folder).sort()).toEqual(['back.sock', 'out.cassette']);
    await start({ force: true });
    expect(Cassette.open(cassettePath()).state).toBe('interrupted');
    expect((await stop()).state).toBe('whole');
  });

  it('replaces an older cassette later when it was told to', async () => {
    writeFileSync(cassettePath(), 'an older one');
    await start({ force: 'later' });
    expect(readFileSync(cassettePath(), 'utf8')).toBe('an older one');
    await recording.takePlace();
    await recording.takePlace();
    expect(Cassette.open(cassettePath()).state).toBe('interrupted');
    expect((await stop()).state).toBe('whole');
  });

  it('replaces it at the end at the latest, whichever comes first', async () => {
    writeFileSync(cassettePath(), 'an older one');
    await start({ force: 'later' });
    expect((await stop()).state).toBe('whole');
    await start({ force: 'later' });
    const placed = recording.takePlace();
    expect((await stop()).state).toBe('whole');
    await placed;
    expect(readdirSync(folder).sort()).toEqual(['back.sock', 'out.cassette']);
  });

  it('can be given up: then the older one stays, unless it was replaced', async () => {
    writeFileSync(cassettePath(), 'an older one');
    await start({ force: 'later' });
    client.close();
    await recording.discard();
    expect(readFileSync(cassettePath(), 'utf8')).toBe('an older one');
    expect(readdirSync(folder).sort()).toEqual(['back.sock', 'out.cassette']);
    await start({ force: true });
    client.close();
    await recording.discard();
    expect(readdirSync(folder)).toEqual(['back.sock']);
  });

  it('says what is lost when it can take no place', async () => {
    await start({ force: 'later' });
    rmSync(folder, { recursive: true });
    await expect(recording.takePlace()).rejects.toMatchObject({ code: 'cassette-not-writable' });
    client.close();
    const { loss } = await recording.close();
    expect(loss?.error.message).toMatch(/ENOENT/);
  });

  it('says of a link that leads nowhere what it is', async () => {
    symlinkSync(path('nothing'), cassettePath());
    await expect(start({ force: true })).rejects.toThrow(/it is a symbolic link that leads nowhere/);
  });

  it('says where it stands when another file has taken its name', async () => {
    await start();
    rmSync(cassettePath());
    writeFileSync(cassettePath(), 'mine');
    client.close();
    const { path: where, loss } = await recording.close();
    expect([where, loss]).toEqual([path('out.1.cassette'), undefined]);
    expect(Cassette.open(where).state).toBe('whole');
    expect(readFileSync(cassettePath(), 'utf8')).toBe('mine');
  });

  it('has lost everything when its folder is gone, and says so', async () => {
    mkdirSync(path('tapes'));
    await start({ output: path('tapes/a.cassette') });
    await call(PING, ['one']);
    rmSync(path('tapes'), { recursive: true });
    client.close();
    const { events, loss } = await recording.close();
    expect(loss).toMatchObject({ events, error: { message: 'the file is gone' } });
  });

  it('with no call in it is a whole cassette', async () => {
    await start();
    const cassette = await stop();
    expect(cassette.state).toBe('whole');
    expect(cassette.calls).toEqual([]);
  });
});

describe('a signal', () => {
  it('ends the recording as close does: the cassette is whole, and no socket is left', async () => {
    const control = new AbortController();
    await start({ signal: control.signal });
    await call(PING, ['one']);
    control.abort();
    const { calls } = await recording.close();
    client.close();
    expect([calls, Cassette.open(cassettePath()).state]).toEqual([1, 'whole']);
    expect(readdirSync(folder).sort()).toEqual(['back.sock', 'out.cassette']);
  });

  it('ends calls that are open, and what dials the daemon for them', async () => {
    const control = new AbortController();
    const relay = `process.stdin.pipe(require('net').connect(${JSON.stringify(path('back.sock'))})).pipe(process.stdout)`;
    const command = [process.execPath, '-e', `require('fs').writeFileSync(${JSON.stringify(path('pid'))}, String(process.pid)); ${relay}`] as const;
    await start({ signal: control.signal, upstream: { kind: 'helper', url: 'ssh://somewhere', command } });
    const stream = client.makeBidiStreamRequest<Buffer, Buffer>(EXEC, same, same, new grpc.Metadata());
    const status = new Promise<grpc.StatusObject>((resolve) => stream.on('status', resolve));
    stream.on('error', () => undefined);
    await new Promise((resolve) => {
      stream.once('data', resolve);
      stream.write(Buffer.from('hello'));
    });
    const helper = Number(readFileSync(path('pid'), 'utf8'));
    control.abort();
    await recording.close();
    expect((await status).code).toBe(grpc.status.UNAVAILABLE);
    client.close();
    expect(() => process.kill(helper, 0)).toThrow('ESRCH');
    expect(existsSync(path('front.sock'))).toBe(false);
  });

  it('that was given before it begins, or while it does, leaves nothing behind', async () => {
    await expect(start({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
    const control = new AbortController();
    const starting = start({ signal: control.signal });
    control.abort(new Error('enough'));
    await expect(starting).rejects.toThrow('enough');
    expect(readdirSync(folder)).toEqual(['back.sock']);
  });
});

describe('who wants to know what clients ask', () => {
  it('is told of each message as it crosses, and that there was one where its body is left out', async () => {
    const seen: (readonly [string, string | undefined])[] = [];
    await start({ onRequest: (name, message) => seen.push([name, message && Buffer.from(message).toString()]) });
    await call(PING, ['one']);
    await call(EXEC, ['a', 'bb']);
    await call(SESSION, ['secret']);
    await stop();
    expect(seen).toEqual([
      [PING, 'one'],
      [EXEC, 'a'],
      [EXEC, 'bb'],
      [SESSION, undefined],
    ]);
  });
});
