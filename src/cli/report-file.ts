/** The file that a report goes to. It is opened before anything is run, so that what is wrong with it is known then. */
import { closeSync, openSync, writeFileSync } from 'node:fs';

import { Cassette } from '../cassette/index.js';
import { BridgetapeError } from '../errors.js';
import type { ErrorReport, RecordingReport, ReplayReport } from '../replayer/index.js';

export interface ReportFile {
  /** Writes the report and closes the file. */
  write(report: ReplayReport | RecordingReport | ErrorReport): void;
}

/** @throws BridgetapeError `bad-argument` for a file that cannot be written, or is a cassette */
export function openReport(path: string): ReportFile {
  if (isCassette(path)) throw new BridgetapeError('bad-argument', `--report ${path} names a cassette, and would replace it.`, 'Name another file for the report.');
  let file: number;
  try {
    file = openSync(path, 'w', 0o666);
  } catch (error) {
    throw unwritable(path, error, 'Name a file in a folder that exists and that you may write to.');
  }
  return {
    write: (report) => {
      try {
        writeFileSync(file, `${JSON.stringify(report, undefined, 2)}\n`);
      } catch (error) {
        throw unwritable(path, error, 'Make room for it, or name another file.');
      } finally {
        closeSync(file);
      }
    },
  };
}

function unwritable(path: string, cause: unknown, hint: string): BridgetapeError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new BridgetapeError('bad-argument', `Cannot write the report to ${path}: ${why}.`, hint, { cause });
}

function isCassette(path: string): boolean {
  try {
    Cassette.open(path).close();
    return true;
  } catch (error) {
    // Whatever begins as one counts, readable or not.
    return error instanceof BridgetapeError && (error.code === 'cassette-damaged' || error.code === 'cassette-version');
  }
}
