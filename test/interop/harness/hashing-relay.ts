// A witness beside the proxy: hands bytes on between a client and a server, and hashes each direction of each
// connection. It shares no code with the proxy, and reads to the end of each side whatever the other does.
import { createHash } from 'node:crypto';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { temporaryFolder } from './temporary-folder.js';

/** What crossed in one direction. */
export interface Witnessed {
  readonly bytes: number;
  readonly sha256: string;
}

export interface RelayedConnection {
  /** What was read from the client. */
  readonly fromClient: Witnessed;
  /** What was read from the server. */
  readonly fromServer: Witnessed;
}

export interface HashingRelay {
  readonly address: string;
  /** Stops listening, waits until all connections are over on both sides, and gives them in the order they came. */
  stop(): Promise<readonly RelayedConnection[]>;
}

/** Relays between a new unix socket and `to`, a `unix://` address. */
export async function startHashingRelay(to: string): Promise<HashingRelay> {
  const folder = temporaryFolder('bt-relay-');
  const socket = join(folder.path, 'relay.sock');
  const connections: Promise<RelayedConnection>[] = [];
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    const upstream = connect({ path: to.slice('unix://'.length), allowHalfOpen: true });
    connections.push(
      Promise.all([pump(client, upstream), pump(upstream, client)]).then(([fromClient, fromServer]) => ({ fromClient, fromServer })),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socket, resolve);
  });
  return {
    address: `unix://${socket}`,
    stop: async () => {
      server.close();
      const all = await Promise.all(connections);
      await folder.remove();
      return all;
    },
  };
}

async function pump(from: Socket, to: Socket): Promise<Witnessed> {
  const hash = createHash('sha256');
  let bytes = 0;
  // A side that left takes no more; what the other still says counts all the same.
  to.on('error', () => undefined);
  await new Promise<void>((resolve) => {
    from.on('data', (chunk: Buffer) => {
      hash.update(chunk);
      bytes += chunk.length;
      if (!to.destroyed && !to.write(chunk)) {
        from.pause();
        const go = (): void => {
          to.off('drain', go).off('close', go);
          from.resume();
        };
        to.on('drain', go).on('close', go);
      }
    });
    from.once('end', resolve).once('close', resolve);
    from.resume();
  });
  to.end();
  return { bytes, sha256: hash.digest('hex') };
}
