// Our own program as a user runs it: the built CLI, in a process of its own.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand, startCommand, type CommandOptions, type CommandResult, type RunningCommand } from './command.js';

const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

/** `BRIDGETAPE_CLI` names another build's dist/cli/main.cjs. */
const chosen = process.env['BRIDGETAPE_CLI'];
const cli = chosen ?? join(root, 'dist', 'cli', 'main.cjs');

/** The beginning of its command line, for a script. */
export function cliCommand(): readonly string[] {
  return [process.execPath, cli];
}

/** Compiles what is older than its sources, as `npm test` does. */
export function buildBridgetape(): void {
  if (chosen !== undefined) return;
  const { status } = spawnSync(process.execPath, [join(root, 'scripts', 'setup.mjs'), '--build'], { stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`scripts/setup.mjs --build ended with status ${status ?? 'unknown'}`);
}

/** Runs `bridgetape` to its end. */
export function bridgetape(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  return runCommand([process.execPath, cli, ...args], options);
}

/** The same in a network namespace without any interface. */
export function bridgetapeOffline(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  return runCommand(['unshare', '--net', process.execPath, cli, ...args], options);
}

/** Starts `bridgetape` and hands it back while it runs. */
export function startBridgetape(args: readonly string[], options: CommandOptions = {}): RunningCommand {
  return startCommand([process.execPath, cli, ...args], options);
}

export interface Listening {
  readonly command: RunningCommand;
  /** What BUILDKIT_HOST wants. */
  readonly address: string;
}

/** `record` or `replay` without a command, once it has said where it listens. */
export async function listening(args: readonly string[], options: CommandOptions = {}): Promise<Listening> {
  const command = startBridgetape(args, options);
  const [, address = ''] = await command.until(/listening on (\S+),/);
  return { command, address };
}
