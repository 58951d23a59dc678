import { Cassette } from '../cassette/index.js';
import { BridgetapeError } from '../errors.js';
import { explanationJson, showExplanation } from '../view/index.js';
import { colorsFor } from './colors.js';
import { defineCommand } from './command.js';
import { callNumber } from './numbers.js';
import { outputWidth, print } from './output.js';
import { CONFIG_OPTION, rulesFrom } from './rules.js';
import { say } from './terminal.js';

export const explainCommand = defineCommand(
  {
    name: 'explain',
    about: "Shows what a replay compares of a call's request: its canonical form, what only describes it, and what each rule took out.",
    operands: {
      file: { required: true, about: 'The cassette' },
      call: { required: true, about: 'The number of a call, as bridgetape show has it' },
    },
    options: {
      config: CONFIG_OPTION,
      full: { kind: 'flag', about: 'Cut nothing, however long it is' },
      json: { kind: 'flag', about: 'For programs: an object per message of the client' },
    },
    runsCommand: false,
    examples: [{ line: 'bridgetape explain build.cassette 7', about: 'what decides about call 7' }],
    notes: ['Two requests of a method are the same when their deciding lines are. docs/rules.md has the rules, and how bridgetape.yaml adds to them.'],
  },
  async ({ file, call, config, full, json }) => {
    const number = callNumber(call);
    const rules = await rulesFrom(config);
    using cassette = Cassette.open(file);
    const events = cassette.call(number);
    const summary = cassette.calls.find(({ id }) => id === number);
    if (summary === undefined) throw new BridgetapeError('call-not-found', `${file} has no call ${number}.`, `bridgetape show ${file} lists its calls.`);
    const status = await print(json ? explanationJson(summary, events, rules) : showExplanation(summary, events, rules, { width: outputWidth(), painter: colorsFor(process.stdout), full }));
    if (cassette.state !== 'whole') say(`bridgetape: ${file} is ${cassette.state}: bridgetape verify says where.`);
    return status;
  },
);
