import { Cassette } from '../cassette/index.js';
import { BridgetapeError } from '../errors.js';
import { eventsJson, showCall, showCassette, surveyCassette, surveyJson } from '../view/index.js';
import { colorsFor } from './colors.js';
import { defineCommand } from './command.js';
import { callNumber } from './numbers.js';
import { outputWidth, print } from './output.js';
import { say } from './terminal.js';

export const showCommand = defineCommand(
  {
    name: 'show',
    about: 'Shows the calls of the cassette FILE as a table, or one call with every message decoded.',
    operands: {
      file: { required: true, about: 'The cassette to show' },
      call: { about: 'The number of a call in the table' },
    },
    options: {
      full: { kind: 'flag', about: 'With CALL: cut nothing, however long it is' },
      json: { kind: 'flag', about: 'For programs: one object per line' },
      all: { kind: 'flag', about: 'With --json: every event of the cassette' },
    },
    runsCommand: false,
    examples: [
      { line: 'bridgetape show build.cassette', about: 'the calls' },
      { line: 'bridgetape show build.cassette 7 --full', about: 'call 7, whole' },
      { line: "bridgetape show build.cassette --json | jq 'select(.kind == \"call\")'", about: 'the calls, for a program' },
    ],
    notes: [
      'JSON: an object with kind "cassette" and one with kind "call" for each call; with CALL or --all one for each event, ' +
        'its kind being client-header, client-message, client-half-close, server-header, server-message, server-trailer, reset, gap and, ' +
        'with --all, connection-open, connection-close, goaway. Messages have size, base64 and decoded, or leftOut; ' +
        'times (…Ns) are ns since the recording began.',
      'Exit status: 0, also when FILE is interrupted or damaged (verify tells); 2 when it cannot be shown.',
    ],
  },
  async ({ file, call, full, json, all }) => {
    if (all && (!json || call !== undefined)) {
      throw new BridgetapeError('bad-argument', call === undefined ? '--all goes with --json only.' : '--all goes without a call.', 'Write: bridgetape show FILE --json --all');
    }
    if (full && (json || call === undefined)) {
      throw new BridgetapeError('bad-argument', '--full goes with one call, as text.', json ? 'Leave --full out: JSON has every byte.' : 'Write: bridgetape show FILE CALL --full');
    }
    const number = call === undefined ? undefined : callNumber(call);
    using cassette = Cassette.open(file);
    const shape = { width: outputWidth(), painter: colorsFor(process.stdout) };
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
);
