/** A replay from start to end: the cassette is read, a socket or a frontend's stdio served, and what was missed is told. */
import type { Duplex } from 'node:stream';

import type { Rules } from '../bridge/index.js';
import { Cassette, findCassettes, type CassetteState } from '../cassette/index.js';
import { BridgetapeError } from '../errors.js';
import { formatAddress, listen, temporaryAddress, type Listener, type SocketAddress, type TlsFiles } from '../socket/index.js';
import type { Accept, AcceptTransport } from './call.js';
import { systemClock } from './clock.js';
import { offerDocker, type DockerFront } from './docker-front.js';
import { EngineScript } from './engine-script.js';
import type { Fault } from './fault.js';
import { FaultPlan, type FaultTally } from './fault-plan.js';
import { parseFault } from './fault-spec.js';
import { GrpcServer, type GrpcServerOptions } from './grpc-server.js';
import { Hearing } from './hearing.js';
import type { Told } from './miss.js';
import { originOf } from './origin.js';
import { isPaced, pacesByPath, type PacingOptions } from './pacing.js';
import type { Reannotation } from './reannotation.js';
import type { RecordedCall } from './recorded-call.js';
import { Replayer, type ReplayerOptions } from './replayer.js';
import { readScript, type Script } from './script.js';
import type { UnusedCall } from './unused.js';
import { internalError } from './internal-error.js';

export interface ReplayOptions extends Omit<ReplayerOptions, 'clock' | 'heard' | 'isHeld' | 'paces'> {
  /**
   * Path of the cassette. Several, and folders of them, are served as one daemon: a client gets the build that asks for
   * what it asks for.
   */
  readonly file: string | readonly string[];
  /** What is run against the replay: for the advice how to record again. Left out: what was recorded. */
  readonly command?: readonly string[];
  /** Paces of single methods, by their names: `ReadFile`, `LLBBridge/Solve`, or a whole `:path`. */
  readonly paces?: Readonly<Record<string, number>>;
  /** By which requests are compared. Left out: those that come with bridgetape. */
  readonly rules?: Rules;
  /** Left out: a new unix socket that only this user can dial. */
  readonly listen?: SocketAddress;
  /** Ends the replay as `close()` does. */
  readonly signal?: AbortSignal | undefined;
  /** Left out: without TLS, as for unix sockets. */
  readonly tls?: TlsFiles | undefined;
  /** Whether a listener that other machines reach may be without TLS. */
  readonly insecure?: boolean;
  /** Told of each message that a client sends in a call, in the order in which they come: its `:path`, and the message, which is not to be written to. */
  readonly onRequest?: (path: string, message: Uint8Array) => void;
  /** What to run to record again, in advice; left out: `bridgetape record` of what was recorded. */
  readonly recordAgain?: string;
  /** A client did not get through the TLS handshake. Its connection was closed. */
  readonly onRefused?: (error: BridgetapeError) => void;
  /**
   * Told as soon as clients can connect, with the address to give them, and who can where that is not its owner alone:
   * before the cassette is read, so that a client that is started then comes up meanwhile. What it sends waits for that.
   * With it comes the address for Docker's clients, as {@link Replay.dockerAddress} has it.
   */
  readonly onListening?: (address: string, reach: string | undefined, dockerAddress: string | undefined) => void;
  /**
   * What is to go wrong: METHOD[#N][@POINT]=WHAT[:ARGUMENT], as in docs/faults.md. Of several that come together at a
   * call, the first one is next to the client.
   *
   * @example ['ReadFile#2=UNAVAILABLE', 'ExecProcess@1500ms=reset']
   */
  readonly faults?: readonly string[];
}

export interface Replay {
  /** The address to give to clients, as for BUILDKIT_HOST. */
  readonly address: string;
  /** The same for DOCKER_HOST: a new unix socket; undefined when the cassette has nothing of a Docker Engine. */
  readonly dockerAddress: string | undefined;
  /** Serves a client at the other end of any stream, such as the stdio of a process. */
  serve(duplex: Duplex): void;
  /** Paths of the cassettes that are served. */
  readonly cassettes: readonly string[];
  /** Those of which not all can be read, as far as they were read: the recorder died, or a part is damaged. */
  notWhole(): readonly { readonly cassette: string; readonly state: Exclude<CassetteState, 'whole'> }[];
  /** What the cassette could not answer as recorded, so far: the first {@link MAX_KEPT_MISSES}. */
  readonly misses: readonly Told[];
  /** The same from when a fault had fired: what a client does then was never recorded, and is no fault of its own. */
  readonly afterFaults: readonly Told[];
  /** How often each fault has fired, so far, in the order in which they were given. */
  readonly faults: readonly FaultTally[];
  /** How many there were, so far. */
  readonly missCount: number;
  /** Recorded calls that no client has made so far; not those that need not come again, such as polling. */
  unused(): readonly UnusedCall[];
  /** Requests that were answered as recorded, though annotated in another way, so far: the first {@link MAX_KEPT_MISSES}. */
  readonly reannotations: readonly Reannotation[];
  /**
   * Takes no new calls, lets the open ones come to their end for `graceMs` ms (default 0), and cuts what is left with
   * UNAVAILABLE. The socket is removed first. Called again with 0, it cuts them at once.
   */
  close(graceMs?: number): Promise<void>;
}

/** All of most cassettes: to unpack a large answer takes longer than to send it (bench: 32 KiB exec output). */
const UNPACKED_BYTES = 96 * 1024 * 1024;

/** Whoever is read slowly may have so much on its way: a few requests, or a line of stdin. */
const SLOW_LIMITS = { streamWindowBytes: 4096 } as const;

/** A replay can run for days in front of clients that ask for what it does not have. */
export const MAX_KEPT_MISSES = 1000;

/**
 * Serves a cassette, or several, in place of a daemon. Cassettes are only read.
 *
 * @throws the reason of `signal`, when that was aborted before clients could connect
 * @throws BridgetapeError `cassette-not-found`, `not-a-cassette`, `cassette-version`, `cassette-damaged`,
 *   `ambiguous-cassettes` when a client could be either's of two, `address-in-use`, `bad-address`, `insecure-listener`,
 *   `bad-argument` for TLS files that are none, times that are none, and for faults that say nothing or name no known method
 */
export async function replay(options: ReplayOptions): Promise<Replay> {
  const { signal } = options;
  signal?.throwIfAborted();
  const faults = (options.faults ?? []).map(parseFault);
  const cassettes = openAll(findCassettes(typeof options.file === 'string' ? [options.file] : options.file));
  const { misses, missCount, afterFaults, reannotations, listeners } = collect(options, () => plan?.hasFired === true);
  const { plan, paces } = byMethods(cassettes, faults, options.paces ?? {}, listeners.onCrash);
  const accept: Accept = (call) => replayer.accept(call);
  const hearing = hearingFor({ ...options, paces });
  const server = serverFor(overheard(plan?.before(accept) ?? accept, options.onRequest), listeners, hearing, { limits: plan?.readsSlowly === true ? SLOW_LIMITS : {} });
  const serve = (duplex: Duplex): void => server.serve(duplex);
  let front: ReturnType<typeof temporaryAddress> | undefined;
  let docker: DockerFront | undefined;
  let scripts: readonly Script[] = [];
  let engineScript: EngineScript | undefined;
  const release = (): void => {
    docker?.close();
    for (const cassette of cassettes) cassette.close();
    front?.remove();
  };
  const prepare = (): Replayer => {
    scripts = readScripts(cassettes, options);
    return new Replayer(scripts, { ...options, ...(hearing && { heard: () => hearing.time }), paces, ...(plan === undefined ? {} : { isHeld: plan.isHolding }), ...listeners });
  };
  const { tls, insecure, onRefused } = options;
  let replayer: Replayer;
  let listener: Listener | undefined;
  try {
    const address = options.listen ?? (front = temporaryAddress()).address;
    docker = await offerDocker(cassettes, () => ({
      script: (engineScript ??= new EngineScript(scripts.flatMap(({ exchanges }) => exchanges))),
      serveBridge: serve,
      openSession: (id) => replayer.openSession(id),
      onMiss: listeners.onMiss,
      clock: systemClock,
      pace: options.pace ?? 0,
    }));
    // Whether several can be told apart is known before a client is begun for them.
    const prepared = cassettes.length > 1 ? prepare() : undefined;
    listener = await listen(address, { allowHalfOpen: false, paused: false, tls, insecure, onRefused }, serve);
    signal?.throwIfAborted();
    options.onListening?.(formatAddress(listener.address), listener.reach, docker?.address);
    // In one go: nobody is served before it is done.
    replayer = prepared ?? prepare();
    // Whoever was told of the address may not have liked it.
    signal?.throwIfAborted();
  } catch (error) {
    await listener?.close();
    await docker?.stop();
    await server.close(0);
    release();
    throw error;
  }
  const listening = listener;
  let closed: Promise<void> | undefined;
  const finish = async (graceMs: number): Promise<void> => {
    await listening.close();
    await docker?.stop();
    await server.close(graceMs);
    replayer.close();
    release();
    signal?.removeEventListener('abort', abort);
  };
  const close = async (graceMs = 0): Promise<void> => {
    if (closed !== undefined && graceMs <= 0) await server.close(0);
    await (closed ??= finish(graceMs));
  };
  const abort = (): void => void close();
  signal?.addEventListener('abort', abort);
  return {
    address: formatAddress(listening.address),
    dockerAddress: docker?.address,
    cassettes: cassettes.map(({ path }) => path),
    notWhole: () => cassettes.flatMap(({ path, state }) => (state === 'whole' ? [] : [{ cassette: path, state }])),
    misses,
    get missCount() {
      return missCount();
    },
    afterFaults,
    get faults() {
      return plan?.tallies ?? [];
    },
    unused: () => replayer.unasked.map(({ id, path, origin }) => ({ cassette: origin?.file ?? '', call: id, path })),
    reannotations,
    serve,
    close,
  };
}

/**
 * What is asked for of methods by their names.
 *
 * @throws BridgetapeError `bad-argument` for names that mean none; the cassettes are closed then
 */
function byMethods(
  cassettes: readonly Cassette[],
  faults: readonly Fault[],
  paces: Readonly<Record<string, number>>,
  onCrash: (error: unknown, path: string) => void,
): { readonly plan: FaultPlan | undefined; readonly paces: ReadonlyMap<string, number> } {
  // To list the methods of a large cassette takes time, which a replay without either need not wait for.
  if (faults.length === 0 && Object.keys(paces).length === 0) return { plan: undefined, paces: new Map() };
  try {
    const recorded = new Set(cassettes.flatMap(({ calls }) => calls.map(({ path }) => path)));
    return { plan: faults.length === 0 ? undefined : new FaultPlan(faults, recorded, systemClock, onCrash), paces: pacesByPath(paces, recorded) };
  } catch (error) {
    for (const cassette of cassettes) cassette.close();
    throw error;
  }
}

/** A replay to one frontend, of which the calls are those of one build. */
export interface FrontendReplay extends Pick<Replay, 'misses' | 'reannotations'> {
  /**
   * Serves the frontend at the other end of the stream, such as the stdio of its process. To be called once.
   *
   * @param onBroken told when its connection broke: it can do no more
   */
  serve(duplex: Duplex, onBroken?: () => void): void;
  /** Recorded calls of its build that it has not made. */
  unasked(): readonly Pick<RecordedCall, 'id' | 'path'>[];
  /** Cuts what is open. */
  close(): Promise<void>;
}

/**
 * Serves a cassette to one frontend, in place of the buildkitd that would have started it.
 *
 * @param cassette to be kept open until the replay is closed
 * @throws BridgetapeError `replay-miss` when the cassette holds no calls of a frontend, `cassette-damaged`
 */
export function replayToFrontend(cassette: Cassette, options: Omit<ReplayerOptions, 'clock' | 'heard'> & Pick<ReplayOptions, 'rules'> = {}): FrontendReplay {
  const { misses, reannotations, listeners } = collect(options);
  const hearing = hearingFor(options);
  const replayer = new Replayer(readScripts([cassette], options), { ...options, ...(hearing && { heard: () => hearing.time }), ...listeners });
  const frontend = replayer.frontend();
  let broken: (() => void) | undefined;
  const server = serverFor(frontend.accept, listeners, hearing, { onBroken: () => broken?.() });
  return {
    misses,
    reannotations,
    serve: (duplex, onBroken) => {
      broken = onBroken;
      server.serve(duplex);
    },
    unasked: () => frontend.unasked() ?? [],
    close: async () => {
      await server.close(0);
      frontend.ended();
      replayer.close();
    },
  };
}

type Listeners = Required<Pick<ReplayerOptions, 'onMiss' | 'onReannotation' | 'onCrash'>>;

/** Keeps what is told, and tells whoever else wants to know. */
function collect(options: Partial<Listeners>, hasFaultFired = (): boolean => false): Pick<Replay, 'misses' | 'afterFaults' | 'reannotations'> & { readonly listeners: Listeners; readonly missCount: () => number } {
  let missCount = 0;
  const misses: Told[] = [];
  const afterFaults: Told[] = [];
  const reannotations: Reannotation[] = [];
  const keep = (miss: Told, kept: Told[]): void => {
    if (kept === misses) missCount += 1;
    const { path, text, comparison, process } = miss;
    // What a miss would be explained from is not kept.
    if (kept.length < MAX_KEPT_MISSES) kept.push({ path, text, comparison, process });
    options.onMiss?.(miss);
  };
  const onMiss = (miss: Told): void => keep(miss, hasFaultFired() ? afterFaults : misses);
  const onReannotation = (difference: Reannotation): void => {
    if (reannotations.length < MAX_KEPT_MISSES) reannotations.push(difference);
    options.onReannotation?.(difference);
  };
  const onCrash = (error: unknown, path: string): void => {
    keep({ path, text: internalError(error) }, misses);
    options.onCrash?.(error, path);
  };
  return { misses, missCount: () => missCount, afterFaults, reannotations, listeners: { onMiss, onReannotation, onCrash } };
}

/** What clients say goes to a listener as well, before anything is done about it. */
function overheard(accept: AcceptTransport, listener: ReplayOptions['onRequest']): AcceptTransport {
  if (listener === undefined) return accept;
  return (call) => {
    const { path } = call;
    const handler = accept(call);
    return {
      message: (payload) => {
        listener(path, payload);
        handler.message(payload);
      },
      halfClose: () => handler.halfClose(),
      cancelled: () => handler.cancelled(),
      drained: () => handler.drained(),
    };
  };
}

/** When a request came counts where its answers have times; elsewhere nobody asks. */
function hearingFor(pacing: PacingOptions): Hearing | undefined {
  return isPaced(pacing) ? new Hearing(systemClock) : undefined;
}

function serverFor(accept: AcceptTransport, { onMiss, onCrash }: Listeners, hearing: Hearing | undefined, { limits = {}, onBroken }: { readonly limits?: GrpcServerOptions['limits']; readonly onBroken?: () => void }): GrpcServer {
  return new GrpcServer({
    ...{ accept, limits, hearing, onCrash },
    onUnsendable: (path, text) => onMiss({ path, text }),
    onBroken: (text, what) => {
      onMiss({ path: '', text: `bridgetape: ${text}` });
      if (what === 'connection') onBroken?.();
    },
  });
}

/** Each is an open file while it is served; systems allow 1024 by default. */
const MAX_CASSETTES = 500;

/** All of them or none. */
function openAll(files: readonly string[]): readonly Cassette[] {
  if (files.length === 0) throw new BridgetapeError('cassette-not-found', 'No cassette was named.', 'Name one, several, or a folder that holds some.');
  if (files.length > MAX_CASSETTES) throw new BridgetapeError('bad-argument', `${files.length} cassettes are too many to be served at once: ${MAX_CASSETTES} can be.`, 'Name fewer of them, or a smaller folder.');
  const opened: Cassette[] = [];
  try {
    for (const file of files) opened.push(Cassette.open(file));
    return opened;
  } catch (error) {
    for (const cassette of opened) cassette.close();
    throw error;
  }
}

function readScripts(cassettes: readonly Cassette[], { command, rules, recordAgain }: Pick<ReplayOptions, 'command' | 'rules' | 'recordAgain'>): readonly Script[] {
  return cassettes.map((cassette) => {
    const { path, header } = cassette;
    // Of several cassettes each holds a part of what the command does: each is made again as it was made.
    const origin = originOf(path, header, cassettes.length === 1 ? command : (header.command ?? command));
    const script = readScript(cassette, rules, recordAgain === undefined ? origin : { ...origin, reRecord: recordAgain });
    // Here rather than between a client's request and its answer.
    cassette.unpackAhead(UNPACKED_BYTES / cassettes.length);
    return script;
  });
}
