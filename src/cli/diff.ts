import { Cassette } from '../cassette/index.js';
import { diffCassettes, isSame } from '../diff/index.js';
import { BridgetapeError } from '../errors.js';
import { defineCommand } from './command.js';
import { DIFF_OPTIONS, diffRequest, linesOf } from './diff-options.js';
import { print } from './output.js';
import { EXIT } from './terminal.js';

export const diffCommand = defineCommand(
  {
    name: 'diff',
    about: "Tells what the recording B has otherwise than A, in BuildKit's terms, and nothing that only differs from run to run.",
    operands: {
      a: { required: true, about: 'The first cassette' },
      b: { required: true, about: 'The second' },
    },
    options: DIFF_OPTIONS,
    runsCommand: false,
    examples: [
      { line: 'bridgetape diff old.cassette new.cassette' },
      { line: 'bridgetape diff old.cassette new.cassette --only requests,exec --stat' },
      { line: 'bridgetape diff old.cassette new.cassette --ignore env:BUILD_ID --markdown >comment.md' },
    ],
    notes: ['Exit status: 0 when they are the same, 1 when they differ, 2 when they could not be compared.'],
  },
  async ({ a, b, ...values }) => {
    const request = await diffRequest(values);
    using before = Cassette.open(a);
    using after = Cassette.open(b);
    const report = diffCassettes(before, after, request.options);
    // What is missing from the middle of a recording would be told as a difference; that it is missing is known once all was read.
    for (const cassette of [before, after]) refuseDamaged(cassette);
    return await print(linesOf(report, request, values.full), isSame(report) ? EXIT.ok : EXIT.different);
  },
);

function refuseDamaged({ path, state }: Cassette): void {
  if (state !== 'damaged') return;
  throw new BridgetapeError('cassette-damaged', `${path} is damaged, so that nobody can tell what differs from what was lost.`, `bridgetape verify ${path} says where. Restore it from a copy, or record it again.`);
}
