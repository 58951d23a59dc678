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
  { name: 'record', usage: 'record', summary: 'Record what crosses between clients and BuildKit', load: async () => (await import('./record.js')).default },
  { name: 'replay', usage: 'replay <file>', summary: 'Serve a cassette in place of BuildKit', load: async () => (await import('./replay.js')).default },
  { name: 'show', usage: 'show <file> [call]', summary: 'Show the calls of a cassette, or one call whole', load: async () => (await import('./show.js')).default },
  { name: 'verify', usage: 'verify <file>', summary: 'Check a cassette: whole, interrupted, or damaged where', load: async () => (await import('./verify.js')).default },
];

interface Entry {
  readonly name: string;
  /** With its positional arguments, as yargs reads them. */
  readonly usage: string;
  readonly summary: string;
  load(): Promise<CommandModule>;
}

async function main(argv: readonly string[]): Promise<number> {
  // What stands after -- is the user's command: not a word of it is ours to read.
  const dashes = argv.indexOf('--');
  const own = dashes === -1 ? argv : argv.slice(0, dashes);
  const command = dashes === -1 ? undefined : argv.slice(dashes + 1);
  const at = own.findIndex((word) => !word.startsWith('-'));
  const wanted = COMMANDS.find(({ name }) => name === own[at]);
  // A command that is to run is the one thing that there is to do: before yargs runs one of several, it lays out the
  // help of that one, which takes longer than all the rest (20 ms).
  const isAlone = wanted !== undefined && !own.includes('--help') && !own.includes('-h');
  const parser = yargs(isAlone ? own.toSpliced(at, 1) : [...own])
    .scriptName('bridgetape')
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
  if (wanted === undefined) {
    parser.usage('Record and replay the gRPC traffic between BuildKit frontends and buildkitd.\n\nUsage: $0 <command>').demandCommand(1, 'No command was given');
    for (const { usage, summary } of COMMANDS) parser.command(usage, summary);
  } else {
    const module = await wanted.load();
    parser.command(
      isAlone ? wanted.usage.replace(wanted.name, '$0') : wanted.usage,
      wanted.summary,
      (builder) => module.options(builder),
      (args) => {
        run = () => module.run(args, command);
      },
    );
  }
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
