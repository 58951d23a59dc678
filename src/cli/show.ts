import { Cassette } from '../cassette/index.js';
import { BridgetapeError } from '../errors.js';
import { eventsJson, showCall, showCassette, surveyCassette, surveyJson } from '../view/index.js';
import type { CommandModule } from './command-module.js';
import { outputColors, outputWidth, print } from './output.js';
import { say } from './terminal.js';

interface ShowArguments {
  readonly file: string;
  readonly call: string | undefined;
  readonly full: boolean;
  readonly json: boolean;
  readonly all: boolean;
}

const command: CommandModule<ShowArguments> = {
  options: (parser) =>
    parser
      .usage('Usage: $0 show FILE [CALL] [options]\n\nShows the calls of the cassette FILE as a table, or one call with every message decoded.')
      .positional('file', { type: 'string', demandOption: true, describe: 'The cassette to show' })
      .positional('call', { type: 'string', describe: 'The number of a call in the table' })
      .option('full', { type: 'boolean', default: false, describe: 'With CALL: cut nothing, however long it is' })
      .option('json', { type: 'boolean', default: false, describe: 'For programs: one object per line' })
      .option('all', { type: 'boolean', default: false, describe: 'With --json: every event of the cassette' })
      .example('$0 show build.cassette', 'the calls')
      .example('$0 show build.cassette 7 --full', 'call 7, whole')
      .example("$0 show build.cassette --json | jq 'select(.kind == \"call\")'", 'the calls, for a program')
      .epilogue(
        'JSON: an object with kind "cassette" and one with kind "call" for each call; with CALL or --all one for each event, ' +
          'its kind being client-header, client-message, client-half-close, server-header, server-message, server-trailer, reset, gap and, ' +
          'with --all, connection-open, connection-close, goaway. Messages have size, base64 and decoded, or leftOut; ' +
          'times (…Ns) are ns since the recording began.\n\n' +
          'Exit status: 0, also when FILE is interrupted or damaged (verify tells); 2 when it cannot be shown.',
      ),
  run: async ({ file, call, full, json, all }) => {
    if (all && (!json || call !== undefined)) {
      throw new BridgetapeError('bad-argument', call === undefined ? '--all goes with --json only.' : '--all goes without a call.', 'Write: bridgetape show FILE --json --all');
    }
    if (full && (json || call === undefined)) {
      throw new BridgetapeError('bad-argument', '--full goes with one call, as text.', json ? 'Leave --full out: JSON has every byte.' : 'Write: bridgetape show FILE CALL --full');
    }
    const number = call === undefined ? undefined : callNumber(call);
    using cassette = Cassette.open(file);
    const shape = { width: outputWidth(), painter: outputColors() };
    if (number === undefined && !all) {
      const survey = surveyCassette(cassette);
      return await print(json ? surveyJson(survey) : showCassette(survey, shape));
    }
    const events = number === undefined ? cassette.events() : cassette.call(number);
    const summary = cassette.calls.find(({ id }) => id === number);
    const status = await print(json || summary === undefined ? eventsJson(events, cassette.calls) : showCall(summary, [...events], { ...shape, full }));
    if (cassette.state !== 'whole') say(`bridgetape: ${file} is ${cassette.state}: bridgetape verify says where.`);
    return status;
  },
};

function callNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new BridgetapeError('bad-argument', `"${text}" is no call number.`, 'Name a call by its number in the table: bridgetape show FILE');
}

export default command;
