/**
 * Listening sockets: made so that only their owner can dial them, never in another's place, and gone when closed.
 */
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, unlinkSync, type Stats } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

import { BridgetapeError } from '../errors.js';
import { checkAddress, fits, formatAddress, type SocketAddress } from './address.js';
import { checkReach, hostAddress, reachOf } from './reach.js';
import { tlsServer, type TlsFiles, type TlsServer } from './tls-server.js';

export interface Listener {
  /** Where it really listens: the port is filled in when 0 was asked for. */
  readonly address: SocketAddress;
  /** Who can connect, where that is not its owner alone. */
  readonly reach: string | undefined;
  /** Stops accepting and removes the socket, and the folder when it was made for it. Open connections stay. */
  close(): Promise<void>;
}

/**
 * So many clients can dial at once: on a unix socket one more is told EAGAIN, and does not wait for its turn. Linux takes no
 * more by default; Node asks for 511.
 */
const MAX_BACKLOG = 4096;

/**
 * A new address for a unix socket, in a folder of its own that only this user can enter.
 *
 * @throws BridgetapeError `bad-address` where no folder can be made
 */
export function temporaryAddress(name = 'buildkitd.sock'): { readonly address: SocketAddress; readonly remove: () => void } {
  const place = resolve(tmpdir());
  // TMPDIR may lead deeper than a socket's path can.
  const folder = temporaryFolder(fits(join(place, `${PREFIX}XXXXXX`, name)) ? place : '/tmp');
  return {
    address: { kind: 'unix', path: join(folder, name) },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

const PREFIX = 'bridgetape-';

function temporaryFolder(place: string): string {
  try {
    return mkdtempSync(join(place, PREFIX));
  } catch (error) {
    throw new BridgetapeError('bad-address', `Cannot make a folder for a socket in ${place}: ${errorCode(error) ?? String(error)}.`, 'Look at TMPDIR, or name a socket with --listen.', { cause: error });
  }
}

export interface ListenOptions {
  /** Whether a socket stays open for writing when its client has ended; a server of calls wants false. */
  readonly allowHalfOpen: boolean;
  /** Whether a socket is handed over paused, with nothing read before it is resumed. */
  readonly paused: boolean;
  /** Left out: without TLS. */
  readonly tls?: TlsFiles | undefined;
  /** Whether other machines may be let in without TLS. */
  readonly insecure?: boolean | undefined;
  /** A client did not get through the TLS handshake. Its connection is closed. */
  readonly onRefused?: ((error: BridgetapeError) => void) | undefined;
}

/**
 * Listens on an address. A unix socket gets mode 0600; a missing folder is made with mode 0700 and removed again;
 * a socket that nobody answers on is taken over.
 *
 * @param accept called with each connection, inside TLS where that was asked for
 * @throws BridgetapeError `address-in-use`, `bad-address`, `insecure-listener`, `bad-argument` for TLS files that are none
 */
export async function listen(asked: SocketAddress, options: ListenOptions, accept: (socket: Socket) => void): Promise<Listener> {
  const { allowHalfOpen, paused, tls: files, onRefused } = options;
  checkAddress(asked);
  let address = asked;
  const refused = (why: string): void => onRefused?.(refusal(address, why));
  const tls = files === undefined ? undefined : await tlsServer(files, allowHalfOpen, accept, refused);
  const server = createServer({ allowHalfOpen: allowHalfOpen && tls === undefined, pauseOnConnect: paused, noDelay: true }, tls?.handshake ?? accept);
  if (asked.kind === 'tcp') {
    const host = await hostAddress(asked);
    checkReach(asked, host, files, options.insecure ?? false);
    await bind(server, asked, () => server.listen({ host, port: asked.port, backlog: MAX_BACKLOG }));
    const bound = server.address();
    const port = typeof bound === 'object' && bound !== null ? bound.port : asked.port;
    address = { ...asked, port };
    return { address, reach: reachOf(address, host, files), close: () => closeServer(server, tls) };
  }
  const madeFolder = makeFolder(asked.path);
  try {
    await removeStaleSocket(asked);
    await bind(server, asked, () => listenPrivately(server, asked.path));
  } catch (error) {
    if (madeFolder !== undefined) removeEmptyFolder(madeFolder);
    throw error;
  }
  return {
    address,
    reach: undefined,
    close: async () => {
      await closeServer(server, tls);
      if (madeFolder !== undefined) removeEmptyFolder(madeFolder);
    },
  };
}

function refusal(address: SocketAddress, why: string): BridgetapeError {
  return new BridgetapeError('client-refused', `Refused a client of ${formatAddress(address)}: ${why}.`, 'Look at its own options for TLS: buildctl has --tlscacert, --tlscert, --tlskey and --tlsservername.');
}

function bind(server: Server, address: SocketAddress, start: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', (error: NodeJS.ErrnoException) => reject(describe(error, address)));
    start();
  });
}

function describe(error: NodeJS.ErrnoException, address: SocketAddress): BridgetapeError {
  const text = formatAddress(address);
  if (error.code === 'EADDRINUSE') {
    return new BridgetapeError('address-in-use', `Cannot listen on ${text}: something else does.`, 'Name another address with --listen, or leave it out.', { cause: error });
  }
  return new BridgetapeError('bad-address', `Cannot listen on ${text}: ${error.message}.`, 'Name an address of this machine that you may use.', { cause: error });
}

function closeServer(server: Server, tls: TlsServer | undefined): Promise<void> {
  // The callback waits for the open connections too, and those are not the listener's.
  server.close();
  server.unref();
  tls?.close();
  return Promise.resolve();
}

/** The mode is right from the first moment on: libuv binds within listen(). */
function listenPrivately(server: Server, path: string): void {
  const before = maskOthers();
  try {
    server.listen({ path, backlog: MAX_BACKLOG });
  } finally {
    if (before !== undefined) process.umask(before);
  }
  // At once, where it could not be before: nobody else gets into a folder that was made for the socket anyhow.
  if (before === undefined && server.listening) chmodSync(path, 0o600);
}

/** @returns the mask that was; undefined in a worker, as vitest's pool of threads has them, which may set none */
function maskOthers(): number | undefined {
  try {
    return process.umask(0o177);
  } catch (error) {
    if (errorCode(error) !== 'ERR_WORKER_UNSUPPORTED_OPERATION') throw error;
    return undefined;
  }
}

function makeFolder(path: string): string | undefined {
  const folder = dirname(path);
  try {
    mkdirSync(folder, { mode: 0o700 });
    return folder;
  } catch (error) {
    const code = errorCode(error);
    if (code === 'EEXIST') return undefined;
    throw new BridgetapeError('bad-address', `Cannot make the folder ${folder} for a socket: ${code ?? String(error)}.`, 'Name a socket in a folder that exists.', { cause: error });
  }
}

function removeEmptyFolder(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    // Somebody put something there meanwhile; it is theirs.
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(errorCode(error) ?? '')) throw error;
  }
}

/** Removes a socket that a killed process left; refuses when somebody answers or when it is no socket. */
async function removeStaleSocket(address: SocketAddress & { kind: 'unix' }): Promise<void> {
  const stat = look(address);
  if (stat === undefined) return;
  const text = formatAddress(address);
  if (!stat.isSocket()) {
    throw new BridgetapeError('address-in-use', `Cannot listen on ${text}: a file that is no socket is there.`, 'Remove it, or name another address with --listen.');
  }
  if (await answers(address.path)) {
    throw new BridgetapeError('address-in-use', `Cannot listen on ${text}: somebody answers there.`, 'Stop that process, or name another address with --listen.');
  }
  try {
    unlinkSync(address.path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

function look(address: SocketAddress & { kind: 'unix' }): Stats | undefined {
  try {
    return lstatSync(address.path, { throwIfNoEntry: false });
  } catch (error) {
    throw describe(error as NodeJS.ErrnoException, address);
  }
}

/** Only a refusal proves that nobody listens: no permission, say, proves nothing. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error) => resolve(!['ECONNREFUSED', 'ENOENT'].includes(errorCode(error) ?? '')));
  });
}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
