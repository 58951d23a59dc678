import { setFlagsFromString } from 'node:v8';

import { findProgram, runCommand } from '../command/index.js';
import { DEFAULT_STALL_MS, describeReannotations, describeUnused, errorReport, hasFired, missLines, recordingReport, replay, reportOf, type Outcome, type Replay, type ReplayReport } from '../replayer/index.js';
import { modeFrom, planFor } from '../mode/index.js';
import { colorsFor } from './colors.js';
import { defineCommand } from './command.js';
import { dockerFront, dockerVariables } from './docker-variables.js';
import { FAULT_TOPIC } from './fault-topic.js';
import { LISTEN_OPTIONS, listenPlace } from './listen-options.js';
import { checkRecordingOptions, MODE_OPTION, MODES_TOPIC, withShortNames } from './modes.js';
import { factors, nonNegative } from './numbers.js';
import { plural } from '../quantity.js';
import { RECORDING_OPTIONS } from './recording-options.js';
import { openReport } from './report-file.js';
import { CONFIG_OPTION, rulesFrom } from './rules.js';
import { EXIT, say, untilSignal } from './terminal.js';

/**
 * V8 optimises a function after so many bytes of its code have run: 132 KB in Node 20. What reads a small cassette is run once,
 * and to optimise it takes a tenth of a start (bench: start); a large one still has it done soon. Most replays are over before
 * that many bytes, so once clients are served it is done soon: the first few thousand calls take half the time (bench:
 * sequential unary). Later ones than Node 20 have a compiler in between, and another flag.
 */
const OPTIMISE_AFTER_BYTES = { reading: 600_000, serving: 5000 };
const HAS_THAT_FLAG = process.versions.v8.startsWith('11.');

/**
 * V8 takes what survives for what will: while a cassette is loaded everything does, and of calls nothing. Made in the old
 * generation by that rule, small parts of calls would keep the rest of them until a full collection (100,000 short calls: 590
 * MB in place of 310, and a fifth fewer a second).
 */
const JUDGE_NOTHING_BY_ITS_PAST = '--no-allocation-site-pretenuring';

export const replayCommand = defineCommand(
  {
    name: 'replay',
    about: 'Serves cassettes in place of BuildKit, and of Docker if that was recorded, to CMD (by BUILDKIT_HOST and DOCKER_HOST), or until SIGINT or SIGTERM.',
    operands: { file: { required: true, many: true, about: 'A cassette, or a folder of them' } },
    options: {
      ...LISTEN_OPTIONS,
      ...RECORDING_OPTIONS,
      mode: MODE_OPTION,
      config: CONFIG_OPTION,
      exact: { kind: 'flag', about: 'Source lines and names on the screen decide as well' },
      pace: { kind: 'list', value: 'N', about: 'Time between messages: 0 none, 1 as recorded, 2 twice as slow; METHOD=N for one' },
      'max-gap': { kind: 'text', value: 'SECONDS', about: 'With a pace: cut longer silences to this' },
      stall: {
        kind: 'text',
        value: 'SECONDS',
        about: 'How long to wait for a message of the client before its call fails; 0 waits for ever',
        default: String(DEFAULT_STALL_MS / 1000),
      },
      strict: { kind: 'flag', about: 'Fail too when something recorded is not asked for' },
      report: { kind: 'text', value: 'FILE', about: 'Write what it came to as JSON' },
      grace: { kind: 'text', value: 'SECONDS', about: 'Without CMD: how long open calls may go on after SIGINT or SIGTERM', default: '5' },
      fault: { kind: 'list', value: 'SPEC', about: 'A fault (--help faults)' },
    },
    runsCommand: true,
    examples: [
      { line: 'bridgetape replay build.cassette -- buildctl build …' },
      { line: 'bridgetape replay testdata/ --strict -- go test ./...' },
    ],
    notes: ["Exit status: CMD's own when it is not 0; 3 when something had no answer or, with --strict, was not asked for, or a fault never fired; 2 when it could not be served; 127 when CMD is not found."],
    topics: [FAULT_TOPIC, MODES_TOPIC],
  },
  async (values, command) => {
    const pace = factors('--pace', values.pace);
    const maxGapMs = values['max-gap'] === undefined ? undefined : nonNegative('--max-gap', values['max-gap']) * 1000;
    const stallMs = nonNegative('--stall', values.stall) * 1000;
    const graceMs = nonNegative('--grace', values.grace) * 1000;
    const choice = modeFrom(values.mode, process.env);
    checkRecordingOptions(values, choice);
    const { address, tls, insecure } = listenPlace(choice.mode === 'none' ? withShortNames(values) : values);
    if (command !== undefined) findProgram(command[0] ?? '');
    setFlagsFromString(JUDGE_NOTHING_BY_ITS_PAST);
    const rules = await rulesFrom(values.config, values.exact);
    const records = planFor(values.file, choice, process.env) === 'record';
    const report = values.report === undefined ? undefined : openReport(values.report);
    if (records) {
      const file = values.file.join('');
      try {
        const { recordAnew } = await import('./record-anew.js');
        const { status, rejected } = await recordAnew(file, values, choice, command);
        report?.write(recordingReport(file, rejected, commandOutcome(command, status)));
        return status;
      } catch (error) {
        report?.write(errorReport(error));
        throw error;
      }
    }
    optimiseAfter(OPTIMISE_AFTER_BYTES.reading);
    let running: Promise<number> | undefined;
    const play = replay({
      file: values.file,
      ...(address === undefined ? {} : { listen: address }),
      tls,
      insecure,
      onRefused: (error) => say(`bridgetape: ${error.message}`),
      rules,
      ...(pace.all === undefined ? {} : { pace: pace.all }),
      paces: pace.named,
      ...(maxGapMs === undefined ? {} : { maxGapMs }),
      faults: values.fault,
      stallMs,
      ...(command === undefined ? {} : { command }),
      onMiss: (miss) => missLines(miss, colorsFor(process.stderr)).forEach(say),
      onListening: (where, reach, docker) => {
        if (reach !== undefined) say(`bridgetape: ${reach}`);
        if (command !== undefined) running = runCommand(command, { BUILDKIT_HOST: where, ...dockerVariables(docker) });
      },
    });
    let status: number | undefined;
    let replaying: Replay | undefined;
    /** Cassettes of which it was said that they are not whole. */
    const told = new Set<string>();
    try {
      replaying = await play;
      sayWhichAreNotWhole(replaying, told);
      optimiseAfter(OPTIMISE_AFTER_BYTES.serving);
      if (running === undefined) await untilTold(replaying, graceMs);
      else status = await running;
    } catch (error) {
      report?.write(errorReport(error));
      throw error;
    } finally {
      await replaying?.close();
    }
    const outcome: Outcome = { strict: values.strict, ...commandOutcome(command, status) };
    const result = reportOf(replaying, outcome);
    report?.write(result);
    // Damage shows when it is come to.
    sayWhichAreNotWhole(replaying, told);
    return conclude(replaying, result, status ?? EXIT.ok);
  },
);

function optimiseAfter(bytes: number): void {
  if (HAS_THAT_FLAG) setFlagsFromString(`--interrupt-budget=${bytes}`);
}

function sayWhichAreNotWhole(replaying: Replay, told: Set<string>): void {
  for (const { cassette, state } of replaying.notWhole()) {
    if (!told.has(cassette)) say(`bridgetape: ${cassette} is ${state}: bridgetape verify says where.`);
    told.add(cassette);
  }
}

function commandOutcome(command: readonly string[] | undefined, status: number | undefined): Pick<Outcome, 'command'> {
  return command === undefined || status === undefined ? {} : { command: { arguments: command, status } };
}

async function untilTold(replaying: Replay, graceMs: number): Promise<void> {
  // Listens for signals first: who reads the line may answer it with one.
  const signal = untilSignal();
  say(`bridgetape: listening on ${replaying.address}, ${dockerFront(replaying.dockerAddress)}serving ${served(replaying)}`);
  await signal;
  const again = untilSignal();
  await Promise.race([replaying.close(graceMs), again.then(() => replaying.close())]);
}

function served({ cassettes }: Replay): string {
  return cassettes.length === 1 ? cassettes.join('') : plural(cassettes.length, 'cassette');
}

/** Says what it came to. @returns the exit status */
function conclude(replaying: Replay, { verdict, misses, unused, faults, command }: ReplayReport, commandStatus: number): number {
  for (const line of describeUnused(replaying.unused())) say(line);
  const reannotated = describeReannotations(replaying.reannotations);
  if (reannotated !== undefined) say(reannotated);
  for (const { spec, calls } of faults.filter((fault) => !hasFired(fault))) say(`bridgetape: the fault ${spec} never fired: ${calls === 0 ? 'its method was not called' : `its method was called ${plural(calls, 'time')}`}`);
  if (replaying.afterFaults.length > 0) say(`bridgetape: after a fault, ${plural(replaying.afterFaults.length, 'request')} had no answer in ${served(replaying)}, which does not count`);
  if (commandStatus !== EXIT.ok) return commandStatus;
  const although = command === undefined ? '' : 'the command succeeded, but ';
  switch (verdict) {
    case 'passed':
    case 'command-failed':
      return EXIT.ok;
    case 'fault-unfired':
      return EXIT.incomplete;
    case 'missed':
      say(`bridgetape: ${although}${plural(misses.count, 'request')} had no answer in ${served(replaying)}`);
      return EXIT.incomplete;
    case 'unused':
      say(`bridgetape: ${although}${plural(unused.count, 'recorded call')} ${unused.count === 1 ? 'was' : 'were'} not asked for, which --strict does not let pass`);
      return EXIT.incomplete;
  }
}
