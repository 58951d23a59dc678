import { findProgram, runCommand } from '../command/index.js';
import { BridgetapeError } from '../errors.js';
import { DEFAULT_STALL_MS, replay } from '../replayer/index.js';
import { parseAddress } from '../socket/index.js';
import type { CommandModule } from './command-module.js';
import { plural } from '../quantity.js';
import { EXIT, say, untilSignal } from './terminal.js';

interface ReplayArguments {
  readonly file: string;
  readonly listen: string | undefined;
  readonly pace: string;
  readonly stall: string;
}

const command: CommandModule<ReplayArguments> = {
  options: (parser) =>
    parser
      .usage(
        'Usage: $0 replay FILE [options] [-- CMD...]\n\n' +
          'Serves the cassette FILE where BuildKit would be, and runs CMD with BUILDKIT_HOST set to it. ' +
          'Without CMD, serves until SIGINT or SIGTERM.',
      )
      .positional('file', { type: 'string', demandOption: true, describe: 'The cassette to serve' })
      .option('listen', { type: 'string', requiresArg: true, describe: 'Where clients connect [default: a new unix socket, or a loopback port for clients of v0.8]' })
      .option('pace', { type: 'string', requiresArg: true, default: '0', describe: 'Time between messages: 0 none, 1 as recorded, 2 twice as slow' })
      .option('stall', {
        type: 'string',
        requiresArg: true,
        default: String(DEFAULT_STALL_MS / 1000),
        describe: 'Seconds to wait for a message of the client before its call fails; 0 waits for ever',
      })
      .example('$0 replay build.cassette -- buildctl build --frontend dockerfile.v0 --local context=. --local dockerfile=.', '')
      .epilogue("Exit status: CMD's own when it is not 0; 3 when the cassette could not answer everything; 2 when it could not be served; 127 when CMD is not found."),
  run: async (args, cmd) => {
    const pace = nonNegative('--pace', args.pace);
    const stallMs = nonNegative('--stall', args.stall) * 1000;
    if (cmd !== undefined) findProgram(cmd[0] ?? '');
    const replaying = await replay({
      file: args.file,
      ...(args.listen === undefined ? {} : { listen: parseAddress(args.listen) }),
      pace,
      stallMs,
      onMiss: ({ text }) => say(text),
    });
    try {
      if (cmd === undefined) {
        // Listens for signals first: who reads the line may answer it with one.
        const signal = untilSignal();
        say(`bridgetape: listening on ${replaying.address}, serving ${args.file}`);
        await signal;
        return replaying.misses.length === 0 ? EXIT.ok : EXIT.incomplete;
      }
      const status = await runCommand(cmd, { BUILDKIT_HOST: replaying.address });
      if (status !== EXIT.ok || replaying.misses.length === 0) return status;
      say(`bridgetape: the command succeeded, but ${plural(replaying.misses.length, 'request')} had no answer in ${args.file}`);
      return EXIT.incomplete;
    } finally {
      await replaying.close();
    }
  },
};

function nonNegative(flag: string, text: string): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (!Number.isFinite(value) || value < 0) {
    throw new BridgetapeError('bad-argument', `${flag} got "${text}", which is no number from 0 on.`, `Write it as ${flag} 1 or ${flag} 0.5.`);
  }
  return value;
}

export default command;
