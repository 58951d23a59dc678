/** A recording in place of a replay. A script of its own: a replay that only replays does not wait for it. */
import { BridgetapeError } from '../errors.js';
import { recordFresh, type ModeChoice } from '../mode/index.js';
import type { LISTEN_OPTIONS } from './listen-options.js';
import { describeRecording, recordingPlan, recordUntilEnd } from './recording.js';
import type { RECORDING_OPTIONS } from './recording-options.js';
import type { OptionValues } from './synopsis.js';
import { EXIT, say } from './terminal.js';

/** What a replay is told that a recording can't heed. */
interface ReplayOnly {
  readonly fault: readonly string[];
}

/** What became of a cassette that was to be recorded. */
export interface Recorded {
  readonly status: number;
  /** Why it is not in its place. */
  readonly rejected: string | undefined;
}

/** Records a cassette anew, and says so. */
export async function recordAnew(
  file: string,
  values: OptionValues<typeof RECORDING_OPTIONS & typeof LISTEN_OPTIONS> & ReplayOnly,
  { mode }: ModeChoice,
  command: readonly string[] | undefined,
): Promise<Recorded> {
  if (values.fault.length > 0) throw new BridgetapeError('bad-argument', `--fault ${values.fault[0] ?? ''} is for a replay, and the mode "${mode}" is to record ${file}.`, 'Record it without, and replay it with the fault then.');
  const plan = recordingPlan(values, command);
  say(`bridgetape: ${mode === 'once' ? `there is no ${file} yet: it is being recorded` : `${file} is being recorded anew`}, as the mode "${mode}" has it`);
  let rejected: string | undefined;
  const status = await recordUntilEnd(
    file,
    plan,
    async (options) => {
      const recording = await recordFresh(file, options);
      return { ...recording, close: (ended) => recording.close(failureOf(ended)) };
    },
    (summary) => {
      ({ rejected } = summary);
      if (rejected === undefined) {
        say(describeRecording(file, summary));
        return true;
      }
      say(`bridgetape: ${file} was not ${mode === 'once' ? 'made' : 'replaced'}: ${rejected}`);
      if (summary.file !== undefined) say(`bridgetape: what was recorded is in ${summary.file}; bridgetape show looks into it, and moved to ${file} it is replayed`);
      return false;
    },
  );
  return { status, rejected };
}

function failureOf(status: number | undefined): string | undefined {
  if (status === undefined) return 'the command could not be run';
  return status === EXIT.ok ? undefined : `the command ended with status ${status}`;
}
