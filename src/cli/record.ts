import { findProgram, runCommand } from '../command/index.js';
import { record } from '../recorder/index.js';
import { dockerHost, parseSocketAddress, temporaryAddress, type DockerHost } from '../socket/index.js';
import { defineCommand } from './command.js';
import { dockerFront, dockerVariables } from './docker-variables.js';
import { LISTEN_OPTIONS, listenPlace } from './listen-options.js';
import { plural, size } from '../quantity.js';
import { EXIT, say, untilSignal } from './terminal.js';
import { UPSTREAM_OPTIONS, upstreamPlace } from './upstream-options.js';

export const recordCommand = defineCommand(
  {
    name: 'record',
    about: 'Runs CMD with BUILDKIT_HOST and DOCKER_HOST at proxies in front of BuildKit and Docker; what crosses goes to FILE. Without CMD, records until SIGINT or SIGTERM.',
    operands: {},
    options: {
      output: { kind: 'text', short: 'o', value: 'FILE', required: true, about: 'The cassette to write, by custom *.cassette' },
      ...UPSTREAM_OPTIONS,
      ...LISTEN_OPTIONS,
      docker: { kind: 'text', value: 'ADDRESS', about: 'Where Docker is: unix:// or tcp://, or none', defaultAbout: "$DOCKER_HOST, Docker's context or socket" },
      force: { kind: 'flag', about: 'Replace FILE if it exists' },
      bodies: { kind: 'list', value: 'METHOD', about: 'Keep the message bodies of this method (/package.Service/Method, * for any run)' },
      'no-bodies': { kind: 'list', value: 'METHOD', about: 'Leave out the message bodies of this method' },
      'no-command': { kind: 'flag', about: "Leave CMD out of the cassette's header" },
    },
    runsCommand: true,
    examples: [{ line: 'bridgetape record -o build.cassette -- buildctl build --frontend dockerfile.v0 …' }],
    notes: [
      "Exit status: CMD's own when it is not 0; 3 when something that crossed could not be written; 2 when nothing could be recorded; 127 when CMD is not found.",
    ],
  },
  async (values, command) => {
    if (command !== undefined) findProgram(command[0] ?? '');
    const [upstream, place] = [upstreamPlace(values), listenPlace(values)];
    const docker = values.docker === undefined ? dockerHost(process.env) : named(values.docker);
    const dockerSocket = docker.kind === 'none' ? undefined : temporaryAddress('docker.sock');
    const { address, remove } = place.address === undefined ? temporaryAddress() : { address: place.address, remove: () => undefined };
    try {
      const recording = await record({
        output: values.output,
        listen: address,
        listenTls: place.tls,
        listenInsecure: place.insecure,
        upstream: upstream.address,
        upstreamTls: upstream.tls,
        ...(docker.kind === 'none' || dockerSocket === undefined ? {} : { docker: { listen: dockerSocket.address, upstream: docker } }),
        force: values.force,
        bodies: values.bodies,
        noBodies: values['no-bodies'],
        onUpstreamError: (error) => say(`bridgetape: ${error.message}`),
        onRefused: (error) => say(`bridgetape: ${error.message}`),
        onHelperLine: (line) => say(`bridgetape: ${line}`),
        onLoss: (error) => say(`bridgetape: cannot write ${values.output} any more: ${error.message}. The build goes on; what crosses from here on is lost.`),
        ...(command === undefined || values['no-command'] ? {} : { command }),
      });
      if (recording.reach !== undefined) say(`bridgetape: ${recording.reach}`);
      let status = EXIT.ok as number;
      try {
        if (command === undefined) {
          // Listens for signals first: who reads the line may answer it with one.
          const signal = untilSignal();
          say(`bridgetape: listening on ${recording.address}, ${dockerFront(recording.dockerAddress)}recording to ${values.output}`);
          await signal;
        } else {
          status = await runCommand(command, { BUILDKIT_HOST: recording.address, ...dockerVariables(recording.dockerAddress) });
        }
      } finally {
        const summary = await recording.close();
        say(`bridgetape: ${values.output}: ${plural(summary.calls, 'call')} on ${plural(summary.connections, 'connection')}, ${size(summary.bytes)}`);
        if (summary.connections === 0 && docker.kind === 'none' && docker.why !== '') say(`bridgetape: no Docker Engine was recorded: ${docker.why}`);
        if (summary.loss !== undefined) {
          say(`bridgetape: ${plural(summary.loss.events, 'event')} (${size(summary.loss.bytes)}) could not be written: ${summary.loss.error.message}`);
          if (status === EXIT.ok) status = EXIT.incomplete;
        }
      }
      return status;
    } finally {
      remove();
      dockerSocket?.remove();
    }
  },
);

function named(address: string): DockerHost {
  return address === 'none' ? { kind: 'none', why: '' } : parseSocketAddress(address);
}
