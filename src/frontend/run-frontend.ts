/**
 * A container frontend's program, run here: with the environment that it had, its stdin and stdout served from a cassette
 * as buildkitd serves them, to the end of its process. buildkitd never closes a frontend's stdin, so neither does this.
 */
import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { finished, type Duplex } from 'node:stream';

import { BRIDGE, EXEC_PROCESS, RETURN, type Rules, SOLVE, solveFacts } from '../bridge/index.js';
import { Cassette, type FrontendExit, type FrontendRun } from '../cassette/index.js';
import { findProgram, forwardSignals, notRun } from '../command/index.js';
import { BridgetapeError } from '../errors.js';
import { NS_PER_MS, replayToFrontend, systemClock, type FrontendReplay, type Told } from '../replayer/index.js';
import { filesRead, placeFiles } from './context.js';
import { differences } from './ending.js';
import { environmentFrom, environmentOfClient, type Asked, type Changes } from './environment.js';
import { placePrivately, type PrivateFiles } from './private-files.js';
import { processStream } from './process-stream.js';

export interface FrontendRunOptions extends Partial<Changes> {
  /** Path of the cassette. */
  readonly file: string;
  /** The program and its arguments. */
  readonly command: readonly string[];
  /**
   * Files that the frontend reads in place of the recorded ones: those of these names in the folder, or, without names, all
   * that the recorded frontend read and that are there.
   */
  readonly context?: { readonly folder: string; readonly files?: readonly string[] };
  /** When two requests are the same; left out: as the rules that come with bridgetape have it. */
  readonly rules?: Rules;
  /** 0: each answer at once (default); 1: as recorded; 2: twice as slow. */
  readonly pace?: number;
  /** After so long without anything from the frontend that the recording waits for, its calls fail; and when it can do no more, it is killed: ms; 0 = never. */
  readonly stallMs?: number;
  /** Ends the frontend, and all that was made for it. */
  readonly signal?: AbortSignal | undefined;
  /** Told of each request that the cassette could not answer as recorded. */
  readonly onMiss?: (miss: Told) => void;
  /** Told, in words, of what the frontend does not have here as it was recorded. */
  readonly onLack?: (text: string) => void;
}

export interface FrontendResult extends Pick<FrontendReplay, 'misses' | 'reannotations'> {
  readonly exit: FrontendExit;
  /** What is not as recorded, in words, a line each: none when the frontend ended as recorded and nothing was missed. */
  readonly differences: readonly string[];
}

/** What a process that has ended left in its stdout is read for so long, in ms: one that it started may hold it open. */
const LAST_WORDS_MS = 1000;

/** As for a call that waits for its client. */
const STALL_MS = 10_000;

const NOTHING_CHANGED: Changes = { options: new Map(), environment: new Map() };

/**
 * Runs a frontend's program against a cassette, with no daemon.
 *
 * @throws the reason of `signal`, when that was aborted before the frontend had ended
 * @throws BridgetapeError `cassette-not-found`, `not-a-cassette`, `cassette-version`, `cassette-damaged`, `replay-miss`
 *   when the cassette holds no calls of a frontend, `command-not-found`, `bad-argument` for files that are not there
 */
export async function runFrontend(options: FrontendRunOptions): Promise<FrontendResult> {
  const { signal } = options;
  signal?.throwIfAborted();
  const [program = '', ...args] = options.command;
  const path = findProgram(program);
  using cassette = Cassette.open(options.file);
  const recorded = cassette.header.frontend;
  const lack = options.onLack ?? ((): void => undefined);
  if (!cassette.calls.some((call) => call.path.startsWith(BRIDGE))) {
    throw new BridgetapeError('replay-miss', `${options.file} holds no calls of a frontend.`, 'Frontends that run inside the daemon make none. Record a container frontend with bridgetape runtime, or a client.Build with bridgetape record.');
  }
  const placed = options.context && placeFiles(options.context.folder, options.context.files ?? [], filesRead(cassette));
  const environment = environmentFrom(recorded?.environment ?? environmentOfClient(process.env, asked(cassette)), { ...NOTHING_CHANGED, ...options });
  const cwd = recorded === undefined ? process.cwd() : folderFor(recorded, lack);
  const launch = (prefix: readonly string[]): Running => start([...prefix, path, ...args], environment, cwd);
  const placing = recorded === undefined ? undefined : filesFor(recorded, cwd, lack);
  // The cassette is read while the frontend, or what it needs, comes up.
  let running = placing === undefined ? launch([]) : undefined;
  let replaying: FrontendReplay | undefined;
  const abort = (): void => running?.kill('SIGKILL');
  signal?.addEventListener('abort', abort);
  const waiting = new WaitForNothing(options.stallMs ?? STALL_MS, (ms, since) => {
    lack(`the frontend has not ended ${ms / 1000} s after ${since}: it is killed`);
    running?.kill('SIGKILL');
  });
  try {
    const onMiss = (miss: Told): void => {
      options.onMiss?.(miss);
      if (miss.path === EXEC_PROCESS) waiting.begin("ExecProcess had no answer, as BuildKit's client waits for its process for ever");
    };
    replaying = replayToFrontend(cassette, { ...options, onMiss, ...(placed === undefined ? {} : { files: placed }) });
    const prefix = (await placing)?.prefix ?? [];
    signal?.throwIfAborted();
    running ??= launch(prefix);
    const { kill, stdio, ended } = running;
    const stopForwarding = forwardSignals(kill);
    replaying.serve(stdio, () => waiting.begin('its connection broke'));
    const exit = await ended.finally(stopForwarding);
    signal?.throwIfAborted();
    if (recorded?.exit === undefined) lack('the cassette does not say how the recorded frontend ended, so only what it returned is compared');
    const unreturned = replaying.unasked().find((call) => call.path === RETURN)?.id;
    const { misses, reannotations } = replaying;
    return { exit, misses, reannotations, differences: differences({ recorded: recorded?.exit, live: exit, unreturned, missed: misses.map((miss) => miss.path) }) };
  } finally {
    signal?.removeEventListener('abort', abort);
    waiting.end();
    running?.kill('SIGKILL');
    await replaying?.close();
    (await placing)?.close();
  }
}

/** What the client of the recorded build asked for. */
function asked(cassette: Cassette): Asked {
  const solve = cassette.calls.find((call) => call.path === SOLVE);
  for (const event of solve === undefined ? [] : cassette.call(solve.id)) {
    const facts = event.kind === 'client-message' && event.data !== undefined ? solveFacts(event.data) : undefined;
    if (facts !== undefined) return facts;
  }
  return { session: '', options: [] };
}

/** The folder that it ran in, or else this one. */
function folderFor({ directory }: FrontendRun, lack: (text: string) => void): string {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true) return directory;
  lack(`there is no folder ${directory}, in which the frontend was recorded: it runs in this one`);
  return process.cwd();
}

function filesFor(recorded: FrontendRun, cwd: string, lack: (text: string) => void): Promise<PrivateFiles | undefined> | undefined {
  const files = recorded.files.filter(({ path }) => isAbsolute(path));
  if (files.length === 0) return undefined;
  const names = files.map(({ path }) => path).join(', ');
  if (process.platform !== 'linux') {
    lack(`the frontend runs without ${names}: only Linux can show it files of its own`);
    return undefined;
  }
  return placePrivately(files, cwd, (why) => lack(`the frontend runs without ${names}: ${why}`));
}

/**
 * A frontend that can do no more need not end. BuildKit's client notices no end of ExecProcess before its process has started,
 * and waits for that as long as its context lives: in a frontend, for ever (frontend/gateway/grpcclient/client.go,
 * procMessageForwarder.Recv; seen in v0.32.2). And what speaks no HTTP/2 may be no frontend at all.
 */
class WaitForNothing {
  private stop: (() => void) | undefined;

  constructor(
    private readonly ms: number,
    private readonly isOver: (ms: number, since: string) => void,
  ) {}

  /** @param since what has just happened, after which nothing more can come of the frontend */
  begin(since: string): void {
    if (this.ms > 0) this.stop ??= systemClock.at(systemClock.now() + BigInt(Math.ceil(this.ms)) * NS_PER_MS, () => this.isOver(this.ms, since));
  }

  end(): void {
    this.stop?.();
  }
}

interface Running {
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly stdio: Duplex;
  /** When it has ended and what it wrote was read; rejects when it could not be started. */
  readonly ended: Promise<FrontendExit>;
}

/** Some reasons are thrown: a file that is being written, an environment that is too long. */
function begun<Child>(program: string, begin: () => Child): Child {
  try {
    return begin();
  } catch (error) {
    throw notRun(program, error);
  }
}

function start([program = '', ...args]: readonly string[], env: Readonly<Record<string, string>>, cwd: string): Running {
  const child = begun(program, () => spawn(program, args, { cwd, env, stdio: ['pipe', 'pipe', 'inherit'] }));
  const stdio = processStream(child.stdin, child.stdout);
  const ended = new Promise<FrontendExit>((resolve, reject) => {
    child.once('error', (error) => reject(notRun(program, error)));
    child.once('exit', (status, signal) => {
      const exit = signal === null ? { status: status ?? 0 } : { signal };
      const late = setTimeout(() => resolve(exit), LAST_WORDS_MS);
      finished(stdio, { writable: false }, () => {
        clearTimeout(late);
        resolve(exit);
      });
    });
  });
  // Who waits for its end learns of it; before that something else may have gone wrong.
  ended.catch(() => undefined);
  return { kill: (signal) => void child.kill(signal), stdio, ended };
}
