/**
 * Addresses in the form that buildctl takes them: `unix:///run/buildkit/buildkitd.sock`, `tcp://127.0.0.1:1234`, and
 * `docker-container://NAME` and its like, which a program has to be run for.
 */
import { resolve } from 'node:path';

import { BridgetapeError } from '../errors.js';
import { helperCommand, isHelperScheme, type Command } from './helper-url.js';

/** What can be listened on, too. */
export type SocketAddress = { readonly kind: 'unix'; readonly path: string } | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/** A daemon that is talked to through the stdin and stdout of a program. */
export interface HelperAddress {
  readonly kind: 'helper';
  /** As it was written. */
  readonly url: string;
  readonly command: Command;
}

export type Address = SocketAddress | HelperAddress;

/** The kernel's limit for a socket path, `sizeof(sun_path) - 1` in unix(7). */
const MAX_SOCKET_PATH_BYTES = 107;

/** Where buildctl looks for buildkitd when nothing is said. */
export const DEFAULT_BUILDKIT_ADDRESS = 'unix:///run/buildkit/buildkitd.sock';

const FORMS = 'Write it as unix:///path/to/socket or tcp://host:port.';

function bad(text: string, why: string, hint = FORMS): BridgetapeError {
  return new BridgetapeError('bad-address', `Cannot use the address "${text}": ${why}.`, hint);
}

/**
 * An address to dial.
 *
 * @throws BridgetapeError `bad-address`
 */
export function parseAddress(text: string): Address {
  // grpc-go, and so buildctl, takes it without slashes too.
  if (/^unix:(?!\/\/)/i.test(text)) return parseUnix(text, text.slice('unix:'.length));
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  switch (scheme) {
    case 'unix':
      return parseUnix(text, text.slice('unix://'.length));
    case 'tcp':
      return parseTcp(text, text.slice('tcp://'.length));
    case 'npipe':
      throw bad(text, 'npipe:// is for Windows only');
    case undefined:
      throw bad(text, 'it has no scheme');
    default:
      if (!isHelperScheme(scheme)) throw bad(text, `${scheme}:// is not a scheme that bridgetape knows`);
      return { kind: 'helper', url: text, command: helperCommand(scheme, text) };
  }
}

/**
 * An address to listen on.
 *
 * @throws BridgetapeError `bad-address`
 */
export function parseSocketAddress(text: string): SocketAddress {
  const address = parseAddress(text);
  if (address.kind === 'helper') throw bad(text, 'nobody can listen there');
  return address;
}

/** The same address for who is in another folder; as it is where the kernel does not take the longer path. */
export function absolute(address: SocketAddress): SocketAddress {
  if (address.kind === 'tcp') return address;
  const path = resolve(address.path);
  return fits(path) ? { kind: 'unix', path } : address;
}

/** Whether the kernel takes a path for a socket: Node would cut off what is too much. */
export function fits(path: string): boolean {
  return Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES;
}

/**
 * For an address that was not read from a text.
 *
 * @throws BridgetapeError `bad-address` for a path that no socket can have, and a port that is none
 */
export function checkAddress(address: Address): void {
  if (address.kind === 'unix') parseUnix(formatAddress(address), address.path);
  if (address.kind === 'tcp') checkPort(formatAddress(address), address.port);
}

function parseUnix(text: string, path: string): SocketAddress {
  if (path === '') throw bad(text, 'the socket path is empty');
  if (path.includes('\0')) throw bad(text, 'the socket path holds a NUL byte');
  if (!fits(path)) {
    throw bad(text, `the socket path has ${Buffer.byteLength(path)} bytes, and the kernel takes ${MAX_SOCKET_PATH_BYTES}`, 'Name a socket in a folder with a shorter path.');
  }
  return { kind: 'unix', path };
}

function parseTcp(text: string, rest: string): SocketAddress {
  const match = /^(?:\[([0-9a-f:.%]+)\]|([^:/[\]]*)):(\d{1,5})\/?$/i.exec(rest);
  if (!match) throw bad(text, 'what follows tcp:// is not host:port');
  const host = match[1] ?? (match[2] === '' ? 'localhost' : (match[2] ?? 'localhost'));
  const port = Number(match[3]);
  checkPort(text, port);
  return { kind: 'tcp', host, port };
}

function checkPort(text: string, port: number): void {
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw bad(text, `${port} is no port (0 to 65535)`);
}

export function formatAddress(address: Address): string {
  switch (address.kind) {
    case 'unix':
      return `unix://${address.path}`;
    case 'tcp':
      return `tcp://${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
    case 'helper':
      return address.url;
  }
}
