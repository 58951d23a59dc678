import { setFlagsFromString } from 'node:v8';

import { findProgram, runCommand } from '../command/index.js';
import { DEFAULT_STALL_MS, describeReannotations, missLines, replay, type FaultTally, type Replay } from '../replayer/index.js';
import { colorsFor } from './colors.js';
import { defineCommand } from './command.js';
import { dockerFront, dockerVariables } from './docker-variables.js';
import { FAULT_TOPIC } from './fault-topic.js';
import { LISTEN_OPTIONS, listenPlace } from './listen-options.js';
import { nonNegative } from './numbers.js';
import { plural } from '../quantity.js';
import { CONFIG_OPTION, rulesFrom } from './rules.js';
import type { Options } from './synopsis.js';
import { EXIT, say, untilSignal } from './terminal.js';

/** A replay dials nobody, so that here nothing else can be meant by buildkitd's own names. */
const SHORT_NAMES = {
  'listen-tlscert': { ...LISTEN_OPTIONS['listen-tlscert'], also: 'tlscert' },
  'listen-tlskey': { ...LISTEN_OPTIONS['listen-tlskey'], also: 'tlskey' },
  'listen-tlscacert': { ...LISTEN_OPTIONS['listen-tlscacert'], also: 'tlscacert' },
} as const satisfies Options;

/**
 * V8 optimises a function after so many bytes of its code have run: 132 KB in Node 20, and most replays are over before
 * that. Sooner, the first few thousand calls take a quarter less time (bench: sequential unary). Later ones than Node 20 have
 * a compiler in between, and another flag.
 */
const OPTIMISE_AFTER_BYTES = 20_000;
const HAS_THAT_FLAG = process.versions.v8.startsWith('11.');

export const replayCommand = defineCommand(
  {
    name: 'replay',
    about:
      'Serves the cassette FILE where BuildKit would be, and Docker if it was recorded, and runs CMD with BUILDKIT_HOST and DOCKER_HOST set to that. ' +
      'Without CMD, serves until SIGINT or SIGTERM; a second one ends it at once.',
    operands: { file: { required: true, about: 'The cassette to serve' } },
    options: {
      ...LISTEN_OPTIONS,
      ...SHORT_NAMES,
      config: CONFIG_OPTION,
      exact: { kind: 'flag', about: 'What only describes a request (source lines, names on the screen) decides as well' },
      pace: { kind: 'text', value: 'N', about: 'Time between messages: 0 none, 1 as recorded, 2 twice as slow', default: '0' },
      stall: {
        kind: 'text',
        value: 'SECONDS',
        about: 'How long to wait for a message of the client before its call fails; 0 waits for ever',
        default: String(DEFAULT_STALL_MS / 1000),
      },
      grace: { kind: 'text', value: 'SECONDS', about: 'Without CMD: how long open calls may go on after SIGINT or SIGTERM', default: '5' },
      fault: { kind: 'list', value: 'SPEC', about: 'What is to go wrong, as in ReadFile#2=UNAVAILABLE; replay --help faults lists it all' },
    },
    runsCommand: true,
    examples: [{ line: 'bridgetape replay build.cassette -- buildctl build --frontend dockerfile.v0 …' }],
    notes: ["Exit status: CMD's own when it is not 0; 3 when the cassette could not answer everything, or a fault never fired; 2 when it could not be served; 127 when CMD is not found."],
    topics: [FAULT_TOPIC],
  },
  async (values, command) => {
    const pace = nonNegative('--pace', values.pace);
    const stallMs = nonNegative('--stall', values.stall) * 1000;
    const graceMs = nonNegative('--grace', values.grace) * 1000;
    const { address, tls, insecure } = listenPlace(values);
    if (command !== undefined) findProgram(command[0] ?? '');
    const rules = await rulesFrom(values.config, values.exact);
    let running: Promise<number> | undefined;
    const replaying = await replay({
      file: values.file,
      ...(address === undefined ? {} : { listen: address }),
      tls,
      insecure,
      onRefused: (error) => say(`bridgetape: ${error.message}`),
      rules,
      pace,
      faults: values.fault,
      stallMs,
      ...(command === undefined ? {} : { command }),
      onMiss: (miss) => missLines(miss, colorsFor(process.stderr)).forEach(say),
      onListening: (where, reach, docker) => {
        if (reach !== undefined) say(`bridgetape: ${reach}`);
        if (command !== undefined) running = runCommand(command, { BUILDKIT_HOST: where, ...dockerVariables(docker) });
      },
    });
    // Not before: what starting up and reading take is run once.
    if (HAS_THAT_FLAG) setFlagsFromString(`--interrupt-budget=${OPTIMISE_AFTER_BYTES}`);
    try {
      if (running === undefined) {
        // Listens for signals first: who reads the line may answer it with one.
        const signal = untilSignal();
        say(`bridgetape: listening on ${replaying.address}, ${dockerFront(replaying.dockerAddress)}serving ${values.file}`);
        await signal;
        const again = untilSignal();
        await Promise.race([replaying.close(graceMs), again.then(() => replaying.close())]);
        return replaying.misses.length + idle(replaying).length === 0 ? EXIT.ok : EXIT.incomplete;
      }
      const status = await running;
      if (status !== EXIT.ok || replaying.misses.length + idle(replaying).length === 0) return status;
      if (replaying.misses.length > 0) say(`bridgetape: the command succeeded, but ${plural(replaying.misses.length, 'request')} had no answer in ${values.file}`);
      return EXIT.incomplete;
    } finally {
      await replaying.close();
      for (const { spec, calls } of idle(replaying)) say(`bridgetape: the fault ${spec} never fired: ${calls === 0 ? 'its method was not called' : `its method was called ${plural(calls, 'time')}`}`);
      if (replaying.afterFaults.length > 0) say(`bridgetape: after a fault, ${plural(replaying.afterFaults.length, 'request')} had no answer in ${values.file}, which does not count`);
      const told = describeReannotations(replaying.reannotations);
      if (told !== undefined) say(told);
    }
  },
);

/** Faults that never happened to anybody: what they were to test was not tested. */
function idle({ faults }: Replay): readonly FaultTally[] {
  return faults.filter(({ fired }) => fired === 0);
}
