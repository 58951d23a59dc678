import { findProgram, runCommand } from '../command/index.js';
import { record } from '../recorder/index.js';
import { DEFAULT_BUILDKIT_ADDRESS, parseAddress, temporaryAddress } from '../socket/index.js';
import type { CommandModule } from './command-module.js';
import { plural, size } from '../quantity.js';
import { EXIT, say, untilSignal } from './terminal.js';

interface RecordArguments {
  readonly output: string;
  readonly to: string;
  readonly listen: string | undefined;
  readonly force: boolean;
  readonly bodies: readonly string[];
  readonly 'no-bodies': readonly string[];
  readonly 'no-command': boolean;
}

const command: CommandModule<RecordArguments> = {
  options: (parser) =>
    parser
      .usage(
        'Usage: $0 record -o FILE [options] [-- CMD...]\n\n' +
          'Runs CMD with BUILDKIT_HOST set to a proxy in front of BuildKit, and writes all that crosses to FILE. ' +
          'Without CMD, records until SIGINT or SIGTERM.',
      )
      .option('output', { alias: 'o', type: 'string', demandOption: true, requiresArg: true, describe: 'The cassette to write, by custom *.cassette' })
      .option('to', {
        type: 'string',
        requiresArg: true,
        default: process.env['BUILDKIT_HOST'] ?? DEFAULT_BUILDKIT_ADDRESS,
        defaultDescription: `$BUILDKIT_HOST, else ${DEFAULT_BUILDKIT_ADDRESS}`,
        describe: 'Where BuildKit is: unix:// or tcp://',
      })
      .option('listen', { type: 'string', requiresArg: true, describe: 'Where clients connect [default: a new unix socket]' })
      .option('force', { type: 'boolean', default: false, describe: 'Replace FILE if it exists' })
      .option('bodies', { type: 'string', array: true, requiresArg: true, default: [], describe: 'Keep the message bodies of these methods (/package.Service/Method, * for any run)' })
      .option('no-bodies', { type: 'string', array: true, requiresArg: true, default: [], describe: 'Leave out the message bodies of these methods' })
      .option('no-command', { type: 'boolean', default: false, describe: "Leave CMD out of the cassette's header" })
      .example('$0 record -o build.cassette -- buildctl build --frontend dockerfile.v0 --local context=. --local dockerfile=.', '')
      .epilogue(
        "Exit status: CMD's own when it is not 0; 3 when something that crossed could not be written; 2 when nothing could be recorded; 127 when CMD is not found.",
      ),
  run: async (args, cmd) => {
    if (cmd !== undefined) findProgram(cmd[0] ?? '');
    const temporary = args.listen === undefined ? temporaryAddress() : undefined;
    try {
      const recording = await record({
        output: args.output,
        listen: temporary?.address ?? parseAddress(args.listen ?? ''),
        upstream: parseAddress(args.to),
        force: args.force,
        bodies: args.bodies,
        noBodies: args['no-bodies'],
        onUpstreamError: (error) => say(`bridgetape: ${error.message}`),
        onLoss: (error) => say(`bridgetape: cannot write ${args.output} any more: ${error.message}. The build goes on; what crosses from here on is lost.`),
        ...(cmd === undefined || args['no-command'] ? {} : { command: cmd }),
      });
      let status = EXIT.ok as number;
      try {
        if (cmd === undefined) {
          // Listens for signals first: who reads the line may answer it with one.
          const signal = untilSignal();
          say(`bridgetape: listening on ${recording.address}, recording to ${args.output}`);
          await signal;
        } else {
          status = await runCommand(cmd, { BUILDKIT_HOST: recording.address });
        }
      } finally {
        const summary = await recording.close();
        say(`bridgetape: ${args.output}: ${plural(summary.calls, 'call')} on ${plural(summary.connections, 'connection')}, ${size(summary.bytes)}`);
        if (summary.loss !== undefined) {
          say(`bridgetape: ${plural(summary.loss.events, 'event')} (${size(summary.loss.bytes)}) could not be written: ${summary.loss.error.message}`);
          if (status === EXIT.ok) status = EXIT.incomplete;
        }
      }
      return status;
    } finally {
      temporary?.remove();
    }
  },
};

export default command;
