/**
 * The proxy: accepts connections, dials the daemon for each, joins the two and lets a tap watch. It never
 * originates a byte and never changes one.
 */
import type { Socket } from 'node:net';

import { BridgetapeError } from '../errors.js';
import { listen, type Address, type SocketAddress, type TlsClientOptions, type TlsFiles } from '../socket/index.js';
import { dialler } from './dial.js';
import { splice, type End, type Reader } from './splice.js';
import type { Tap } from './tap.js';
import { lost, unreachable } from './upstream-error.js';

export interface ProxyOptions {
  readonly listen: SocketAddress;
  /** Left out: clients are served without TLS. */
  readonly listenTls?: TlsFiles | undefined;
  /** Whether other machines may be let in without TLS. */
  readonly listenInsecure?: boolean | undefined;
  readonly upstream: Address;
  /** Left out, or with nothing in it: the daemon is dialled without TLS. */
  readonly upstreamTls?: TlsClientOptions | undefined;
  readonly tap: Tap;
  /** A client did not get through the TLS handshake. Its connection was closed. */
  readonly onRefused?: ((error: BridgetapeError) => void) | undefined;
  /** A line that a connection helper printed on stderr. */
  readonly onHelperLine?: ((line: string) => void) | undefined;
  /** The daemon could not be dialled, or was lost. The client's connection was closed. */
  readonly onUpstreamError?: ((error: BridgetapeError) => void) | undefined;
}

export interface Proxy {
  /** Where it really listens. */
  readonly address: SocketAddress;
  /** Who can connect, where that is not its owner alone. */
  readonly reach: string | undefined;
  /** Stops listening and ends the open connections: what was read is delivered first. */
  close(): Promise<void>;
}

/** @throws BridgetapeError `address-in-use`, `bad-address`, `insecure-listener`, `bad-argument` for TLS files that can't be used */
export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  const { upstream, tap } = options;
  const connections = new Set<Promise<void>>();
  const ends = new Set<End>();
  const dial = await dialler(upstream, options.upstreamTls ?? {}, (line) => options.onHelperLine?.(line));

  const accept = (client: Socket): void => {
    const connectionTap = tap.open(listener.address, process.hrtime.bigint());
    const reader: Reader = { read: () => undefined };
    const { stream: server, opened } = dial(reader);
    ends.add(client).add(server);
    const over = new Promise<void>((resolve) => {
      const done = (): void => {
        ends.delete(client);
        ends.delete(server);
        resolve();
      };
      const refused = (error: Error): void => {
        client.destroy();
        connectionTap.close('server', process.hrtime.bigint(), error);
        options.onUpstreamError?.(unreachable(upstream, error));
        done();
      };
      server.once('error', refused);
      client.on('error', ignore);
      server.once(opened, () => {
        server.off('error', refused);
        if (client.destroyed) {
          server.once('close', done);
          server.destroy();
          connectionTap.close('client', process.hrtime.bigint());
          return;
        }
        server.on('error', (error) => {
          // A connection helper's end is told with its reason, whatever it said before.
          if (error instanceof BridgetapeError || (!server.readableEnded && !client.destroyed)) options.onUpstreamError?.(lost(upstream, error));
        });
        splice(client, server, reader, connectionTap, done);
      });
    });
    connections.add(over);
    void over.then(() => connections.delete(over));
  };

  const { listenTls: tls, listenInsecure: insecure, onRefused } = options;
  const listener = await listen(options.listen, { allowHalfOpen: true, paused: true, tls, insecure, onRefused }, accept);
  return {
    address: listener.address,
    reach: listener.reach,
    close: async () => {
      await listener.close();
      for (const end of ends) end.destroySoon();
      await Promise.all(connections);
    },
  };
}

/** The splice learns of a socket's error by its close; without a listener Node would throw. */
const ignore = (): void => undefined;
