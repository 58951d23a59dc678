/** The options that say where a command listens for clients, and what they become. */
import { BridgetapeError } from '../errors.js';
import { absolute, parseSocketAddress, type SocketAddress, type TlsFiles } from '../socket/index.js';
import type { Options, OptionValues } from './synopsis.js';

export const LISTEN_OPTIONS = {
  listen: { kind: 'text', value: 'ADDRESS', about: 'Where clients connect, unix:// or tcp://', defaultAbout: 'a new unix socket' },
  'listen-tlscert': { kind: 'text', value: 'FILE', about: 'Serve them with TLS, with this certificate' },
  'listen-tlskey': { kind: 'text', value: 'FILE', about: "That certificate's key" },
  'listen-tlscacert': { kind: 'text', value: 'FILE', about: 'Ask them for a certificate of this authority' },
  'listen-insecure': { kind: 'flag', about: 'Let other machines in without TLS' },
} as const satisfies Options;

export interface ListenPlace {
  /** undefined: a new unix socket. */
  readonly address: SocketAddress | undefined;
  readonly tls: TlsFiles | undefined;
  readonly insecure: boolean;
}

/** @throws BridgetapeError `bad-address`, `bad-argument` */
export function listenPlace(values: OptionValues<typeof LISTEN_OPTIONS>): ListenPlace {
  // The command may go to another folder before it dials, as the tests of a Go package do.
  return { address: values.listen === undefined ? undefined : absolute(parseSocketAddress(values.listen)), tls: tlsFiles(values), insecure: values['listen-insecure'] };
}

function tlsFiles(values: OptionValues<typeof LISTEN_OPTIONS>): TlsFiles | undefined {
  const { 'listen-tlscert': certificate, 'listen-tlskey': key, 'listen-tlscacert': clientAuthority } = values;
  if (certificate !== undefined && key !== undefined) return { certificate, key, ...(clientAuthority === undefined ? {} : { clientAuthority }) };
  if (certificate === undefined && key === undefined && clientAuthority === undefined) return undefined;
  throw new BridgetapeError('bad-argument', 'TLS needs a certificate and its key.', 'Name both, with --listen-tlscert and --listen-tlskey.');
}
