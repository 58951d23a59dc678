/** What records one frontend's run: its cassette's name, what the cassette says of it, and how it is closed. */
import { constants } from 'node:os';
import { join } from 'node:path';

import { recordStdio } from '../recorder/index.js';
import type { FrontendBundle } from './bundle.js';
import type { RunExit, RunRecorder } from './frontend-process.js';
import { readMetadata } from './metadata-files.js';

/** How runc says that the frontend was killed, which is how BuildKit ends one whose build is cancelled. */
const KILLED = 128 + constants.signals.SIGKILL;

/**
 * @param folder where the cassette goes
 * @param say told, once or more, what is not recorded
 * @throws BridgetapeError `cassette-not-writable`, `bad-argument`
 */
export async function recordFrontend(folder: string, { run, metadata, session, buildkitVersion }: FrontendBundle, say: (reason: unknown) => void): Promise<RunRecorder> {
  const startedAt = new Date();
  const { files, leftOut } = metadata === undefined ? { files: [], leftOut: [] } : readMetadata(metadata.path, metadata.source);
  if (leftOut.length > 0) say(`of ${metadata?.path} it does not hold ${leftOut.join(', ')}`);
  const recording = await recordStdio({
    output: (namesakes) => join(folder, cassetteName(startedAt, session, namesakes)),
    startedAt,
    frontend: { ...run, files },
    buildkitVersion,
    onLoss: (error) => say(`cannot write to ${folder} any more: ${error.message}`),
  });
  return {
    tap: recording.tap,
    end: async (exit) => {
      recording.tap.close('client', process.hrtime.bigint());
      // A build that is cancelled in the middle of its calls has no end that could be played again.
      if (wasKilled(exit)) await recording.leave();
      else await recording.close(exit);
    },
  };
}

function wasKilled(exit: RunExit): boolean {
  return 'signal' in exit || exit.status === KILLED;
}

/** So many characters of a session's name: BuildKit's have 25. */
const MAX_SESSION = 64;

/** `2026-11-24T10-52-15.123Z-SESSION.cassette`: sorted by name they are sorted by time, and a build's stand together. */
export function cassetteName(startedAt: Date, session: string, namesakes: number): string {
  const time = startedAt.toISOString().replaceAll(':', '-');
  const build = session.replace(/[^\w-]/g, '_').slice(0, MAX_SESSION);
  return `${[time, ...(build === '' ? [] : [build])].join('-')}${namesakes === 0 ? '' : `-${namesakes + 1}`}.cassette`;
}
