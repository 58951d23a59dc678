/** The runtime's executable, as BuildKit would run it, in front of a stand-in for runc, in a folder of its own. */
import { spawn, spawnSync, type ChildProcess, type ChildProcessByStdio, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

import { runtimeScript, type RuntimeScript } from '../../src/runtime/script.js';

export const RECORDER = join(import.meta.dirname, '..', '..', 'dist', 'cli', 'frontend.cjs');

/** What a frontend is told, as BuildKit tells it. */
export const FRONTEND_ENV = ['PATH=/bin', 'BUILDKIT_FRONTEND_OPT_0=source=docker/dockerfile:1', 'BUILDKIT_SESSION_ID=7kqsession', 'BUILDKIT_WORKERS=[{"buildkitVersion":{"version":"v0.32.2"}}]'];

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

type Piped = ChildProcessByStdio<Writable, Readable, Readable>;

export class StandIn implements Disposable {
  /** Its name has all that a shell acts on. */
  readonly path = mkdtempSync(join(tmpdir(), "it's a $HOME \"test\" `x`-"));
  readonly cassettes = this.at('cas settes');
  readonly executable = this.at("bridgetape runc's");

  /** @param body what the stand-in does, in sh */
  constructor(
    body: string,
    private readonly changes: Partial<RuntimeScript> = {},
  ) {
    mkdirSync(this.cassettes, { mode: 0o700 });
    this.write('runc', `#!/bin/sh\n${body}\n`);
    this.write(
      "bridgetape runc's",
      runtimeScript({ tool: 'bridgetape 0.1.0', folder: this.cassettes, runc: this.at('runc'), node: process.execPath, recorder: RECORDER, ...changes }),
    );
  }

  at(...names: string[]): string {
    return join(this.path, ...names);
  }

  write(name: string, text: string): void {
    writeFileSync(this.at(name), text);
    chmodSync(this.at(name), 0o755);
  }

  /** @returns the bundle's folder */
  bundle(process: object = { args: ['/run'], env: FRONTEND_ENV, cwd: '/', user: { uid: 0, gid: 0 } }, more: object = {}): string {
    const folder = this.at('bundle with blanks');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ ociVersion: '1.0.2', process, ...more }));
    return folder;
  }

  /** As BuildKit calls it. */
  runArguments(bundle = this.bundle()): readonly string[] {
    return ['--log', this.at('log'), '--log-format', 'json', 'run', '--bundle', bundle, '--keep', 'containerid'];
  }

  start(args: readonly string[], options: SpawnOptions = {}): Piped {
    return spawn(this.executable, args, { stdio: ['pipe', 'pipe', 'pipe'], ...options }) as Piped;
  }

  /** Runs it to its end, without stdin. */
  ran(args: readonly string[], options: SpawnOptions = {}): Ended {
    const { status, signal, stdout, stderr, error } = spawnSync(this.executable, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], ...options, shell: false });
    if (error !== undefined) throw error;
    return { status, signal, stdout, stderr };
  }

  /** Runs it to its end with something on a pipe, as a frontend's runtime is run. */
  async talked(args: readonly string[], input: string | Uint8Array = ''): Promise<Ended> {
    const child = this.start(args);
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    return await output(child);
  }

  made(): string[] {
    return readdirSync(this.cassettes).filter((name) => name.endsWith('.cassette')).sort().map((name) => join(this.cassettes, name));
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

export async function output(child: Piped): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('latin1').on('data', (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  const [status, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { status, signal, stdout, stderr };
}

/** Resolves when the stream has brought a text. */
export function until(stream: Readable, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let got = '';
    const take = (chunk: Buffer): void => {
      got += chunk.toString('latin1');
      if (!got.includes(text)) return;
      stream.off('data', take);
      resolve(got);
    };
    stream.on('data', take);
    stream.once('end', () => reject(new Error(`it ended after: ${got}`)));
  });
}

/** Resolves when the process is gone. It is nobody's child here, so there is no event for that. */
export async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((done) => setTimeout(done, 5));
  }
}

export type { ChildProcess };
