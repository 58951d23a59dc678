import { accessSync, constants as fsConstants, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';

import { findProgram } from '../command/index.js';
import { cassetteNames, compareJson, compareReview, compareSides, daemonSpecs, endings, isAlike, runSide, type DaemonSpec, type Side } from '../compare/index.js';
import type { DiffReport } from '../diff/index.js';
import { BridgetapeError } from '../errors.js';
import { defineCommand } from './command.js';
import { DIFF_OPTIONS, diffRequest, linesOf } from './diff-options.js';
import { wholeNumber } from './numbers.js';
import { print } from './output.js';
import { abortedBySignal, EXIT, say } from './terminal.js';
import { TLS_OPTIONS, tlsOptions } from './upstream-options.js';

/** A run takes seconds at least. */
const MAX_REPEAT = 1000;

export const compareCommand = defineCommand(
  {
    name: 'compare',
    about: 'Runs CMD against each daemon, with BUILDKIT_HOST at a proxy in front of it, and tells what differs between what crossed there: between the first daemon and each other one.',
    operands: {},
    options: {
      daemon: { kind: 'list', value: 'NAME=ADDRESS', about: 'A daemon, and what to call it: an address as for buildctl, or exec:PATH for a buildkitd that is started for each run and removed after it (root)' },
      repeat: { kind: 'text', value: 'N', about: 'Run CMD so often against each daemon; what varies between runs of one is reported apart, as noise', default: '1' },
      keep: { kind: 'text', value: 'DIR', about: 'Keep the cassettes there, NAME.cassette for each daemon' },
      force: { kind: 'flag', about: 'With --keep: replace those that exist' },
      'buildkitd-config': { kind: 'text', value: 'FILE', about: 'buildkitd.toml for daemons of exec:' },
      'show-output': { kind: 'flag', about: 'Show what CMD prints, on stderr, as it comes' },
      ...TLS_OPTIONS,
      ...DIFF_OPTIONS,
    },
    runsCommand: true,
    examples: [
      { line: 'bridgetape compare --daemon old=unix:///run/old.sock --daemon new=unix:///run/new.sock -- buildctl build …' },
      { line: 'bridgetape compare --daemon old=exec:v0.17/buildkitd --daemon new=exec:v0.32/buildkitd --repeat 3 -- ./my-frontend' },
    ],
    notes: [
      'The options for TLS hold for every daemon at tcp://. CMD gets no stdin; what it prints is shown when it fails, or with --show-output.',
      'A daemon of exec: has a folder, processes and mounts of its own, and starts with nothing in its cache. It uses runc of PATH and the network of this machine, and is told nothing else than what --buildkitd-config says.',
      'How CMD ends is compared as well: a status that only one daemon gives is a difference. One that all give is none, so failing builds can be compared.',
      'Exit status: 0 when nothing differs from the first daemon; 1 when something does; 2 when a comparison could not be made; 127 when CMD is not found; 128 + N when signal N ended it.',
    ],
  },
  async (values, command) => {
    if (command === undefined) throw new BridgetapeError('bad-argument', 'compare needs a command to run.', 'Write it behind --, such as: bridgetape compare --daemon old=… --daemon new=… -- buildctl build …');
    findProgram(command[0] ?? '');
    const times = wholeNumber('--repeat', values.repeat, MAX_REPEAT);
    const specs = await daemonSpecs(values.daemon, tlsOptions(values));
    const request = await diffRequest(values);
    if (values.junit && specs.length > 2) throw new BridgetapeError('bad-argument', `--junit tells of one comparison, and ${specs.length} daemons make ${specs.length - 1}.`, 'Name two daemons, or take --json.');
    const config = values['buildkitd-config'];
    if (config !== undefined && !existsSync(config)) throw new BridgetapeError('bad-argument', `There is no file ${config} for --buildkitd-config.`, 'Name a buildkitd.toml.');
    const keep = values.keep === undefined ? undefined : makeRoom(values.keep, specs, times, values.force);
    const folder = keep ?? realpathSync(mkdtempSync(join(tmpdir(), 'bridgetape-')));
    // A signal ends the command that runs, then the daemon, then us.
    const { signal, done } = abortedBySignal();
    try {
      const sides: Side[] = [];
      for (const spec of specs) {
        sides.push(
          await runSide(spec, {
            ...{ command, times, folder, force: values.force, config, keepLogs: keep ?? tmpdir(), signal },
            say: (line) => say(`bridgetape: ${line}`),
            ...(values['show-output'] ? { onLine: (line: string) => say(`${spec.name} | ${line}`) } : {}),
          }),
        );
      }
      const [base, ...others] = sides;
      if (base === undefined) throw new Error('there are daemons');
      if (!values['show-output']) showFailures(sides);
      const comparisons = compareSides([base, ...others], request.options, keep === undefined ? ({ name }) => name : undefined);
      const review = { render: (report: DiffReport) => linesOf(report, request, values.full), command, classes: request.classes, full: values.full };
      const lines = values.json ? compareJson(sides, comparisons, keep !== undefined) : values.junit ? comparisons.flatMap(({ report }) => [...review.render(report)]) : compareReview(comparisons, { ...review, isMarkdown: values.markdown });
      if (values.junit) comparisons.flatMap((comparison) => endings(comparison, command)).forEach((line) => say(`bridgetape: ${line}`));
      return await print(lines, comparisons.every(isAlike) ? EXIT.ok : EXIT.different);
    } catch (error) {
      if (!signal.aborted) throw error;
      say(`bridgetape: ended by ${String(signal.reason)}; nothing is left behind.`);
      return 128 + constants.signals[signal.reason as NodeJS.Signals];
    } finally {
      done();
      if (keep === undefined) rmSync(folder, { recursive: true, force: true });
    }
  },
);

/** What is in the way is told before anything runs. */
function makeRoom(folder: string, specs: readonly DaemonSpec[], times: number, force: boolean): string {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, fsConstants.W_OK);
  } catch (error) {
    throw new BridgetapeError('cassette-not-writable', `Cannot keep cassettes in ${folder}: ${error instanceof Error ? error.message : String(error)}.`, 'Name a folder that you may write to: --keep DIR', { cause: error });
  }
  const there = specs.flatMap(({ name }) => cassetteNames(name, times)).find((file) => existsSync(join(folder, file)));
  if (there !== undefined && !force) throw new BridgetapeError('cassette-exists', `${join(folder, there)} exists.`, 'Name another folder, or pass --force to replace it.');
  return folder;
}

/** What a command that failed printed: of runs that failed in the same way at one daemon, once. */
function showFailures(sides: readonly Side[]): void {
  for (const { name, runs } of sides) {
    const told = new Set<number>();
    for (const { status, output } of runs) {
      if (status === 0 || told.has(status)) continue;
      told.add(status);
      for (const line of output.trimEnd().split('\n')) say(`${name} | ${line}`);
    }
  }
}
