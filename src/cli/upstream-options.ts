/** The options that say where BuildKit is, as buildctl has them, and what they become. */
import { programPath } from '../command/index.js';
import { BridgetapeError } from '../errors.js';
import { DEFAULT_BUILDKIT_ADDRESS, formatAddress, parseAddress, type Address, type TlsClientOptions } from '../socket/index.js';
import type { Options, OptionValues } from './synopsis.js';

/** As buildctl has them. */
export const TLS_OPTIONS = {
  tlscacert: { kind: 'text', value: 'FILE', about: 'Dial it with TLS; who signed its certificate' },
  tlscert: { kind: 'text', value: 'FILE', about: 'The certificate to show it' },
  tlskey: { kind: 'text', value: 'FILE', about: "That certificate's key" },
  tlsdir: { kind: 'text', value: 'DIR', about: 'ca.pem, cert.pem and key.pem in one folder' },
  tlsservername: { kind: 'text', value: 'NAME', about: 'The name in its certificate, if another' },
} as const satisfies Options;

export const UPSTREAM_OPTIONS = {
  to: {
    kind: 'text',
    value: 'ADDRESS',
    about: 'Where BuildKit is, as for buildctl: unix://, tcp://, docker-container://, kube-pod://, ssh://, …',
    defaultAbout: `$BUILDKIT_HOST, else ${DEFAULT_BUILDKIT_ADDRESS}`,
  },
  ...TLS_OPTIONS,
} as const satisfies Options;

export interface UpstreamPlace {
  readonly address: Address;
  readonly tls: TlsClientOptions;
}

/** @throws BridgetapeError `bad-address` also for a connection helper whose program is not there */
export function upstreamPlace(values: OptionValues<typeof UPSTREAM_OPTIONS>): UpstreamPlace {
  // buildctl takes an empty variable for none.
  const address = parseAddress(values.to ?? (process.env['BUILDKIT_HOST'] || DEFAULT_BUILDKIT_ADDRESS));
  if (address.kind === 'helper' && programPath(address.command[0]) === undefined) {
    throw new BridgetapeError('bad-address', `Cannot reach ${formatAddress(address)}: there is no program "${address.command[0]}" here.`, 'Install it, or look at PATH.');
  }
  return { address, tls: tlsOptions(values) };
}

export function tlsOptions({ tlscacert, tlscert, tlskey, tlsservername, tlsdir }: OptionValues<typeof TLS_OPTIONS>): TlsClientOptions {
  return { authority: tlscacert, certificate: tlscert, key: tlskey, serverName: tlsservername, folder: tlsdir };
}
