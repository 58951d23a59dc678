/** Recording, as every command does it that can: from what was asked for to what is said of it. */
import { findProgram, runCommand } from '../command/index.js';
import { plural, size } from '../quantity.js';
import type { Recording, RecordingSummary, RecordOptions } from '../recorder/index.js';
import { dockerHost, parseSocketAddress, temporaryAddress, type DockerHost } from '../socket/index.js';
import { dockerFront, dockerVariables } from './docker-variables.js';
import { listenPlace, type LISTEN_OPTIONS, type ListenPlace } from './listen-options.js';
import type { RECORDING_OPTIONS } from './recording-options.js';
import type { OptionValues } from './synopsis.js';
import { EXIT, say, unbroken, untilSignal } from './terminal.js';
import { upstreamPlace, type UpstreamPlace } from './upstream-options.js';

/** What is to be recorded, checked as far as it can be before anything listens. */
export interface RecordingPlan {
  readonly place: ListenPlace;
  readonly upstream: UpstreamPlace;
  readonly docker: DockerHost;
  readonly command: readonly string[] | undefined;
  readonly kept: Pick<RecordOptions, 'bodies' | 'noBodies' | 'command'>;
}

/** @throws BridgetapeError `command-not-found`, `bad-address`, `bad-argument` */
export function recordingPlan(values: OptionValues<typeof RECORDING_OPTIONS & typeof LISTEN_OPTIONS>, command: readonly string[] | undefined): RecordingPlan {
  if (command !== undefined) findProgram(command[0] ?? '');
  return {
    upstream: upstreamPlace(values),
    place: listenPlace(values),
    docker: values.docker === undefined ? dockerHost(process.env) : named(values.docker),
    command,
    kept: { bodies: values.bodies, noBodies: values['no-bodies'], ...(command === undefined || values['no-command'] ? {} : { command }) },
  };
}

function named(address: string): DockerHost {
  return address === 'none' ? { kind: 'none', why: '' } : parseSocketAddress(address);
}

interface Begun<S extends RecordingSummary> extends Pick<Recording, 'address' | 'reach' | 'dockerAddress'> {
  /** The command runs. */
  takePlace?(): Promise<void>;
  /**
   * @param status how the command ended: its exit status; undefined when it could not be run
   * @returns undefined when nothing of the recording is left
   */
  close(status: number | undefined): Promise<S | undefined>;
}

/**
 * Records until the command has ended, or, without one, until SIGINT or SIGTERM.
 *
 * @param file the cassette, as it is called in messages
 * @param begin begins the recording
 * @param conclude says what became of the cassette. @returns whether it is as it should be
 * @returns the exit status
 */
export async function recordUntilEnd<S extends RecordingSummary>(
  file: string,
  { place, upstream, docker, command, kept }: RecordingPlan,
  begin: (options: Omit<RecordOptions, 'output' | 'force'>) => Promise<Begun<S>>,
  conclude: (summary: S) => boolean,
): Promise<number> {
  const dockerSocket = docker.kind === 'none' ? undefined : temporaryAddress('docker.sock');
  const { address, remove } = place.address === undefined ? temporaryAddress() : { address: place.address, remove: () => undefined };
  try {
    const recording = await begin({
      listen: address,
      listenTls: place.tls,
      listenInsecure: place.insecure,
      upstream: upstream.address,
      upstreamTls: upstream.tls,
      ...(docker.kind === 'none' || dockerSocket === undefined ? {} : { docker: { listen: dockerSocket.address, upstream: docker } }),
      ...kept,
      onUpstreamError: (error) => say(`bridgetape: ${error.message}`),
      onRefused: (error) => say(`bridgetape: ${error.message}`),
      onHelperLine: (line) => say(`bridgetape: ${line}`),
      onLoss: (error) => say(`bridgetape: cannot write ${file} any more: ${error.message}. The build goes on; what crosses from here on is lost.`),
    });
    if (recording.reach !== undefined) say(`bridgetape: ${recording.reach}`);
    let status: number | undefined;
    let isWhole = false;
    try {
      if (command === undefined) {
        // Listens for signals first: who reads the line may answer it with one.
        const signal = untilSignal();
        say(`bridgetape: listening on ${recording.address}, ${dockerFront(recording.dockerAddress)}recording to ${file}`);
        await signal;
        status = EXIT.ok;
      } else {
        const begun = (): void => void recording.takePlace?.().catch((error: unknown) => say(`bridgetape: ${error instanceof Error ? error.message : String(error)}`));
        status = await runCommand(command, { BUILDKIT_HOST: recording.address, ...dockerVariables(recording.dockerAddress) }, begun);
      }
    } finally {
      const summary = await unbroken(`bridgetape: closing ${file}; another signal leaves it interrupted`, () => recording.close(status));
      if (summary !== undefined) {
        isWhole = conclude(summary);
        if (summary.connections === 0 && docker.kind === 'none' && docker.why !== '') say(`bridgetape: no Docker Engine was recorded: ${docker.why}`);
        if (summary.loss !== undefined) say(`bridgetape: ${plural(summary.loss.events, 'event')} (${size(summary.loss.bytes)}) could not be written: ${summary.loss.error.message}`);
        // Said where it is the whole of what went wrong.
        else if (summary.packFailure !== undefined) say(`bridgetape: ${file} is whole, but larger than it would be: it could not be packed: ${summary.packFailure.message}`);
      }
    }
    return status === EXIT.ok && !isWhole ? EXIT.incomplete : status;
  } finally {
    remove();
    dockerSocket?.remove();
  }
}

/** What a cassette holds, in a line. */
export function describeRecording(file: string, { calls, connections, bytes }: RecordingSummary): string {
  return `bridgetape: ${file}: ${plural(calls, 'call')} on ${plural(connections, 'connection')}, ${size(bytes)}`;
}
