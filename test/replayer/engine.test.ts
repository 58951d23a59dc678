/** A replay in a Docker Engine's place: recorded from a stand-in, then without it. */
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { Agent, type IncomingMessage, request as httpRequest } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { record } from '../../src/recorder/index.js';
import { replay, type Replay } from '../../src/replayer/index.js';
import { engine, SECRET, VERSION } from '../recorder/engine.js';

const INFO = '/moby.buildkit.v1.Control/Info';

let folder: string;
let replaying: Replay | undefined;
const path = (name: string): string => join(folder, name);

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly content: string;
}

async function ask(socketPath: string, target: string, { method = 'GET', body, agent }: { readonly method?: string; readonly body?: string; readonly agent?: Agent } = {}): Promise<Answer> {
  const [response] = (await once(httpRequest({ socketPath, path: target, method, agent: agent ?? false, headers: { host: '' } }).end(body), 'response')) as [IncomingMessage];
  return { status: response.statusCode, headers: response.headers, content: await text(response) };
}

async function upgrade(socketPath: string, target: string, headers: Readonly<Record<string, string>> = {}): Promise<Duplex> {
  const request = httpRequest({ socketPath, path: target, method: 'POST', headers: { Connection: 'Upgrade', Upgrade: 'h2c', Host: '', ...headers } }).end();
  const [, socket, head] = (await once(request, 'upgrade')) as [IncomingMessage, Duplex, Buffer];
  if (head.length > 0) socket.unshift(head);
  return socket;
}

async function callOver(socket: Duplex, target: string): Promise<string> {
  const session = connectHttp2('http://d', { createConnection: () => socket });
  const call = session.request({ ':method': 'POST', ':path': target, 'content-type': 'application/grpc', te: 'trailers' });
  call.end(Buffer.from([0, 0, 0, 0, 0]));
  const answer = Buffer.concat((await call.toArray()) as Buffer[]).subarray(5).toString();
  session.close();
  await once(session, 'close');
  return answer;
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bt-'));
  const server = engine();
  await once(server.listen(path('engine.sock')), 'listening');
  const recording = await record({
    output: path('a.cassette'),
    listen: { kind: 'unix', path: path('front.sock') },
    upstream: { kind: 'unix', path: path('nobody.sock') },
    docker: { listen: { kind: 'unix', path: path('docker.sock') }, upstream: { kind: 'unix', path: path('engine.sock') } },
  });
  const front = path('docker.sock');
  await ask(front, '/_ping', { method: 'HEAD' });
  await ask(front, '/v1.41/version');
  await ask(front, '/v1.41/info');
  await ask(front, '/images/json');
  await ask(front, '/nothing', { method: 'POST', body: '{}' });
  (await upgrade(front, '/session')).destroy();
  expect(await callOver(await upgrade(front, '/grpc'), INFO)).toBe('hi');
  await recording.close();
  server.closeAllConnections();
  server.close();
});

afterEach(async () => {
  await replaying?.close();
  replaying = undefined;
  rmSync(folder, { recursive: true, force: true });
});

/** @returns the path of its docker.sock */
async function start(): Promise<string> {
  replaying = await replay({ file: path('a.cassette') });
  return (replaying.dockerAddress ?? '').replace('unix://', '');
}

describe('a replay of a docker.sock', () => {
  it('gives the recorded answers again and again, as they were but for what was not kept', async () => {
    const socket = await start();
    const agent = new Agent({ keepAlive: true });
    for (let i = 0; i < 3; i++) {
      const ping = await ask(socket, '/_ping', { method: 'HEAD', agent });
      expect(ping).toMatchObject({ status: 200, content: '', headers: { 'api-version': '1.41' } });
      expect(ping.headers).not.toHaveProperty('set-cookie');
      expect((await ask(socket, '/v1.41/version', { agent })).content).toBe(VERSION);
    }
    expect((await ask(socket, '/v1.41/version', { method: 'HEAD', agent })).status).toBe(200);
    const { content } = await ask(socket, '/v1.41/info', { agent });
    expect(JSON.parse(content)).toMatchObject({ Name: 'engine' });
    expect(content).not.toContain(SECRET);
    agent.destroy();
    expect(replaying?.misses).toEqual([]);
  });

  it.each([
    ['GET', '/images/json', undefined, "the cassette does not keep that answer's content"],
    ['GET', '/v1.40/version', undefined, 'the cassette holds no request like it'],
    ['GET', `/events?filters=${SECRET}`, undefined, 'the cassette holds no request like it'],
    ['POST', '/nothing', '{}', "the cassette does not keep requests' content, which it would have to equal"],
    ['GET', '/_ping', undefined, 'the cassette holds no request like it'],
    ['POST', '/grpc', undefined, 'the cassette does not keep what crossed behind it'],
  ])('answers %s %s with an error of the engine that says why', async (method, target, body, why) => {
    const socket = await start();
    const answer = await ask(socket, target, { method, ...(body === undefined ? {} : { body }) });
    const [shown = ''] = target.split('?');
    const message = `bridgetape: no answer for ${method} ${shown} of the Docker Engine: ${why}`;
    expect(answer).toMatchObject({ status: 501, headers: { 'content-type': 'application/json' } });
    expect(JSON.parse(answer.content)).toEqual({ message });
    expect(replaying?.misses.map(({ text: told }) => told)).toEqual([message]);
  });

  it('refuses an upgrade that was not recorded in the same way', async () => {
    const socket = await start();
    const request = httpRequest({ socketPath: socket, path: '/containers/x/attach', method: 'POST', headers: { Connection: 'Upgrade', Upgrade: 'tcp' } }).end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(501);
    expect(JSON.parse(await text(response))).toEqual({ message: 'bridgetape: no answer for POST /containers/x/attach of the Docker Engine: the cassette holds no request like it' });
  });

  it('serves the calls behind POST /grpc', async () => {
    const socket = await start();
    expect(await callOver(await upgrade(socket, '/grpc'), INFO)).toBe('hi');
    expect(replaying?.misses).toEqual([]);
  });

  it("is the session's client behind POST /session, and goes when the client does", async () => {
    const session = await upgrade(await start(), '/session', { 'X-Docker-Expose-Session-Uuid': 's' });
    const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    const [first] = (await once(session, 'data')) as [Buffer];
    expect(first.subarray(0, preface.length)).toEqual(preface);
    // SETTINGS, and a PING that wants an answer.
    session.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]));
    const [answer] = (await once(session, 'data')) as [Buffer];
    expect(answer.subarray(-8)).toEqual(Buffer.from([1, 2, 3, 4, 5, 6, 7, 8]));
    session.end();
    await once(session.resume(), 'close');
  });

  it('lives through what is no HTTP', async () => {
    const socket = await start();
    const client = connect(socket).end('nonsense\r\n\r\n');
    await once(client.resume(), 'close');
    expect((await ask(socket, '/v1.41/version')).content).toBe(VERSION);
  });

  it('leaves nothing behind, and no client waiting', async () => {
    const socket = await start();
    const client = connect(socket);
    await once(client, 'connect');
    const ended = once(client.resume(), 'close');
    await replaying?.close();
    await ended;
    expect(readdirSync(tmpdir())).not.toContain(socket.split('/').at(-2));
  });

  it('is not offered for a cassette that has nothing of one', async () => {
    const plain = await replay({ file: join(import.meta.dirname, '..', '..', 'cassettes', 'failing-v0.32.2.cassette') });
    expect(plain.dockerAddress).toBeUndefined();
    await plain.close();
  });
});
