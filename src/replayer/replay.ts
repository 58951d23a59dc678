/** A replay from start to end: the cassette is read, a socket offered, and what was missed is told. */
import { knownMethods } from '../bridge/index.js';
import { Cassette } from '../cassette/index.js';
import { formatAddress, listen, type Address } from '../socket/index.js';
import { createGrpcServer } from './grpc-js-server.js';
import type { Told } from './player.js';
import { Replayer, type ReplayerOptions } from './replayer.js';
import { readScript } from './script.js';
import { internalError } from './status.js';
import { SERVED } from './well-known.js';

export interface ReplayOptions extends Omit<ReplayerOptions, 'clock'> {
  /** Path of the cassette. */
  readonly file: string;
  readonly listen: Address;
}

export interface Replay {
  /** The address to give to clients, as for BUILDKIT_HOST. */
  readonly address: string;
  /** What the cassette could not answer as recorded, so far: the first {@link MAX_KEPT_MISSES}. */
  readonly misses: readonly Told[];
  close(): Promise<void>;
}

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
  const listener = await listen(options.listen, { allowHalfOpen: false, paused: false }, (socket) => server.serve(socket));
  return {
    address: formatAddress(listener.address),
    misses,
    close: async () => {
      await listener.close();
      replayer.close();
      server.close();
    },
  };
}
