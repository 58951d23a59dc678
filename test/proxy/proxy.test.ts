import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { startProxy, type Proxy, type Tap } from '../../src/proxy/index.js';
import type { SocketAddress } from '../../src/socket/index.js';
import type { BridgetapeError } from '../../src/errors.js';
import { closed as closedByProxy, readAll, Watcher } from './watcher.js';

let folder: string;
let server: Server;
let proxy: Proxy | undefined;
let errors: BridgetapeError[];
let upstreamSockets: Socket[];

const path = (name: string): string => join(folder, name);
const unix = (name: string): SocketAddress => ({ kind: 'unix', path: path(name) });

async function serve(handle: (socket: Socket) => void): Promise<void> {
  server = createServer({ allowHalfOpen: true }, (socket) => {
    upstreamSockets.push(socket);
    socket.on('error', () => undefined);
    handle(socket);
  });
  await once(server.listen(path('daemon.sock')), 'listening');
}

async function start(tap: Tap, upstream: SocketAddress = unix('daemon.sock')): Promise<void> {
  proxy = await startProxy({ listen: unix('proxy.sock'), upstream, tap, onUpstreamError: (error) => errors.push(error) });
}

function dial(): Socket {
  const socket = connect({ path: path('proxy.sock'), allowHalfOpen: true });
  socket.on('error', () => undefined);
  return socket;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bt-'));
  errors = [];
  upstreamSockets = [];
});

afterEach(async () => {
  for (const socket of upstreamSockets) socket.destroy();
  await proxy?.close();
  proxy = undefined;
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('a proxy', () => {
  it('passes every byte on unchanged, in both directions, and shows the tap the same bytes', async () => {
    const up = randomBytes(3_000_000);
    const down = randomBytes(2_000_000);
    const received: Buffer[] = [];
    await serve((socket) => {
      socket.on('data', (chunk: Buffer) => received.push(chunk));
      socket.on('end', () => socket.end(down));
    });
    const tap = new Watcher();
    await start(tap);
    const client = dial();
    client.end(up);
    expect((await readAll(client)).equals(down)).toBe(true);
    await tap.closed;
    expect(Buffer.concat(received).equals(up)).toBe(true);
    expect(tap.all('client').equals(up)).toBe(true);
    expect(tap.all('server').equals(down)).toBe(true);
    expect(tap.times).toEqual([...tap.times].sort((a, b) => (a < b ? -1 : 1)));
  });

  it('keeps a half-close: the server can answer after the client has ended', async () => {
    await serve((socket) => {
      socket.resume();
      socket.on('end', () => socket.end('late answer'));
    });
    const tap = new Watcher();
    await start(tap);
    const client = dial();
    client.end('request');
    expect(String(await readAll(client))).toBe('late answer');
    await tap.closed;
    expect(tap.log).toEqual(['open', 'end client', 'end server', 'close client']);
  });

  it('lets the server end first, and goes on taking what the client says', async () => {
    const heard: Buffer[] = [];
    const over = new Promise<void>((resolve) => {
      void serve((socket) => {
        socket.end('bye');
        socket.on('data', (chunk: Buffer) => heard.push(chunk));
        socket.on('end', resolve);
      });
    });
    const tap = new Watcher();
    await start(tap);
    const client = dial();
    client.resume();
    await once(client, 'end');
    client.end('one more thing');
    await over;
    expect(String(Buffer.concat(heard))).toBe('one more thing');
    await tap.closed;
    expect(tap.log.at(-1)).toBe('close server');
  });

  it('closes the client at once when there is no daemon, and says so in a line', async () => {
    server = createServer();
    const tap = new Watcher();
    await start(tap, unix('nobody.sock'));
    await closedByProxy(dial());
    expect(errors.map(({ code }) => code)).toEqual(['upstream-unreachable']);
    expect(errors[0]?.message).toContain('nobody.sock');
    expect(tap.log).toEqual(['open', 'close server error']);
  });

  it.each([
    { kind: 'tcp', host: '127.0.0.1', port: 65_536 },
    { kind: 'unix', path: `/tmp/${'x'.repeat(107)}` },
  ] as const)('is not begun for a daemon at an address that is none', async (upstream) => {
    server = createServer();
    await expect(start(new Watcher(), upstream)).rejects.toMatchObject({ code: 'bad-address' });
  });

  it('closes the client at once when the daemon is lost', async () => {
    await serve((socket) => {
      socket.once('data', () => socket.resetAndDestroy());
    });
    server.close();
    server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.once('data', () => socket.resetAndDestroy());
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as { port: number };
    const tap = new Watcher();
    await start(tap, { kind: 'tcp', host: '127.0.0.1', port });
    const client = dial();
    client.write('hello');
    await closedByProxy(client);
    await tap.closed;
    expect(errors.map(({ code }) => code)).toEqual(['upstream-unreachable']);
  });

  it('slows the traffic while the tap is not ready, and loses nothing', async () => {
    const total = 8_000_000;
    const received = createHash('sha256');
    let seen = 0;
    await serve((socket) => {
      socket.on('data', (chunk: Buffer) => {
        seen += chunk.length;
        received.update(chunk);
      });
      socket.on('end', () => socket.end());
    });
    const tap = new Watcher();
    tap.hold = true;
    await start(tap);
    const sent = randomBytes(total);
    const client = dial();
    client.end(sent);
    client.resume();
    while (tap.bytes.client.length === 0) await new Promise((resolve) => setImmediate(resolve));
    // Held after its first chunk: the socket buffers fill, and the client's writes stop being taken.
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(tap.bytes.client).toHaveLength(1);
    expect(seen).toBeLessThan(total);
    tap.hold = false;
    tap.release();
    await tap.closed;
    expect(seen).toBe(total);
    expect(received.digest('hex')).toBe(createHash('sha256').update(sent).digest('hex'));
  });

  it('serves many connections at once without mixing them', async () => {
    await serve((socket) => socket.pipe(socket));
    await start({ open: () => new Watcher().open() });
    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const client = dial();
        client.end(`connection ${index} `.repeat(1000));
        return String(await readAll(client)) === `connection ${index} `.repeat(1000);
      }),
    );
    expect(answers.every(Boolean)).toBe(true);
  });

  it('ends its connections when it is closed', async () => {
    await serve((socket) => socket.write('greeting'));
    const tap = new Watcher();
    await start(tap);
    const client = dial();
    await once(client, 'data');
    const gone = once(client, 'close');
    client.on('end', () => client.end());
    await proxy?.close();
    proxy = undefined;
    await gone;
    expect(tap.log.at(0)).toBe('open');
  });

  it('hands on what a client said last, though it is closed as soon as that one is gone', async () => {
    const last = randomBytes(150_000);
    const heard: Buffer[] = [];
    const over = new Promise<void>((resolve) => {
      void serve((socket) => {
        socket.on('data', (chunk: Buffer) => heard.push(chunk));
        socket.on('end', resolve);
      });
    });
    const tap = new Watcher();
    await start(tap);
    // Taken by the kernel, and by nobody else yet.
    await once(dial().end(last), 'finish');
    await proxy?.close();
    proxy = undefined;
    await over;
    expect(Buffer.concat(heard).equals(last)).toBe(true);
    expect(tap.all('client').equals(last)).toBe(true);
  });

  describe('that is closed', () => {
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

    /** Waits until nothing crosses any more: whoever does not read has all that the kernel holds for it. */
    const stuck = async (tap: Watcher, side: 'client' | 'server'): Promise<void> => {
      for (let [quiet, before] = [0, 0]; quiet < 20; ) {
        await turn();
        const crossed = tap.bytes[side].length;
        quiet = crossed === before && crossed > 0 ? quiet + 1 : 0;
        before = crossed;
      }
    };

    /** The time that it waits goes by at once. */
    const closeNow = async (): Promise<void> => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
      const over = new AbortController();
      void proxy?.close().then(() => over.abort());
      proxy = undefined;
      while (!over.signal.aborted) {
        await turn();
        vi.advanceTimersByTime(1_000);
      }
    };

    afterEach(() => vi.useRealTimers());

    it('does not wait for ever for a client that reads no more', async () => {
      await serve((socket) => socket.write(Buffer.alloc(8_000_000)));
      const tap = new Watcher();
      await start(tap);
      const client = dial().pause();
      await stuck(tap, 'server');
      await closeNow();
      await tap.closed;
      client.destroy();
    });

    it('nor for a daemon that does not', async () => {
      await serve((socket) => socket.pause());
      const tap = new Watcher();
      await start(tap);
      const client = dial();
      client.write(Buffer.alloc(8_000_000));
      await stuck(tap, 'client');
      client.destroy();
      await closeNow();
      await tap.closed;
    });
  });
});
