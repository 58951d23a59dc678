/** TLS towards a daemon: what buildctl's options of the same names ask for. */
import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';

import { BridgetapeError } from '../errors.js';
import type { Address } from './address.js';
import { readAuthority, readIdentity } from './pem.js';

/** The options as they were given. */
export interface TlsClientOptions {
  /** `--tlscacert`: PEM file of who signed the daemon's certificate. */
  readonly authority?: string | undefined;
  /** `--tlscert` and `--tlskey`: PEM files, for a daemon that asks for a certificate. */
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  /** `--tlsservername`: the name to look for in the daemon's certificate; the address' host when left out. */
  readonly serverName?: string | undefined;
  /** `--tlsdir`: a folder with the three files under the names that buildctl knows. */
  readonly folder?: string | undefined;
}

/** What node:tls is given for each connection. */
export type TlsClient = Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'minVersion' | 'ALPNProtocols' | 'servername' | 'checkServerIdentity'>;

/** The names in a `--tlsdir`, the first that is there counts (BuildKit cmd/buildctl/common). */
const IN_FOLDER = { authority: ['ca.pem', 'ca.crt'], certificate: ['cert.pem', 'tls.crt'], key: ['key.pem', 'tls.key'] } as const;

/**
 * Reads the files.
 *
 * @returns undefined where no option was given: the connection is plain
 * @throws BridgetapeError `bad-argument` for options that do not go together and files that can't be used
 */
export async function tlsClient(address: Address, options: TlsClientOptions): Promise<TlsClient | undefined> {
  if (Object.values(options).every((value) => value === undefined)) return undefined;
  if (address.kind !== 'tcp') throw refusal('Only a daemon at tcp:// is spoken to with TLS.', 'Leave out --tlscacert, --tlscert, --tlskey, --tlsservername and --tlsdir, or name a tcp:// address with --to.');
  const { authority, certificate, key } = options.folder === undefined ? options : inFolder(options.folder, options);
  if (authority === undefined) throw refusal("Nothing says who signed the daemon's certificate.", 'Name the PEM file of that authority with --tlscacert.');
  if ((certificate === undefined) !== (key === undefined)) throw refusal('A certificate needs its key, and a key its certificate.', 'Name both, with --tlscert and --tlskey.');
  const identity = certificate === undefined || key === undefined ? {} : readIdentity({ certificate, key, options: { certificate: '--tlscert', key: '--tlskey' } });
  const ca = readAuthority(authority, '--tlscacert');
  const { checkServerIdentity } = await import('node:tls');
  const name = options.serverName ?? address.host;
  return {
    ...identity,
    ca,
    minVersion: 'TLSv1.2',
    // buildkitd offers nothing else.
    ALPNProtocols: ['h2'],
    // RFC 6066 §3: an address is no server name; it is looked for in the certificate all the same.
    ...(isIP(name) === 0 ? { servername: name } : {}),
    checkServerIdentity: (_host, shown) => checkServerIdentity(name, shown),
  };
}

function inFolder(folder: string, { authority, certificate, key }: TlsClientOptions): Readonly<Record<keyof typeof IN_FOLDER, string>> {
  if (authority !== undefined || certificate !== undefined || key !== undefined) throw refusal('--tlsdir names the files that --tlscacert, --tlscert and --tlskey name too.', 'Give it without them.');
  const find = ([first, second]: readonly [string, string]): string => {
    const path = [first, second].map((name) => join(folder, name)).find((candidate) => existsSync(candidate));
    if (path === undefined) throw refusal(`There is neither ${first} nor ${second} in ${folder} of --tlsdir.`, 'Put ca.pem, cert.pem and key.pem there, or name the files with --tlscacert, --tlscert and --tlskey.');
    return path;
  };
  return { authority: find(IN_FOLDER.authority), certificate: find(IN_FOLDER.certificate), key: find(IN_FOLDER.key) };
}

function refusal(what: string, hint: string): BridgetapeError {
  return new BridgetapeError('bad-argument', what, hint);
}
