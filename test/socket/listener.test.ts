import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { listen, temporaryAddress, type Address } from '../../src/socket/index.js';

const OPTIONS = { allowHalfOpen: true, paused: false };
const mode = (path: string): number => statSync(path).mode & 0o777;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bt-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string): Address & { kind: 'unix' } => ({ kind: 'unix', path: join(folder, name) });

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

  it('makes a missing folder for itself, and removes it again', async () => {
    const address = at('new/buildkitd.sock');
    const listener = await listen(address, OPTIONS, () => undefined);
    expect(mode(join(folder, 'new'))).toBe(0o700);
    await listener.close();
    expect(existsSync(join(folder, 'new'))).toBe(false);
  });

  it('on tcp says which port it was given', async () => {
    const listener = await listen({ kind: 'tcp', host: '127.0.0.1', port: 0 }, OPTIONS, () => undefined);
    expect(listener.address).toMatchObject({ kind: 'tcp', host: '127.0.0.1' });
    expect(listener.address.kind === 'tcp' && listener.address.port).toBeGreaterThan(0);
    await listener.close();
  });
});
