/**
 * The proxy: accepts connections, dials the daemon for each, joins the two and lets a tap watch. It never
 * originates a byte and never changes one.
 */
import type { Socket } from 'node:net';

import { BridgetapeError } from '../errors.js';
import { listen, type Address, type SocketAddress, type TlsClientOptions, type TlsFiles } from '../socket/index.js';
import { dialler } from './dial.js';
import { settle } from './settle.js';
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
  /** Stops listening and ends the open connections: what clients sent is delivered first, to a daemon that takes it in a few seconds. */
  close(): Promise<void>;
}

/** How long a peer that reads slowly, or no more, is waited for when the proxy is closed. */
const PATIENCE_MS = 5_000;

/** @throws BridgetapeError `address-in-use`, `bad-address`, `insecure-listener`, `bad-argument` for TLS files that can't be used */
export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  const { upstream, tap } = options;
  const connections = new Set<Promise<void>>();
  const clients = new Set<Socket>();
  const ends = new Set<End>();
  const dialling = new Set<End>();
  const dial = await dialler(upstream, options.upstreamTls ?? {}, (line) => options.onHelperLine?.(line));

  const accept = (client: Socket): void => {
    const connectionTap = tap.open(listener.address, process.hrtime.bigint());
    const reader: Reader = { read: () => undefined };
    const { stream: server, opened } = dial(reader);
    clients.add(client);
    ends.add(client).add(server);
    dialling.add(server);
    const over = new Promise<void>((resolve) => {
      const done = (): void => {
        clients.delete(client);
        ends.delete(client);
        ends.delete(server);
        resolve();
      };
      const refused = (error: Error): void => {
        dialling.delete(server);
        server.off('close', abandoned);
        client.destroy();
        connectionTap.close('server', process.hrtime.bigint(), error);
        options.onUpstreamError?.(unreachable(upstream, error));
        done();
      };
      // Closed before it was open, without an error: the proxy is being closed.
      const abandoned = (): void => {
        dialling.delete(server);
        client.destroy();
        connectionTap.close('client', process.hrtime.bigint());
        done();
      };
      server.once('error', refused);
      server.once('close', abandoned);
      client.on('error', ignore);
      server.once(opened, () => {
        dialling.delete(server);
        server.off('error', refused);
        server.off('close', abandoned);
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
      await settle(clients, () => dialling.size > 0);
      await listener.close();
      for (const server of dialling) server.destroy();
      for (const end of ends) end.destroySoon();
      const late = setTimeout(() => {
        for (const end of ends) end.destroy();
      }, PATIENCE_MS);
      await Promise.all(connections);
      clearTimeout(late);
    },
  };
}

/** The splice learns of a socket's error by its close; without a listener Node would throw. */
const ignore = (): void => undefined;
