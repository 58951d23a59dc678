/**
 * Addresses in the form that buildctl takes them: `unix:///run/buildkit/buildkitd.sock`, `tcp://127.0.0.1:1234`.
 */
import { BridgetapeError } from '../errors.js';

export type Address =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/** The kernel's limit for a socket path, `sizeof(sun_path) - 1` in unix(7). */
const MAX_SOCKET_PATH_BYTES = 107;

/** Where buildctl looks for buildkitd when nothing is said. */
export const DEFAULT_BUILDKIT_ADDRESS = 'unix:///run/buildkit/buildkitd.sock';

/** Schemes that buildctl can dial and bridgetape cannot yet: named, so that the error says more than "unknown". */
const HELPER_SCHEMES = ['docker-container', 'podman-container', 'nerdctl-container', 'kube-pod', 'ssh', 'npipe'];

const FORMS = 'Write it as unix:///path/to/socket or tcp://host:port.';

function bad(text: string, why: string, hint = FORMS): BridgetapeError {
  return new BridgetapeError('bad-address', `Cannot use the address "${text}": ${why}.`, hint);
}

/** @throws BridgetapeError `bad-address` */
export function parseAddress(text: string): Address {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  switch (scheme) {
    case 'unix':
      return parseUnix(text, text.slice('unix://'.length));
    case 'tcp':
      return parseTcp(text, text.slice('tcp://'.length));
    case undefined:
      throw bad(text, 'it has no scheme');
    default:
      throw HELPER_SCHEMES.includes(scheme)
        ? bad(text, `${scheme}:// needs a connection helper, which bridgetape does not run`, 'Forward the daemon to a unix socket and name that.')
        : bad(text, `${scheme}:// is not a scheme that bridgetape knows`);
  }
}

function parseUnix(text: string, path: string): Address {
  if (path === '') throw bad(text, 'the socket path is empty');
  if (path.includes('\0')) throw bad(text, 'the socket path holds a NUL byte');
  const bytes = Buffer.byteLength(path);
  if (bytes > MAX_SOCKET_PATH_BYTES) {
    throw bad(text, `the socket path has ${bytes} bytes, and the kernel takes ${MAX_SOCKET_PATH_BYTES}`, 'Name a socket in a folder with a shorter path.');
  }
  return { kind: 'unix', path };
}

function parseTcp(text: string, rest: string): Address {
  const match = /^(?:\[([0-9a-f:.%]+)\]|([^:/[\]]*)):(\d{1,5})\/?$/i.exec(rest);
  if (!match) throw bad(text, 'what follows tcp:// is not host:port');
  const host = match[1] ?? (match[2] === '' ? 'localhost' : (match[2] ?? 'localhost'));
  const port = Number(match[3]);
  if (port > 65_535) throw bad(text, `${port} is no port (0 to 65535)`);
  return { kind: 'tcp', host, port };
}

export function formatAddress(address: Address): string {
  if (address.kind === 'unix') return `unix://${address.path}`;
  return `tcp://${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}
