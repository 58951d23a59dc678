/** Whether a cassette is replayed or recorded: what was asked for, what is there, and whether this is CI. */
import { statSync } from 'node:fs';

import { Cassette } from '../cassette/index.js';
import { BridgetapeError } from '../errors.js';

/** With what each does, for helps. */
export const MODES = [
  { mode: 'none', about: 'Replay; what is not in the cassette is a miss' },
  { mode: 'once', about: 'Replay the cassette if it is there, else record it; in CI a missing one is an error' },
  { mode: 'all', about: 'Record anew; a cassette that is there is replaced when all went well' },
] as const;

/**
 * `none`: only replay; `once`: replay a cassette that is there, and record one that is not; `all`: record anew, and replace
 * what is there when the recording went well.
 */
export type Mode = (typeof MODES)[number]['mode'];

export const MODE_VARIABLE = 'BRIDGETAPE_MODE';

type Environment = Readonly<Record<string, string | undefined>>;

/** What was asked for, by whom. */
export interface ModeChoice {
  readonly mode: Mode;
  /** Whether a recording in CI is what was meant. A mode in a variable can be one that nobody thought of there. */
  readonly recordsInCi: boolean;
}

/**
 * @param flag what was written behind `--mode`, if it was: an order for this run
 * @throws BridgetapeError `bad-argument`
 */
export function modeFrom(flag: string | undefined, environment: Environment): ModeChoice {
  if (flag !== undefined) return { mode: parseMode(flag, '--mode'), recordsInCi: true };
  return { mode: modeOfEnvironment(environment), recordsInCi: false };
}

/** @throws BridgetapeError `bad-argument` */
export function modeOfEnvironment(environment: Environment): Mode {
  const variable = environment[MODE_VARIABLE];
  return variable === undefined || variable === '' ? 'none' : parseMode(variable, MODE_VARIABLE);
}

function parseMode(text: string, place: string): Mode {
  const mode = MODES.find((known) => known.mode === text)?.mode;
  if (mode === undefined) throw new BridgetapeError('bad-argument', `${place} got "${text}", which is no mode.`, `There is ${MODES.map((known) => known.mode).join(', ')}.`);
  return mode;
}

/** As CI services set it: `CI=true`, `CI=1`. */
export function isCi({ CI }: Environment): boolean {
  return CI !== undefined && !['', '0', 'false'].includes(CI.toLowerCase());
}

/**
 * What is to be done with a cassette.
 *
 * @param files what was named: one cassette, for a mode that records
 * @param how to record from here on purpose, as advice
 * @throws BridgetapeError `bad-argument`, `cassette-not-found`, `not-a-cassette`, `cassette-damaged`, `recording-refused`
 */
export function planFor(files: readonly string[], { mode, recordsInCi }: ModeChoice, environment: Environment, advice = ADVICE): 'replay' | 'record' {
  if (parseMode(mode, 'mode') === 'none') return 'replay';
  const [file = ''] = files;
  if (files.length !== 1) throw new BridgetapeError('bad-argument', `The mode "${mode}" can record one cassette, and ${files.length} are named.`, 'Name one, or replay them with the mode "none".');
  const there = statSync(file, { throwIfNoEntry: false });
  if (there?.isDirectory() === true) throw new BridgetapeError('bad-argument', `The mode "${mode}" can record one cassette, and ${file} is a folder.`, 'Name a file in it, or replay it with the mode "none".');
  const state = there === undefined ? undefined : stateOf(file);
  if (mode === 'once' && state !== undefined) {
    if (state === 'whole') return 'replay';
    throw new BridgetapeError('cassette-damaged', `${file} is ${state}, and the mode "once" neither replays half a cassette nor replaces it.`, 'Record it anew with the mode "all", or replay what there is of it with "none".');
  }
  if (!isCi(environment)) return 'record';
  if (mode === 'once') throw new BridgetapeError('cassette-not-found', `There is no cassette at ${file}, and the mode "once" records nothing in CI.`, advice);
  if (!recordsInCi) throw new BridgetapeError('recording-refused', `The mode "${mode}" would record ${file} in CI, where nothing is recorded unless that is what was meant.`, advice);
  return 'record';
}

const ADVICE = 'Record it where you work, with CI unset, and commit it; to record in CI, give --mode all on the command line (in code: recordInCi).';

/** @throws BridgetapeError `not-a-cassette` for what must not be replaced by one */
function stateOf(file: string): 'whole' | 'interrupted' | 'damaged' {
  try {
    using cassette = Cassette.open(file);
    return cassette.state;
  } catch (error) {
    // It begins as a cassette, and more than that can't be said of it.
    if (error instanceof BridgetapeError && (error.code === 'cassette-damaged' || error.code === 'cassette-version')) return 'damaged';
    throw error;
  }
}
