/** The docker.sock of a replay, for cassettes that hold traffic of a Docker Engine. */
import { HTTP_1, type Cassette } from '../cassette/index.js';
import { formatAddress, listen, temporaryAddress } from '../socket/index.js';
import { EngineServer, type EngineServerOptions } from './engine-server.js';

export interface DockerFront {
  readonly address: string;
  /** Takes no new clients. */
  stop(): Promise<void>;
  /** Ends every connection. */
  close(): void;
}

/** A docker.sock, when a cassette has something to answer there. */
export async function offerDocker(cassettes: readonly Cassette[], options: () => EngineServerOptions): Promise<DockerFront | undefined> {
  if (!cassettes.some(({ connections }) => connections.some(({ protocol }) => protocol === HTTP_1))) return undefined;
  const engine = await EngineServer.create(options);
  const { address, remove } = temporaryAddress('docker.sock');
  const listener = await listen(address, { allowHalfOpen: false, paused: false }, (socket) => engine.accept(socket)).catch((error: unknown) => {
    remove();
    throw error;
  });
  return {
    address: formatAddress(listener.address),
    stop: () => listener.close(),
    close: () => {
      engine.close();
      remove();
    },
  };
}
