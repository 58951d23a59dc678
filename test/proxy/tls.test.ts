import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectPlain, createServer as createPlainServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, createServer as createTlsServer, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { BridgetapeError } from '../../src/errors.js';
import { startProxy, type Proxy, type ProxyOptions } from '../../src/proxy/index.js';
import { authority, writeIdentity, type Issue } from '../socket/certificates.js';
import { closed, readAll, Watcher } from './watcher.js';

const OURS = authority('ours');
const THEIRS = authority('theirs');
const DAY = 24 * 60 * 60 * 1000;

let folder: string;
let servers: Server[];
let sockets: Socket[];
let proxy: Proxy | undefined;
let lost: BridgetapeError[];
let refused: BridgetapeError[];
let tap: Watcher;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bt-'));
  [servers, sockets, lost, refused, tap] = [[], [], [], [], new Watcher()];
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
  await proxy?.close();
  proxy = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const files = (name: string, issue: Issue = {}, by = OURS): ReturnType<typeof writeIdentity> => writeIdentity(join(folder, name), by.issue(name, { names: ['127.0.0.1', 'daemon'], ...issue }), OURS.certificate);

interface Daemon {
  readonly identity?: ReturnType<typeof OURS.issue>;
  readonly asksClients?: boolean;
  readonly serve?: (socket: TLSSocket) => void;
}

/** As buildkitd: HTTP/2 or nothing, and clients of our authority alone where it asks for a certificate. */
async function daemon({ identity = OURS.issue('daemon', { names: ['127.0.0.1', 'daemon'] }), asksClients = false, serve = (socket) => void socket.pipe(socket) }: Daemon = {}): Promise<number> {
  const server = createTlsServer(
    { cert: identity.certificate, key: identity.key, ca: OURS.certificate, requestCert: asksClients, rejectUnauthorized: asksClients, allowHalfOpen: true, ALPNProtocols: ['h2'] },
    (socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      serve(socket);
    },
  );
  server.on('tlsClientError', () => undefined);
  return listening(server);
}

async function listening(server: Server): Promise<number> {
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

async function start(port: number, options: Partial<ProxyOptions> = {}): Promise<void> {
  proxy = await startProxy({
    listen: { kind: 'unix', path: join(folder, 'proxy.sock') },
    upstream: { kind: 'tcp', host: '127.0.0.1', port },
    tap,
    onUpstreamError: (error) => lost.push(error),
    onRefused: (error) => refused.push(error),
    ...options,
  });
}

function dial(): Socket {
  return kept(connectPlain({ path: join(folder, 'proxy.sock'), allowHalfOpen: true }));
}

function kept<S extends Socket>(socket: S): S {
  sockets.push(socket);
  socket.on('error', () => undefined);
  return socket;
}

const authorityFile = (by = OURS): string => {
  const path = join(folder, 'authority.pem');
  writeFileSync(path, by.certificate);
  return path;
};

describe('a daemon with TLS', () => {
  it('gets every byte unchanged, and so does its client; the tap sees what is inside', async () => {
    const [up, down] = [randomBytes(3_000_000), randomBytes(2_000_000)];
    const received: Buffer[] = [];
    let alpn: string | false | null = null;
    const port = await daemon({
      serve: (socket) => {
        alpn = socket.alpnProtocol;
        socket.on('data', (chunk: Buffer) => received.push(chunk));
        socket.on('end', () => socket.end(down));
      },
    });
    await start(port, { upstreamTls: { authority: authorityFile() } });
    const client = dial();
    client.end(up);
    expect((await readAll(client)).equals(down)).toBe(true);
    await tap.closed;
    expect(Buffer.concat(received).equals(up)).toBe(true);
    expect(tap.all('client').equals(up)).toBe(true);
    expect(tap.all('server').equals(down)).toBe(true);
    expect(tap.log).toEqual(['open', 'end client', 'end server', 'close client']);
    expect(alpn).toBe('h2');
    expect(lost).toEqual([]);
  });

  it('can speak first', async () => {
    const port = await daemon({ serve: (socket) => socket.write('greeting') });
    await start(port, { upstreamTls: { authority: authorityFile() } });
    expect(String((await once(dial(), 'data'))[0])).toBe('greeting');
  });

  it('can end first, and still hears the client', async () => {
    const heard: Buffer[] = [];
    const port = await daemon({
      serve: (socket) => {
        socket.end('bye');
        socket.on('data', (chunk: Buffer) => heard.push(chunk));
      },
    });
    await start(port, { upstreamTls: { authority: authorityFile() } });
    const client = dial();
    client.resume();
    await once(client, 'end');
    client.end('one more thing');
    await tap.closed;
    expect(String(Buffer.concat(heard))).toBe('one more thing');
  });

  it('is shown a certificate where it asks for one', async () => {
    const port = await daemon({ asksClients: true, serve: (socket) => socket.end((socket.getPeerCertificate().subject as { CN: string }).CN) });
    const { authority: ca, certificate, key } = files('somebody', { purpose: 'client' });
    await start(port, { upstreamTls: { authority: ca, certificate, key } });
    expect(String(await readAll(dial()))).toBe('somebody');
  });

  it('is looked for by --tlsservername in place of its address', async () => {
    const port = await daemon({ identity: OURS.issue('x', { names: ['elsewhere'] }), serve: (socket) => socket.end(String(socket.servername)) });
    await start(port, { upstreamTls: { authority: authorityFile(), serverName: 'elsewhere' } });
    expect(String(await readAll(dial()))).toBe('elsewhere');
  });

  it('is found by a folder of files, under either of their names', async () => {
    const port = await daemon({ asksClients: true, serve: (socket) => socket.end('hello') });
    const { folder: tlsdir } = files('somebody', { purpose: 'client' });
    await start(port, { upstreamTls: { folder: tlsdir } });
    expect(String(await readAll(dial()))).toBe('hello');
  });

  it.each([
    ['that has expired', () => OURS.issue('d', { names: ['127.0.0.1'], to: new Date(Date.now() - DAY / 2) }), {}, 'the certificate it shows has expired'],
    ['that is not valid yet', () => OURS.issue('d', { names: ['127.0.0.1'], from: new Date(Date.now() + DAY / 2) }), {}, 'the certificate it shows is not valid yet'],
    ['of another authority', () => THEIRS.issue('d', { names: ['127.0.0.1'] }), {}, 'no known authority signed the certificate it shows'],
    ['for another name', () => OURS.issue('d', { names: ['elsewhere'] }), {}, 'the certificate it shows is for another name'],
    ['for another name than --tlsservername', () => OURS.issue('d', { names: ['127.0.0.1'] }), { serverName: 'elsewhere' }, 'the certificate it shows is for another name'],
    ['that is made for clients', () => OURS.issue('d', { names: ['127.0.0.1'], purpose: 'client' }), {}, 'the certificate it shows is not made for this side'],
  ] as const)('with a certificate %s is not spoken to: the client is closed at once', async (_what, identity, more, why) => {
    const port = await daemon({ identity: identity(), serve: (socket) => socket.on('data', () => tap.log.push('heard')) });
    await start(port, { upstreamTls: { authority: authorityFile(), ...more } });
    const client = dial();
    client.write('secret');
    await closed(client);
    expect(lost.map(({ code }) => code)).toEqual(['upstream-unreachable']);
    expect(lost[0]?.message).toContain(`Cannot reach BuildKit at tcp://127.0.0.1:${port}: ${why}`);
    expect(tap.log).toEqual(['open', 'close server error']);
  });

  it('that asks for a certificate and is shown none ends the connection, and says so', async () => {
    const port = await daemon({ asksClients: true });
    await start(port, { upstreamTls: { authority: authorityFile() } });
    const client = dial();
    client.write('hello');
    await vi.waitFor(() => expect(lost).toHaveLength(1), { interval: 1 });
    // Node never ends a write after that: the connection has to end all the same.
    client.end('more');
    await closed(client);
    await tap.closed;
    expect(lost.map(({ message }) => message.split('\n')[0])).toEqual([`Lost the connection to BuildKit at tcp://127.0.0.1:${port}: it asks for a certificate.`]);
  });

  it('that has none after all is not spoken to', async () => {
    const port = await listening(createPlainServer((socket) => kept(socket).once('data', () => socket.write('HTTP/1.1 400 Bad Request\r\n'))));
    await start(port, { upstreamTls: { authority: authorityFile() } });
    await closed(dial());
    expect(lost[0]?.message).toContain('it does not speak TLS');
  });

  it('that never answers is not waited for when the proxy is closed', async () => {
    const server = createPlainServer((socket) => kept(socket).resume());
    await start(await listening(server), { upstreamTls: { authority: authorityFile() } });
    dial();
    await once(server, 'connection');
    await proxy?.close();
    proxy = undefined;
    await tap.closed;
    expect(lost).toEqual([]);
  });

  it.each([
    ['without an authority', () => ({ certificate: files('c').certificate, key: files('c').key }), 'Nothing says who signed'],
    ['with a name alone', () => ({ serverName: 'daemon' }), 'Nothing says who signed'],
    ['with a certificate without its key', () => ({ authority: authorityFile(), certificate: files('c').certificate }), 'A certificate needs its key'],
    ["with another certificate's key", () => ({ authority: authorityFile(), certificate: files('c').certificate, key: files('d').key }), 'does not belong to the certificate'],
    ["with another kind of certificate's key", () => ({ authority: authorityFile(), certificate: files('c').certificate, key: files('d', { keyType: 'rsa' }).key }), 'does not belong to the certificate'],
    ['with a certificate that has expired', () => ({ authority: authorityFile(), ...paths('c', { to: new Date(Date.now() - DAY / 2) }) }), /The certificate in .* expired at/],
    ['with a certificate that is not valid yet', () => ({ authority: authorityFile(), ...paths('c', { from: new Date(Date.now() + DAY / 2) }) }), /The certificate in .* is not valid before/],
    ['with files that are not there', () => ({ authority: join(folder, 'nothing') }), /Cannot read .*nothing of --tlscacert: ENOENT/],
    ['with files that hold something else', () => ({ authority: files('c').key }), /There is no certificate in .*key\.pem of --tlscacert/],
    ['with a certificate for a key', () => ({ authority: authorityFile(), certificate: files('c').certificate, key: files('c').certificate }), /There is no private key in .*cert\.pem of --tlskey/],
    ['with a folder and files', () => ({ folder: files('c').folder, key: files('c').key }), '--tlsdir names the files'],
    ['with a folder that lacks one', () => ({ folder }), 'There is neither ca.pem nor ca.crt in'],
  ] as const)('is not asked for %s: nothing listens then', async (_what, options, why) => {
    await expect(start(1, { upstreamTls: options() })).rejects.toThrow(why);
    expect(existsSync(join(folder, 'proxy.sock'))).toBe(false);
  });

  it('is at tcp:// alone', async () => {
    const upstream = { kind: 'unix', path: join(folder, 'daemon.sock') } as const;
    await expect(start(1, { upstream, upstreamTls: { authority: authorityFile() } })).rejects.toThrow('Only a daemon at tcp:// is spoken to with TLS');
  });
});

const paths = (name: string, issue: Issue): { readonly certificate: string; readonly key: string } => {
  const { certificate, key } = files(name, issue);
  return { certificate, key };
};

describe('a proxy with TLS', () => {
  /** Between plain daemon and TLS client. */
  async function front(more: { readonly clientAuthority?: string } = {}): Promise<number> {
    const port = await listening(createPlainServer({ allowHalfOpen: true }, (socket) => kept(socket).pipe(socket)));
    const { certificate, key } = files('front');
    await start(port, { listen: { kind: 'tcp', host: '127.0.0.1', port: 0 }, listenTls: { certificate, key, ...more } });
    if (proxy?.address.kind !== 'tcp') throw new Error('it listens on tcp');
    return proxy.address.port;
  }

  const dialTls = (port: number, options: ConnectionOptions = {}): TLSSocket => kept(connectTls({ host: '127.0.0.1', port, ca: OURS.certificate, ...options }));

  it.each([
    ['one that asks for HTTP/2', { ALPNProtocols: ['h2'] }, 'h2'],
    ['one that asks for nothing', {}, false],
  ])('serves %s, and the tap sees what is inside', async (_what, options, alpn) => {
    const client = dialTls(await front(), options);
    await once(client, 'secureConnect');
    expect(client.alpnProtocol).toBe(alpn);
    const sent = randomBytes(2_000_000);
    client.end(sent);
    expect((await readAll(client)).equals(sent)).toBe(true);
    await tap.closed;
    expect(tap.all('client').equals(sent)).toBe(true);
    expect(refused).toEqual([]);
  });

  it('lets in a client that has a certificate, where it asks for one', async () => {
    const port = await front({ clientAuthority: authorityFile() });
    const own = OURS.issue('somebody', { purpose: 'client' });
    const client = dialTls(port, { cert: own.certificate, key: own.key });
    client.end('hello');
    expect(String(await readAll(client))).toBe('hello');
    expect(proxy?.reach).toContain('takes clients with a certificate');
  });

  it.each([
    ['without a certificate', () => ({}), 'it showed no certificate'],
    ['with one of another authority', () => pair(THEIRS.issue('stranger', { purpose: 'client' })), 'no known authority signed the certificate it shows'],
    ['with one that has expired', () => pair(OURS.issue('late', { purpose: 'client', to: new Date(Date.now() - DAY / 2) })), 'the certificate it shows has expired'],
  ] as const)('drops a client %s, says why, and serves the next', async (_what, options, why) => {
    const port = await front({ clientAuthority: authorityFile() });
    await closed(dialTls(port, options()));
    expect(refused.map(({ code }) => code)).toEqual(['client-refused']);
    expect(refused[0]?.message).toContain(`Refused a client of tcp://127.0.0.1:${port}: ${why}`);
    expect(tap.log).toEqual([]);
    const good = OURS.issue('somebody', { purpose: 'client' });
    const client = dialTls(port, { cert: good.certificate, key: good.key });
    client.end('hello');
    expect(String(await readAll(client))).toBe('hello');
  });

  it('drops a client that speaks no TLS, and one that wants another protocol', async () => {
    const port = await front();
    const plain = kept(connectPlain(port, '127.0.0.1'));
    plain.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    await closed(plain);
    expect(refused[0]?.message).toContain('it does not speak TLS');
    await closed(dialTls(port, { ALPNProtocols: ['http/1.1'] }));
    expect(refused[1]?.message).toContain('it asks for another protocol than HTTP/2');
  });

  it('drops a client that does not take its certificate', async () => {
    const port = await front();
    await closed(dialTls(port, { ca: THEIRS.certificate }));
    await vi.waitFor(() => expect(refused).toHaveLength(1));
    expect(refused[0]?.message).toContain('it went away during the handshake');
    expect(tap.log).toEqual([]);
  });

  it('does not wait for a handshake when it is closed', async () => {
    const port = await front();
    const silent = kept(connectPlain(port, '127.0.0.1'));
    await once(silent, 'connect');
    await proxy?.close();
    proxy = undefined;
    expect(tap.log).toEqual([]);
  });

  const pair = ({ certificate, key }: { readonly certificate: string; readonly key: string }): ConnectionOptions => ({ cert: certificate, key });
});
