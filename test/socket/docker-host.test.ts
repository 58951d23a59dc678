import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { dockerHost } from '../../src/socket/index.js';

let folder: string;
let engine: Server;
const path = (...names: readonly string[]): string => join(folder, ...names);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bt-'));
  engine = createServer();
  await once(engine.listen(path('docker.sock')), 'listening');
});

afterEach(() => {
  engine.close();
  rmSync(folder, { recursive: true, force: true });
});

function context(name: string, host: string, tls = false): void {
  const id = createHash('sha256').update(name).digest('hex');
  mkdirSync(path('contexts', 'meta', id), { recursive: true });
  writeFileSync(path('contexts', 'meta', id, 'meta.json'), JSON.stringify({ Name: name, Endpoints: { docker: { Host: host } } }));
  if (tls) mkdirSync(path('contexts', 'tls', id, 'docker'), { recursive: true });
}

const found = (env: Record<string, string>, socket = path('docker.sock')): unknown => dockerHost({ DOCKER_CONFIG: folder, ...env }, socket);
const unix = (name: string): unknown => ({ kind: 'unix', path: name });

describe("where Docker's engine is", () => {
  it('is what DOCKER_HOST says', () => {
    context('mine', 'unix:///mine.sock');
    expect(found({ DOCKER_HOST: 'unix:///d.sock', DOCKER_CONTEXT: 'mine' })).toEqual(unix('/d.sock'));
    expect(found({ DOCKER_HOST: 'tcp://h:2375' })).toEqual({ kind: 'tcp', host: 'h', port: 2375 });
  });

  it('is the usual socket when nothing is said', () => {
    expect(found({})).toEqual(unix(path('docker.sock')));
    expect(found({ DOCKER_HOST: '', DOCKER_CONTEXT: 'default' })).toEqual(unix(path('docker.sock')));
  });

  it("is that of Docker's context, named by the environment or its configuration", () => {
    context('mine', 'unix:///mine.sock');
    expect(found({ DOCKER_CONTEXT: 'mine' })).toEqual(unix('/mine.sock'));
    writeFileSync(path('config.json'), JSON.stringify({ currentContext: 'mine' }));
    expect(found({})).toEqual(unix('/mine.sock'));
    expect(found({ DOCKER_CONTEXT: 'default' })).toEqual(unix(path('docker.sock')));
  });

  it.each([
    ['a socket that is not there', {}, '/nowhere/docker.sock', 'there is no /nowhere/docker.sock'],
    ['TLS', { DOCKER_HOST: 'tcp://h:2376', DOCKER_TLS_VERIFY: '1' }, undefined, 'DOCKER_TLS_VERIFY is set'],
    ['another machine', { DOCKER_HOST: 'ssh://me@h' }, undefined, 'DOCKER_HOST is ssh://me@h'],
    ['a context with TLS', { DOCKER_CONTEXT: 'tls' }, undefined, 'wants TLS'],
    ['a context that is not there', { DOCKER_CONTEXT: 'gone' }, undefined, 'context gone names no engine'],
  ])('is nowhere to be dialled for %s, and why', (_name, env, socket, why) => {
    context('tls', 'tcp://h:2376', true);
    expect(found(env, socket)).toMatchObject({ kind: 'none', why: expect.stringContaining(why) as string });
  });

  it('is not read off a configuration that is none', () => {
    writeFileSync(path('config.json'), '[');
    expect(found({})).toEqual(unix(path('docker.sock')));
    rmSync(path('config.json'));
    mkdirSync(path('config.json'));
    expect(found({})).toEqual(unix(path('docker.sock')));
  });
});
