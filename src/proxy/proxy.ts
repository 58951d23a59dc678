/**
 * The proxy: accepts connections, dials the daemon for each, joins the two and lets a tap watch. It never
 * originates a byte and never changes one.
 */
import { connect, type Socket } from 'node:net';

import { BridgetapeError } from '../errors.js';
import { formatAddress, listen, type Address } from '../socket/index.js';
import { splice, type Reader } from './splice.js';
import type { Tap } from './tap.js';

export interface ProxyOptions {
  readonly listen: Address;
  readonly upstream: Address;
  readonly tap: Tap;
  /** The daemon could not be dialled, or was lost. The client's connection was closed. */
  readonly onUpstreamError?: (error: BridgetapeError) => void;
}

export interface Proxy {
  /** Where it really listens. */
  readonly address: Address;
  /** Stops listening and ends the open connections: what was read is delivered first. */
  close(): Promise<void>;
}

/** @throws BridgetapeError `address-in-use`, `bad-address` */
export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  const { upstream, tap } = options;
  const connections = new Set<Promise<void>>();
  const sockets = new Set<Socket>();

  const accept = (client: Socket): void => {
    const connectionTap = tap.open(listener.address, process.hrtime.bigint());
    const reader: Reader = { read: () => undefined };
    const server = dial(upstream, reader);
    sockets.add(client).add(server);
    const over = new Promise<void>((resolve) => {
      const done = (): void => {
        sockets.delete(client);
        sockets.delete(server);
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
      server.once('connect', () => {
        server.off('error', refused);
        if (client.destroyed) {
          server.destroy();
          connectionTap.close('client', process.hrtime.bigint());
          done();
          return;
        }
        server.on('error', (error) => {
          if (!server.readableEnded && !client.destroyed) options.onUpstreamError?.(lost(upstream, error));
        });
        splice(client, server, reader, connectionTap, done);
      });
    });
    connections.add(over);
    void over.then(() => connections.delete(over));
  };

  const listener = await listen(options.listen, { allowHalfOpen: true, paused: true }, accept);
  return {
    address: listener.address,
    close: async () => {
      await listener.close();
      for (const socket of sockets) socket.destroySoon();
      await Promise.all(connections);
    },
  };
}

/** The splice learns of a socket's error by its close; without a listener Node would throw. */
const ignore = (): void => undefined;

/**
 * What a daemon answers is read into one buffer, and copied out at its own length: Node's way, 64 KiB of new memory for
 * each read however little comes, costs more than the copy, most of it in garbage collection (bench/).
 */
const READ_BUFFER = Buffer.allocUnsafeSlow(256 * 1024);

function dial(address: Address, reader: Reader): Socket {
  const onread = {
    buffer: READ_BUFFER,
    callback: (length: number, buffer: Uint8Array): boolean => {
      const chunk = Buffer.allocUnsafe(length);
      chunk.set(buffer.subarray(0, length));
      reader.read(chunk);
      return true;
    },
  };
  return address.kind === 'unix'
    ? connect({ path: address.path, allowHalfOpen: true, onread })
    : connect({ host: address.host, port: address.port, allowHalfOpen: true, noDelay: true, onread });
}

function unreachable(address: Address, cause: Error): BridgetapeError {
  return new BridgetapeError(
    'upstream-unreachable',
    `Cannot reach BuildKit at ${formatAddress(address)}: ${cause.message}.`,
    'Start buildkitd there, or name its address with --to or BUILDKIT_HOST.',
    { cause },
  );
}

function lost(address: Address, cause: Error): BridgetapeError {
  return new BridgetapeError(
    'upstream-unreachable',
    `Lost the connection to BuildKit at ${formatAddress(address)}: ${cause.message}.`,
    "Look at the daemon's log.",
    { cause },
  );
}
