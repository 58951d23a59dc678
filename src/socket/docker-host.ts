/**
 * Where Docker's clients would find their engine: DOCKER_HOST, else the current context, else the usual socket
 * (docker/cli cli/command/cli.go, cli/context/store).
 */
import { hash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { BridgetapeError } from '../errors.js';
import { parseSocketAddress, type SocketAddress } from './address.js';

/** Where dockerd listens when nothing is said. */
export const DEFAULT_DOCKER_SOCKET = '/var/run/docker.sock';

/** An address that can be dialled, or why there is none. */
export type DockerHost = SocketAddress | { readonly kind: 'none'; readonly why: string };

/** A configuration or context of Docker's is some KiB; what is longer is none. */
const MAX_FILE_BYTES = 1024 * 1024;

/** @param env the environment that the clients will have */
export function dockerHost(env: NodeJS.ProcessEnv, defaultSocket: string = DEFAULT_DOCKER_SOCKET): DockerHost {
  const asksTls = ['DOCKER_TLS_VERIFY', 'DOCKER_TLS'].find((name) => isSet(env[name]));
  if (asksTls !== undefined) return none(`${asksTls} is set, and an engine is dialled without TLS only`);
  const { DOCKER_HOST: host, DOCKER_CONTEXT: context } = env;
  if (isSet(host)) return dialable(host, 'DOCKER_HOST');
  const folder = isSet(env['DOCKER_CONFIG']) ? env['DOCKER_CONFIG'] : join(env['HOME'] ?? homedir(), '.docker');
  const name = isSet(context) ? context : textAt(readJson(join(folder, 'config.json')), ['currentContext']);
  if (isSet(name) && name !== 'default') return contextHost(folder, name);
  if (isSocket(defaultSocket)) return { kind: 'unix', path: defaultSocket };
  return none(`there is no ${defaultSocket}, and DOCKER_HOST is not set`);
}

function contextHost(folder: string, name: string): DockerHost {
  const id = hash('sha256', name, 'hex');
  const host = textAt(readJson(join(folder, 'contexts', 'meta', id, 'meta.json')), ['Endpoints', 'docker', 'Host']);
  if (!isSet(host)) return none(`Docker's context ${name} names no engine`);
  if (existsSync(join(folder, 'contexts', 'tls', id, 'docker'))) return none(`Docker's context ${name} wants TLS, and an engine is dialled without TLS only`);
  return dialable(host, `Docker's context ${name}`);
}

function dialable(text: string, origin: string): DockerHost {
  try {
    return parseSocketAddress(text);
  } catch (error) {
    if (!(error instanceof BridgetapeError)) throw error;
    return none(`${origin} is ${text}, and an engine is dialled at unix:// and tcp://host:port only`);
  }
}

function none(why: string): DockerHost {
  return { kind: 'none', why };
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}

function isSocket(path: string): boolean {
  try {
    return statSync(path).isSocket();
  } catch {
    // Not there, or not for us to see: either way nothing to dial.
    return false;
  }
}

/** Undefined for a file that is missing or is none of Docker's: its clients would say so themselves. */
function readJson(path: string): unknown {
  try {
    const file = statSync(path);
    if (!file.isFile() || file.size > MAX_FILE_BYTES) return undefined;
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function textAt(value: unknown, path: readonly string[]): string | undefined {
  const found = path.reduce<unknown>((inner, key) => (typeof inner === 'object' && inner !== null ? Object.getOwnPropertyDescriptor(inner, key)?.value : undefined), value);
  return typeof found === 'string' ? found : undefined;
}
