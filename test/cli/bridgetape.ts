/** The command as users have it: the built one, in a process of its own. */
import { spawn, type SpawnOptions } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';

const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'cli', 'main.cjs');

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Options extends SpawnOptions {
  /** What it reads on stdin; nothing by itself. */
  readonly input?: string;
}

/** Runs bridgetape to its end, with no terminal and no colours asked for. */
export function bridgetape(args: readonly string[], options: Options = {}): Promise<Ran> {
  return ran(process.execPath, [MAIN, ...args], options);
}

/** The same as the first part of a pipe; the status is bridgetape's. A bash whose stdin is a pipe of Node's, a socket, would read its settings. */
export function piped(args: readonly string[], into: string): Promise<Ran> {
  return ran('bash', ['--norc', '-c', `"$@" | ${into}; exit "\${PIPESTATUS[0]}"`, 'bash', process.execPath, MAIN, ...args]);
}

/** The same with its output in a file. */
export function redirected(args: readonly string[], file: string): Promise<Ran> {
  return ran('bash', ['--norc', '-c', `"$@" > ${file}`, 'bash', process.execPath, MAIN, ...args]);
}

async function ran(program: string, args: readonly string[], { input, ...options }: Options = {}): Promise<Ran> {
  const child = spawn(program, args, { ...options, env: { PATH: process.env['PATH'], ...options.env }, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(input);
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { status, stdout, stderr };
}
