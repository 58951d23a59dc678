import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { formatAddress, listen, temporaryAddress, type SocketAddress, type TlsFiles } from '../../src/socket/index.js';
import { authority, writeIdentity } from './certificates.js';

const OPTIONS = { allowHalfOpen: true, paused: false };
const mode = (path: string): number => statSync(path).mode & 0o777;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bt-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const at = (name: string): SocketAddress & { kind: 'unix' } => ({ kind: 'unix', path: join(folder, name) });

describe('a listening socket', () => {
  it('can be dialled by its owner alone', async () => {
    const { address, remove } = temporaryAddress();
    if (address.kind !== 'unix') throw new Error('a temporary address is a unix socket');
    const listener = await listen(address, OPTIONS, () => undefined);
    expect(mode(address.path)).toBe(0o600);
    expect(mode(join(address.path, '..'))).toBe(0o700);
    await listener.close();
    expect(existsSync(address.path)).toBe(false);
    remove();
    expect(existsSync(join(address.path, '..'))).toBe(false);
  });

  it('can be dialled by its owner alone in a worker too, which may not set the mask', async () => {
    const address = join(folder, 'a.sock');
    const script = `
      const { parentPort, workerData } = require('node:worker_threads');
      import(workerData.listener).then(async ({ listen }) => {
        const listener = await listen({ kind: 'unix', path: workerData.address }, { allowHalfOpen: true, paused: false }, () => undefined);
        parentPort.postMessage('listening');
        parentPort.once('message', () => listener.close());
      });`;
    const worker = new Worker(script, { eval: true, workerData: { address, listener: join(import.meta.dirname, '..', '..', 'dist', 'socket', 'index.js') } });
    await once(worker, 'message');
    expect(mode(address)).toBe(0o600);
    worker.postMessage('enough');
    await once(worker, 'exit');
    expect(existsSync(address)).toBe(false);
  });

  it('takes the place of one that nobody answers on', async () => {
    const address = at('stale.sock');
    const script = `require('net').createServer().listen(${JSON.stringify(address.path)}, () => console.log('up'))`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(existsSync(address.path)).toBe(true);
    const listener = await listen(address, OPTIONS, (socket) => socket.end('mine'));
    const client = connect(address.path);
    expect(String((await once(client, 'data'))[0])).toBe('mine');
    client.destroy();
    await listener.close();
  });

  it('leaves one alone that somebody answers on', async () => {
    const address = at('live.sock');
    const server = createServer((socket) => socket.end());
    await once(server.listen(address.path), 'listening');
    await expect(listen(address, OPTIONS, () => undefined)).rejects.toThrow('somebody answers there');
    expect(existsSync(address.path)).toBe(true);
    server.close();
  });

  it('leaves a file alone that is no socket', async () => {
    const address = at('notes.txt');
    writeFileSync(address.path, 'dear diary');
    await expect(listen(address, OPTIONS, () => undefined)).rejects.toThrow('no socket');
    expect(existsSync(address.path)).toBe(true);
  });

  it('lets a thousand clients in that dial at once', async () => {
    const address = at('crowd.sock');
    const listener = await listen(address, OPTIONS, (socket) => socket.end());
    const clients = Array.from({ length: 1000 }, () => connect(address.path));
    const ends = await Promise.allSettled(clients.map((client) => once(client.resume(), 'end')));
    expect(ends.filter(({ status }) => status === 'rejected')).toEqual([]);
    for (const client of clients) client.destroy();
    await listener.close();
  });

  it('makes a missing folder for itself, and removes it again', async () => {
    const address = at('new/buildkitd.sock');
    const listener = await listen(address, OPTIONS, () => undefined);
    expect(mode(join(folder, 'new'))).toBe(0o700);
    await listener.close();
    expect(existsSync(join(folder, 'new'))).toBe(false);
  });

  it.each([
    ['in place of a folder', 'made/.', 'address-in-use'],
    ['below a file', 'file/a.sock', 'bad-address'],
  ])('is none %s, and leaves nothing behind', async (_where, path, code) => {
    writeFileSync(join(folder, 'file'), '');
    const before = readdirSync(folder);
    await expect(listen({ kind: 'unix', path: `${folder}/${path}` }, OPTIONS, () => undefined)).rejects.toMatchObject({ code });
    expect(readdirSync(folder)).toEqual(before);
  });

  it('has a path that the kernel takes whole', async () => {
    await expect(listen(at('x'.repeat(100)), OPTIONS, () => undefined)).rejects.toMatchObject({ code: 'bad-address', what: expect.stringContaining('the kernel takes 107') as unknown });
    vi.stubEnv('TMPDIR', join(folder, 'x'.repeat(80)));
    const { address, remove } = temporaryAddress();
    expect(formatAddress(address)).toMatch(/^unix:\/\/\/tmp\/bridgetape-\w+\/buildkitd\.sock$/);
    remove();
    vi.stubEnv('TMPDIR', join(folder, 'none'));
    expect(() => temporaryAddress()).toThrow(`Cannot make a folder for a socket in ${join(folder, 'none')}: ENOENT.`);
  });

  it.each([65_536, -1, 1.5, NaN])('has a port: %s is none', async (port) => {
    await expect(listen({ kind: 'tcp', host: '127.0.0.1', port }, OPTIONS, () => undefined)).rejects.toMatchObject({ code: 'bad-address' });
  });

  it('on tcp says which port it was given', async () => {
    const listener = await listen({ kind: 'tcp', host: '127.0.0.1', port: 0 }, OPTIONS, () => undefined);
    expect(listener.address).toMatchObject({ kind: 'tcp', host: '127.0.0.1' });
    expect(listener.address.kind === 'tcp' && listener.address.port).toBeGreaterThan(0);
    await listener.close();
  });

  const TCP = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;
  const ownFiles = (): TlsFiles => {
    const { certificate, key } = writeIdentity(folder, authority('ours').issue('front', { names: ['127.0.0.1'] }), '');
    return { certificate, key };
  };

  it.each(['0.0.0.0', '::', '::ffff:0.0.0.0'])('that other machines reach has TLS, or is asked for by name: %s', async (host) => {
    await expect(listen({ ...TCP, host }, OPTIONS, () => undefined)).rejects.toMatchObject({ code: 'insecure-listener' });
    for (const more of [{ insecure: true }, { tls: ownFiles() }]) {
      const listener = await listen({ ...TCP, host }, { ...OPTIONS, ...more }, () => undefined);
      expect(listener.reach).toContain('takes everybody who reaches this machine over the network');
      await listener.close();
    }
  });

  it.each(['127.0.0.1', '127.9.9.9', 'localhost'])('on loopback needs no TLS, and says who can reach it: %s', async (host) => {
    const listener = await listen({ ...TCP, host }, OPTIONS, () => undefined);
    expect(listener.reach).toMatch(/^tcp:\/\/\S+:\d+ takes every user of this machine, without TLS$/);
    await listener.close();
  });

  it('says that it asks for certificates, and nothing where it is for its owner alone', async () => {
    const files = ownFiles();
    const asking = await listen(TCP, { ...OPTIONS, tls: { ...files, clientAuthority: files.certificate } }, () => undefined);
    expect(asking.reach).toContain(`takes clients with a certificate that ${files.certificate} signed`);
    await asking.close();
    const own = await listen(at('own.sock'), OPTIONS, () => undefined);
    expect(own.reach).toBeUndefined();
    await own.close();
  });

  it('is none at a host that is not there', async () => {
    await expect(listen({ ...TCP, host: 'no-such-host.invalid' }, OPTIONS, () => undefined)).rejects.toThrow('Cannot listen on tcp://no-such-host.invalid:0');
  });
});
