import { Cassette, verify } from '../cassette/index.js';
import { isComplete, showVerdict, verdictJson } from '../view/index.js';
import { colorsFor } from './colors.js';
import { defineCommand } from './command.js';
import { outputWidth, print } from './output.js';
import { EXIT } from './terminal.js';

export const verifyCommand = defineCommand(
  {
    name: 'verify',
    about: 'Reads all of the cassette FILE and says whether it is whole, interrupted, or damaged, where, and which calls that hits.',
    operands: { file: { required: true, about: 'The cassette to verify' } },
    options: { json: { kind: 'flag', about: 'For programs: one object' } },
    runsCommand: false,
    examples: [{ line: 'bridgetape verify build.cassette' }],
    notes: [
      'JSON: an object with kind "verdict": state (whole, interrupted, damaged), complete, counts, openCalls, damages and tail with their byte offsets, losses.',
      'Exit status: 0 when FILE is whole and complete; 1 when it is interrupted or damaged, or the recorder could not write everything; 2 when it is no cassette.',
    ],
  },
  async ({ file, json }) => {
    const report = verify(file);
    const verdict = { report, openCalls: report.state === 'whole' ? [] : openCalls(file) };
    const lines = json ? [verdictJson(verdict)] : showVerdict(verdict, { width: outputWidth(), painter: colorsFor(process.stdout) });
    return await print(lines, isComplete(report) ? EXIT.ok : EXIT.notWhole);
  },
);

function openCalls(file: string): number[] {
  using cassette = Cassette.open(file);
  return cassette.calls.filter(({ outcome }) => outcome.kind === 'open').map(({ id }) => id);
}
