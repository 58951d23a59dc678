// A cassette as `bridgetape show --json` and `verify` tell it, so that tests see what users see.
import { bridgetape } from './bridgetape.js';
import { CommandError } from './command.js';

export interface ShownCall {
  readonly call: number;
  readonly connection: number;
  /** The build id that the call belongs to. */
  readonly build?: string;
  /** Of an exchange with a Docker Engine. */
  readonly method?: string;
  readonly path: string;
  readonly client: { readonly messages: number; readonly bytes: number };
  readonly server: { readonly messages: number; readonly bytes: number };
  readonly leftOut: number;
  readonly gaps: number;
  readonly outcome: { readonly kind: 'status' | 'http' | 'reset' | 'open'; readonly code?: number; readonly codeName?: string; readonly message?: string };
}

export interface ShownCassette {
  readonly state: 'whole' | 'interrupted' | 'damaged';
  readonly command?: readonly string[];
  readonly listen: readonly string[];
  readonly upstream: string;
  readonly buildkitVersion?: string;
  readonly frontend?: {
    readonly arguments: readonly string[];
    readonly environment: readonly string[];
    readonly files: readonly { readonly path: string; readonly base64: string }[];
    readonly exit?: { readonly status: number } | { readonly signal: string };
  };
  readonly builds: readonly { readonly ref: string }[];
}

export interface ShownEvent {
  readonly kind: string;
  readonly timeNs: number;
  readonly call?: number;
  readonly headers?: readonly { readonly name: string; readonly value?: string }[];
  readonly decoded?: Readonly<Record<string, unknown>>;
}

export interface Shown {
  readonly cassette: ShownCassette;
  readonly calls: readonly ShownCall[];
}

/** The list of calls. */
export async function shown(file: string): Promise<Shown> {
  const [cassette, ...calls] = await jsonLines(['show', file, '--json']);
  return { cassette: cassette as ShownCassette, calls: calls as ShownCall[] };
}

/** Every event. */
export async function shownEvents(file: string): Promise<readonly ShownEvent[]> {
  return (await jsonLines(['show', file, '--json', '--all'])) as ShownEvent[];
}

async function jsonLines(args: readonly string[]): Promise<readonly unknown[]> {
  const { status, stdout, stderr } = await bridgetape(args);
  if (status !== 0) throw new CommandError(`bridgetape ${args.join(' ')} ended with status ${status ?? 'unknown'}\n${stderr}`);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
}

/** `Control/Solve` of `/moby.buildkit.v1.Control/Solve` */
export function shortMethod(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}

/** What bridgetape says itself on the stderr that it shares with the command. */
export function ownWords(stderr: string): readonly string[] {
  return stderr.split('\n').filter((line) => line.startsWith('bridgetape: '));
}

/** What the command said. */
export function withoutOwnWords(stderr: string): string {
  return stderr
    .split('\n')
    .filter((line) => !line.startsWith('bridgetape: '))
    .join('\n');
}
