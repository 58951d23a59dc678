/** A replay from start to end: the cassette is read, a socket offered, and what was missed is told. */
import { knownMethods } from '../bridge/index.js';
import { Cassette } from '../cassette/index.js';
import { formatAddress, listen, temporaryAddress, type Address } from '../socket/index.js';
import { createGrpcServer } from './grpc-js-server.js';
import type { Told } from './player.js';
import { Replayer, type ReplayerOptions } from './replayer.js';
import { readScript } from './script.js';
import { internalError } from './status.js';
import { SERVED } from './well-known.js';

export interface ReplayOptions extends Omit<ReplayerOptions, 'clock'> {
  /** Path of the cassette. */
  readonly file: string;
  /**
   * Left out: a new unix socket that only this user can dial; or a port on the loopback interface, for a cassette of a
   * client that puts its socket's path in `:authority` (buildctl of v0.8), which Node's HTTP/2 refuses.
   */
  readonly listen?: Address;
}

export interface Replay {
  /** The address to give to clients, as for BUILDKIT_HOST. */
  readonly address: string;
  /** What the cassette could not answer as recorded, so far: the first {@link MAX_KEPT_MISSES}. */
  readonly misses: readonly Told[];
  close(): Promise<void>;
}

const LOOPBACK: Address = { kind: 'tcp', host: '127.0.0.1', port: 0 };

/** A replay can run for days in front of clients that ask for what it does not have. */
export const MAX_KEPT_MISSES = 1000;

/**
 * Serves a cassette in place of a daemon.
 *
 * @throws BridgetapeError `cassette-not-found`, `not-a-cassette`, `cassette-version`, `cassette-damaged`,
 *   `address-in-use`, `bad-address`
 */
export async function replay(options: ReplayOptions): Promise<Replay> {
  const cassette = Cassette.open(options.file);
  const script = readScript(cassette);
  cassette.close();
  const misses: Told[] = [];
  const onMiss = (miss: Told): void => {
    if (misses.length < MAX_KEPT_MISSES) misses.push(miss);
    options.onMiss?.(miss);
  };
  const onCrash = (error: unknown, path: string): void => {
    onMiss({ path, text: internalError(error) });
    options.onCrash?.(error, path);
  };
  const replayer = new Replayer(script, { ...options, onMiss, onCrash });
  const paths = new Set([...script.paths, ...SERVED.flatMap((service) => knownMethods(service).map(({ path }) => path))]);
  const server = createGrpcServer({ paths, accept: replayer.accept, onUnsendable: (path, text) => onMiss({ path, text }), onCrash });
  const temporary = options.listen === undefined && !script.hasPathAsAuthority ? temporaryAddress() : undefined;
  const address = options.listen ?? temporary?.address ?? LOOPBACK;
  const listener = await listen(address, { allowHalfOpen: false, paused: false }, (socket) => server.serve(socket)).catch((error: unknown) => {
    temporary?.remove();
    throw error;
  });
  return {
    address: formatAddress(listener.address),
    misses,
    close: async () => {
      await listener.close();
      replayer.close();
      server.close();
      temporary?.remove();
    },
  };
}
