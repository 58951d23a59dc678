/** BuildKit for one test: its cassette replayed, or recorded where that is asked for, at an address of its own. */
import { dirname, isAbsolute, join, relative } from 'node:path';

import type { TestContext } from 'vitest';

import { BridgetapeError } from '../errors.js';
import { useCassette, MODE_VARIABLE, type CassetteUse, type Mode } from '../mode/index.js';
import { describeUnused, missLines, type ReplayOptions, type Told, type UnusedCall } from '../replayer/index.js';
import { parseAddress } from '../socket/index.js';
import { cassetteFile } from './cassette-file.js';
import { Requests } from './requests.js';

export interface BuildKitOptions {
  /** Where cassettes are, each test file's in a folder of its own; from the test file's folder on. `cassettes` unless told. */
  readonly folder?: string;
  /** The cassette itself, from the test file's folder on, in place of one that is named after the test: it was recorded elsewhere, and is only replayed. */
  readonly file?: string;
  /** Left out: what the variable `BRIDGETAPE_MODE` says, else `none`, in CI and elsewhere: nothing is recorded by surprise. */
  readonly mode?: Mode;
  /** Whether the mode `all` may record where `CI` is set. */
  readonly recordInCi?: boolean;
  /** BuildKit's address for a recording, as buildctl takes it. Left out: `BUILDKIT_HOST`, else where buildkitd listens by default. */
  readonly to?: string;
  /** 0: each answer at once (default); 1: as recorded. */
  readonly pace?: number;
  /** What is to go wrong in the replay, as in docs/faults.md. */
  readonly faults?: readonly string[];
  /** Whether recorded calls that the test does not make fail it. */
  readonly strict?: boolean;
  /** After so long without anything from a client that the recording waits for, its calls fail: ms; 0 = never. */
  readonly stallMs?: number;
  /** By which requests are compared. */
  readonly rules?: NonNullable<ReplayOptions['rules']>;
}

/** What a test gets. */
export class TestBuildKit {
  private readonly requests: Requests;
  private readonly use: CassetteUse;

  /** @internal */
  constructor(
    /** Path of the cassette. */
    readonly cassette: string,
    use: CassetteUse,
    requests: Requests,
  ) {
    this.use = use;
    this.requests = requests;
  }

  /** What clients dial, as for BUILDKIT_HOST: `unix:///…`. */
  get address(): string {
    return this.use.address;
  }

  /** Variables for a program that is run by the test. */
  get environment(): Readonly<Record<string, string>> {
    const { address, dockerAddress } = this.use;
    return { BUILDKIT_HOST: address, ...(dockerAddress === undefined ? {} : { DOCKER_HOST: dockerAddress }) };
  }

  /** Whether the cassette is being recorded, by a real BuildKit, rather than replayed. */
  get isRecording(): boolean {
    return this.use.kind === 'record';
  }

  /** What the cassette could not answer so far. */
  get misses(): readonly Told[] {
    return this.use.kind === 'replay' ? this.use.replay.misses : [];
  }

  /** Recorded calls that the test has not made so far. */
  get unused(): readonly UnusedCall[] {
    return this.use.kind === 'replay' ? this.use.replay.unused() : [];
  }

  /** What was asked for so far, for assertions. */
  get asked(): Pick<Requests, 'of' | 'methods' | 'knows'> {
    return this.requests;
  }

  /** Faults that have not happened to anybody so far. */
  get unfired(): readonly string[] {
    return this.use.kind === 'replay' ? this.use.replay.faults.filter(({ fired }) => fired === 0).map(({ spec }) => spec) : [];
  }
}

/** So many misses are told of a test. */
const MAX_TOLD = 10;

/** Which test of this worker uses which cassette. */
const users = new Map<string, string>();

/** Begins what a test needs. @returns it, and what ends it */
export async function begin({ task }: Pick<TestContext, 'task'>, options: BuildKitOptions): Promise<{ readonly buildkit: TestBuildKit; readonly end: () => Promise<void> }> {
  const testFile = task.file.filepath;
  const file = pathOf(testFile, task, options);
  refuseShared(file, task, options);
  const requests = new Requests();
  const again = `${MODE_VARIABLE}=all npx vitest run ${relative(process.cwd(), testFile)} -t ${quoted(task.name)}`;
  const { recordInCi, to, pace, faults, stallMs, rules } = options;
  const use = await useCassette({
    file,
    mode: options.file === undefined ? options.mode : 'none',
    recordInCi,
    upstream: to === undefined ? undefined : parseAddress(to),
    onRequest: requests.add,
    replay: { recordAgain: again, ...(pace === undefined ? {} : { pace }), ...(faults === undefined ? {} : { faults }), ...(stallMs === undefined ? {} : { stallMs }), ...(rules === undefined ? {} : { rules }) },
  }).catch((error: unknown) => {
    // With the command for this test; the error itself would only say it a second time.
    if (options.file === undefined && error instanceof BridgetapeError && error.code === 'cassette-not-found') throw new BridgetapeError(error.code, error.what, `Record it with a BuildKit at hand: ${again.replace('=all', '=once')}`);
    throw error;
  });
  const buildkit = new TestBuildKit(file, use, requests);
  return { buildkit, end: () => end(buildkit, use, task, options.strict === true) };
}

async function end(buildkit: TestBuildKit, use: CassetteUse, task: TestContext['task'], isStrict: boolean): Promise<void> {
  // vitest keeps this error behind the test's own.
  const hasFailed = task.result?.state === 'fail';
  if (use.kind === 'record') {
    const { rejected } = await use.close(hasFailed ? 'the test failed' : undefined);
    // A test that asks for nothing needs no cassette, but then no BuildKit either.
    if (rejected !== undefined && !hasFailed) throw new Error(`bridgetape: ${buildkit.cassette} was not recorded: ${rejected}`);
    return;
  }
  await use.close();
  const { misses, unused, unfired } = buildkit;
  const told = misses.slice(0, MAX_TOLD).map((miss) => missLines(miss).join('\n'));
  if (misses.length > MAX_TOLD) told.push(`bridgetape: and ${misses.length - MAX_TOLD} more requests had no answer`);
  if (isStrict && !hasFailed) told.push(...describeUnused(unused));
  if (!hasFailed) told.push(...unfired.map((spec) => `bridgetape: the fault ${spec} never fired`));
  if (told.length > 0) throw withoutStack(new Error(told.join('\n')));
}

/** Where in here it was thrown says nothing about the test. */
function withoutStack(error: Error): Error {
  error.stack = `${error.name}: ${error.message}`;
  return error;
}

function pathOf(testFile: string, task: TestContext['task'], { folder = 'cassettes', file }: BuildKitOptions): string {
  // In a folder for all, test files of one name are told apart by where they are.
  const own = isAbsolute(folder) ? join(folder, relative(process.cwd(), dirname(testFile)).replaceAll('..', '_')) : folder;
  const path = file ?? cassetteFile(own, testFile, namesOf(task));
  const absolute = isAbsolute(path) ? path : join(dirname(testFile), path);
  const here = relative(process.cwd(), absolute);
  return here.startsWith('..') ? absolute : here;
}

function namesOf(task: TestContext['task']): readonly string[] {
  const names = [task.name];
  for (let { suite } = task; suite !== undefined; { suite } = suite) names.unshift(suite.name);
  return names;
}

/** Two tests of the same name would replace each other's cassette. */
function refuseShared(path: string, task: TestContext['task'], { file }: BuildKitOptions): void {
  const user = users.get(path);
  if (file === undefined && user !== undefined && user !== task.id) throw new BridgetapeError('bad-argument', `Two tests are called "${task.name}" here, and both would use ${path}.`, 'Give one of them another name.');
  users.set(path, task.id);
}

function quoted(name: string): string {
  // vitest takes a regular expression, the shell a word.
  return `'${name.replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`).replaceAll("'", String.raw`'\''`)}'`;
}
