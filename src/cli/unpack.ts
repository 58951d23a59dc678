import { Cassette } from '../cassette/index.js';
import { BridgetapeError } from '../errors.js';
import { plural } from '../quantity.js';
import { cassetteLines, isTextFile, unpack } from '../text/index.js';
import { defineCommand } from './command.js';
import { print } from './output.js';
import { EXIT, say } from './terminal.js';

export const unpackCommand = defineCommand(
  {
    name: 'unpack',
    about: 'Writes the cassette FILE as text that can be read, edited, and packed again: YAML with every event, and messages decoded.',
    operands: { file: { required: true, about: 'The cassette to unpack' } },
    options: {
      output: { kind: 'text', short: 'o', value: 'DIR|FILE.yaml', about: 'One file, or a folder where larger payloads are files of their own', defaultAbout: 'stdout' },
      force: { kind: 'flag', about: 'Replace what was unpacked there before' },
    },
    runsCommand: false,
    examples: [
      { line: 'bridgetape unpack build.cassette -o build.yaml' },
      { line: 'bridgetape unpack build.cassette -o build/', about: 'large payloads as files' },
      { line: 'bridgetape pack build.yaml -o changed.cassette', about: 'a cassette again' },
    ],
    notes: [
      'docs/text-form.md says how the text is written. The same cassette gives the same text, and packing it gives equal events. It holds what the cassette holds, secrets among it.',
      'Exit status: 0, also when FILE is interrupted or damaged, which the text says; 2 when it cannot be unpacked.',
    ],
  },
  async ({ file, output, force }) => {
    if (output === undefined || output === '-') {
      if (force) throw new BridgetapeError('bad-argument', '--force goes with --output.', 'Write: bridgetape unpack FILE -o FILE.yaml --force');
      using cassette = Cassette.open(file);
      return await print(cassetteLines(cassette, () => undefined));
    }
    const { path, events, payloads, state } = unpack(file, output, { force });
    const beside = isTextFile(output) ? '' : `, ${plural(payloads, 'payload')} in files beside it`;
    say(`bridgetape: ${path} has the ${plural(events, 'event')} of ${file}${beside}. A cassette again: bridgetape pack ${output} -o NAME.cassette`);
    if (state !== 'whole') say(`bridgetape: ${file} is ${state}, and the text says so: it has what can be read.`);
    return EXIT.ok;
  },
);
