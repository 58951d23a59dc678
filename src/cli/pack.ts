import { constants } from 'node:os';

import { plural, size } from '../quantity.js';
import { pack, type Packed } from '../text/index.js';
import { defineCommand } from './command.js';
import { abortedBySignal, EXIT, say } from './terminal.js';

/** So many places are told apart; the rest is counted. */
const MAX_PLACES = 10;

export const packCommand = defineCommand(
  {
    name: 'pack',
    about: 'Makes a cassette of TEXT: a .yaml file or a folder that bridgetape unpack wrote, changed or not, or one that was written by hand.',
    operands: { text: { required: true, about: 'The file or folder to pack, or - for stdin' } },
    options: {
      output: { kind: 'text', short: 'o', value: 'FILE', required: true, about: 'The cassette to write, by custom *.cassette' },
      force: { kind: 'flag', about: 'Replace FILE if it exists' },
    },
    runsCommand: false,
    examples: [{ line: 'bridgetape pack build.yaml -o changed.cassette' }, { line: 'bridgetape pack build/ -o build.cassette --force' }],
    notes: [
      'docs/text-form.md says how a text is written. Digests of ops are worked out anew. Where something was changed that has its exact bytes beside it, the change counts, and is told.',
      'Exit status: 0; 2 when TEXT cannot be packed, with the line and the key of what is wrong. Then nothing was written.',
    ],
  },
  async ({ text, output, force }) => {
    const { signal, done } = abortedBySignal();
    try {
      tell(await pack(text, output, { force, signal }));
      return EXIT.ok;
    } catch (error) {
      if (!signal.aborted) throw error;
      say(`bridgetape: ended by ${String(signal.reason)}; nothing was written.`);
      return 128 + constants.signals[signal.reason as NodeJS.Signals];
    } finally {
      done();
    }
  },
);

function tell({ path, bytes, events, calls, state, stale }: Packed): void {
  say(`bridgetape: packed ${plural(calls, 'call')}, ${plural(events, 'event')}, to ${path}, ${size(bytes)}`);
  for (const { line, key } of stale.slice(0, MAX_PLACES)) say(`bridgetape: line ${line}: ${key} was not used, because what it stands beside says something else now.`);
  if (stale.length > MAX_PLACES) say(`bridgetape: and ${plural(stale.length - MAX_PLACES, 'more such place')}`);
  if (state === 'interrupted') say('bridgetape: the text says that the recording was interrupted, and so is the cassette.');
  if (state === 'damaged') say('bridgetape: the text is of a damaged cassette: what could not be read is a gap in this one.');
}
