import { Cassette, verify } from '../cassette/index.js';
import { isComplete, showVerdict, verdictJson } from '../view/index.js';
import type { CommandModule } from './command-module.js';
import { outputColors, outputWidth, print } from './output.js';
import { EXIT } from './terminal.js';

interface VerifyArguments {
  readonly file: string;
  readonly json: boolean;
}

const command: CommandModule<VerifyArguments> = {
  options: (parser) =>
    parser
      .usage('Usage: $0 verify FILE [options]\n\nReads all of the cassette FILE and says whether it is whole, interrupted, or damaged, where, and which calls that hits.')
      .positional('file', { type: 'string', demandOption: true, describe: 'The cassette to verify' })
      .option('json', { type: 'boolean', default: false, describe: 'For programs: one object' })
      .epilogue(
        'JSON: an object with kind "verdict": state (whole, interrupted, damaged), complete, counts, openCalls, damages and tail with their byte offsets, losses.\n\n' +
          'Exit status: 0 when FILE is whole and complete; 1 when it is interrupted or damaged, or the recorder could not write everything; 2 when it is no cassette.',
      ),
  run: async ({ file, json }) => {
    const report = verify(file);
    const verdict = { report, openCalls: report.state === 'whole' ? [] : openCalls(file) };
    const lines = json ? [verdictJson(verdict)] : showVerdict(verdict, { width: outputWidth(), painter: outputColors() });
    return await print(lines, isComplete(report) ? EXIT.ok : EXIT.notWhole);
  },
};

function openCalls(file: string): number[] {
  using cassette = Cassette.open(file);
  return cassette.calls.filter(({ outcome }) => outcome.kind === 'open').map(({ id }) => id);
}

export default command;
