/** One side of a comparison: the command, run against one daemon so many times, and each run recorded. */
import { join } from 'node:path';

import { BridgetapeError } from '../errors.js';
import { duration, plural } from '../quantity.js';
import { record } from '../recorder/index.js';
import { formatAddress, temporaryAddress, type Address, type TlsClientOptions } from '../socket/index.js';
import type { DaemonSpec } from './daemon-spec.js';
import { startOwnDaemon } from './own-daemon.js';
import { runQuietly } from './quiet-command.js';

/** A run of the command, recorded. */
export interface Run {
  readonly cassette: string;
  readonly status: number;
  readonly output: string;
}

export interface Side {
  readonly name: string;
  /** At least one. */
  readonly runs: readonly [Run, ...Run[]];
}

export interface SideOptions {
  readonly command: readonly string[];
  readonly times: number;
  /** Where the cassettes go. */
  readonly folder: string;
  readonly force: boolean;
  /** buildkitd.toml for a daemon that is started. */
  readonly config?: string | undefined;
  /** Where the log of a daemon is kept that does not come up. */
  readonly keepLogs: string;
  /** Aborted with the name of a signal. */
  readonly signal: AbortSignal;
  /** A line on how it goes. */
  readonly say: (line: string) => void;
  /** Each line that the command prints. */
  readonly onLine?: ((line: string) => void) | undefined;
}

/** `old.cassette`, `old-2.cassette`, … */
export function cassetteNames(name: string, times: number): readonly string[] {
  return Array.from({ length: times }, (_, index) => `${name}${index === 0 ? '' : `-${index + 1}`}.cassette`);
}

/**
 * A daemon that is started is a new one for each run, so that none finds what another has left in its cache.
 *
 * @throws BridgetapeError also `nothing-recorded` when the command did not talk to the daemon
 */
export async function runSide(spec: DaemonSpec, options: SideOptions): Promise<Side> {
  const runs: Run[] = [];
  for (const [index, file] of cassetteNames(spec.name, options.times).entries()) {
    const label = options.times === 1 ? spec.name : `${spec.name}, run ${index + 1} of ${options.times}`;
    runs.push(await runOnce(spec, join(options.folder, file), label, options));
  }
  const [first, ...rest] = runs;
  if (first === undefined) throw new Error('a side has at least one run');
  return { name: spec.name, runs: [first, ...rest] };
}

async function runOnce(spec: DaemonSpec, cassette: string, label: string, options: SideOptions): Promise<Run> {
  if (spec.kind === 'running') return await recorded(spec.address, spec.tls, cassette, label, options);
  const daemon = await startOwnDaemon({ program: spec.path, config: options.config, keepLogs: options.keepLogs, signal: options.signal });
  try {
    return await recorded(daemon.address, {}, cassette, label, options);
  } finally {
    await daemon.stop();
  }
}

async function recorded(upstream: Address, tls: TlsClientOptions, output: string, label: string, { command, force, signal, say, onLine }: SideOptions): Promise<Run> {
  signal.throwIfAborted();
  const front = temporaryAddress();
  let failure: BridgetapeError | undefined;
  try {
    const started = process.hrtime.bigint();
    const recording = await record({ output, listen: front.address, upstream, upstreamTls: tls, command, force, onUpstreamError: (error) => (failure ??= error), onHelperLine: (line) => say(`${label}: ${line}`) });
    const run = await runQuietly(command, { env: { BUILDKIT_HOST: recording.address }, signal, onLine }).catch(async (error: unknown) => {
      await recording.close();
      throw error;
    });
    const { calls, loss } = await recording.close();
    signal.throwIfAborted();
    if (loss !== undefined) throw new BridgetapeError('cassette-not-writable', `${output} could not be written to its end: ${loss.error.message}.`, 'Make room, or name another folder with --keep.', { cause: loss.error });
    if (calls === 0) throw nothing(label, upstream, failure, { command, ...run });
    say(`${label}: ${plural(calls, 'call')}, ${duration(process.hrtime.bigint() - started)}${run.status === 0 ? '' : `, and ${command[0] ?? ''} ended with status ${run.status}`}`);
    return { cassette: output, ...run };
  } finally {
    front.remove();
  }
}

function nothing(label: string, upstream: Address, failure: BridgetapeError | undefined, { command, status, output }: { readonly command: readonly string[]; readonly status: number; readonly output: string }): BridgetapeError {
  if (failure !== undefined) return new BridgetapeError('nothing-recorded', `Nothing was recorded of ${label}: ${failure.what}`, failure.hint, { cause: failure });
  const printed = output.trim() === '' ? '' : ` It printed:\n${output.trimEnd()}`;
  return new BridgetapeError('nothing-recorded', `Nothing was recorded of ${label}: ${command[0] ?? ''} ended with status ${status} and made no call to ${formatAddress(upstream)}.${printed}`, 'What stands after -- has to be a client that reads BUILDKIT_HOST, such as buildctl.');
}
