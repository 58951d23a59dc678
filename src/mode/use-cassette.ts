/** A cassette as a test uses it: replayed, or recorded where that is asked for. */
import type { RecordOptions } from '../recorder/index.js';
import { replay, type Replay, type ReplayOptions } from '../replayer/index.js';
import { DEFAULT_BUILDKIT_ADDRESS, parseAddress, temporaryAddress, type Address } from '../socket/index.js';
import { recordFresh, type FreshSummary } from './fresh-recording.js';
import { modeOfEnvironment, planFor, type Mode } from './mode.js';

/** What both are told. */
type Shared = 'listen' | 'signal' | 'onRequest';

export interface UseCassetteOptions extends Pick<ReplayOptions, 'listen' | 'signal'>, Pick<RecordOptions, 'onRequest'> {
  /** Path of the cassette. Several, and folders, can only be replayed. */
  readonly file: string | readonly string[];
  /** Left out: what `BRIDGETAPE_MODE` says, else `none`. */
  readonly mode?: Mode | undefined;
  /** Whether `all` may record where `CI` is set; else that is an error. `once` never records there. */
  readonly recordInCi?: boolean | undefined;
  /** Where BuildKit is, for a recording; left out: `BUILDKIT_HOST`, else where buildkitd listens by default. */
  readonly upstream?: Address | undefined;
  /** What else a replay is told. */
  readonly replay?: Omit<ReplayOptions, 'file' | Shared>;
  /** What else a recording is told. */
  readonly record?: Omit<RecordOptions, 'output' | 'force' | 'upstream' | Shared>;
}

/** What a cassette is being used for. */
export type CassetteUse = CassetteInReplay | CassetteInRecording;

interface Addresses {
  /** The address to give to clients, as for BUILDKIT_HOST. */
  readonly address: string;
  /** The same for DOCKER_HOST, where there is one. */
  readonly dockerAddress: string | undefined;
}

export interface CassetteInReplay extends Addresses {
  readonly kind: 'replay';
  readonly replay: Replay;
  /** Ends it. */
  close(): Promise<void>;
}

export interface CassetteInRecording extends Addresses {
  readonly kind: 'record';
  /**
   * Ends it, and puts the cassette in its place when something crossed and nothing was lost.
   *
   * @param failure why it is not to be used all the same, in words, such as that the test failed
   */
  close(failure?: string): Promise<FreshSummary>;
}

/**
 * Serves a cassette, or records it: as `mode` and `BRIDGETAPE_MODE` have it. Nothing is recorded by surprise: the default is
 * `none`, everywhere, and in CI even a mode that records is refused unless `recordInCi` says otherwise.
 *
 * @example
 * ```ts
 * const use = await useCassette({ file: 'tests/build.cassette' });
 * // … run a client with BUILDKIT_HOST = use.address …
 * await use.close();
 * if (use.kind === 'replay') console.log(use.replay.misses, use.replay.unused());
 * ```
 *
 * @throws BridgetapeError `bad-argument` for a mode that is none, or that can't record what is named; `recording-refused` in
 *   CI; and what `replay` and `record` throw
 */
export async function useCassette(options: UseCassetteOptions): Promise<CassetteUse> {
  const { file, listen, signal, onRequest, recordInCi = false, mode = modeOfEnvironment(process.env) } = options;
  const files = typeof file === 'string' ? [file] : file;
  if (planFor(files, { mode, recordsInCi: recordInCi }, process.env) === 'replay') {
    const replaying = await replay({ ...options.replay, file: files, signal, ...(listen === undefined ? {} : { listen }), ...(onRequest === undefined ? {} : { onRequest }) });
    return { kind: 'replay', address: replaying.address, dockerAddress: replaying.dockerAddress, replay: replaying, close: () => replaying.close() };
  }
  const front = listen === undefined ? temporaryAddress() : { address: listen, remove: (): void => undefined };
  try {
    const upstream = options.upstream ?? parseAddress(process.env['BUILDKIT_HOST'] || DEFAULT_BUILDKIT_ADDRESS);
    const recording = await recordFresh(files[0] ?? '', { ...options.record, listen: front.address, upstream, signal, onRequest });
    const close = (failure?: string): Promise<FreshSummary> => {
      signal?.removeEventListener('abort', abort);
      return recording.close(failure).finally(front.remove);
    };
    // Who closes it is told what became of it.
    const abort = (): void => void close().catch(() => undefined);
    signal?.addEventListener('abort', abort);
    return { kind: 'record', address: recording.address, dockerAddress: recording.dockerAddress, close };
  } catch (error) {
    front.remove();
    throw error;
  }
}
