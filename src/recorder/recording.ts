/**
 * A recording from start to end: the cassette is opened first (so that what can be known to fail fails before any
 * build runs), then the proxy listens, and at the end the file is closed with what the traffic showed.
 */
import { rmSync } from 'node:fs';

import { CassetteWriter } from '../cassette/index.js';
import type { BridgetapeError } from '../errors.js';
import { startProxy } from '../proxy/index.js';
import { formatAddress, type Address, type SocketAddress, type TlsClientOptions, type TlsFiles } from '../socket/index.js';
import { version } from '../version.js';
import { bodyPolicy } from './bodies.js';
import { Recorder } from './recorder.js';

export interface RecordOptions {
  /** Where the cassette goes; by custom it ends in `.cassette`. */
  readonly output: string;
  readonly listen: SocketAddress;
  /** Left out: clients are served without TLS. */
  readonly listenTls?: TlsFiles | undefined;
  /** Whether a listener that other machines reach may be without TLS. */
  readonly listenInsecure?: boolean;
  readonly upstream: Address;
  /** How a daemon at `tcp://` is spoken to with TLS; left out: without. */
  readonly upstreamTls?: TlsClientOptions;
  /** The command that is recorded, kept in the cassette's header. */
  readonly command?: readonly string[];
  /** Method patterns whose message bodies are kept, whatever else says no. */
  readonly bodies?: readonly string[];
  /** Method patterns whose message bodies are left out, besides the usual ones. */
  readonly noBodies?: readonly string[];
  /** Replace an existing file. */
  readonly force?: boolean;
  readonly onUpstreamError?: (error: BridgetapeError) => void;
  /** A client did not get through the TLS handshake. */
  readonly onRefused?: (error: BridgetapeError) => void;
  /** A line that a connection helper (`ssh`, `docker exec`, …) printed on stderr. */
  readonly onHelperLine?: (line: string) => void;
  /** The disk failed while recording; the traffic goes on. Called once. */
  readonly onLoss?: (error: Error) => void;
}

export interface RecordingSummary {
  readonly connections: number;
  readonly calls: number;
  readonly events: number;
  /** Size of the closed file. */
  readonly bytes: number;
  /** What could not be written, when the disk failed. */
  readonly loss: { readonly error: Error; readonly events: number; readonly bytes: number } | undefined;
}

export interface Recording {
  /** The address to give to clients, as for BUILDKIT_HOST. */
  readonly address: string;
  /** Who can connect, where that is not its owner alone. */
  readonly reach: string | undefined;
  /** Ends the connections, then closes the cassette. */
  close(): Promise<RecordingSummary>;
}

/**
 * Records everything that crosses between clients of `listen` and the daemon at `upstream`.
 *
 * @throws BridgetapeError `cassette-exists`, `cassette-not-writable`, `address-in-use`, `bad-address`,
 *   `insecure-listener`, `bad-argument`
 */
export async function record(options: RecordOptions): Promise<Recording> {
  const bodies = bodyPolicy(options.bodies, options.noBodies);
  const writer = await CassetteWriter.create(
    options.output,
    {
      tool: `bridgetape ${version}`,
      startedAt: new Date(),
      listen: [formatAddress(options.listen)],
      upstream: formatAddress(options.upstream),
      bodiesLeftOut: bodies.patterns,
      ...(options.command === undefined ? {} : { command: options.command }),
    },
    { force: options.force ?? false, ...(options.onLoss === undefined ? {} : { onFailure: options.onLoss }) },
  );
  const recorder = new Recorder(writer, bodies, process.hrtime.bigint());
  const proxy = await startProxy({
    listen: options.listen,
    listenTls: options.listenTls,
    listenInsecure: options.listenInsecure,
    upstream: options.upstream,
    upstreamTls: options.upstreamTls,
    tap: recorder,
    onUpstreamError: options.onUpstreamError,
    onRefused: options.onRefused,
    onHelperLine: options.onHelperLine,
  }).catch(async (error: unknown) => {
    await writer.close();
    rmSync(options.output);
    throw error;
  });
  return {
    address: formatAddress(proxy.address),
    reach: proxy.reach,
    close: async () => {
      await proxy.close();
      const { buildkitVersion } = recorder;
      const { bytes, events, loss } = await writer.close(buildkitVersion === undefined ? {} : { buildkitVersion });
      return { connections: recorder.connections, calls: recorder.calls, events, bytes, loss };
    },
  };
}
