/**
 * A recording that takes its place only when it went well: until then it stands beside that, under a name that nothing
 * takes for a cassette. So what is replayed next time was recorded whole, however this time ends.
 */
import { existsSync, mkdirSync, realpathSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

import { BridgetapeError } from '../errors.js';
import { record, type Recording, type RecordingSummary, type RecordOptions } from '../recorder/index.js';

/** Behind the name of a cassette: one that is being recorded, or was and is not to be used. */
const NEW_SUFFIX = '.new';

export interface FreshRecording extends Omit<Recording, 'takePlace' | 'close' | 'discard'> {
  /**
   * Ends the connections, closes the cassette, and puts it in its place when it is to be used: something crossed, nothing
   * was lost, and the daemon was there all the time.
   *
   * @param failure why it is not to be used for another reason, in words
   * @throws BridgetapeError `cassette-not-writable` when it cannot be put there
   */
  close(failure?: string): Promise<FreshSummary>;
}

export interface FreshSummary extends RecordingSummary {
  /** Where it stands; undefined when nothing crossed: then there is none. */
  readonly file: string | undefined;
  /** Why it is not in its place, in words; undefined when it is. */
  readonly rejected: string | undefined;
}

/**
 * @param file where the cassette is to stand; a missing folder is made
 * @throws BridgetapeError as `record` does; `cassette-exists` also when another process is recording it
 */
export async function recordFresh(file: string, options: Omit<RecordOptions, 'output' | 'force'>): Promise<FreshRecording> {
  const target = existsSync(file) ? realpathSync(file) : file;
  const beside = `${target}${NEW_SUFFIX}`;
  const folder = makeFolder(dirname(target));
  let lost: string | undefined;
  const recording = await record({
    ...options,
    output: beside,
    // Who is still recording it is not disturbed by that.
    force: true,
    onUpstreamError: (error) => {
      lost ??= error.what;
      options.onUpstreamError?.(error);
    },
  }).catch((error: unknown) => {
    folder.remove();
    throw error;
  });
  const finish = async (failure: string | undefined): Promise<FreshSummary> => {
    const summary = await recording.close();
    const rejected = failure ?? (options.signal?.aborted === true ? 'the recording was aborted' : (lossOf(summary) ?? lost?.replace(/\.$/, '')));
    if (summary.calls === 0) {
      rmSync(summary.path, { force: true });
      folder.remove();
      return { ...summary, file: undefined, rejected: rejected ?? 'nothing was asked of BuildKit' };
    }
    if (rejected !== undefined) return { ...summary, file: summary.path, rejected };
    place(summary.path, target);
    return { ...summary, file, rejected };
  };
  let closed: Promise<FreshSummary> | undefined;
  return { address: recording.address, reach: recording.reach, dockerAddress: recording.dockerAddress, close: (failure) => (closed ??= finish(failure)) };
}

function lossOf({ loss }: RecordingSummary): string | undefined {
  return loss === undefined ? undefined : `it is not whole: ${loss.error.message}`;
}

/** @returns what removes again what was made, as far as nothing is in it */
function makeFolder(folder: string): { readonly remove: () => void } {
  try {
    const first = mkdirSync(folder, { recursive: true });
    return {
      remove: () => {
        if (first !== undefined) removeEmpty(resolve(folder), resolve(first));
      },
    };
  } catch (error) {
    throw new BridgetapeError('cassette-not-writable', `Cannot make the folder ${folder} for a cassette: ${reasonOf(error)}.`, 'Name a file in a folder that you may write to.', { cause: error });
  }
}

/** The folder, and those around it up to the first that was made. */
function removeEmpty(folder: string, first: string): void {
  try {
    for (let each = folder; each.length >= first.length; each = dirname(each)) rmdirSync(each);
  } catch {
    // Somebody has put something there.
  }
}

function place(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    throw new BridgetapeError('cassette-not-writable', `Cannot put the recording at ${to}: ${reasonOf(error)}. It is at ${from}.`, 'Move it there by hand.', { cause: error });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
