#!/usr/bin/env node
/** The front door: names the commands, and turns errors into a line and an exit status. */
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';

import { BridgetapeError } from '../errors.js';
import { version } from '../version.js';
import { EXIT, say } from './terminal.js';
import type { CommandModule } from './command-module.js';

/** Each command's module is loaded only when it is the one: a replay must not wait for what it does not use. */
const COMMANDS: readonly Entry[] = [
  { name: 'record', command: 'record', summary: 'Record what crosses between clients and BuildKit', load: async () => (await import('./record.js')).default },
  { name: 'replay', command: 'replay <file>', summary: 'Serve a cassette in place of BuildKit', load: async () => (await import('./replay.js')).default },
  { name: 'show', command: 'show <file> [call]', summary: 'Show the calls of a cassette, or one call whole', load: async () => (await import('./show.js')).default },
  { name: 'verify', command: 'verify <file>', summary: 'Check a cassette: whole, interrupted, or damaged where', load: async () => (await import('./verify.js')).default },
];

interface Entry {
  readonly name: string;
  /** With its positional arguments, as yargs reads them. */
  readonly command: string;
  readonly summary: string;
  load(): Promise<CommandModule>;
}

async function main(argv: readonly string[]): Promise<number> {
  // What stands after -- is the user's command: not a word of it is ours to read.
  const dashes = argv.indexOf('--');
  const own = dashes === -1 ? argv : argv.slice(0, dashes);
  const command = dashes === -1 ? undefined : argv.slice(dashes + 1);
  const wanted = COMMANDS.find(({ name }) => name === own.find((word) => !word.startsWith('-')));
  const parser = yargs([...own])
    .scriptName('bridgetape')
    .usage('Record and replay the gRPC traffic between BuildKit frontends and buildkitd.\n\nUsage: $0 <command>')
    .parserConfiguration({ 'boolean-negation': false, 'duplicate-arguments-array': false, 'parse-numbers': false, 'parse-positional-numbers': false })
    .version(version)
    .option('debug', { type: 'boolean', describe: 'Print stack traces', default: false })
    .help()
    .alias('h', 'help')
    .wrap(Math.min(process.stdout.columns || 80, 100))
    .strict()
    .exitProcess(false)
    .fail((message: string, error: Error | undefined) => {
      throw error ?? new BridgetapeError('bad-argument', `${message}.`, `bridgetape ${wanted === undefined ? '' : `${wanted.name} `}--help lists what it takes.`);
    });
  let run = (): Promise<number> => Promise.resolve(EXIT.ok);
  for (const entry of COMMANDS) {
    if (wanted === entry) {
      const module = await entry.load();
      // The command runs when yargs is done: with a handler that takes its time, yargs lays out its help first, 20 ms.
      parser.command(
        entry.command,
        entry.summary,
        (builder) => module.options(builder),
        (args) => {
          run = () => module.run(args, command);
        },
      );
    } else {
      parser.command(entry.command, entry.summary);
    }
  }
  parser.demandCommand(1, 'No command was given');
  await parser.parseAsync();
  return run();
}

try {
  process.exitCode = await main(hideBin(process.argv));
} catch (error) {
  const debug = process.argv.includes('--debug');
  if (error instanceof BridgetapeError) {
    say(`bridgetape: ${debug ? (error.stack ?? error.message) : error.message}`);
    process.exitCode = error.code === 'command-not-found' ? EXIT.commandNotFound : EXIT.trouble;
  } else {
    const reason = error instanceof Error ? error : new Error(String(error));
    say(`bridgetape: internal error: ${debug ? (reason.stack ?? reason.message) : reason.message}`);
    if (!debug) say('This is a bug in bridgetape. Run it again with --debug and report what it prints.');
    process.exitCode = EXIT.trouble;
  }
}
