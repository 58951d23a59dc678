/** A replay from start to end: the cassette is read, a socket offered, and what was missed is told. */
import { knownMethods } from '../bridge/index.js';
import { Cassette } from '../cassette/index.js';
import { formatAddress, listen, type Address } from '../socket/index.js';
import { createGrpcServer } from './grpc-js-server.js';
import type { Miss } from './miss.js';
import { Replayer, type ReplayerOptions } from './replayer.js';
import { readScript } from './script.js';

export interface ReplayOptions extends Omit<ReplayerOptions, 'clock'> {
  /** Path of the cassette. */
  readonly file: string;
  readonly listen: Address;
}

export interface Replay {
  /** The address to give to clients, as for BUILDKIT_HOST. */
  readonly address: string;
  /** What the cassette could not answer as recorded, so far. */
  readonly misses: readonly Pick<Miss, 'path' | 'text'>[];
  close(): Promise<void>;
}

/** Services that a client of BuildKit calls around a build, whether the cassette holds them or not. */
const SERVED = ['moby.buildkit.v1.frontend.LLBBridge', 'moby.buildkit.v1.Control', 'grpc.health.v1.Health', 'opentelemetry.proto.collector.trace.v1.TraceService'] as const;

/**
 * Serves a cassette in place of a daemon.
 *
 * @throws BridgetapeError `cassette-not-found`, `not-a-cassette`, `cassette-version`, `address-in-use`, `bad-address`
 */
export async function replay(options: ReplayOptions): Promise<Replay> {
  const cassette = Cassette.open(options.file);
  const script = readScript(cassette);
  cassette.close();
  const misses: Pick<Miss, 'path' | 'text'>[] = [];
  const missed = (miss: Pick<Miss, 'path' | 'text'>): void => {
    misses.push(miss);
    options.onMiss?.(miss);
  };
  const replayer = new Replayer(script, { ...options, onMiss: missed });
  const paths = new Set([...script.paths, ...SERVED.flatMap((service) => knownMethods(service).map(({ path }) => path))]);
  const server = createGrpcServer({ paths, accept: replayer.accept, onUnsendable: (path, text) => missed({ path, text }) });
  const listener = await listen(options.listen, { allowHalfOpen: false, paused: false }, (socket) => server.serve(socket));
  return {
    address: formatAddress(listener.address),
    misses,
    close: async () => {
      await listener.close();
      server.close();
      replayer.close();
    },
  };
}
