import { RETURN } from '../bridge/index.js';
import { BridgetapeError } from '../errors.js';
import { runFrontend } from '../frontend/index.js';
import { DEFAULT_STALL_MS, describeReannotations, missLines } from '../replayer/index.js';
import { colorsFor } from './colors.js';
import { defineCommand } from './command.js';
import { nonNegative } from './numbers.js';
import { CONFIG_OPTION, rulesFrom } from './rules.js';
import { EXIT, say } from './terminal.js';

export const runCommand = defineCommand(
  {
    name: 'run',
    about: 'Runs the frontend CMD on this machine as buildkitd ran the one that is recorded in CASSETTE: with its environment, and its stdin and stdout served from that. No daemon, no container, no network.',
    operands: { cassette: { required: true, about: 'What was recorded of a frontend' } },
    options: {
      opt: { kind: 'list', value: 'KEY=VALUE', about: "An option of the build (buildctl's --opt), in place of the recorded one or beside them" },
      env: { kind: 'list', value: 'NAME=VALUE', about: 'A variable of the environment, in place of the recorded one or beside them' },
      context: { kind: 'text', value: 'DIR', about: 'Serve files of DIR in place of those that the recorded frontend read, such as an edited Dockerfile' },
      file: { kind: 'list', value: 'NAME', about: 'Only this file of DIR' },
      config: CONFIG_OPTION,
      exact: { kind: 'flag', about: 'What only describes a request (source lines, names on the screen) decides as well' },
      pace: { kind: 'text', value: 'N', about: 'Time between messages: 0 none, 1 as recorded, 2 twice as slow', default: '0' },
      stall: {
        kind: 'text',
        value: 'SECONDS',
        about: 'How long to wait for a message of the frontend before its call fails; 0 waits for ever',
        default: String(DEFAULT_STALL_MS / 1000),
      },
    },
    runsCommand: true,
    examples: [
      { line: 'bridgetape run frontend.cassette -- ./dockerfile-frontend' },
      { line: 'bridgetape run frontend.cassette --opt target=test -- ./dockerfile-frontend', about: 'as if built with --opt target=test' },
      { line: 'bridgetape run frontend.cassette --context . -- ./dockerfile-frontend', about: 'tries the Dockerfile that is here now' },
    ],
    notes: [
      'Exit status: 0 when the frontend ended as recorded (its exit status, what it returned) and everything it asked for was in CASSETTE; 1 when not, with what differs on stderr; 2 when it could not be run; 127 when CMD is not found.',
    ],
  },
  async (values, command) => {
    if (command === undefined) throw new BridgetapeError('bad-argument', 'run needs a frontend to run.', 'Write it behind --, such as: bridgetape run CASSETTE -- ./dockerfile-frontend');
    let hasMissed = false;
    const { differences, reannotations } = await runFrontend({
      file: values.cassette,
      command,
      options: pairs('--opt', values.opt),
      environment: pairs('--env', values.env),
      ...(values.context === undefined && values.file.length === 0 ? {} : { context: { folder: values.context ?? '.', files: values.file } }),
      rules: await rulesFrom(values.config, values.exact),
      pace: nonNegative('--pace', values.pace),
      stallMs: nonNegative('--stall', values.stall) * 1000,
      onMiss: (miss) => {
        // After another miss, what it returns is the error of that.
        if (miss.path !== RETURN || !hasMissed) missLines(miss, colorsFor(process.stderr)).forEach(say);
        hasMissed = true;
      },
      onLack: (text) => say(`bridgetape: ${text}`),
    });
    const told = describeReannotations(reannotations);
    if (told !== undefined) say(told);
    if (differences.length === 0) return EXIT.ok;
    say(`bridgetape: the frontend did not do as recorded: ${differences.join('; ')}`);
    return EXIT.differs;
  },
);

function pairs(flag: string, texts: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    texts.map((text) => {
      const at = text.indexOf('=');
      if (at < 1) throw new BridgetapeError('bad-argument', `${flag} got "${text}", which has no name and value.`, `Write it as ${flag} NAME=VALUE.`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}
