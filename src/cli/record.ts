import { record } from '../recorder/index.js';
import { defineCommand } from './command.js';
import { LISTEN_OPTIONS } from './listen-options.js';
import { describeRecording, recordingPlan, recordUntilEnd } from './recording.js';
import { RECORDING_OPTIONS } from './recording-options.js';
import { say } from './terminal.js';
import { UPSTREAM_OPTIONS } from './upstream-options.js';

const { docker, bodies, 'no-bodies': noBodies, 'no-command': noCommand } = RECORDING_OPTIONS;

export const recordCommand = defineCommand(
  {
    name: 'record',
    about: 'Runs CMD with BUILDKIT_HOST and DOCKER_HOST at proxies in front of BuildKit and Docker; what crosses goes to FILE. Without CMD, records until SIGINT or SIGTERM.',
    operands: {},
    options: {
      output: { kind: 'text', short: 'o', value: 'FILE', required: true, about: 'The cassette to write, by custom *.cassette' },
      ...UPSTREAM_OPTIONS,
      ...LISTEN_OPTIONS,
      docker,
      force: { kind: 'flag', about: 'Replace FILE if it exists' },
      bodies,
      'no-bodies': noBodies,
      'no-command': noCommand,
    },
    runsCommand: true,
    examples: [{ line: 'bridgetape record -o build.cassette -- buildctl build --frontend dockerfile.v0 …' }],
    notes: [
      "Exit status: CMD's own when it is not 0; 3 when something that crossed could not be written; 2 when nothing could be recorded; 127 when CMD is not found.",
    ],
  },
  async (values, command) => {
    const { output, force } = values;
    return await recordUntilEnd(
      output,
      recordingPlan(values, command),
      async (options) => {
        const recording = await record({ ...options, output, force: force && (command === undefined || 'later') });
        // Of a command that never ran no cassette stays, which would stand in the way of the next one.
        return { ...recording, close: (ended) => (ended === undefined ? recording.discard().then(() => undefined) : recording.close()) };
      },
      (summary) => {
        say(describeRecording(summary.path, summary));
        return summary.loss === undefined;
      },
    );
  },
);
