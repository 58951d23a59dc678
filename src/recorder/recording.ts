/**
 * A recording from start to end: the cassette is opened first (so that what can be known to fail fails before any
 * build runs), then the proxy listens, and only then, or when it is said, an older cassette is replaced; at the end the
 * file is closed with what the traffic showed.
 */
import { rmSync } from 'node:fs';

import { CassetteWriter } from '../cassette/index.js';
import { BridgetapeError } from '../errors.js';
import { startProxy, type Proxy, type ProxyOptions } from '../proxy/index.js';
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
  /** A Docker Engine to be recorded as well: where its clients connect, and where it is. */
  readonly docker?: { readonly listen: SocketAddress; readonly upstream: SocketAddress };
  /** The command that is recorded, kept in the cassette's header. */
  readonly command?: readonly string[];
  /** Method patterns whose message bodies are kept, whatever else says no. */
  readonly bodies?: readonly string[];
  /** Method patterns whose message bodies are left out, besides the usual ones. */
  readonly noBodies?: readonly string[];
  /** Replace an existing file as soon as clients can connect; `later`: not before {@link Recording.takePlace}. */
  readonly force?: boolean | 'later';
  /** Ends the recording as `close()` does. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Told of each message that a client sends in a call, in the order in which they cross: its `:path`, and the message, which
   * is not to be written to; undefined when its body is left out, or is compressed.
   */
  readonly onRequest?: ((path: string, message: Uint8Array | undefined) => void) | undefined;
  readonly onUpstreamError?: (error: BridgetapeError) => void;
  /** A client did not get through the TLS handshake. */
  readonly onRefused?: (error: BridgetapeError) => void;
  /** A line that a connection helper (`ssh`, `docker exec`, …) printed on stderr. */
  readonly onHelperLine?: (line: string) => void;
  /** The disk failed while recording; the traffic goes on. Called once. */
  readonly onLoss?: (error: Error) => void;
}

export interface RecordingSummary {
  /** Where the cassette stands: `output`, unless another file took that name meanwhile. */
  readonly path: string;
  readonly connections: number;
  readonly calls: number;
  readonly events: number;
  /** Size of the closed file. */
  readonly bytes: number;
  /** What could not be written, when the disk failed; all of it, when the file is gone. */
  readonly loss: { readonly error: Error; readonly events: number; readonly bytes: number } | undefined;
  /** Why the cassette was left as it was written: whole, but larger than it would be, and without an index. */
  readonly packFailure: Error | undefined;
}

export interface Recording {
  /** The address to give to clients, as for BUILDKIT_HOST. */
  readonly address: string;
  /** Who can connect, where that is not its owner alone. */
  readonly reach: string | undefined;
  /** The same for DOCKER_HOST; undefined when no engine is recorded. */
  readonly dockerAddress: string | undefined;
  /**
   * Replaces the older cassette, if that was to be done later: from here on there is only this one.
   *
   * @throws BridgetapeError `cassette-not-writable`; `close` tries it again then
   */
  takePlace(): Promise<void>;
  /** Ends the connections, then closes the cassette. Called again, it gives the same. */
  close(): Promise<RecordingSummary>;
  /** Ends the connections, in place of `close`, and removes the cassette. An older one that was not replaced yet stays. */
  discard(): Promise<void>;
}

/**
 * Records everything that crosses between clients of `listen` and the daemon at `upstream`; of what crosses between
 * clients of `docker` and its engine, what a build says, and no secret.
 *
 * @throws the reason of `signal`, when that was aborted before clients could connect; no file is left then
 * @throws BridgetapeError `cassette-exists`, `cassette-not-writable`, `address-in-use`, `bad-address`,
 *   `insecure-listener`, `bad-argument`
 */
export async function record(options: RecordOptions): Promise<Recording> {
  const bodies = bodyPolicy(options.bodies, options.noBodies);
  const { docker, force = false, onUpstreamError, signal } = options;
  signal?.throwIfAborted();
  const writer = await CassetteWriter.create(
    options.output,
    {
      tool: `bridgetape ${version}`,
      startedAt: new Date(),
      listen: [options.listen, ...(docker === undefined ? [] : [docker.listen])].map(formatAddress),
      upstream: formatAddress(options.upstream),
      ...(docker === undefined ? {} : { docker: formatAddress(docker.upstream) }),
      bodiesLeftOut: bodies.patterns,
      ...(options.command === undefined ? {} : { command: options.command }),
    },
    { force: force !== false, aside: force !== false, ...(options.onLoss === undefined ? {} : { onFailure: options.onLoss }) },
  );
  const recorder = new Recorder(writer, bodies, process.hrtime.bigint(), options.onRequest);
  const proxies: Proxy[] = [];
  let placing: Promise<void> | undefined;
  const takePlace = (): Promise<void> => (placing ??= writer.takePlace());
  const start = async (proxy: ProxyOptions): Promise<Proxy> => {
    const started = await startProxy(proxy);
    proxies.push(started);
    signal?.throwIfAborted();
    return started;
  };
  const startAll = async (): Promise<readonly [Proxy, Proxy | undefined]> => {
    const proxy = await start({
      listen: options.listen,
      listenTls: options.listenTls,
      listenInsecure: options.listenInsecure,
      upstream: options.upstream,
      upstreamTls: options.upstreamTls,
      tap: recorder,
      onUpstreamError,
      onRefused: options.onRefused,
      onHelperLine: options.onHelperLine,
    });
    const engine = docker && (await start({ ...docker, tap: recorder.engine, onUpstreamError: (error) => onUpstreamError?.(ofDocker(docker.upstream, error)) }));
    if (force !== 'later') await takePlace();
    return [proxy, engine];
  };
  const end = async (): Promise<void> => {
    await Promise.all(proxies.map((each) => each.close()));
    // A file that is on its way to its place is not to come there after the closed one.
    await placing?.catch(() => undefined);
  };
  const giveUp = async (): Promise<void> => {
    await end();
    if (writer.isAside) {
      await writer.discard();
      return;
    }
    const { path } = await writer.close();
    rmSync(path, { force: true });
  };
  const [proxy, engine] = await startAll().catch(async (error: unknown) => {
    await giveUp();
    throw error;
  });
  const finish = async (): Promise<RecordingSummary> => {
    signal?.removeEventListener('abort', abort);
    await end();
    const { buildkitVersion } = recorder;
    const { path, bytes, events, loss, packFailure } = await writer.close(buildkitVersion === undefined ? {} : { buildkitVersion });
    return { path: path === writer.path ? options.output : path, connections: recorder.connections, calls: recorder.calls, events, bytes, loss, packFailure };
  };
  let closed: Promise<RecordingSummary> | undefined;
  const close = (): Promise<RecordingSummary> => (closed ??= finish());
  const abort = (): void => void close();
  const discard = (): Promise<void> => {
    signal?.removeEventListener('abort', abort);
    return giveUp();
  };
  signal?.addEventListener('abort', abort);
  return { address: formatAddress(proxy.address), reach: proxy.reach, dockerAddress: engine && formatAddress(engine.address), takePlace, close, discard };
}

/** The proxy knows only of BuildKit. */
function ofDocker(address: SocketAddress, { cause }: BridgetapeError): BridgetapeError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new BridgetapeError('upstream-unreachable', `No connection to the Docker Engine at ${formatAddress(address)}: ${why}.`, 'Start dockerd there, or name its address with --docker or DOCKER_HOST.', { cause });
}
