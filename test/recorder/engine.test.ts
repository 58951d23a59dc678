/** A docker.sock of ours in front of something that speaks as a Docker Engine does. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type Agent, Agent as HttpAgent, type ClientRequest, type IncomingMessage, request as httpRequest, type Server } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { Cassette, type CassetteEvent, verify } from '../../src/cassette/index.js';
import type { BridgetapeError } from '../../src/errors.js';
import { record, type Recording } from '../../src/recorder/index.js';
import { engine, INFO, SECRET, VERSION } from './engine.js';

let folder: string;
let server: Server;
let recording: Recording;
let agent: Agent;
let errors: BridgetapeError[];

const path = (name: string): string => join(folder, name);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bt-'));
  server = engine();
  await once(server.listen(path('engine.sock')), 'listening');
  errors = [];
  agent = new HttpAgent({ keepAlive: true, maxSockets: 1 });
  recording = await record({
    output: path('out.cassette'),
    listen: { kind: 'unix', path: path('front.sock') },
    upstream: { kind: 'unix', path: path('nobody.sock') },
    docker: { listen: { kind: 'unix', path: path('docker.sock') }, upstream: { kind: 'unix', path: path('engine.sock') } },
    onUpstreamError: (error) => errors.push(error),
  });
});

afterEach(async () => {
  agent.destroy();
  await recording.close();
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

function send(target: string, { method = 'GET', headers = {}, body }: Asked = {}): ClientRequest {
  return httpRequest({ socketPath: path('docker.sock'), path: target, method, headers, agent: 'Upgrade' in headers ? false : agent }).end(body);
}

async function ask(target: string, asked: Asked = {}): Promise<{ readonly status: number | undefined; readonly content: string }> {
  const [response] = (await once(send(target, asked), 'response')) as [IncomingMessage];
  return { status: response.statusCode, content: await text(response) };
}

async function upgrade(target: string, protocol: string): Promise<Duplex> {
  const [, socket, head] = (await once(send(target, { method: 'POST', headers: { Connection: 'Upgrade', Upgrade: protocol, Host: '' } }), 'upgrade')) as [IncomingMessage, Duplex, Buffer];
  if (head.length > 0) socket.unshift(head);
  return socket;
}

async function recorded(): Promise<Cassette> {
  agent.destroy();
  await recording.close();
  expect(verify(path('out.cassette')).state).toBe('whole');
  return Cassette.open(path('out.cassette'));
}

/** All that stands in the cassette, as one text. */
const everything = (cassette: Cassette): string =>
  JSON.stringify([cassette.header, ...cassette.events()], (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value));

const contents = (events: readonly CassetteEvent[]): (string | undefined)[] => events.flatMap((event) => (event.kind === 'server-message' ? [event.data && Buffer.from(event.data).toString()] : []));

describe('a recorded docker.sock', () => {
  it('gives what the engine gives, and has the answers that a replay needs', async () => {
    expect(await ask('/_ping')).toEqual({ status: 200, content: 'OK' });
    expect(await ask('/v1.41/version')).toEqual({ status: 200, content: VERSION });
    expect(await ask('/v1.41/info')).toEqual({ status: 200, content: INFO });
    using cassette = await recorded();
    expect(cassette.header.docker).toBe(`unix://${path('engine.sock')}`);
    expect(cassette.connections.map(({ protocol }) => protocol)).toEqual(['http/1.1']);
    expect(cassette.calls.map(({ method, path: target, outcome }) => ({ method, target, outcome }))).toEqual(
      ['/_ping', '/v1.41/version', '/v1.41/info'].map((target) => ({ method: 'GET', target, outcome: { kind: 'http', code: 200 } })),
    );
    expect(contents(cassette.call(1))).toEqual(['OK']);
    expect(contents(cassette.call(2))).toEqual([VERSION]);
    const info = contents(cassette.call(3)).join('');
    expect(info).toHaveLength(INFO.length);
    expect(JSON.parse(info)).toMatchObject({ Name: 'engine', HttpProxy: expect.stringMatching(/^x+$/) as string });
    expect(everything(cassette)).not.toContain(SECRET);
  });

  it('holds no secret of a header, a query, a body or a tunnel', async () => {
    const headers = { 'X-Registry-Auth': SECRET, 'X-Registry-Config': SECRET, Authorization: SECRET, Cookie: SECRET };
    expect((await ask(`/v1.41/images/create?fromImage=${SECRET}&tag=t`, { method: 'POST', headers, body: SECRET })).status).toBe(404);
    expect((await ask(`/build?buildargs={"A":"${SECRET}"}`, { method: 'POST', headers, body: SECRET })).content).toContain(SECRET);
    expect((await ask('/images/json', { headers })).content).toContain(SECRET);
    const socket = await upgrade('/containers/x/attach?stream=1', 'tcp');
    socket.end(SECRET);
    expect(await text(socket)).toBe(SECRET);
    using cassette = await recorded();
    expect(everything(cassette)).not.toContain(SECRET);
    expect(cassette.calls.map(({ path: target }) => target)).toEqual(['/v1.41/images/create?fromImage=(redacted)&tag=t', '/build?buildargs=(redacted)', '/images/json', '/containers/x/attach?stream=1']);
    expect(cassette.calls.map(({ clientBytes }) => clientBytes)).toEqual([SECRET.length, SECRET.length, 0, SECRET.length]);
    expect(cassette.calls.at(-1)).toMatchObject({ serverBytes: SECRET.length, leftOut: 2, outcome: { kind: 'http', code: 101 } });
  });

  it('has what crosses behind POST /grpc as a connection of its own, and of a session its sizes', async () => {
    const session = await upgrade('/session', 'h2c');
    const grpc = await upgrade('/grpc', 'h2c');
    const bridge = connectHttp2('http://d', { createConnection: () => grpc });
    const call = bridge.request({ ':method': 'POST', ':path': '/moby.buildkit.v1.frontend.LLBBridge/Ping', 'content-type': 'application/grpc', te: 'trailers' });
    call.end(Buffer.from([0, 0, 0, 0, 1, 0x61]));
    expect((await call.toArray()).map(String)).toEqual(['\0\0\0\0\x02hi']);
    bridge.close();
    await once(bridge, 'close');
    session.end('123');
    expect(await text(session)).toBe('123');
    using cassette = await recorded();
    expect(cassette.connections.map(({ id, protocol, upgradeOf, close }) => ({ id, protocol, upgradeOf, closed: close !== undefined }))).toEqual([
      { id: 1, protocol: 'http/1.1', upgradeOf: undefined, closed: true },
      { id: 2, protocol: 'http/1.1', upgradeOf: undefined, closed: true },
      { id: 3, protocol: undefined, upgradeOf: 2, closed: true },
    ]);
    expect(cassette.calls).toMatchObject([
      { connection: 1, method: 'POST', path: '/session', clientBytes: 3, serverBytes: 3, leftOut: 2 },
      { connection: 2, method: 'POST', path: '/grpc', outcome: { kind: 'http', code: 101 } },
      { connection: 3, path: '/moby.buildkit.v1.frontend.LLBBridge/Ping', clientBytes: 1, serverBytes: 2, leftOut: 0, outcome: { kind: 'status', code: 0 } },
    ]);
  });

  it('says which engine cannot be reached', async () => {
    server.close();
    await expect(ask('/_ping')).rejects.toThrow();
    expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining(`No connection to the Docker Engine at unix://${path('engine.sock')}`)]);
  });
});
