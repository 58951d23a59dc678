/** Who can reach a listener, and whether that was asked for. */
import { BlockList, isIP } from 'node:net';

import { BridgetapeError } from '../errors.js';
import { formatAddress, type SocketAddress } from './address.js';
import type { TlsFiles } from './tls-server.js';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** @param ip IPv4 or IPv6 */
export function isLoopback(ip: string): boolean {
  return LOOPBACK.check(ip, isIP(ip) === 6 ? 'ipv6' : 'ipv4');
}

/**
 * The address of a host that is to be listened on: looked up once, so that what is judged is what is bound.
 *
 * @throws BridgetapeError `bad-address` for a host that has none
 */
export async function hostAddress(address: SocketAddress & { readonly kind: 'tcp' }): Promise<string> {
  // Not before: a unix socket has no host.
  const { lookup } = await import('node:dns/promises');
  try {
    return (await lookup(address.host)).address;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new BridgetapeError('bad-address', `Cannot listen on ${formatAddress(address)}: ${why}.`, 'Name an address of this machine.', { cause: error });
  }
}

/** @throws BridgetapeError `insecure-listener` for a plain one that other machines reach, unless `insecure` allows it */
export function checkReach(address: SocketAddress & { readonly kind: 'tcp' }, ip: string, tls: TlsFiles | undefined, insecure: boolean): void {
  if (tls !== undefined || insecure || isLoopback(ip)) return;
  throw new BridgetapeError(
    'insecure-listener',
    `Will not listen on ${formatAddress(address)} without TLS: other machines could read what crosses, and build.`,
    'Name a certificate with --listen-tlscert and --listen-tlskey, listen on 127.0.0.1, or allow it with --listen-insecure.',
  );
}

/** A sentence on who can connect; undefined for a unix socket, which is made for its owner alone. */
export function reachOf(address: SocketAddress, ip: string | undefined, tls: TlsFiles | undefined): string | undefined {
  if (address.kind === 'unix' || ip === undefined) return undefined;
  const where = formatAddress(address);
  if (tls?.clientAuthority !== undefined) return `${where} takes clients with a certificate that ${tls.clientAuthority} signed`;
  const who = isLoopback(ip) ? 'every user of this machine' : 'everybody who reaches this machine over the network';
  return tls === undefined ? `${where} takes ${who}, without TLS` : `${where} takes ${who}; --listen-tlscacert makes it ask for certificates`;
}
