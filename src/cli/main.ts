#!/usr/bin/env node
/** The front door: finds the command, and turns errors into a line and an exit status. */
import { BridgetapeError } from '../errors.js';
import type { Command } from './command.js';
import type { Listed } from './help.js';
import { EXIT, say } from './terminal.js';

interface Entry extends Listed {
  load(): Promise<Command>;
}

/** Each command's module is loaded only when it is the one: a replay must not wait for what it does not use. */
const COMMANDS: readonly Entry[] = [
  { name: 'record', takes: '-o FILE', summary: 'Record what crosses between clients and BuildKit', load: async () => (await import('./record.js')).default },
  { name: 'replay', takes: 'FILE', summary: 'Serve a cassette in place of BuildKit', load: async () => (await import('./replay.js')).default },
  { name: 'show', takes: 'FILE [CALL]', summary: 'Show the calls of a cassette, or one call whole', load: async () => (await import('./show.js')).default },
  { name: 'verify', takes: 'FILE', summary: 'Check a cassette: whole, interrupted, or damaged where', load: async () => (await import('./verify.js')).default },
];

async function main(argv: readonly string[]): Promise<number> {
  const own = ownWords(argv);
  const asksHelp = own.includes('--help') || own.includes('-h') || own[0] === 'help';
  const words = own[0] === 'help' ? own.slice(1) : own;
  const at = words.findIndex((word) => !word.startsWith('-'));
  const name = words[at];
  const entry = COMMANDS.find((command) => command.name === name);
  if (name !== undefined && entry === undefined) throw new BridgetapeError('bad-argument', `There is no command "${name}".`, 'bridgetape --help lists the commands.');
  if (asksHelp) return await printHelp(await entry?.load());
  if (own.includes('--version')) return await printVersion();
  if (entry === undefined) throw new BridgetapeError('bad-argument', 'No command was given.', 'bridgetape --help lists the commands.');
  return await (await entry.load()).run(words.toSpliced(at, 1), own.length === argv.length ? undefined : argv.slice(own.length + 1));
}

/** What stands after -- is the user's command: not a word of it is ours to read. */
function ownWords(argv: readonly string[]): readonly string[] {
  const dashes = argv.indexOf('--');
  return dashes === -1 ? argv : argv.slice(0, dashes);
}

async function printHelp(command: Command | undefined): Promise<number> {
  const [{ help, overview }, { outputWidth, print }] = await Promise.all([import('./help.js'), import('./output.js')]);
  return await print(command === undefined ? overview(COMMANDS, outputWidth()) : help(command.synopsis, outputWidth()));
}

async function printVersion(): Promise<number> {
  const [{ version }, { print }] = await Promise.all([import('../version.js'), import('./output.js')]);
  return await print([version]);
}

function fail(error: unknown, debug: boolean): number {
  const known = error instanceof BridgetapeError;
  const reason = error instanceof Error ? error : new Error(String(error));
  say(`bridgetape: ${known ? '' : 'internal error: '}${debug ? (reason.stack ?? reason.message) : reason.message}`);
  if (!known && !debug) say('This is a bug in bridgetape. Run it again with --debug and report what it prints.');
  return known && error.code === 'command-not-found' ? EXIT.commandNotFound : EXIT.trouble;
}

const argv = process.argv.slice(2);
// No await at the top level: this is bundled as a script.
void main(argv)
  .catch((error: unknown) => fail(error, ownWords(argv).includes('--debug')))
  .then((status) => {
    process.exitCode = status;
  });
