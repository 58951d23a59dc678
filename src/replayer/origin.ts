/** The cassette from which recorded calls come, and how to make it again. */
import { dirname } from 'node:path';

import type { CassetteHeader } from '../cassette/index.js';
import { DEFAULT_BUILDKIT_ADDRESS } from '../socket/index.js';

export interface Origin {
  /** The path under which it was opened. */
  readonly file: string;
  /** The command that would record it again; of a container frontend, that which prints what its builds have to go through. */
  readonly reRecord: string;
}

/** What a shell takes as one word without quotes. */
const PLAIN_WORD = /^[\w@%+=:,./-]+$/;

/**
 * @param file path of the cassette
 * @param command what is run now, when that is to be recorded rather than what was run then
 */
export function originOf(file: string, { upstream, frontend, command: recorded }: Pick<CassetteHeader, 'upstream' | 'command' | 'frontend'>, command = recorded): Origin {
  if (frontend !== undefined) return { file, reRecord: shellCommand(['bridgetape', 'runtime', '--dir', dirname(file)]) };
  const to = upstream === DEFAULT_BUILDKIT_ADDRESS ? [] : ['--to', upstream];
  return { file, reRecord: shellCommand(['bridgetape', 'record', '-o', file, '--force', ...to, ...(command === undefined ? [] : ['--', ...command])]) };
}

/** How the cassette is made again, behind what is wrong. */
export function adviceOf(origin: Origin | undefined): string {
  return origin === undefined ? '' : `; to record it: ${origin.reRecord}`;
}

/** Words as they can be pasted into a shell. */
export function shellCommand(words: readonly string[]): string {
  return words.map((word) => (PLAIN_WORD.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`)).join(' ');
}
