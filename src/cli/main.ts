#!/usr/bin/env node
/** The front door: finds the command and hands it its words. */
import { BridgetapeError } from '../errors.js';
import type { Command } from './command.js';
import { reporting } from './failure.js';
import type { Listed } from './help.js';

interface Entry extends Listed {
  load(): Promise<Command>;
}

/** A command's script is loaded only when it is the one: a replay must not wait for what it does not use. */
const COMMANDS: readonly Entry[] = [
  { name: 'record', takes: '-o FILE', summary: 'Record what crosses between clients and BuildKit', load: async () => (await import('./record.js')).recordCommand },
  { name: 'replay', takes: 'FILE...', summary: 'Serve a cassette in place of BuildKit', load: async () => (await import('./replay.js')).replayCommand },
  { name: 'run', takes: 'CASSETTE -- CMD...', summary: 'Run a frontend here, served from a cassette', load: async () => (await import('./run.js')).runCommand },
  { name: 'runtime', takes: '--dir DIR', summary: 'Make an OCI runtime for buildkitd that records container frontends', load: async () => (await import('./runtime.js')).runtimeCommand },
  { name: 'ls', takes: 'DIR|FILE...', summary: 'List cassettes: builds, versions, calls, durations, sizes', load: async () => (await import('./ls.js')).lsCommand },
  { name: 'show', takes: 'FILE [CALL]', summary: 'Show the calls of a cassette, or one call whole', load: async () => (await import('./show.js')).showCommand },
  { name: 'explain', takes: 'FILE CALL', summary: 'Show what a replay compares of a request, and why', load: async () => (await import('./explain.js')).explainCommand },
  { name: 'diff', takes: 'A B', summary: 'Tell what differs between two cassettes', load: async () => (await import('./diff.js')).diffCommand },
  { name: 'compare', takes: '--daemon … -- CMD...', summary: 'Record a command against several daemons, and tell what differs', load: async () => (await import('./compare.js')).compareCommand },
  { name: 'unpack', takes: 'FILE', summary: 'Write a cassette as text that can be edited', load: async () => (await import('./unpack.js')).unpackCommand },
  { name: 'pack', takes: 'TEXT -o FILE', summary: 'Make a cassette of such a text', load: async () => (await import('./pack.js')).packCommand },
  { name: 'git', takes: 'install', summary: 'Have git show cassettes as text', load: async () => (await import('./git.js')).gitCommand },
  { name: 'verify', takes: 'FILE', summary: 'Check a cassette: whole, interrupted, or damaged where', load: async () => (await import('./verify.js')).verifyCommand },
];

/**
 * @param own what is bridgetape's to read
 * @param command what stood after `--`; undefined when there was no `--`
 */
async function main(own: readonly string[], command: readonly string[] | undefined, debug: boolean): Promise<number> {
  const asksHelp = own.includes('--help') || own.includes('-h') || own[0] === 'help';
  const words = own[0] === 'help' ? own.slice(1) : own;
  const at = words.findIndex((word) => !word.startsWith('-'));
  const name = words[at];
  const entry = COMMANDS.find((listed) => listed.name === name);
  if (name !== undefined && entry === undefined) throw new BridgetapeError('bad-argument', `There is no command "${name}".`, 'bridgetape --help lists the commands.');
  if (asksHelp) return await printHelp(await entry?.load(), words.slice(at + 1));
  if (own.includes('--version')) return await printVersion();
  if (entry === undefined) throw new BridgetapeError('bad-argument', 'No command was given.', 'bridgetape --help lists the commands.');
  return await (await entry.load()).run(words.toSpliced(at, 1), command, debug);
}

/** @param words what else was written: the name of a topic, it may be */
async function printHelp(command: Command | undefined, words: readonly string[]): Promise<number> {
  const [{ help, overview, topicHelp }, { outputWidth, print }] = await Promise.all([import('./help.js'), import('./output.js')]);
  const topic = command?.synopsis.topics?.find(({ name }) => words.includes(name));
  if (topic !== undefined) return await print([topicHelp(topic, outputWidth())]);
  return await print([await (command === undefined ? overview(COMMANDS, outputWidth()) : help(command.synopsis, outputWidth()))]);
}

async function printVersion(): Promise<number> {
  const [{ version }, { print }] = await Promise.all([import('../version.js'), import('./output.js')]);
  return await print([version]);
}

const argv = process.argv.slice(2);
const dashes = argv.indexOf('--');
const own = dashes === -1 ? argv : argv.slice(0, dashes);
const debug = own.includes('--debug');
// No await at the top level: this becomes a script.
void reporting(debug, () => main(own, dashes === -1 ? undefined : argv.slice(dashes + 1), debug)).then((status) => {
  process.exitCode = status;
});
